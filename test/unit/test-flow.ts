import type { Flow, Inbox, Outcome } from "../../src/inbox/inbox";
import type { JsonObject } from "../../src/event/json";
import type { StoredEvent } from "../../src/inbox/stored-event";

export interface Given {
  stored: StoredEvent;
  event: JsonObject;
  node: string;
  /** How many times it was given, with this. */
  times: number;
  /** Tells the inbox what has become of it. */
  becomes(outcome: Outcome): void;
}

/** A flow that takes what it is given, and is done with it when the test says so. */
export class TestFlow implements Flow {
  running = true;
  /** Its nodes that are there. */
  nodes: string[] = ["in"];
  isInOrder = false;
  /** Whether a node lets an event through. */
  wants: (node: string, event: JsonObject) => boolean = () => true;
  /** What becomes of all that it is given; `undefined`: the test says it. */
  answer: Outcome | undefined;
  inbox: Inbox | undefined;
  given: Given[] = [];
  #wake: () => void = () => undefined;

  receivers(_path: string, event: JsonObject): string[] | undefined {
    return this.nodes.length === 0 ? undefined : this.nodes.filter((node) => this.wants(node, event));
  }

  receiver(id: string): { isInOrder: boolean } | undefined {
    return this.nodes.includes(id) ? { isInOrder: this.isInOrder } : undefined;
  }

  give(stored: StoredEvent, nodes: string[], event: JsonObject): string[] {
    if (!this.running) return [];
    const got = nodes.filter((node) => this.nodes.includes(node));
    const { inbox, answer } = this;
    for (const node of got) {
      const { times } = stored.deliveries!.find((each) => each.node === node)!;
      const becomes = (outcome: Outcome) => void inbox!.heard(stored.seq, node, outcome);
      this.given.push({ stored: { ...stored }, event, node, times, becomes });
      if (answer) queueMicrotask(() => becomes(answer));
    }
    this.#wake();
    return got;
  }

  /** Resolves when it has been given so many. */
  async got(count: number): Promise<void> {
    while (this.given.length < count) await new Promise<void>((resolve) => (this.#wake = resolve));
  }
}
