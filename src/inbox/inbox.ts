import type { JsonObject } from "../event/json";
import { isBelieved, now, possible, proof, tooOld, type Mark, type Moment } from "./age";
import { Intake } from "./intake";
import { Closed, Reopening } from "./reopening";
import {
  bounds,
  type Filter,
  type Finding,
  type OpenStore,
  type Some,
  step,
  type Store,
  type Unusable,
} from "./store";
import { changeOf, prepare, type FlowError, type StoredEvent } from "./stored-event";

export { Closed };

/** What has become of an event that was given to the flow. */
export type Outcome =
  | { state: "processed" }
  | { state: "handed-over" }
  | { state: "failed"; error: FlowError }
  /** A deploy came between, or no node got what was sent; `isUnseen`: no node got anything of it. */
  | { state: "interrupted"; isUnseen?: true };

/** What takes an inbox's events to the flow. */
export interface Flow {
  /** Whether the flow can take events. */
  readonly running: boolean;
  /** Whether a node receives on a path; also while the flow is not running: there may be one then. */
  receives(path: string): boolean;
  /**
   * Gives an event to the flow.
   *
   * @param event its own: it is the flow's from here on
   * @param settled to be called once, later
   * @returns why it was not given: no node wants its topic, or there is no node for its path
   */
  give(stored: StoredEvent, event: JsonObject, settled: (outcome: Outcome) => void): Given;
}

export type Given = "given" | "unwanted" | "nobody";

/** How many events are run again; `nowhere`: and how many are not, as no node receives on their path. */
interface Run {
  run: number;
  nowhere: number;
}

/** How many events that are given once more are with the flow at a time. */
export const maxAgain = 20;

/** How long one of these is waited for before the next is given, in milliseconds. */
const maxAgainFor = 30_000;

/** How often it is looked at whether the store can be used, while no event comes, in milliseconds. */
const retryEvery = 5000;

/** How often what is too old is deleted, in milliseconds: when the clock has just proved itself. */
export const cleanEvery = proof + 1000;

/** How many events a page of the list has. */
const pageSize = 50;

/**
 * Keeps a merchant's events until the flow has dealt with them, and gives them to the flow: at once, and
 * again where a deploy or the end of Node-RED came between. At least once, that is.
 */
export class Inbox {
  readonly #store: Reopening;
  readonly #intake: Intake;
  /** Events that are with the flow, or were and that is not on disk yet. */
  readonly #inUse = new Set<string>();
  /** Those of them that the flow has not had after all, until the disk has how many times it has. */
  readonly #returned = new Map<string, number>();
  /** The seq of the last event that is on disk and was given to the flow, or would have been. */
  #last = "";
  #givingAgain: "no" | "yes" | "once-more" = "no";
  /** How many more events may be given once more now. */
  #free = maxAgain;
  #freed: () => void = () => undefined;
  readonly #timers: NodeJS.Timeout[];
  /** Since the store was opened for the first time. */
  readonly #marks: Mark[] = [];

