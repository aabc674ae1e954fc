import type { Cause } from "../../src/inbox/store";
import { causeOf, moreCauses, type Facts } from "../../src/inbox/watch-facts";
import type { Settings } from "../../src/inbox/watch-settings";
import type { Watched } from "../../src/inbox/watched";
import { look, type News } from "../../src/inbox/watching";
import type { MerchantInbox } from "../inbox/merchant-inbox";

/** For how long a timer can be set, in milliseconds. */
const longestTimer = 2 ** 31 - 1;

/** How long the disk is waited for, in milliseconds: one that does not answer is what has to be told. */
const answerWithin = 1000;

/** What a message says of the first event that failed. */
export interface First {
  error: string;
  orderId: unknown;
  externalId: unknown;
}

/** What a message says of a merchant. */
export interface About {
  merchant: string;
  paused: boolean;
  /** Why it cannot store, shortly; `undefined`: it can again. */
  problem: string | undefined;
  /** Why Radaro cannot be asked for what never arrived, as a sentence; `undefined`: it can again. */
  asking?: string | undefined;
  /** Of what failed; `undefined`: Node-RED was restarted since, and it is over. */
  first: First | undefined;
}

interface Told {
  news(news: News, about: About): void;
  /** After each look. @param isNew whether what is known has to be kept */
  looked(isNew: boolean): void;
}

type Summary = Awaited<ReturnType<MerchantInbox["summary"]>>;

/** Watches one merchant's inbox, from one start of the flows to the next. */
export class MerchantWatch {
  readonly #leave: () => void;
  /** By cause: of what failed and was told, or soon is. */
  readonly #firsts: Map<string, First>;
  #watched: Watched | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;
  /** What failed, while it is asked for. */
  #asked: Promise<Cause[]> | undefined;
  /** Whether the inbox has been open: before, it does not know what it had refused. */
  #wasOpen = false;
  #isDue = false;
  #isClosed = false;

  /** @param before the last one of this merchant, or what it knew before a restart */
  constructor(
    private readonly inbox: MerchantInbox,
    private readonly settings: Settings,
    before: { watched?: Watched | undefined; firsts?: Map<string, First> },
    private readonly told: Told,
  ) {
    this.#watched = before.watched;
    this.#firsts = before.firsts ?? new Map<string, First>();
    this.#leave = inbox.listen(() => this.look());
    this.look();
  }

  get watched(): Watched | undefined {
    return this.#watched;
  }

  get firsts(): Map<string, First> {
    return this.#firsts;
  }

  /** Looks how it is, as soon as the look before is over. */
  look(): void {
    this.#isDue = true;
    if (!this.#isLooking) void this.#lookWhileDue();
  }

  async #lookWhileDue(): Promise<void> {
    this.#isLooking = true;
    while (this.#isDue && !this.#isClosed) {
      this.#isDue = false;
      clearTimeout(this.#timer);
      await this.#look();
    }
    this.#isLooking = false;
  }

  async #look(): Promise<void> {
    const isOpen = this.inbox.inbox.counts !== undefined;
    this.#wasOpen ||= isOpen;
    // Before the times: what is run again waits from then on.
    const causes = isOpen && this.settings.failed ? await this.#causes() : undefined;
    const summary = await this.inbox.summary();
    if (this.#isClosed) return;
    const facts = toFacts(summary, { isOpen, wasOpen: this.#wasOpen }, causes);
    const { watched, news, next } = look(this.#watched, facts, this.settings, Date.now());
    await this.#findFirsts(facts.causes ?? [], watched);
    if (this.#isClosed) return;
    const isFirst = this.#watched === undefined;
    this.#watched = watched;
    for (const each of news) this.told.news(each, this.#about(each, summary));
    for (const cause of this.#firsts.keys())
      if (!Object.hasOwn(watched.things, cause)) this.#firsts.delete(cause);
    this.told.looked(isFirst || news.length > 0);
    if (next === undefined) return;
    this.#timer = setTimeout(() => this.look(), Math.min(Math.max(next - Date.now(), 0), longestTimer));
    this.#timer.unref();
  }

  /** @returns `undefined` where the disk does not say it soon: it is looked again when it does */
  async #causes(): Promise<Facts["causes"]> {
    if (this.inbox.inbox.counts?.failed === 0) return [];
    this.#asked ??= this.inbox.inbox.events.causes().finally(() => {
      this.#asked = undefined;
    });
    const asked = this.#asked;
    const causes = await soon(asked);
    if (!causes) void asked.then(() => this.look()).catch(() => undefined); // said as the inbox's problem
    return causes;
  }

  /** Finds the first event of what failed, while it is there. */
  async #findFirsts(causes: readonly Cause[], { things }: Watched): Promise<void> {
    const isListed = (cause: Cause) => Object.hasOwn(things, causeOf(cause));
    const wanted = causes.filter(isListed).map((cause) => [causeOf(cause), cause] as const);
    const other = causes.find((cause) => cause.count > cause.again && !isListed(cause));
    if (other && Object.hasOwn(things, moreCauses)) wanted.push([moreCauses, other]);
    for (const [key, cause] of wanted) {
      if (this.#firsts.has(key)) continue;
      const event = await soon(this.inbox.inbox.events.firstOf(cause));
      const { orderId = null, externalId = null } = event ?? {};
      this.#firsts.set(key, { error: cause.error, orderId, externalId });
    }
  }

  #about({ cause }: News, { name, paused, problem, catchUp }: Summary): About {
    const asking = catchUp?.problem?.text;
    return { merchant: name, paused, problem: problem?.title, asking, first: this.#firsts.get(cause) };
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#leave();
  }
}

/** @returns `undefined` where it is not there soon, or fails */
async function soon<T>(what: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), answerWithin).unref();
  });
  const result = await Promise.race([what.catch(() => undefined), late]);
  clearTimeout(timer);
  return result;
}

function toFacts(
  { problem, counts, oldestWaiting, lastAccepted, refused, catchUp }: Summary,
  { isOpen, wasOpen }: { isOpen: boolean; wasOpen: boolean },
  causes: Facts["causes"],
): Facts {
  return {
    isBroken: problem !== null,
    causes,
    refused: wasOpen ? refused : undefined,
    waiting: counts.waiting,
    times: isOpen ? { oldestWaiting, lastAccepted } : undefined,
    asking: catchUp ? askingOf(catchUp) : null,
  };
}

/** What passes by itself: all else needs somebody. */
const passing = ["unreachable", "failing", "clocks"];

function askingOf({ problem, since }: NonNullable<Summary["catchUp"]>): Facts["asking"] {
  if (since === undefined) return undefined;
  return problem && { since, isPassing: passing.includes(problem.kind) };
}
