import { setTimeout as waitFor } from "node:timers/promises";
import type { JsonObject } from "../event/json";
import { Sweep, Troubled, windowsAround, type Trouble } from "./asking";
import { compare, deletion, make, readJob, type Difference, type Job, type Made } from "./catch-up";
import { Differences } from "./differences";
import { toMs, type Known } from "./known-job";
import type { KnownJobs } from "./known-jobs";
import type { Answer, RadaroApi } from "./radaro-api";
import { Closed } from "./reopening";
import { Unusable, type Asking } from "./store";
import { sortable } from "./stored-event";

/** How many requests a run makes at most; the next one goes on where it stopped. */
export const maxRequests = 500;

/** How long nothing is asked after each answer, in milliseconds. */
const pause = 200;

/** How many jobs are asked for one by one in a run, where they were in no answer. */
const maxSingles = 100;

/** How many jobs are known together, or kept. */
const together = 100;

/** How long after the first look the second is at most, in milliseconds; how much longer what is known has to stand. */
const lookAgainAfter = 60_000;
const settledAfter = 10;

/** After how long without an event the next one lets it be asked, at most, in milliseconds. */
const silence = 10 * 60_000;

/** How long it is left alone after something went wrong, at most, in milliseconds. */
const longestRest = 3_600_000;

/** For how long a timer can be set, in milliseconds. */
const longestTimer = 2 ** 31 - 1;

const [day, overlap] = [24 * 3_600_000, 600_000];

/** From how many jobs on it is said that some are missing, and from which share of all on. */
const missing = { count: 5, share: 0.1 };

/** From how many jobs on it is not believed that they are gone, where fewer are left. */
const gone = 20;

/** What a merchant's inbox is asked and told. */
interface Deps {
  api: Pick<RadaroApi, "list" | "one" | "close">;
  jobs: KnownJobs;
  /** A digest of whom it asks, with which key. */
  whom: string;
  /** Where the merchant's events are sent to; none: it cannot be asked now. */
  paths(): string[];
  /** Stores a made event, and gives it to the flow. */
  accept(made: Made, path: string): Promise<"stored" | "duplicate">;
  /** What it says of itself is another. */
  changed(): void;
  /** It broke off by a fault of this package. */
  broke(error: unknown): void;
}

interface Options {
  /** How often it is asked, in milliseconds. */
  every: number;
  /** For how many days events are kept. */
  days: number;
  /** How long nothing is asked after each answer, in milliseconds. */
  pause?: number;
}

/** What it says of itself. Times are ISO-8601, UTC. */
export interface AskingState {
  isAsking: boolean;
  /** When all was asked for last. */
  asked: string | null;
  /** How many events were made then. */
  found: number;
  /** How many requests that took, or takes. */
  requests: number;
  problem: Trouble | null;
  /** Since when it is so; `undefined`: it has not been asked since the start, so it is not known yet. */
  since: string | undefined;
}

/** The run cannot go on now, and nothing is wrong: its nodes are not there, or it has asked enough. */
class Stopped extends Error {}

/** Asks Radaro what the jobs are now, and gives the inbox the events that never arrived. */
export class CatchingUp {
  readonly #differences: Differences;
  /** How long after the first look the second is, in milliseconds. */
  readonly #lookAgain: number;
  readonly #closing = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #isDue = false;
  #heard = performance.now();
  #begun = -Infinity;
  /** How many times in a row it went wrong. */
  #failures = 0;
  #problem: { trouble: Trouble | undefined; since: string } | undefined;
  #requests = 0;
  /** Of the run that stopped: it goes on. */
  #sweep: Sweep | undefined;
  #asking: Asking | undefined;
  /** When the first of its answers came, by Radaro's clock. */
  #from = "";
  /** The jobs that it was shown. */
  #shown = 0;
  #found = 0;
  /** How many requests it took to ask for all in pages. */
  #cost = 0;

  constructor(
    private readonly deps: Deps,
    private readonly options: Options,
  ) {
    this.#lookAgain = Math.min(lookAgainAfter, options.every);
    this.#differences = new Differences(this.#lookAgain);
  }

