import type { JsonObject } from "../event/json";
import type { Moment } from "./age";
import { Cleaning, cleanEvery } from "./cleaning";
import { failed, left, newDelivery, type FlowError } from "./deliveries";
import { Giving, type Flow, type Outcome } from "./giving";
import { Held } from "./held";
import { Intake } from "./intake";
import { KnownJobs } from "./known-jobs";
import { Moving, type Before } from "./moving";
import { Operating } from "./operating";
import { Refusals } from "./refusals";
import { Closed, Reopening } from "./reopening";
import { Retrying } from "./retrying";
import { Sharing } from "./sharing";
import { bounds, Unusable, type Finding, type OpenStore, type Settings, type Store } from "./store";
import { prepare, type AcceptedEvent, type Became, type StoredEvent } from "./stored-event";
import { Suspects } from "./suspects";

export { cleanEvery, Closed, type Flow, type Outcome };

/** How often it is looked at whether the store can be used, while no event comes, in milliseconds. */
const retryEvery = 5000;

/** What an inbox is told, and tells. */
interface Options {
  /** For how many days events are kept. */
  days: number;
  /** The minutes after which what failed is given again by itself. */
  retries?: readonly number[];
  /** Whether this is the first inbox of its store in this process: what was with the flow ended with it. */
  isFirst?: boolean;
  /** `counts`, `problem` or `isPaused` are others. */
  changed: () => void;
  /** What was found where the store was opened. */
  found?: (finding: Finding) => void;
  /** What an event that is set aside has failed of. @param node of its delivery */
  setAside: (node: string) => FlowError;
  /** See `Arrival`. */
  meaningOf?: (event: JsonObject) => string | null;
  /** Whether Radaro is asked for what never arrived: then it is kept what is known of jobs. */
  isAsking?: boolean;
  /** Events may have gone past it: nothing that is known of jobs counts. Is called when that is forgotten. */
  forgotten?: () => void;
  /** Where it was before: what it is not done with there comes along. */
  before?: Before;
  /** How much is kept. */
  max?: typeof bounds;
  /** What time it is. */
  clock?: () => Moment;
  /** How long an event waits at most to be stored, in milliseconds; absent: as long as the disk takes. */
  answerWithin?: number;
}

/**
 * Keeps a merchant's events until each flow is done with them, and gives them to the flows: at once, and
 * again where a deploy or the end of Node-RED came between, or where they failed. At least once, that is.
 */
export class Inbox {
  readonly #store: Reopening;
  readonly #intake: Intake;
  readonly #held: Held;
  readonly #giving: Giving;
  readonly #retrying: Retrying;
  readonly #cleaning: Cleaning;
  readonly #moving: Moving | undefined;
  readonly #suspects: Suspects;
  readonly #sharing: Sharing;
  /** What people do with its events. */
  readonly events: Operating;
  /** What is known of jobs. */
  readonly jobs: KnownJobs;
  /** The requests that were refused. */
  readonly refusals: Refusals;
  readonly #timers: NodeJS.Timeout[];
  /** Whether its store was not opened yet. */
  #isNew = true;

