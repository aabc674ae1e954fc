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
  #isLoaded = false;

  /** @param days for how long one is remembered */
  constructor(
    private readonly store: Reopening,
    private readonly days: number,
  ) {}

  /** The store was opened: what it knows counts too. */
  opened({ refused }: Readonly<Settings>): void {
    if (this.#isLoaded) return;
    this.#isLoaded = true;
    for (const before of refused) {
      const { count = 0, last = before.last } = this.#known.get(before.why) ?? {};
      this.#known.set(before.why, { ...before, count: before.count + count, last });
    }
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
    const refused = this.list(Date.now());
    const set = this.store.alone((store) => store.set({ ...store.settings, refused }));
    set.catch(() => undefined); // with the next, or when it is closed
  }

  /** @returns what is to be saved, where something is */
  close(): Refused[] | undefined {
    if (this.#timer === undefined) return undefined;
    clearTimeout(this.#timer);
    return this.list(Date.now());
  }
}
