import { isJsonObject } from "../event/json";
import { readJob, type Job } from "./catch-up";
import { closedStatuses, deadlineAt, isAfter, openStatuses, toMs } from "./known-job";
import type { Windows } from "./store";

/**
 * What keeps an answer from being believed, or from coming.
 *
 * - `no-key`: there is none, or what stands for it is not known
 * - `no-server`: what is set is no server
 * - `unreachable`: no answer came, or not in time
 * - `redirected`: it leads elsewhere, where the key is not sent
 * - `refused`: the key is not taken
 * - `not-there`: there is no jobs API at this address
 * - `not-understood`: it does not take what it was asked
 * - `failing`: it answers with an error of its own
 * - `not-json`, `other-shape`: the answer is something else
 * - `too-large`, `endless`: it has no end
 * - `unasked`: it has what was not asked for, as where a filter is ignored
 * - `partial`: jobs are missing that events have told of
 * - `most-gone`: most jobs are
 * - `clocks`: Radaro's clock and this machine's are too far apart
 * - `unexpected`: a fault of this package
 */
export type Trouble =
  | "no-key"
  | "no-server"
  | "unreachable"
  | "redirected"
  | "refused"
  | "not-there"
  | "not-understood"
  | "failing"
  | "not-json"
  | "other-shape"
  | "too-large"
  | "endless"
  | "unasked"
  | "partial"
  | "most-gone"
  | "clocks"
  | "unexpected";

/** It cannot be asked, or the answer not be believed. It has nothing of the key or of an answer. */
export class Troubled extends Error {
  /** @param wait how long it wants to be left alone, in milliseconds */
  constructor(
    readonly trouble: Trouble,
    readonly wait = 0,
  ) {
    super(trouble);
  }
}

/** A page of a list: of all jobs, newest first, or of those in a window. */
export interface Ask {
  list: "newest" | "open" | "closed";
  page: number;
  size: number;
  /** From when to when their deadlines lie: ISO-8601, UTC. */
  window?: Windows["open"];
  statuses?: readonly string[];
}

/** How many jobs a page has: small enough to be read in one go without holding up anybody. */
const sizes = { newest: 100, open: 250, closed: 250 };

/** How many pages a list has at most: more jobs than something is known of. */
const maxPages = 2000;

const day = 24 * 3_600_000;

/** How far around now the deadlines lie of jobs that are asked for, in milliseconds. */
const around = {
  open: { before: 7 * day, after: 2 * day },
  closed: { before: 2 * day, after: day },
};

/** @param now by Radaro's clock, as `sortable` gives it */
export function windowsAround(now: string): Windows {
  const windowOf = ({ before, after }: { before: number; after: number }): Windows["open"] => [
    new Date(toMs(now) - before).toISOString(),
    new Date(toMs(now) + after).toISOString(),
  ];
  return { open: windowOf(around.open), closed: windowOf(around.closed) };
}

/** What is asked one after the other, to have seen each job of which something may be new. */
export class Sweep {
  #list: Ask["list"] | undefined = "newest";
  #page = 1;
  /** The jobs of the page before. */
  #before = new Set<string>();

  #windows: Windows | undefined;

  /** @param newest new jobs are asked for from now back to then; absent: back to the first answer */
  constructor(private newest?: string) {}

  /** What is to be asked now; `undefined`: all was. */
  get next(): Ask | undefined {
    const [list, page] = [this.#list, this.#page];
    if (list === undefined) return undefined;
    const size = sizes[list];
    if (list === "newest") return { list, page, size };
    const statuses = list === "open" ? openStatuses : closedStatuses;
    return { list, page, size, window: this.#windows![list], statuses };
  }

  /**
   * Takes the answer to what was asked.
   *
   * @param answer its JSON; `undefined`: there is no such page (any more)
   * @param at when it was answered, by Radaro's clock
   * @returns its jobs
   * @throws Troubled where it is not what was asked for
   */
  take(answer: unknown, at: string): Job[] {
    this.#windows ??= windowsAround(at);
    this.newest ??= at;
    const ask = this.next!;
    if (answer === undefined) {
      this.#skip();
      return [];
    }
    const { jobs, count, isLast } = readPage(answer);
    checkPage(ask, jobs);
    const isKnown = jobs.length > 0 && jobs.every(({ key }) => this.#before.has(key));
    const isBeyond = ask.page > Math.min(count / ask.size + 1, maxPages);
    if (isKnown || (!isLast && isBeyond)) throw new Troubled("endless");
    this.#before = new Set(jobs.map(({ key }) => key));
    const oldest = jobs.at(-1);
    const isDone = ask.list === "newest" && oldest !== undefined && oldest.createdAt <= this.newest;
    if (isLast || isDone || !oldest) this.#skip();
    else this.#page += 1;
    return jobs;
  }

  #skip(): void {
    const lists = ["newest", "open", "closed"] as const;
    this.#list = lists[lists.indexOf(this.#list!) + 1];
    this.#page = 1;
    this.#before = new Set();
  }
}

function readPage(answer: unknown): { jobs: Job[]; count: number; isLast: boolean } {
  if (!isJsonObject(answer)) throw new Troubled("other-shape");
  const { count, next, results } = answer;
  const isRight =
    Number.isSafeInteger(count) && (next === null || typeof next === "string") && Array.isArray(results);
  if (!isRight) throw new Troubled("other-shape");
  const jobs = results.map(readJob);
  if (jobs.some((job) => !job)) throw new Troubled("other-shape");
  return { jobs: jobs as Job[], count: count as number, isLast: next === null };
}

/** Unknown filters are ignored by that server, and bring everything. */
function checkPage({ list, size, window, statuses }: Ask, jobs: Job[]): void {
  if (jobs.length > size) throw new Troubled("unasked");
  if (list === "newest") {
    const isSorted = jobs.every((job, i) => i === 0 || !isAfter(job.createdAt, jobs[i - 1]!.createdAt));
    if (!isSorted) throw new Troubled("unasked");
    return;
  }
  const [from, to] = window!.map((time) => Date.parse(time)) as [number, number];
  const fits = ({ status, deadline }: Job) => {
    const at = deadline === undefined ? undefined : deadlineAt(deadline);
    return at !== undefined && at >= from && at <= to && statuses!.includes(status);
  };
  if (!jobs.every(fits)) throw new Troubled("unasked");
}
