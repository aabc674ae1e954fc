import type { Handing, Next } from "./handing";
import type { Held } from "./held";
import type { InOrder } from "./in-order";
import { Closed } from "./reopening";
import type { StoredEvent } from "./stored-event";

interface Told {
  /** Whether anything is given. */
  mayGive(): boolean;
  /** Whether a pass is under way, over all that waits. */
  isPassing(): boolean;
  pass(): void;
  /** As `pass`, and one that is under way begins anew. */
  passAnew(): void;
}

/** Gives the flow events that come one by one: new ones, those of other inboxes, and those whose turn has come. */
export class Coming {
  /** When all that have come have found their place, and how many have not. */
  #coming: Promise<void> = Promise.resolve();
  #comers = 0;
  /** By event: in how many ways it comes in its turns now. The last one passes those that none of them took. */
  readonly #ways = new Map<string, number>();

  constructor(
    private readonly handing: Handing,
    private readonly held: Held,
    private readonly inOrder: InOrder,
    private readonly told: Told,
  ) {}

  /** Whether some have not found their place yet. */
  get isBusy(): boolean {
    return this.#comers > 0;
  }

  /** The turn of these has come: nobody else's place is theirs. */
  comes(seqs: string[]): void {
    for (const seq of seqs) void this.#giveNext(seq, this.#prepare(seq));
  }

  /**
   * Another inbox that shares the store has accepted these for this one: they come in this order, but after earlier ones
   * of their jobs of which it has not heard.
   */
  came(seqs: string[]): void {
    for (const seq of seqs)
      this.#inTurn(async () => {
        if (this.told.isPassing()) {
          this.told.pass();
          return;
        }
        const prepared = this.#prepareNext(seq);
        await prepared.catch(() => undefined);
        void this.#giveNext(seq, prepared);
      });
  }

  /** Gives a new event to these nodes, unless an earlier one of its job waits: then it waits like that. */
  inItsTurn(stored: StoredEvent, nodes: string[]): void {
    this.#inTurn(async () => {
      if (nodes.length === 0 || !(await this.#isNext(stored, nodes))) {
        this.told.pass();
        return;
      }
      const prepared = this.#prepare(stored.seq);
      await prepared.catch(() => undefined);
      void this.#giveNext(stored.seq, prepared);
    });
  }

  /** Lets one after the other find its place behind those of its job. */
  #inTurn(find: () => Promise<void>): void {
    this.#comers += 1;
    this.#coming = this.#coming.then(find).finally(() => (this.#comers -= 1));
  }

  // Where that is not known it waits on disk.
  #isNext(stored: StoredEvent, nodes: string[]): Promise<boolean> {
    return this.inOrder.afterEarlier(nodes, stored).catch(() => false);
  }

  async #prepareNext(seq: string): Promise<Next | undefined> {
    const next = await this.#prepare(seq);
    if (!next || (await this.#isNext(next.stored, next.nodes))) return next;
    this.handing.letGo([next]);
    this.told.pass();
    return undefined;
  }

  /** @throws what the store throws, or where nothing is given now */
  async #prepare(seq: string): Promise<Next | undefined> {
    if (!this.told.mayGive()) throw new Closed();
    return this.handing.prepare(seq);
  }

  async #giveNext(seq: string, prepared: Promise<Next | undefined>): Promise<void> {
    this.#ways.set(seq, (this.#ways.get(seq) ?? 0) + 1);
    try {
      const next = await prepared;
      if (next && !this.told.mayGive()) this.handing.letGo([next]);
      if (!this.told.mayGive()) throw new Closed();
      if (next) await this.handing.give([next], false);
    } catch {
      this.#scatter(seq);
    }
    const left = this.#ways.get(seq)! - 1;
    if (left > 0) {
      this.#ways.set(seq, left);
      return;
    }
    this.#ways.delete(seq);
    const { deliveries = [] } = this.held.get(seq) ?? {};
    this.inOrder.pass(
      seq,
      deliveries.flatMap(({ node, since }) => (since === undefined ? [] : node)),
    );
  }

  /** An event cannot be given now: it comes with all that waits, and nothing that is behind it before that. */
  #scatter(seq: string): void {
    this.inOrder.scatter(seq);
    this.told.passAnew();
  }
}
