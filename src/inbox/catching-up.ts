import { Troubled, type Trouble } from "./asking";
import { CatchUpRun, type RunDeps, type RunOptions } from "./catch-up-run";
import type { RadaroApi } from "./radaro-api";
import { Closed } from "./reopening";
import { Unusable } from "./store";
import { Stopped } from "./telling";

/** How long after the first look the second is at most, in milliseconds. */
const lookAgainAfter = 60_000;

/** After how long without an event the next one lets it be asked, at most, in milliseconds. */
const silence = 10 * 60_000;

/** How long it is left alone after something went wrong, at most, in milliseconds. */
const longestRest = 3_600_000;

/** For how long a timer can be set, in milliseconds. */
const longestTimer = 2 ** 31 - 1;

/** What a merchant's inbox is asked and told. */
interface Deps extends RunDeps {
  api: RunDeps["api"] & Pick<RadaroApi, "close">;
  /** What it says of itself is another. */
  changed(): void;
  /** It broke off by a fault of this package. */
  broke(error: unknown): void;
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

/** Asks Radaro what the jobs are now, and gives the inbox the events that never arrived. */
export class CatchingUp {
  readonly #run: CatchUpRun;
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

  constructor(
    private readonly deps: Deps,
    private readonly options: RunOptions,
  ) {
    this.#lookAgain = Math.min(lookAgainAfter, options.every);
    const how = { ...options, lookAgain: this.#lookAgain, closing: this.#closing.signal };
    this.#run = new CatchUpRun(deps, how);
  }

  get state(): AskingState {
    const { asked = null, found = 0 } = this.deps.jobs.asking ?? {};
    const isAsking = this.#running !== undefined;
    const { trouble = null, since } = this.#problem ?? {};
    return { isAsking, asked, found, requests: this.#run.requests, problem: trouble, since };
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
    this.#running = this.#runOnce().then((wait) => {
      this.#running = undefined;
      this.#in(this.#isDue ? 0 : wait);
      this.deps.changed();
    });
    this.deps.changed();
  }

  /** @returns when it asks next, in milliseconds */
  async #runOnce(): Promise<number> {
    try {
      this.#say(await this.#run.askAll());
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
    if (trouble !== "unreachable" && trouble !== "failing") this.#run.beginAnew();
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

  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#timer);
    this.deps.api.close();
    await this.#running;
  }
}
