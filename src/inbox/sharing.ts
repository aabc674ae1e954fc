import type { Flow, Giving } from "./giving";
import type { Held } from "./held";
import { againAt, changedBy, isOpen, type Delivery } from "./deliveries";
import type { Refusals } from "./refusals";
import type { Reopening } from "./reopening";
import type { Retrying } from "./retrying";
import type { Others } from "./store";
import type { StoredEvent } from "./stored-event";
import type { Suspects } from "./suspects";

/** What an inbox does with what it hears of others that share its store. */
export class Sharing implements Others {
  /** Whether it looks at what has come, and whether it has to look once more. */
  #isLooking = false;
  #isLookDue = false;

  constructor(
    private readonly store: Reopening,
    private readonly flow: Flow,
    private readonly inbox: {
      held: Held;
      giving: Giving;
      retrying: Retrying;
      refusals: Refusals;
      suspects: Suspects;
      changed(): void;
    },
  ) {}

  nodes(): string[] {
    return this.flow.running ? this.flow.nodes : [];
  }

  came(seqs: string[]): void {
    const { giving, retrying } = this.inbox;
    for (const seq of seqs) giving.upTo(seq);
    // After what this one has just stored itself, which may be earlier ones of their jobs. Else they come when it is opened anew.
    if (seqs.length > 0)
      void this.store
        .alone(() => Promise.resolve())
        .then(
          () => {
            giving.again.coming.came(seqs);
            retrying.look(); // what comes along from a disk may have failed elsewhere
          },
          () => undefined,
        );
    else {
      this.#isLookDue = true;
      // Else it comes again, or the store is opened anew.
      if (!this.#isLooking) void this.#look().catch(() => undefined);
    }
  }

  async #look(): Promise<void> {
    const { giving, suspects, retrying } = this.inbox;
    this.#isLooking = true;
    try {
      while (this.#isLookDue) {
        this.#isLookDue = false;
        await this.store.read(async (store) => {
          giving.upTo(store.last);
          await suspects.look(store, false);
        });
        giving.again.pass();
        retrying.look();
      }
    } finally {
      this.#isLooking = false;
    }
  }

  gone(seqs: string[]): void {
    const { held, giving, changed } = this.inbox;
    for (const seq of seqs) {
      giving.again.forget(seq);
      held.forget(seq);
    }
    changed();
  }

  news(): void {
    // Else it is news still when the store is opened anew.
    void this.store.alone((store) => store.news()).catch(() => undefined);
  }

  became(events: { stored: StoredEvent; words: Delivery[][] }[]): string[] {
    const { giving, held, changed } = this.inbox;
    const run = events.filter(({ stored, words }) => this.#became(stored, words));
    if (run.length > 0) giving.again.ask(run.map(({ stored: { seq } }) => seq));
    changed();
    return events.flatMap(({ stored: { seq } }) => (held.isUnwritten(seq) ? seq : []));
  }

  /** @param there as it is in the store @returns whether something of it is to be given */
  #became(there: StoredEvent, words: Delivery[][]): boolean {
    const { held, giving, retrying } = this.inbox;
    const { seq } = there;
    giving.upTo(seq);
    const at = againAt(there.deliveries);
    if (at !== undefined) retrying.at(at);
    const stored = held.get(seq);
    if (!stored) return isOpen(there.deliveries);
    const before = stored.deliveries ?? [];
    const news = words.slice(stored.words ?? 0);
    for (const word of news)
      stored.deliveries =
        word.length === 0
          ? there.deliveries
          : stored.deliveries?.map((mine) => {
              const said = word.find(({ node }) => node === mine.node);
              return said ? changedBy(mine, said) : mine;
            });
    if (news.length > 0) stored.words = words.length;
    const { deliveries = [] } = stored;
    for (const each of before) if (!deliveries.includes(each)) giving.again.dealtWith(seq, each.node);
    if (news.length > 0 || held.isUnwritten(seq)) held.change(stored, true);
    return news.length > 0 && isOpen(stored.deliveries);
  }

  held(): string[] {
    return this.inbox.held.values().map(({ seq }) => seq);
  }

  changed(): void {
    const { giving, retrying, refusals, changed } = this.inbox;
    const { settings } = this.store.store ?? {};
    if (settings) {
      const isResumed = giving.again.isPaused && !settings.isPaused;
      giving.again.isPaused = settings.isPaused;
      refusals.known(settings);
      if (isResumed) giving.again.pass();
      if (isResumed) retrying.look();
    }
    changed();
  }
}
