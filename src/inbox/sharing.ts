import type { Flow, Giving } from "./giving";
import type { Held } from "./held";
import { againAt } from "./deliveries";
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
    if (seqs.length > 0) giving.again.came(seqs);
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

  became(seqs: string[]): void {
    const read = this.store.read((store) => store.get(seqs));
    void read.then((found) => found.forEach((stored) => this.#became(stored))).catch(() => undefined);
  }

  /** @param now as another has left it */
  #became({ seq, deliveries = [] }: StoredEvent): void {
    const { held, giving, retrying, changed } = this.inbox;
    const at = againAt(deliveries);
    if (at !== undefined) retrying.at(at);
    const stored = held.get(seq);
    for (const said of deliveries) {
      const mine = stored?.deliveries?.find(({ node }) => node === said.node);
      if (!stored || mine?.state !== "waiting" || said.state === "waiting") continue;
      stored.deliveries = stored.deliveries!.map((each) => (each === mine ? said : each));
      held.change(stored);
      giving.again.dealtWith(seq, said.node);
    }
    changed();
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
