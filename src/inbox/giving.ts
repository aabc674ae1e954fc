import type { JsonObject } from "../event/json";
import {
  failed,
  given,
  interrupted,
  newDelivery,
  notReady,
  processed,
  reopened,
  takenBack,
  type Delivery,
  type FlowError,
} from "./deliveries";
import { GivingAgain } from "./giving-again";
import type { Held } from "./held";
import { InOrder } from "./in-order";
import type { Reopening } from "./reopening";
import type { StoredEvent } from "./stored-event";

/** What has become of a delivery that was given to the flow. */
export type Outcome =
  | { state: "processed" }
  /** `stays`: the flow has it still, and may settle it after all. */
  | { state: "failed"; error: FlowError; stays?: true }
  /** A deploy came between, or no node got what was sent; `isUnseen`: no node got anything of it. */
  | { state: "interrupted"; isUnseen?: true }
  /** The flow has it once more. */
  | { state: "reopened" };

/** What takes an inbox's events to the flow. */
export interface Flow {
  /** Whether the flow can take events. */
  readonly running: boolean;
  /** The ids of the nodes on a path that let an event through; `undefined`: no node is on this path. */
  receivers(path: string, event: JsonObject): string[] | undefined;
  /** What a node wants; `undefined`: it is not there. */
  receiver(id: string): { isInOrder: boolean } | undefined;
  /** The ids of all that are there. */
  readonly nodes: string[];
  /**
   * Gives an event to nodes. What becomes of it is told to the inbox's `heard`, later.
   *
   * @param event its own: it is the flow's from here on
   * @returns those of the nodes that were there
   */
  give(stored: StoredEvent, nodes: string[], event: JsonObject): string[];
}

/** Gives a store's events to the flow, and keeps what the flow says of them. */
export class Giving {
  /** The seq of the last event that is on disk and was given to the flow, or would have been. */
  last = "";
  readonly #inOrder: InOrder;
  readonly again: GivingAgain;

