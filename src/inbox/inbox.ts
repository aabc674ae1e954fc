import type { JsonObject } from "../event/json";
import type { Moment } from "./age";
import { Cleaning, cleanEvery } from "./cleaning";
import { failed, left, newDelivery, type FlowError } from "./deliveries";
import { Giving, type Flow, type Outcome } from "./giving";
import { Held } from "./held";
import { Intake } from "./intake";
import { KnownJobs } from "./known-jobs";
import { Operating } from "./operating";
import { Refusals } from "./refusals";
import { Closed, Reopening } from "./reopening";
import { Retrying } from "./retrying";
import { maxEnds } from "./scheduler";
import { bounds, type Finding, type OpenStore, type Settings, type Store, type Unusable } from "./store";
import { prepare, type StoredEvent } from "./stored-event";

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
  /** How much is kept. */
  max?: typeof bounds;
  /** What time it is. */
  clock?: () => Moment;
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
    this.#store = new Reopening(open, { max, changed, opened: (store) => void this.#opened(store) });
    this.refusals = new Refusals(this.#store, options.days);
    this.#intake = new Intake(this.#store, {
      stored: (stored, event) => this.#giving.first(stored, event),
      changed: (became) => this.#held.written(became),
    });
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
    this.#cleaning = new Cleaning(this.#store, { last: () => this.#giving.last, held: this.#held }, options);
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
    return this.#giving.again.isPaused;
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
      ? failures.map((error) => failed(newDelivery(error.node.id), error, { now: Date.now() }))
      : this.#giving.plan(arrival.path, event);
    const meaning = this.options.meaningOf?.(event) ?? null;
    const about = { ...arrival, deliveries, meaning, isLearned: this.options.isAsking ?? false };
    return this.#intake.accept(prepare(event, about), event);
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
    if (store.last > this.#giving.last) this.#giving.last = store.last;
    for (const finding of store.findings) this.options.found?.(finding);
    this.refusals.opened(store.settings);
    // Less may be known of jobs than was told of them, or what is known is not kept up to date any more.
    const isDoubtful = store.findings.some(({ what }) => what !== "leveldb") || !this.options.isAsking;
    if (isDoubtful && store.settings.asking) void this.jobs.end().catch(() => undefined);
    const isFirst = this.#isNew && (this.options.isFirst ?? false);
    this.#isNew = false;
    this.#giving.again.isPaused = store.settings.isPaused;
    // Before anything is written or given: with what Node-RED may have ended.
    const suspected = isFirst ? this.#suspect(store).catch(() => undefined) : undefined;
    this.#intake.write();
    await suspected;
    this.#giving.again.isReady = true;
    this.start();
    this.#retrying.look();
    this.#cleaning.begin();
    this.options.changed();
  }

  /** What was with the flow when Node-RED ended is given one by one, or set aside. */
  async #suspect(store: Store): Promise<void> {
    const events = await store.withFlow();
    if (events.length === 0) return store.settings.ends > 0 ? this.#set({ ends: 0 }) : undefined;
    const ends = store.settings.ends + 1;
    await store.set({ ...store.settings, ends });
    const [only] = events;
    const isSetAside = events.length === 1 && this.#isSetAside(only!);
    // From now on only what is given is with the flow: the next end tells which it was.
    for (const stored of events) this.#held.change(this.#held.hold(stored), true);
    await Promise.all(events.map(({ seq }) => this.#held.onDisk(seq)));
    if (isSetAside) return this.#set({ ends: 0 });
    this.#giving.again.suspect(
      events.map(({ seq }) => seq),
      ends,
    );
  }

  /** @param stored the only one that was with the flow when Node-RED ended */
  #isSetAside(stored: StoredEvent): boolean {
    const ended = (stored.ended ?? 0) + 1;
    const wasWithFlow = new Set(stored.deliveries?.flatMap(({ node, since }) => (since ? node : [])));
    const held = this.#held.hold(stored);
    held.ended = ended;
    if (ended >= maxEnds) {
      held.ended = undefined;
      held.deliveries = held.deliveries!.map((each) =>
        wasWithFlow.has(each.node)
          ? failed(each, this.options.setAside(each.node), { now: Date.now() })
          : each,
      );
    }
    return ended >= maxEnds;
  }

  async #set(settings: Partial<Settings>): Promise<void> {
    await this.#store.alone((store) => store.set({ ...store.settings, ...settings }));
  }

  #retry(): void {
    const check = () => this.#store.read((store) => store.check());
    void check().catch(() => check().catch(() => undefined)); // said as `problem`
    this.#intake.write(); // what could not be written the last time
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
    this.#retrying.close();
    this.#giving.close();
    await this.#store.close(async (store) => {
      // The flow loses what it has, and Node-RED does not end with it.
      for (const stored of this.#held.values()) {
        if (!stored.deliveries?.some(({ since }) => since !== undefined)) continue;
        stored.deliveries = stored.deliveries.map(left);
        this.#held.change(stored);
      }
      await store.write([], await this.#intake.close());
      const refused = this.refusals.close();
      if (refused) await store.set({ ...store.settings, refused });
    });
    await this.#intake.close();
  }
}
