import { isBelieved, now, possible, proof, tooOld, type Mark, type Moment } from "./age";
import type { Held } from "./held";
import type { Reopening } from "./reopening";
import { step, type Some, type Store } from "./store";

/** How often what is too old is deleted, in milliseconds: when the clock has just proved itself. */
export const cleanEvery = proof + 1000;

/** Deletes a store's events for good: for their age, and when somebody asks for it. */
export class Cleaning {
  /** Since the store was opened for the first time. */
  readonly #marks: Mark[] = [];

  /**
   * @param events `gone` is told of those that are deleted, where some may have waited
   * @param options `days` events are kept; `changed` is called when some are deleted; `clock`: what time
   *   it is
   */
  constructor(
    private readonly store: Reopening,
    private readonly events: { last(): string; held: Held; gone(seq: string): void },
    private readonly options: { days: number; changed: () => void; clock?: (() => Moment) | undefined },
  ) {}

  /** The store was opened: from the first time on the clock is watched. */
  begin(): void {
    if (this.#marks.length === 0) this.#marks.push({ ...this.#now, seq: this.events.last() });
  }

  get #now(): Moment {
    const { wall, steady } = (this.options.clock ?? now)();
    return { wall: wall + this.store.ahead, steady };
  }

  /** Deletes what is too old, where the clock can be believed. To be called each `cleanEvery`. */
  clean(): void {
    const last = this.#marks.at(-1);
    const mark = { ...this.#now, seq: this.events.last() };
    if (last) this.#marks.push(mark);
    // Said as `problem`, where it cannot.
    if (last && isBelieved(mark, last)) void this.#deleteOld(mark).catch(() => undefined);
  }

  async #deleteOld(now: Moment): Promise<void> {
    const text = (time: number) => new Date(time).toISOString();
    const { from, to } = possible(now);
    const redate = (store: Store) => store.redate(text(from), text(to), text(now.wall));
    while ((await this.store.alone(redate)) === step);
    const { before, seq } = tooOld(this.#marks, now, this.options.days);
    await this.delete((store, after) => store.someFrom(text(before), after), { upTo: seq });
    await this.compact(text(before));
  }

  /**
   * Deletes a list of events, but for those that are with the flow.
   *
   * @param which `upTo`: not those that came later than this one; `onlyClosed`: nor those of which something waits
   * @returns how many
   */
  async delete(
    list: (store: Store, after: string) => Promise<Some>,
    { upTo, onlyClosed = false }: { upTo?: string | undefined; onlyClosed?: boolean },
  ): Promise<number> {
    let count = 0;
    for (let after: string | undefined = ""; after !== undefined;) {
      // In steps: events that arrive meanwhile are not kept waiting.
      after = await this.store.alone(async (store) => {
        const { events, last } = await list(store, after!);
        const seqs = events
          .map(({ seq }) => seq)
          .filter((seq) => !this.events.held.has(seq) && (upTo === undefined || seq <= upTo));
        count += await store.delete(seqs, onlyClosed);
        // What is closed keeps nobody waiting.
        if (!onlyClosed) for (const seq of seqs) this.events.gone(seq);
        return last;
      });
    }
    return count;
  }

  /** Takes what was deleted out of the files too; see `Store.compact`. */
  async compact(before?: string): Promise<void> {
    await this.store.read((store) => store.compact(before));
    this.options.changed();
  }
}