  /**
   * @param options `retries`: the minutes after which what failed is given again by itself; `retryAt` is
   *   told when, ISO-8601, UTC; `harmless`: all that was with the flow when Node-RED ended has done no harm
   */
  constructor(
    private readonly store: Reopening,
    private readonly flow: Flow,
    private readonly held: Held,
    private readonly options: {
      retries: readonly number[];
      retryAt(at: string): void;
      harmless(): void;
    },
  ) {
    this.#inOrder = new InOrder(
      store,
      held,
      (node) => flow.receiver(node)?.isInOrder ?? false,
      (seqs) => this.again.coming.comes(seqs),
    );
    this.again = new GivingAgain(store, flow, held, this.#inOrder, {
      isStored: (seq) => seq <= this.last,
      give: (stored, nodes, event) => this.#give(stored, nodes, event),
      harmless: () => options.harmless(),
    });
  }

  /** The deliveries of an event that comes now; `undefined`: that is not known yet. */
  plan(path: string, event: JsonObject): Delivery[] | undefined {
    const nodes = this.flow.running ? this.flow.receivers(path, event) : undefined;
    return nodes?.map((node) =>
      this.again.mayGiveNew ? given(newDelivery(node), this.store.now) : newDelivery(node),
    );
  }

  /** Whether one of an event's nodes wants those of a job one after the other; also where it is not known yet which there are. */
  isInOrder(deliveries: readonly Delivery[] | undefined): boolean {
    return (
      deliveries?.some(
        ({ node, state }) => state === "waiting" && this.flow.receiver(node)?.isInOrder === true,
      ) ?? true
    );
  }

  /** These are on disk: what waits of them can be given. @param seq of the last */
  upTo(seq: string): void {
    if (seq > this.last) this.last = seq;
  }

  /**
   * Gives the flow an event that has just been stored.
   *
   * @param isBehind an earlier one of its job waits that has come by another inbox
   */
  first(stored: StoredEvent, event: JsonObject, isBehind = false): void {
    this.upTo(stored.seq);
    if (stored.state !== "waiting") return;
    // It was found in the store before it was heard of that it is there.
    if (this.held.has(stored.seq)) return this.again.pass();
    this.held.begin(stored);
    const { mayGiveNew, isGiving } = this.again;
    const { deliveries = [] } = stored;
    const all = deliveries.map(({ node }) => node);
    const unplanned = deliveries.flatMap(({ node, since }) => (since === undefined ? node : []));
    // Earlier ones of its job may wait for those that want them in order.
    const isNow = (node: string) =>
      mayGiveNew && !((isGiving || isBehind) && this.flow.receiver(node)?.isInOrder);
    const now = all.filter(isNow);
    const later = all.filter((node) => !now.includes(node));
    const back = later.filter((node) => !unplanned.includes(node));
    this.#change(stored, back, takenBack, true);
    this.#change(
      stored,
      now.filter((node) => unplanned.includes(node)),
      (delivery) => given(delivery, this.store.now),
      true,
    );
    if (now.length > 0) this.#give(stored, now, event);
    if (later.length > 0 || !stored.deliveries) this.again.coming.inItsTurn(stored, mayGiveNew ? later : []);
    this.held.letGo(stored.seq);
  }

  /** Gives the flow an event that is held, with the deliveries to these nodes as given. @returns to which it came */
  #give(stored: StoredEvent, nodes: string[], event: JsonObject): string[] {
    const begun = nodes.filter((node) => this.#inOrder.begin(node, stored));
    // It may have been paused while that was written.
    const got = begun.length > 0 && this.again.mayGive ? this.flow.give(stored, begun, event) : [];
    const back = nodes.filter((node) => !got.includes(node));
    this.#change(stored, back, takenBack, true);
    for (const node of back) if (begun.includes(node)) this.#inOrder.end(node, stored.seq);
    return got;
  }

  #change(
    stored: StoredEvent,
    nodes: string[],
    become: (delivery: Delivery) => Delivery,
    isUrgent = false,
  ): void {
    if (nodes.length === 0) return;
    stored.deliveries = stored.deliveries!.map((each) => (nodes.includes(each.node) ? become(each) : each));
    this.held.change(stored, isUrgent);
  }

  /**
   * The flow, or somebody, says what has become of a delivery. The last word counts.
   *
   * @param stored held
   */
  heard(stored: StoredEvent, node: string, outcome: Outcome): void {
    const { seq } = stored;
    if (!stored.deliveries?.some((each) => each.node === node)) return;
    const isOver = !(outcome.state === "failed" && outcome.stays) && outcome.state !== "reopened";
    const since = this.again.over(seq, node, outcome.state !== "failed", isOver);
    // Node-RED has not ended with it.
    if (outcome.state === "processed") stored.ended = undefined;
    this.#change(stored, [node], (delivery) => this.#becomes(delivery, outcome, since));
    // What is given again keeps its turn: the next of its job comes after it.
    if (outcome.state === "processed" || outcome.state === "failed") this.#inOrder.end(node, seq);
    this.held.letGo(seq);
    if (outcome.state === "interrupted") this.again.pass();
  }

  /** @param givenAgain how long ago it was given again because of a start or a deploy, in milliseconds */
  #becomes(delivery: Delivery, outcome: Outcome, givenAgain: number | undefined): Delivery {
    switch (outcome.state) {
      case "processed":
        return processed(delivery, this.store.now);
      case "reopened":
        return reopened(delivery, this.store.now);
      case "interrupted":
        return outcome.isUnseen ? takenBack(delivery) : interrupted(delivery);
      case "failed": {
        const { error, stays } = outcome;
        const isOnceMore = givenAgain !== undefined && givenAgain <= notReady;
        const how = { now: this.store.now, after: this.options.retries, isOnceMore, stays: stays ?? false };
        const became = failed(delivery, error, how);
        if (became.againAt !== undefined) this.options.retryAt(became.againAt);
        return became;
      }
    }
  }

  close(): void {
    this.#inOrder.close();
    this.again.close();
  }
}
