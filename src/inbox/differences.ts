import { isSame, stillStands, type Difference } from "./catch-up";
import type { Known } from "./known-job";

interface Seen {
  difference: Difference;
  /** When it was seen first, in milliseconds of a clock that runs evenly. */
  at: number;
}

/** How many jobs wait for a second look at most: the others are found again. */
const maxJobs = 20_000;

/** What differed when a job was looked at once, and waits for a second look: it may only be late. */
export class Differences {
  readonly #jobs = new Map<string, Seen[]>();

  /** @param after how long after the first look the second is, in milliseconds */
  constructor(private readonly after: number) {}

  /**
   * A job was looked at.
   *
   * @param found what differs now
   * @param now in milliseconds
   * @returns what differed long enough before too, as it was seen first
   */
  look(job: string, found: readonly Difference[], now: number): Difference[] {
    const before = this.#jobs.get(job) ?? [];
    this.#jobs.delete(job);
    const certain: Difference[] = [];
    const left = found.flatMap((difference): Seen[] => {
      const first = before.find((seen) => isSame(seen.difference, difference));
      if (!first || now - first.at < this.after) return [first ?? { difference, at: now }];
      certain.push(first.difference);
      return [];
    });
    if (left.length > 0 && this.#jobs.size < maxJobs) this.#jobs.set(job, left);
    return certain;
  }

  /** What is known by now of some jobs: what an event has told meanwhile is no difference any more. */
  drop(jobs: readonly string[], known: Record<string, Known>): void {
    for (const job of jobs) {
      const left = this.#jobs.get(job)?.filter(({ difference }) => stillStands(difference, known[job]));
      if (left && left.length > 0) this.#jobs.set(job, left);
      else this.#jobs.delete(job);
    }
  }

  /** The jobs that wait for a second look. */
  get jobs(): string[] {
    return [...this.#jobs.keys()];
  }

  /** Whether a job was looked at long enough before. @param now in milliseconds */
  isDue(job: string, now: number): boolean {
    return this.#jobs.get(job)?.some(({ at }) => now - at >= this.after) ?? false;
  }

  /** How long until all of them may be looked at once more. @param now in milliseconds */
  wait(now: number): number {
    let last = -Infinity;
    for (const seen of this.#jobs.values()) for (const { at } of seen) last = Math.max(last, at);
    return Math.max(0, last + this.after - now);
  }
}