  /**
   * @param open opens where the events are kept
   * @param flow takes them
   * @param options `days` they are kept; `changed` is called when `counts` or `problem` are others;
   *   `found`: what was found where the store was opened; `meaningOf`: see `Arrival`; `max`: how much is
   *   kept; `clock`: what time it is
   */
  constructor(
    open: OpenStore,
    private readonly flow: Flow,
    private readonly options: {
      days: number;
      changed: () => void;
      found?: (finding: Finding) => void;
      meaningOf?: (event: JsonObject) => string | null;
      max?: typeof bounds;
      clock?: () => Moment;
    },
  ) {
    const { max = bounds, changed } = options;
    this.#store = new Reopening(open, { max, changed, opened: (store) => this.#opened(store) });
    this.#intake = new Intake(this.#store, {
      stored: (stored, event) => {
        this.#last = stored.seq;
        const counted = stored.times;
        this.#give(Object.assign(stored, { times: 1 }), event, { counted });
      },
      changed: ({ seq, state, times }) => {
        if (state === "waiting" && this.#returned.get(seq) !== times) return;
        this.#inUse.delete(seq);
        if (this.#returned.delete(seq)) void this.giveAgain();
      },
    });
    this.#timers = [
      setInterval(() => this.#retry(), retryEvery),
      setInterval(() => this.#clean(), cleanEvery),
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

  /**
   * Stores a verified event, and gives it to the flow.
   *
   * @param event without its token; the inbox's own from here on
   * @param body as it came
   * @returns when the disk has it
   * @throws Unusable, Closed, or RangeError where it is nested too deeply to be written
   */
  async accept(
    event: JsonObject,
    { path, body, receivedAt }: { path: string; body: Buffer; receivedAt: Date },
  ): Promise<"stored" | "duplicate"> {
    const times = this.flow.running ? 1 : 0;
    const meaning = this.options.meaningOf?.(event) ?? null;
    return this.#intake.accept(prepare(event, { path, body, receivedAt, times, meaning }), event);
  }

  /** Gives the flow all waiting events that it does not have, in the order of their changes. */
  async giveAgain(): Promise<void> {
    if (this.#givingAgain !== "no") {
      this.#givingAgain = "once-more";
      return;
    }
    do {
      this.#givingAgain = "yes";
      await this.#giveWaiting().catch(() => undefined); // the problem is known, and is tried to be overcome
    } while (this.#isOnceMore());
    this.#givingAgain = "no";
  }

  #isOnceMore(): boolean {
    return this.#givingAgain === "once-more";
  }

  async #giveWaiting(): Promise<void> {
    for (let after: string | undefined = ""; after !== undefined && this.flow.running;) {
      const { events, last }: Some = await this.#store.read((store) => store.some("waiting", after!));
      after = last;
      for (const { seq, path } of events) {
        // One that is later than the last is being written: it is given as soon as that is done.
        if (this.#inUse.has(seq) || seq > this.#last || !this.flow.receives(path)) continue;
        if (this.#free === 0) await new Promise<void>((resolve) => (this.#freed = resolve));
        // Read now: since the list was read the flow may have been done with it.
        const found = await this.read(seq);
        if (found?.stored.state !== "waiting") continue;
        if (await this.#isSuperseded(found)) found.stored.superseded = true;
        if (!this.flow.running) return;
        this.#giveOnceMore(found);
      }
    }
  }

  async #isSuperseded({ stored, event }: { stored: StoredEvent; event: JsonObject }): Promise<boolean> {
    const change = changeOf(event);
    const later = change && (await this.#store.read((store) => store.later(stored, change)));
    // One that waits too comes in its turn, after this one.
    return later?.every(({ seq, state }) => state !== "waiting" || this.#inUse.has(seq)) ?? false;
  }

  #giveOnceMore({ stored, event }: { stored: StoredEvent; event: JsonObject }): void {
    let isFree = false;
    const letNext = () => {
      clearTimeout(timer);
      this.#free += isFree ? 0 : 1;
      isFree = true;
      this.#freed();
    };
    const timer = setTimeout(letNext, maxAgainFor).unref();
    this.#free -= 1;
    const counted = stored.times;
    if (!this.#give(Object.assign(stored, { times: counted + 1 }), event, { counted, settled: letNext }))
      letNext();
  }

  /**
   * @param stored with this time counted
   * @param about `counted`: how many times the disk has counted
   * @returns whether the flow has it
   */
  #give(
    stored: StoredEvent,
    event: JsonObject,
    { counted, settled }: { counted: number; settled?: () => void },
  ): boolean {
    this.#inUse.add(stored.seq);
    const given = this.flow.give(stored, event, (outcome) => {
      settled?.();
      if (outcome.state !== "interrupted") this.#intake.change(Object.assign(stored, outcome));
      else if (outcome.isUnseen) this.#takeBack(stored);
      else {
        this.#inUse.delete(stored.seq);
        void this.giveAgain();
      }
    });
    if (given === "unwanted") {
      const times = stored.times - 1;
      this.#intake.change(Object.assign(stored, { state: "processed", unwanted: true, times }));
    } else if (given === "nobody") {
      if (stored.times === counted) this.#takeBack(stored);
      else this.#inUse.delete(stored.seq);
    } else if (stored.times !== counted && stored.state === "waiting") this.#intake.change(stored);
    return given === "given";
  }

  /** The flow has not had it this time, though the disk has counted that. */
  #takeBack(stored: StoredEvent): void {
    stored.times -= 1;
    this.#returned.set(stored.seq, stored.times);
    this.#intake.change(stored);
  }

  #opened(store: Store): void {
    if (store.last > this.#last) this.#last = store.last;
    for (const finding of store.findings) this.options.found?.(finding);
    this.#intake.write();
    void this.giveAgain();
    if (this.#marks.length === 0) this.#marks.push({ ...this.#now, seq: this.#last });
  }

  get #now(): Moment {
    return (this.options.clock ?? now)();
  }

  #retry(): void {
    const check = () => this.#store.read((store) => store.check());
    void check().catch(() => check().catch(() => undefined)); // said as `problem`
    this.#intake.write(); // what could not be written the last time
  }

  #clean(): void {
    const last = this.#marks.at(-1);
    const mark = { ...this.#now, seq: this.#last };
    if (last) this.#marks.push(mark);
    // Said as `problem`, where it cannot.
    if (last && isBelieved(mark, last)) void this.#deleteOld(mark).catch(() => undefined);
  }

  async #deleteOld(now: Moment): Promise<void> {
    const text = (time: number) => new Date(time).toISOString();
    const { from, to } = possible(now);
    const redate = (store: Store) => store.redate(text(from), text(to), text(now.wall));
    while ((await this.#store.alone(redate)) === step);
    const { before, seq } = tooOld(this.#marks, now, this.options.days);
    await this.#delete((store, after) => store.someFrom(text(before), after), seq);
    await this.#compact(text(before));
  }

  /** Deletes a list of events, but for those that are with the flow, or later than `upTo`. @returns how many */
  async #delete(list: (store: Store, after: string) => Promise<Some>, upTo?: string): Promise<number> {
    let count = 0;
    for (let after: string | undefined = ""; after !== undefined;) {
      // In steps: events that arrive meanwhile are not kept waiting.
      after = await this.#store.alone(async (store) => {
        const { events, last } = await list(store, after!);
        const seqs = events
          .map(({ seq }) => seq)
          .filter((seq) => !this.#inUse.has(seq) && (upTo === undefined || seq <= upTo));
        count += await store.delete(seqs);
        return last;
      });
    }
    return count;
  }

  async #compact(before?: string): Promise<void> {
    await this.#store.read((store) => store.compact(before));
    this.options.changed();
  }

  /** A page of the list, newest first; see `Store.list`. */
  list(filter: Filter, before: string): ReturnType<Store["list"]> {
    return this.#store.read((store) => store.list(filter, before, pageSize));
  }

  /** @returns `undefined` where it is gone */
  async read(seq: string): Promise<{ stored: StoredEvent; event: JsonObject } | undefined> {
    const found = await this.#store.read((store) => store.read(seq));
    return found && { stored: found.stored, event: JSON.parse(found.text) as JsonObject };
  }

  /** Lets the flow have events again. Those that wait have not been dealt with, and do not count. */
  async runAgain(seqs: string[]): Promise<Run> {
    const result = await this.#store.alone(async (store) => {
      const found = (await store.get(seqs)).filter(({ state }) => state !== "waiting");
      const changes = found
        .filter(({ path }) => this.flow.receives(path))
        .map((stored): StoredEvent => ({
          ...stored,
          state: "waiting",
          unwanted: undefined,
          error: undefined,
        }));
      await store.write([], changes);
      return { run: changes.length, nowhere: found.length - changes.length };
    });
    this.options.changed();
    void this.giveAgain();
    return result;
  }

  /** Lets the flow have all events in a state again. */
  async runAll(state: "failed" | "handed-over"): Promise<Run> {
    const count = { run: 0, nowhere: 0 };
    for (let after: string | undefined = ""; after !== undefined;) {
      const { events, last }: Some = await this.#store.read((store) => store.some(state, after!));
      const { run, nowhere } = await this.runAgain(events.map(({ seq }) => seq));
      count.run += run;
      count.nowhere += nowhere;
      after = last;
    }
    return count;
  }

  /** Deletes all events but those that wait, for good. @returns how many */
  async clear(): Promise<number> {
    let count = 0;
    for (const state of ["processed", "handed-over", "failed"] as const)
      count += await this.#delete((store, after) => store.some(state, after));
    await this.#compact();
    return count;
  }

  /** Writes what is left to write, and lets another one have the store. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.#store.close(async (store) => store.write([], await this.#intake.close()));
    await this.#intake.close();
  }
}
