import type { Node, NodeAPI, NodeStatus } from "node-red";
import { paced } from "../../src/receiving/paced";
import { statusLine, statusTime, untilTomorrow } from "../../src/receiving/status-line";
import type { Watching } from "./watcher";

/** In milliseconds. */
const interval = 1000;

/** The status of a `radaro watch`: whether something needs a person, and what was told last. */
export class WatchStatus {
  readonly #paced: ReturnType<typeof paced<NodeStatus>>;
  /** What was told last. */
  #last: { at: Date; what: string } | undefined;
  #watching: Watching = { merchants: 0, holding: 0 };
  #shown = "";
  #tomorrow: NodeJS.Timeout | undefined;

  /** @param config the merchant's node; `""`: all */
  constructor(
    node: Node,
    private readonly RED: NodeAPI,
    private readonly config: string,
  ) {
    this.#paced = paced((next: NodeStatus) => node.status(next), interval);
  }

  /** @param what a key of what was told */
  told(what: string): void {
    this.#last = { at: new Date(), what };
  }

  show(watching: Watching): void {
    this.#watching = watching;
    const next = JSON.stringify([watching, this.#last]);
    if (next === this.#shown) return;
    this.#shown = next;
    this.#paced.show(() => this.#status());
    if (!this.#last) return;
    clearTimeout(this.#tomorrow);
    const again = () => this.#paced.show(() => this.#status());
    this.#tomorrow = setTimeout(again, untilTomorrow(this.#last.at)).unref();
  }

  #status(): NodeStatus {
    const { merchants, holding } = this.#watching;
    const say = (key: string, about = {}) => this.RED._(`radaro-watch.status.${key}`, about);
    if (merchants === 0)
      return this.config === ""
        ? { fill: "grey", shape: "ring", text: say("no-inbox") }
        : { fill: "red", shape: "ring", text: say("no-merchant") };
    const time = this.#last ? [statusTime(this.#last.at, new Date())] : [];
    const state = holding > 0 ? say("holding", { count: holding }) : say("well");
    const text = statusLine([...time, state], this.#last ? say(this.#last.what) : "", "");
    return { fill: holding > 0 ? "red" : "green", shape: "dot", text };
  }

  /** Shows nothing more. */
  stop(): void {
    this.#paced.stop();
    clearTimeout(this.#tomorrow);
  }
}
