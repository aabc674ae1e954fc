import { setTimeout as waitFor } from "node:timers/promises";
import type { JsonObject } from "../event/json";
import { Sweep, Troubled, windowsAround, type Trouble } from "./asking";
import { compare, deletion, readJob, type Job } from "./catch-up";
import { Differences } from "./differences";
import { earlier, toMs, type Known } from "./known-job";
import type { KnownJobs } from "./known-jobs";
import type { Answer, RadaroApi } from "./radaro-api";
import type { Asking } from "./store";
import { Stopped, Telling, type TellingDeps } from "./telling";

/** How many requests a run makes at most; the next one goes on where it stopped. */
export const maxRequests = 500;

/** How long nothing is asked after each answer, in milliseconds. */
const pause = 200;

/** How many jobs are asked for one by one in a run, where they were in no answer. */
const maxSingles = 100;

/** How many jobs are known together, or kept. */
const together = 100;

/** How much longer than from one look to the second what is known has to stand. */
const settledAfter = 10;

const [hour, day, overlap] = [3_600_000, 24 * 3_600_000, 600_000];

/** From how many jobs on it is said that some are missing, and from which share of all on. */
const missing = { count: 5, share: 0.1 };

/** From how many jobs on it is not believed that they are gone, where fewer are there. */
const gone = 20;

/** What a merchant's inbox is asked and told. */
export interface RunDeps extends TellingDeps {
  api: Pick<RadaroApi, "list" | "one">;
  jobs: KnownJobs;
  /** A digest of whom it asks, with which key. */
  whom: string;
}

export interface RunOptions {
  /** How often it is asked, in milliseconds. */
  every: number;
  /** For how many days events are kept. */
  days: number;
  /** How long nothing is asked after each answer, in milliseconds. */
  pause?: number;
}

/** Asks Radaro for all that may have changed, and gives the inbox the events that never arrived, run by run. */
export class CatchUpRun {
  /** How many requests the run took, or takes. */
  requests = 0;
  readonly #differences: Differences;
  readonly #telling: Telling;
  /** Of the run that stopped: it goes on, unless that is too long ago. */
  #sweep: Sweep | undefined;
  #begun = -Infinity;
  #asking: Asking | undefined;
  /** When the first of its answers came, by Radaro's clock. */
  #from = "";
  /** The jobs that it was shown. */
  #shown = 0;
  /** How many requests it took to ask for all in pages. */
  #cost = 0;
  /** A job that a list has just shown: whether one can be asked for by its number. */
  #listed: string | undefined;
  #isLookupRight = false;

  /**
   * @param options.lookAgain how long after the first look the second is, in milliseconds
   * @param options.closing ends it
   */
  constructor(
    private readonly deps: RunDeps,
    private readonly options: RunOptions & { lookAgain: number; closing: AbortSignal },
  ) {
    this.#differences = new Differences(options.lookAgain);
    this.#telling = new Telling(deps);
  }

  /** The next run begins anew, wherever this one was. */
  beginAnew(): void {
    this.#sweep = undefined;
  }

  /**
   * Asks for all, from where the run before had stopped.
   *
   * @returns what is to be said, though all was asked
   * @throws Stopped, Troubled, Unusable or Closed
   */
  async askAll(): Promise<Trouble | undefined> {
    this.requests = 0;
    this.#isLookupRight = false;
    if (this.deps.paths().length === 0) throw new Stopped();
    await this.#telling.tellUntold();
    await this.#askInPages();
    const trouble = await this.#askForMissing();
    await this.#lookOnceMore();
    this.#sweep = undefined;
    await this.#keep();
    return trouble;
  }

  /** Asks page by page: from where it stopped, or anew. */
  async #askInPages(): Promise<void> {
    const asking = await this.deps.jobs.read();
    // Not of another key: that may see other jobs.
    this.#asking = asking?.whom === this.deps.whom ? asking : undefined;
    const now = performance.now();
    if (!this.#sweep || now - this.#begun > this.options.every + hour) {
      this.#sweep = new Sweep(this.#asking?.newest);
      this.#begun = now;
      [this.#from, this.#shown, this.#telling.found, this.#cost] = ["", 0, 0, 0];
      this.#listed = undefined;
    }
    await this.#sweepOver(this.#sweep);
  }