  get state(): AskingState {
    const { asked = null, found = 0 } = this.deps.jobs.asking ?? {};
    const isAsking = this.#running !== undefined;
    const { trouble = null, since } = this.#problem ?? {};
    return { isAsking, asked, found, requests: this.#requests, problem: trouble, since };
  }

  /**
   * The flows have started: asks, at once where Node-RED has, and otherwise when it is time.
   *
   * @param isFirst whether Node-RED has: a deploy loses nothing
   */
  started(isFirst: boolean): void {
    void this.deps.jobs
      .read()
      .then((asking) => {
        const { whom = "", asked = "1970-01-01" } = asking ?? {};
        const left = Date.parse(asked) + this.options.every - Date.now();
        const isTime = isFirst || whom !== this.deps.whom || left > this.options.every;
        if (!this.#running) this.#in(isTime ? 0 : Math.max(left, 0));
      })
      .catch(() => this.#in(this.#lookAgain)); // said as the inbox's problem
  }

  /** Asks now. */
  ask(): void {
    this.#failures = 0;
    this.#isDue = true;
    if (!this.#running) this.#begin();
  }

  /** An event has come: after a silence others may not have. */
  heard(): void {
    const now = performance.now();
    const isSilenceOver = now - this.#heard >= Math.min(silence, this.options.every);
    this.#heard = now;
    if (isSilenceOver && this.#failures === 0 && now - this.#begun >= this.#lookAgain) this.ask();
  }

  #in(wait: number): void {
    clearTimeout(this.#timer);
    if (this.#closing.signal.aborted) return;
    this.#timer = setTimeout(() => this.#begin(), Math.min(wait, longestTimer)).unref();
  }

  #begin(): void {
    if (this.#running || this.#closing.signal.aborted) return;
    clearTimeout(this.#timer);
    this.#isDue = false;
    this.#begun = performance.now();
    this.#running = this.#run().then((wait) => {
      this.#running = undefined;
      this.#in(this.#isDue ? 0 : wait);
      this.deps.changed();
    });
    this.deps.changed();
  }

  /** @returns when it asks next, in milliseconds */
  async #run(): Promise<number> {
    this.#requests = 0;
    try {
      this.#say(await this.#askAll());
      this.#failures = 0;
      return this.options.every;
    } catch (error) {
      if (error instanceof Stopped || this.#closing.signal.aborted) return this.options.every;
      // What is wrong with the inbox itself it says, and that it was closed nobody has to know.
      if (error instanceof Unusable || error instanceof Closed) return this.#lookAgain;
      return this.#fail(error);
    }
  }

  /** @returns how long it is left alone, in milliseconds */
  #fail(error: unknown): number {
    const { trouble, wait } = error instanceof Troubled ? error : new Troubled("unexpected");
    if (trouble !== "unreachable" && trouble !== "failing") this.#sweep = undefined;
    if (trouble === "unexpected") this.deps.broke(error);
    this.#say(trouble);
    this.#failures += 1;
    const rest = Math.min(this.#lookAgain * 2 ** (this.#failures - 1), longestRest);
    return Math.max(rest, wait);
  }

  #say(trouble: Trouble | undefined): void {
    if (!this.#problem || this.#problem.trouble !== trouble)
      this.#problem = { trouble, since: new Date().toISOString() };
  }

  /** @returns what is to be said, though all was asked */
  async #askAll(): Promise<Trouble | undefined> {
    if (this.deps.paths().length === 0) throw new Stopped();
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
    if (!this.#sweep) {
      this.#sweep = new Sweep(this.#asking?.newest);
      [this.#from, this.#shown, this.#found, this.#cost] = ["", 0, 0, 0];
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
      for (let i = 0; i < jobs.length; i += together) await this.#compare(jobs.slice(i, i + together), at);
    }
  }

  async #asked(ask: () => Promise<Answer>): Promise<Answer> {
    if (this.#requests >= maxRequests) throw new Stopped();
    this.#requests += 1;
    const answer = await ask();
    await this.#wait(this.options.pause ?? pause);
    return answer;
  }

  async #wait(wait: number): Promise<void> {
    await waitFor(wait, undefined, { signal: this.#closing.signal, ref: false });
  }

  /** Since when events are kept. @param at by Radaro's clock */
  #keptSince(at: string): string {
    return sortable(new Date(toMs(at) - this.options.days * day).toISOString())!;
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
    const settled = settledAfter * this.#lookAgain;
    const bases: Record<string, Known> = {};
    const told: Promise<void>[] = [];
    for (const job of jobs) {
      const look = { known: known[job.key], since, at: at > this.#from ? at : this.#from, settled };
      const { differences, base } = compare(job, look);
      bases[job.key] = base;
      const certain = this.#differences.look(job.key, differences, performance.now());
      // In their order, and not one by one: what comes together is written together.
      for (const each of certain) told.push(this.#tell(each, job.orderId, job.whole));
    }
    await Promise.all(told);
    await this.deps.jobs.know(bases);
  }

  async #tell(difference: Difference, orderId: unknown, orderInfo: JsonObject): Promise<void> {
    const made = make(difference, orderId, orderInfo);
    const paths = this.deps.paths();
    if (paths.length === 0) throw new Stopped(); // it is found again
    const accepted = await Promise.all(paths.map((path) => this.deps.accept(made, path)));
    if (accepted.includes("stored")) this.#found += 1;
  }

  /** Asks for those one by one that an answer should have shown. @returns what is to be said of them */
  async #askForMissing(): Promise<Trouble | undefined> {
    let strangers = 0;
    const wanted: string[] = [];
    const latest = toMs(this.#from) - settledAfter * this.#lookAgain;
    for await (const some of this.deps.jobs.unseen(this.#from, windowsAround(this.#from)))
      for (const { job, known } of some) {
        const isSettled = toMs(known.created?.at ?? known.seen ?? known.status?.at ?? this.#from) < latest;
        if (known.seen !== undefined) wanted.push(job);
        else if (isSettled) strangers += 1;
      }
    if (wanted.length >= gone && wanted.length > this.#shown) return "most-gone";
    for (const job of wanted.slice(0, maxSingles)) await this.#askForOne(job);
    const isPartial = strangers >= missing.count && strangers > missing.share * (this.#shown + strangers);
    return isPartial ? "partial" : undefined;
  }

  /** @param job one that the API has shown before: it is gone where it does not any more */
  async #askForOne(job: string): Promise<void> {
    const { json, at } = await this.#asked(() => this.deps.api.one(job));
    if (json !== undefined) {
      const found = readJob(json);
      if (!found) throw new Troubled("other-shape");
      if (found.key !== job) throw new Troubled("unasked");
      return this.#compare([found], at);
    }
    const known = (await this.deps.jobs.known([job]))[job];
    const seen = known?.created?.at ?? known?.seen;
    const isGone = seen !== undefined && !known?.deleted;
    const isSettled = isGone && toMs(seen) + settledAfter * this.#lookAgain < toMs(at);
    const certain = this.#differences.look(job, isSettled ? [deletion(at)] : [], performance.now());
    for (const each of certain) await this.#tell(each, Number(job), await this.#lastShown(job, known));
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
      for (const job of before) await this.#askForOne(job);
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
      newest: sortable(new Date(toMs(this.#from) - overlap).toISOString())!,
      found: this.#found,
    });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#timer);
    this.deps.api.close();
    await this.#running;
  }
}