  /**
   * @param open opens where the events are kept
   * @param flow takes them
   */
  constructor(
    open: OpenStore,
    private readonly flow: Flow,
    private readonly options: Options,
  ) {
    const { max = bounds, changed, retries = [] } = options;
    this.#store = new Reopening(open, {
      ...{ max, changed, opened: (store) => void this.#opened(store) },
      others: () => this.#sharing,
    });
    this.refusals = new Refusals(this.#store, options.days);
    const told = {
      stored: (...stored: Parameters<Giving["first"]>) => this.#giving.first(...stored),
      changed: (became: Became) => this.#held.written(became),
    };
    this.#intake = new Intake(this.#store, told, options.answerWithin);
    this.#held = new Held((became, isUrgent) => this.#intake.change(became, isUrgent));
    this.#giving = new Giving(this.#store, flow, this.#held, {
      retries,
      retryAt: (at) => this.#retrying.at(at),
      harmless: () => void this.#set({ ends: 0 }).catch(() => undefined), // counted on where it starts again
    });
    this.#retrying = new Retrying(this.#store, this.#held, {
      isPaused: () => this.isPaused,
      due: (seqs) => this.#giving.again.ask(seqs),
    });
    this.#suspects = new Suspects(this.#held, {
      now: () => this.now,
      setAside: (node) => options.setAside(node),
      suspect: (seqs, ends) => this.#giving.again.suspect(seqs, ends),
    });
    this.#sharing = new Sharing(this.#store, flow, {
      ...{ held: this.#held, giving: this.#giving, retrying: this.#retrying, suspects: this.#suspects },
      ...{ refusals: this.refusals, changed },
    });
    const last = () => [this.#giving.last, this.#store.store?.last ?? ""].sort().at(-1)!;
    const gone = (seq: string) => this.#giving.again.forget(seq);
    this.#cleaning = new Cleaning(this.#store, { last, gone, held: this.#held }, options);
    this.#moving =
      options.before &&
      new Moving(options.before, { pause: () => this.pause(true), take: (events) => this.#take(events) });
    this.events = new Operating(this.#store, {
      held: this.#held,
      again: this.#giving.again,
      cleaning: this.#cleaning,
      isThere: (node) => this.flow.receiver(node) !== undefined,
      changed,
    });
    this.jobs = new KnownJobs(this.#store, this.events);
    this.#timers = [
      setInterval(() => this.#retry(), retryEvery),
      setInterval(() => this.#cleaning.clean(), cleanEvery),
    ];
    for (const timer of this.#timers) timer.unref();
    this.#retry();
  }

  /** What time it is by the store's clock, in milliseconds. */
  get now(): number {
    return this.#store.now;
  }

  /** Why nothing can be stored; `undefined`: all is well. */
  get problem(): Unusable | undefined {
    return this.#store.problem;
  }

  /** How many events are in which state; `undefined` while the store cannot be used. */
  get counts(): Store["counts"] | undefined {
    return this.#store.store?.counts;
  }

  /** How many deliveries to a node are failed. */
  failures(node: string): number {
    return this.#store.store?.failures[node] ?? 0;
  }

  /** Whether nothing is given to the flow. */
  get isPaused(): boolean {
    return this.#store.store?.settings.isPaused ?? this.#giving.again.isPaused;
  }

  /**
   * Stores a verified event, and gives it to the flow.
   *
   * @param event without its token; the inbox's own from here on
   * @param body as it came; `by`: of one that was made, see `Arrival`
   * @param failures what it is kept as failed of, of each `radaro in` that it is for
   * @returns when the disk has it
   * @throws Unusable, Closed, or RangeError where it is nested too deeply to be written
   */
  async accept(
    event: JsonObject,
    arrival: { path: string; body: Buffer; receivedAt: Date; by?: string },
    failures?: FlowError[],
  ): Promise<"stored" | "duplicate"> {
    const deliveries = failures
      ? failures.map((error) => failed(newDelivery(error.node.id), error, { now: this.now }))
      : this.#giving.plan(arrival.path, event);
    const meaning = this.options.meaningOf?.(event) ?? null;
    const receivedAt = new Date(arrival.receivedAt.getTime() + this.#store.ahead);
    const isLearned = this.options.isAsking ?? false;
    const accepted = prepare(event, { ...arrival, receivedAt, deliveries, meaning, isLearned });
    accepted.isInOrder = this.#giving.isInOrder(deliveries);
    return this.#intake.accept(accepted, event);
  }

  /** The flows have started: gives them all waiting events that they do not have. */
  start(): void {
    this.#giving.again.start();
  }

  /**
   * The flow, or somebody, says what has become of a delivery.
   *
   * @returns false where it is not there
   */
  async heard(seq: string, node: string, outcome: Outcome): Promise<boolean> {
    const stored = this.#held.get(seq) ?? (await this.#load(seq));
    if (!stored) return false;
    // A message may carry anything as the seq, also a number in other words.
    const isThere = stored.seq === seq && stored.deliveries?.some((each) => each.node === node) === true;
    if (isThere) this.#giving.heard(stored, node, outcome);
    this.#held.letGo(stored.seq);
    return isThere;
  }

  /** Whether the flow has a delivery. @param times how many times it was given until then */
  isWithFlow(seq: string, node: string, times: number): boolean {
    const { deliveries = [] } = this.#held.get(seq) ?? {};
    return deliveries.some((each) => each.node === node && each.since !== undefined && each.times === times);
  }

  /** @returns one that is held from here on; `undefined`: it is gone */
  async #load(seq: string): Promise<StoredEvent | undefined> {
    const [found] = await this.#store.read((store) => store.get([seq]));
    return found && this.#held.hold(found);
  }

  async #opened(store: Store): Promise<void> {
    this.#giving.upTo(store.last);
    for (const finding of store.findings) this.options.found?.(finding);
    this.refusals.known(store.settings);
    // Less may be known of jobs than was told of them, or what is known is not kept up to date any more.
    const { isAsking, forgotten } = this.options;
    const isDoubtful = store.findings.some(({ what }) => what !== "leveldb") || !isAsking;
    const isForgotten = this.#isNew && forgotten !== undefined;
    if ((isDoubtful || isForgotten) && store.settings.asking)
      void this.jobs.end().then(forgotten, () => undefined);
    else if (isForgotten) forgotten();
    const isFirst = this.#isNew && (this.options.isFirst ?? false);
    this.#isNew = false;
    this.#giving.again.isPaused = store.settings.isPaused;
    // Before anything is written or given: with what Node-RED may have ended.
    const suspected = isFirst ? this.#suspects.look(store, true).catch(() => undefined) : undefined;
    this.#intake.write();
    await suspected;
    this.#giving.again.isReady = true;
    this.start();
    this.#retrying.look();
    this.#cleaning.begin();
    this.#moving?.begin();
    this.options.changed();
  }

  async #set(settings: Partial<Settings>): Promise<void> {
    await this.#store.alone((store) => store.set({ ...store.settings, ...settings }));
  }

  #retry(): void {
    const check = () => this.#store.read((store) => store.check());
    void check().catch(() => check().catch(() => undefined)); // said as `problem`
    this.#intake.write(); // what could not be written the last time
  }

  /** Stores events that the inbox had where it was before: those that wait are given in their turn. */
  async #take(events: AcceptedEvent[]): Promise<void> {
    for (const event of events) event.isInOrder = this.#giving.isInOrder(event.stored.deliveries);
    await this.#store.alone(async (store) => {
      const room = await store.makeRoom(events.map(({ stored }) => stored.size));
      if (room < events.length) throw new Unusable("crowded");
      for (const written of await store.write(events, [])) if (written) this.#giving.upTo(written.seq);
    });
    this.#giving.again.pass();
    this.#retrying.look();
  }

  /** Pauses or resumes: paused, events are stored, and none is given. On disk when it returns. */
  async pause(isPaused: boolean): Promise<void> {
    await this.#set({ isPaused });
    this.#giving.again.isPaused = isPaused;
    this.options.changed();
    if (isPaused) return;
    this.#giving.again.pass();
    this.#retrying.look();
  }

  /** Writes what is left to write, and lets another one have the store. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.#moving?.close();
    this.#retrying.close();
    this.#giving.close();
    await this.#store.close(async (store) => {
      // The flow loses what it has, and Node-RED does not end with it.
      for (const stored of this.#held.values()) {
        if (!stored.deliveries?.some(({ since }) => since !== undefined)) continue;
        stored.deliveries = stored.deliveries.map(left);
        this.#held.change(stored);
      }
      // What another has said meanwhile is taken over by that, and is written too.
      for (let left = await this.#intake.close(); left.length > 0; left = await this.#intake.close())
        await store.write([], left);
      const refused = this.refusals.close();
      if (refused) await store.set({ ...store.settings, refused });
      await store.letGo();
    });
    await this.#intake.close();
  }
}
