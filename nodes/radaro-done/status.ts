import type { Node, NodeAPI, NodeStatus } from "node-red";
import { paced } from "../../src/receiving/paced";
import { statusLine, statusTime, untilTomorrow } from "../../src/receiving/status-line";

/** In milliseconds. */
const interval = 1000;

const looks = {
  processed: { fill: "green", shape: "dot" },
  failed: { fill: "red", shape: "dot" },
  "passed-over": { fill: "grey", shape: "ring" },
  "no-merchant": { fill: "yellow", shape: "ring" },
  "no-inbox": { fill: "yellow", shape: "ring" },
  gone: { fill: "yellow", shape: "ring" },
  error: { fill: "red", shape: "ring" },
} as const satisfies Record<string, NodeStatus>;

/** The status of a `radaro done`: what it has said last, and of what. */
export class DoneStatus {
  readonly #paced: ReturnType<typeof paced<NodeStatus>>;
  #last: (() => NodeStatus) | undefined;
  #tomorrow: NodeJS.Timeout | undefined;

  constructor(
    node: Node,
    private readonly RED: NodeAPI,
  ) {
    this.#paced = paced((next: NodeStatus) => node.status(next), interval);
  }

  show(what: keyof typeof looks, { topic, radaro }: { topic?: unknown; radaro?: unknown }): void {
    const at = new Date();
    const { orderId } = (radaro ?? {}) as { orderId?: unknown };
    const job = typeof orderId === "number" || typeof orderId === "string" ? String(orderId) : "";
    const about = typeof topic === "string" ? topic : "";
    this.#last = () => {
      const parts = [statusTime(at, new Date()), this.RED._(`radaro-done.status.${what}`)];
      return { ...looks[what], text: statusLine(parts, about, job) };
    };
    this.#paced.show(this.#last);
    this.#tomorrow ??= setTimeout(() => {
      this.#tomorrow = undefined;
      this.#paced.show(this.#last!);
    }, untilTomorrow(at)).unref();
  }

  /** Shows nothing more. */
  stop(): void {
    this.#paced.stop();
    clearTimeout(this.#tomorrow);
  }
}