  async #sweepOver(sweep: Sweep): Promise<void> {
    for (let ask = sweep.next; ask; ask = sweep.next) {
      const next = ask;
      this.#cost += 1;
      const { json, at } = await this.#asked(() => this.deps.api.list(next));
      const jobs = sweep.take(json, at);
      this.#from ||= at;
      this.#asking ??= await this.deps.jobs.begin(at, this.deps.whom);
      this.#shown += jobs.length;
      this.#listed = jobs[0]?.key ?? this.#listed;
      for (let i = 0; i < jobs.length; i += together) await this.#compare(jobs.slice(i, i + together), at);
    }
  }

  async #asked(ask: () => Promise<Answer>): Promise<Answer> {
    if (this.requests >= maxRequests) throw new Stopped();
    this.requests += 1;
    const answer = await ask();
    await this.#wait(this.options.pause ?? pause);
    return answer;
  }

  async #wait(wait: number): Promise<void> {
    await waitFor(wait, undefined, { signal: this.options.closing, ref: false });
  }

  /** Since when events are kept. @param at by Radaro's clock */
  #keptSince(at: string): string {
    return earlier(at, this.options.days * day);
  }

  /** What became of jobs before that makes no event. @param at by Radaro's clock */
  #since(at: string): string {
    const kept = this.#keptSince(at);
    const { since } = this.#asking!;
    return since > kept ? since : kept;
  }

  /** Compares jobs of an answer with what is known of them, and gives the inbox what was certain before too. */
  async #compare(jobs: Job[], at: string): Promise<void> {
    const known = await this.deps.jobs.known(jobs.map(({ key }) => key));
    const since = this.#since(at);
    const settled = settledAfter * this.options.lookAgain;
    const bases: Record<string, Known> = {};
    const told: Promise<void>[] = [];
    for (const job of jobs) {
      const look = { known: known[job.key], since, at: at > this.#from ? at : this.#from, settled };
      const { differences, base } = compare(job, look);
      bases[job.key] = base;
      const certain = this.#differences.look(job.key, differences, performance.now());
      // In their order, and not one by one: what comes together is written together.
      for (const each of certain) told.push(this.#telling.tell(each, job.orderId, job.whole));
    }
    await Promise.all(told);
    await this.deps.jobs.know(bases);
  }

  /** Asks for those one by one that an answer should have shown. @returns what is to be said of them */
  async #askForMissing(): Promise<Trouble | undefined> {
    let strangers = 0;
    const wanted: { job: string; seen: string }[] = [];
    const latest = toMs(this.#from) - settledAfter * this.options.lookAgain;
    for await (const some of this.deps.jobs.unseen(this.#from, windowsAround(this.#from)))
      for (const { job, known } of some) {
        const isSettled = toMs(known.created?.at ?? known.seen ?? known.status?.at ?? this.#from) < latest;
        if (known.seen !== undefined) wanted.push({ job, seen: known.seen });
        else if (isSettled) strangers += 1;
      }
    // Those first that it has not shown for longest: the others come in the next runs.
    wanted.sort((one, other) => (one.seen < other.seen ? -1 : 1));
    const some = wanted.slice(0, maxSingles);
    const absent: { job: string; at: string }[] = [];
    for (const { job } of some) {
      const at = await this.#askForOne(job);
      if (at !== undefined) absent.push({ job, at });
    }
    if (absent.length >= gone && absent.length > this.#shown + some.length - absent.length)
      return "most-gone";
    for (const { job, at } of absent) await this.#missed(job, at);
    const isPartial = strangers >= missing.count && strangers > missing.share * (this.#shown + strangers);
    return isPartial ? "partial" : undefined;
  }

  /** @returns when it was not there; `undefined`: it is */
  async #askForOne(job: string): Promise<string | undefined> {
    const { json, at } = await this.#asked(() => this.deps.api.one(job));
    if (json === undefined) return at;
    const found = readJob(json);
    if (!found) throw new Troubled("other-shape");
    if (found.key !== job) throw new Troubled("unasked");
    await this.#compare([found], at);
    return undefined;
  }

  /**
   * A server that does not look for the number that it was asked for would have none of them.
   *
   * @returns false where nothing can be told
   */
  async #canLookUp(): Promise<boolean> {
    if (this.#listed === undefined) return false;
    if (!this.#isLookupRight && (await this.#askForOne(this.#listed)) !== undefined)
      throw new Troubled("unasked");
    return (this.#isLookupRight = true);
  }

  /** @param job one that the API has shown before: it is gone where it does not any more */
  async #missed(job: string, at: string): Promise<void> {
    if (!(await this.#canLookUp())) return;
    const known = (await this.deps.jobs.known([job]))[job];
    const seen = known?.created?.at ?? known?.seen;
    const isGone = seen !== undefined && !known?.deleted;
    const isSettled = isGone && toMs(seen) + settledAfter * this.options.lookAgain < toMs(at);
    const certain = this.#differences.look(job, isSettled ? [deletion(at)] : [], performance.now());
    for (const each of certain)
      await this.#telling.tell(each, Number(job), await this.#lastShown(job, known));
  }

  async #lastShown(job: string, known: Known | undefined): Promise<JsonObject> {
    const shown = await this.deps.jobs.lastShown(job);
    return shown ?? { order_id: Number(job), external_id: known?.externalId ?? null };
  }

  /** Looks at all that differs once more, later: what is only late is not told. */
  async #lookOnceMore(): Promise<void> {
    const cost = this.#cost;
    for (let again = 0; again < 3 && this.#differences.jobs.length > 0; again += 1) {
      await this.#wait(this.#differences.wait(performance.now()));
      await this.#dropKnown();
      // Where there are many it takes less to ask for all.
      if (this.#differences.jobs.length > Math.max(cost, maxSingles / 4)) {
        await this.#sweepOver(new Sweep(this.#asking?.newest));
      }
      const before = this.#differences.jobs.filter((job) => this.#differences.isDue(job, performance.now()));
      for (const job of before) {
        const at = await this.#askForOne(job);
        if (at !== undefined) await this.#missed(job, at);
      }
    }
  }

  async #dropKnown(): Promise<void> {
    const { jobs } = this.#differences;
    for (let i = 0; i < jobs.length; i += together) {
      const some = jobs.slice(i, i + together);
      this.#differences.drop(some, await this.deps.jobs.known(some));
    }
  }

  /** All was asked for. */
  async #keep(): Promise<void> {
    const { jobs } = this.deps;
    const asking = this.#asking!;
    const forgotten = (await jobs.forget(this.#keptSince(this.#from))) ?? "";
    await jobs.keep({
      ...asking,
      since: forgotten > asking.since ? forgotten : asking.since,
      asked: new Date().toISOString(),
      newest: earlier(this.#from, overlap),
      found: this.#telling.found,
    });
  }
}
