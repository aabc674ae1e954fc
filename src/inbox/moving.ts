import { left, type State } from "./deliveries";
import { Closed } from "./reopening";
import { Unusable, type Problem, type Store } from "./store";
import { prepareAgain, type AcceptedEvent } from "./stored-event";

/** How many events move together at most, and how much of them, in bytes. */
const together = { events: 100, bytes: 4 * 1024 ** 2 };

/** Where an inbox was before. */
export interface Before {
  /** @returns `undefined` where there is nothing @throws Unusable */
  open(): Promise<Store | undefined>;
  /** So many events have come along. */
  moved(count: number): void;
  /** What is there cannot be read. */
  failed(problem: Problem): void;
}

/** Lets what an inbox had in another store and is not done with come along. */
export class Moving {
  #isOver = false;
  #isClosed = false;
  #moving: Promise<void> | undefined;

  /** @param now where the inbox is now: `take` stores events between those that arrive meanwhile */
  constructor(
    private readonly before: Before,
    private readonly now: { pause(): Promise<void>; take(events: AcceptedEvent[]): Promise<void> },
  ) {}

  /** The inbox can store: what is left comes along. */
  begin(): void {
    if (!this.#isOver) this.#moving ??= this.#move().finally(() => (this.#moving = undefined));
  }

  async #move(): Promise<void> {
    let count = 0;
    let isStoring = false;
    const store = async (deed: () => Promise<void>) => {
      if (this.#isClosed) throw new Closed();
      isStoring = true;
      await deed();
      isStoring = false;
    };
    const move = async (from: Store) => {
      if (from.settings.isPaused) {
        await store(() => this.now.pause());
        await from.set({ ...from.settings, isPaused: false });
      }
      // What becomes of jobs from here on is not known there, should it be used again.
      if (from.settings.asking) await from.set({ ...from.settings, asking: undefined });
      await from.forget();
      await moveOpen(
        from,
        (events) => store(() => this.now.take(events)),
        () => (count += 1),
      );
    };
    try {
      const from = await this.before.open();
      if (from) await move(from).finally(() => from.close());
      this.#isOver = true;
    } catch (error) {
      // Where it is the new store that fails, the rest comes along when that can be used.
      this.#isOver = !isStoring;
      if (this.#isOver && !this.#isClosed)
        this.before.failed(error instanceof Unusable ? error.problem : "damaged");
    }
    if (count > 0) this.before.moved(count);
  }

  /** Resolves when nothing moves any more: soon. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#isOver = true;
    await this.#moving;
  }
}

/**
 * Moves the events that failed, and those that wait. They are stored in the new store before they are deleted
 * in the old: wherever this ends, none is lost, and one that is in both is known in the new as a duplicate.
 *
 * @param from the old one, which nobody else uses
 * @param moved is called for each that is moved
 * @throws Unusable, and what `take` throws
 */
export async function moveOpen(
  from: Store,
  take: (events: AcceptedEvent[]) => Promise<void>,
  moved: () => void = () => undefined,
): Promise<void> {
  for (const state of ["failed", "waiting"] as const) {
    for (let after: string | undefined = ""; after !== undefined;) {
      const { seqs, last } = await listed(from, state, after);
      for (let next = 0; next < seqs.length;) {
        const some = await read(from, seqs.slice(next, next + together.events));
        await take(some);
        await from.delete(some.map(({ stored }) => stored.seq));
        some.forEach(moved);
        next += some.length;
      }
      after = last;
    }
  }
}

async function listed(from: Store, state: State, after: string) {
  const { events, last } = await from.some(state, after);
  return { seqs: events.map(({ seq }) => seq), last };
}

/** @param seqs of events that are there @returns the first of them, as many as may move together */
async function read(from: Store, seqs: string[]): Promise<AcceptedEvent[]> {
  const some: AcceptedEvent[] = [];
  let bytes = 0;
  for (const seq of seqs) {
    const { stored, text } = (await from.read(seq))!;
    bytes += stored.size;
    if (some.length > 0 && bytes > together.bytes) break;
    const { deliveries } = stored;
    // The flow that had it ended with the Node-RED that had it, or was deployed anew.
    some.push(prepareAgain(deliveries ? { ...stored, deliveries: deliveries.map(left) } : stored, text));
  }
  return some;
}
