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
    const { giving } = this.inbox;
    for (const seq of seqs) giving.upTo(seq);
    // After what this one has just stored itself, which may be earlier ones of their jobs. Else they come when it is opened anew.
    if (seqs.length > 0)
      void this.store
        .alone(() => Promise.resolve())
        .then(
          () => giving.again.came(seqs),
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
      for (const { node } of held.get(seq)?.deliveries ?? []) giving.again.dealtWith(seq, node);
      held.forget(seq);
    }
    changed();
  }

  news(): void {
    // Else it is news still when the store is opened anew.
    void this.store.alone((store) => store.news()).catch(() => undefined);
  }

  became(events: { stored: StoredEvent; said: Delivery[] }[]): string[] {
    const { giving, held, changed } = this.inbox;
    const run = events.filter(({ stored, said }) => this.#became(stored, said));
    if (run.length > 0) giving.again.ask(run.map(({ stored: { seq } }) => seq));
    changed();
    return events.flatMap(({ stored: { seq } }) => (held.isUnwritten(seq) ? seq : []));
  }

  /** @param there as it is in the store @param said its deliveries that are others @returns whether something of it is to be given */
  #became(there: StoredEvent, said: Delivery[]): boolean {
    const { held, giving, retrying } = this.inbox;
    const { seq } = there;
    giving.upTo(seq);
    const at = againAt(said);
    if (at !== undefined) retrying.at(at);
    const stored = held.get(seq);
    if (!stored) return isOpen(there.deliveries);
    const before = stored.deliveries ?? [];
    const now = before.map((mine) =>
      said.reduce((last, each) => (each.node === mine.node ? changedBy(last, each) : last), mine),
    );
    const others = now.filter((each, i) => each !== before[i]);
    stored.deliveries = before.length > 0 ? now : there.deliveries;
    for (const { node } of others) giving.again.dealtWith(seq, node);
    held.change(stored, true);
    return before.length === 0 || others.some(({ state }) => state === "waiting");
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
