import { failed, type FlowError } from "./deliveries";
import type { Held } from "./held";
import { maxEnds } from "./scheduler";
import type { Store } from "./store";
import type { StoredEvent } from "./stored-event";

/** Finds what was with the flow when a Node-RED ended: that is given one by one, or set aside. */
export class Suspects {
  constructor(
    private readonly held: Held,
    private readonly options: {
      /** What time it is, in milliseconds. */
      now(): number;
      /** What an event that is set aside has failed of. @param node of its delivery */
      setAside(node: string): FlowError;
      /** They are given one by one. @param ends how many times in a row Node-RED has ended while events were with the flow */
      suspect(seqs: string[], ends: number): void;
    },
  ) {}

  /** @param isRestart Node-RED has started, so that none found is news too */
  async look(store: Store, isRestart: boolean): Promise<void> {
    const events = await store.withFlow();
    if (events.length === 0) {
      if (isRestart && store.settings.ends > 0) await this.#ends(store, 0);
      return;
    }
    // Where others share the store, it has counted that.
    const ends = store.settings.ends + (isRestart ? 1 : 0);
    if (isRestart) await this.#ends(store, ends);
    const suspects = events.filter(({ stored, isAlone }) => !(isAlone && this.#isSetAside(stored)));
    // From now on only what is given is with the flow: the next end tells which it was.
    for (const { stored } of events) this.held.change(this.held.hold(stored), true);
    await Promise.all(events.map(({ stored }) => this.held.onDisk(stored.seq)));
    if (suspects.length === 0) return this.#ends(store, 0);
    this.options.suspect(
      suspects.map(({ stored }) => stored.seq),
      ends,
    );
  }

  async #ends(store: Store, ends: number): Promise<void> {
    await store.set({ ...store.settings, ends });
  }

  /** @param stored the only one that was with the flow when Node-RED ended */
  #isSetAside(stored: StoredEvent): boolean {
    const ended = (stored.ended ?? 0) + 1;
    const wasWithFlow = new Set(stored.deliveries?.flatMap(({ node, since }) => (since ? node : [])));
    const held = this.held.hold(stored);
    held.ended = ended;
    if (ended >= maxEnds) {
      held.ended = undefined;
      held.deliveries = held.deliveries!.map((each) =>
        wasWithFlow.has(each.node)
          ? failed(each, this.options.setAside(each.node), { now: this.options.now() })
          : each,
      );
    }
    return ended >= maxEnds;
  }
}
