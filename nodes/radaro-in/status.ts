import type { Node, NodeAPI, NodeStatus } from "node-red";
import type { EventMessage } from "../../src/event/message";
import { paced } from "../../src/receiving/paced";
import type { Refusal } from "../../src/receiving/receive";
import { statusLine, statusTime, untilTomorrow } from "../../src/receiving/status-line";

/** In milliseconds. */
const interval = 1000;

/** What keeps a node from receiving, in the words of its status. */
interface Problems {
  /** Until a deploy. */
  own(): string | undefined;
  /** For now, such as that of an inbox. */
  current(): string | undefined;
  /** How the inbox is: how many events wait while it is paused, and how many deliveries are failed. */
  inbox(): { paused: number | undefined; failed: number } | undefined;
}

/** The status of a `radaro in`: what is wrong, or what came last. */
export class InStatus {
  readonly #paced: ReturnType<typeof paced<NodeStatus>>;
  /** What has come last; not what is wrong for now, which is shown while it is. */
  #last: () => NodeStatus;
  #refused = 0;
  #tomorrow: NodeJS.Timeout | undefined;
  /** What was shown of the inbox last, and since when. */
  #inbox = { text: "", since: new Date() };

  constructor(
    node: Node,
    private readonly RED: NodeAPI,
    private readonly problems: Problems,
  ) {
    this.#paced = paced((next: NodeStatus) => node.status(next), interval);
    this.#last = () => {
      const own = problems.own();
      const text = own ?? RED._("radaro-in.status.waiting");
      return { fill: own === undefined ? "grey" : "red", shape: "ring", text };
    };
  }

  /** Shows what is wrong for now, or what came last. */
  show(): void {
    this.#paced.show(() => {
      if (this.problems.own() !== undefined) return this.#last();
      const text = this.problems.current();
      return text === undefined ? (this.#ofInbox() ?? this.#last()) : { fill: "red", shape: "ring", text };
    });
  }

  #ofInbox(): NodeStatus | undefined {
    const { paused, failed = 0 } = this.problems.inbox() ?? {};
    if (paused === undefined && failed === 0) return undefined;
    const [key, count] = paused === undefined ? ["failed", failed] : ["paused", paused];
    const text = `${key} ${count}`;
    if (text !== this.#inbox.text) this.#inbox = { text, since: new Date() };
    const time = statusTime(this.#inbox.since, new Date());
    return {
      ...(key === "failed" ? { fill: "red", shape: "dot" } : { fill: "yellow", shape: "ring" }),
      text: this.RED._(`radaro-in.status.${key}`, { time, count }),
    };
  }

  /** Shows an event that came. The message is the flow's from here on: what is shown later is kept. */
  received({ topic, radaro: { orderId, receivedAt, test } }: EventMessage): void {
    this.#refused = 0;
    if (this.problems.own() !== undefined) return; // a test event, which comes all the same
    const at = new Date(receivedAt);
    const job = typeof orderId === "number" || typeof orderId === "string" ? String(orderId) : "";
    this.#showLast(() => {
      const parts = [statusTime(at, new Date()), ...(test ? [this.RED._("radaro-in.status.test")] : [])];
      const text = statusLine(parts, topic || this.RED._("radaro-in.status.no-topic"), job);
      return this.#ofInbox() ?? { fill: "green", shape: "dot", text };
    });
  }

  /** Shows that a request was refused, why, and how many were since the last event. */
  refused(why: Refusal): void {
    const at = new Date();
    const count = (this.#refused += 1);
    this.#showLast(() => {
      const current = why === "not-stored" ? this.problems.current() : undefined;
      const reason = this.problems.own() ?? current ?? this.RED._(`radaro-in.refusal.${why}`);
      const time = statusTime(at, new Date());
      return {
        fill: "red",
        shape: "ring",
        text: this.RED._("radaro-in.status.refused", { time, count, reason }),
      };
    });
  }

  /** Shows nothing more. */
  stop(): void {
    this.#paced.stop();
    clearTimeout(this.#tomorrow);
  }

  #showLast(last: () => NodeStatus): void {
    this.#last = last;
    this.#paced.show(last);
    this.#tomorrow ??= setTimeout(() => {
      this.#tomorrow = undefined;
      this.show();
    }, untilTomorrow(new Date())).unref();
  }
}
