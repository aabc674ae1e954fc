import type { Reopening } from "./reopening";
import type { Refused, Settings } from "./store";

/** How soon what was refused is on disk, in milliseconds: a flood of requests costs no more than this. */
const saveAfter = 10_000;

const hour = 3_600_000;
const day = 24 * hour;

/** Counts the requests that were refused, by why, and keeps that with the inbox: never what they carried. */
export class Refusals {
  readonly #known = new Map<string, Refused>();
  #timer: NodeJS.Timeout | undefined;
  /** As the store has them. */
  #stored: readonly Refused[] = [];

  /** @param days for how long one is remembered */
  constructor(
    private readonly store: Reopening,
    private readonly days: number,
  ) {}

  /** What the store knows, after it was opened, or as others that share it have added to that: it counts too. */
  known({ refused }: Readonly<Settings>): void {
    for (const now of refused) {
      const { count: before = 0 } = this.#stored.find(({ why }) => why === now.why) ?? {};
      if (now.count <= before) continue;
      const { count, first, last } = this.#known.get(now.why) ?? { ...now, count: 0 };
      this.#known.set(now.why, {
        why: now.why,
        count: count + now.count - before,
        first: first < now.first ? first : now.first,
        last: last > now.last ? last : now.last,
      });
    }
    this.#stored = refused;
  }

  /**
   * A request was refused.
   *
   * @param now in milliseconds
   * @returns whether it is the first of an hour that was refused for this
   */
  add(why: string, now: number): boolean {
    const time = new Date(now).toISOString();
    const before = this.#known.get(why);
    const { count, first } = before && this.#isKept(before, now) ? before : { count: 0, first: time };
    this.#known.set(why, { why, count: count + 1, first, last: time });
    this.#timer ??= setTimeout(() => this.#save(), saveAfter).unref();
    return !before || Math.abs(now - Date.parse(before.last)) >= hour;
  }

  /** @param now in milliseconds */
  list(now: number): Refused[] {
    return [...this.#known.values()].filter((each) => this.#isKept(each, now));
  }

  #isKept({ last }: Refused, now: number): boolean {
    return Math.abs(now - Date.parse(last)) < this.days * day;
  }

  #save(): void {
    this.#timer = undefined;
    const set = this.store.alone(async (store) => {
      const refused = this.list(this.store.now);
      await store.set({ ...store.settings, refused });
      this.#stored = refused;
    });
    set.catch(() => undefined); // with the next, or when it is closed
  }

  /** @returns what is to be saved, where something is */
  close(): Refused[] | undefined {
    if (this.#timer === undefined) return undefined;
    clearTimeout(this.#timer);
    return this.list(this.store.now);
  }
}
