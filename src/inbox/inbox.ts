import type { JsonObject } from "../event/json";
import { type bounds, Store, Unusable, type Filter, type Some } from "./store";
import { prepare, type AcceptedEvent, type FlowError, type StoredEvent } from "./stored-event";

/** What has become of an event that was given to the flow. */
export type Outcome =
  | { state: "processed" }
  | { state: "handed-over" }
  | { state: "failed"; error: FlowError }
  /** A deploy stopped a node that had it. */
  | { state: "interrupted" };

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

/** An event on its way to the store. */
interface Arrived extends AcceptedEvent {
  event: JsonObject;
  resolve(result: "stored" | "duplicate"): void;
  reject(why: unknown): void;
}

/** The inbox was closed before it could do it: another one may come in its place. */
export class Closed extends Error {}

/** How many events share a write at most. */
const maxTogether = 256;

/** How many events that are given once more are with the flow at a time. */
export const maxAgain = 20;

/** How long one of these is waited for before the next is given, in milliseconds. */
const maxAgainFor = 30_000;

/** How long a store is left alone that could not be opened, or broke this soon after it was opened again, in milliseconds. */
const pause = 1000;

/** How often it is looked at whether the store can be used, while no event comes, in milliseconds. */
const retryEvery = 5000;

/** How often what is too old is deleted, in milliseconds. */
const cleanEvery = 3_600_000;

/** In milliseconds. */
const day = 86_400_000;

/** How many events a page of the list has. */
const pageSize = 50;

/**
 * Keeps a merchant's events on disk until the flow has dealt with them, and gives them to the flow:
 * at once, and again where a deploy or the end of Node-RED came between. At least once, that is.
 */
export class Inbox {
  #store: Store | undefined;
  #problem: Unusable | undefined;
  /** Since when the store is left alone, see `pause`. */
  #brokeAt = -Infinity;
  /** When the store was opened after something was wrong, unless it has stored something since. */
  #reopenedAt = -Infinity;
  #opening: Promise<Store> | undefined;
  /** The end of all that writes, one after the other. */
  #writes: Promise<unknown> = Promise.resolve();
  #writing: Promise<void> | undefined;
  #arrived: Arrived[] = [];
  /** What has become of events, and is not on disk yet. */
  readonly #changes = new Map<string, StoredEvent>();
  /** Events that are with the flow, or were and that is not on disk yet. */
  readonly #inUse = new Set<string>();
  /** The seq of the last event that is on disk and was given to the flow, or would have been. */
  #last = "";
  #givingAgain: "no" | "yes" | "once-more" = "no";
  /** How many more events may be given once more now. */
  #free = maxAgain;
  #freed: () => void = () => undefined;
  #closed = false;
  readonly #timers: NodeJS.Timeout[];

  /**
   * @param dir where the events are kept
   * @param flow takes them
   * @param options `days` they are kept; `changed` is called when `counts` or `problem` are others;
   *   `max`: how much is kept
   */
  constructor(
    private readonly dir: string,
    private readonly flow: Flow,
    private readonly options: { days: number; changed: () => void; max?: typeof bounds },
  ) {
    this.#timers = [
      setInterval(() => this.#retry(), retryEvery),
      setInterval(() => this.#clean(), cleanEvery),
    ];
    for (const timer of this.#timers) timer.unref();
    this.#retry();
  }

  /** Why nothing can be stored; `undefined`: all is well. */
  get problem(): Unusable | undefined {
    return this.#problem;
  }

  /** How many events are in which state; `undefined` while the store cannot be used. */
  get counts(): Readonly<Store["counts"]> | undefined {
    return this.#store?.counts;
  }

  /**
   * Stores a verified event, and gives it to the flow.
   *
   * @param event without its token; the inbox's own from here on
   * @param body as it came
   * @returns when the disk has it
   * @throws Unusable, Closed, or RangeError where it is nested too deeply to be written
   */
  accept(
    event: JsonObject,
    { path, body, receivedAt }: { path: string; body: Buffer; receivedAt: Date },
  ): Promise<"stored" | "duplicate"> {
    return new Promise((resolve, reject) => {
      const accepted = prepare(event, { path, body, receivedAt, times: this.flow.running ? 1 : 0 });
      this.#arrived.push({ ...accepted, event, resolve, reject });
      this.#write();
    });
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
      const { seqs, last }: Some = await this.#read((store) => store.some("waiting", after!));
      after = last;
      for (const seq of seqs) {
        // One that is later than the last is being written: it is given as soon as that is done.
        if (this.#inUse.has(seq) || seq > this.#last) continue;
        if (this.#free === 0) await new Promise<void>((resolve) => (this.#freed = resolve));
        // Read now: since the list was read the flow may have been done with it.
        const found = await this.read(seq);
        if (found?.stored.state !== "waiting") continue;
        const { stored, event } = found;
        const later = await this.#read((store) => store.later(stored));
        if (!this.flow.running) return;
        // One that waits too comes in its turn, after this one.
        if (later && (later.state !== "waiting" || this.#inUse.has(later.seq))) stored.superseded = true;
        let isFree = false;
        const letNext = () => {
          clearTimeout(timer);
          this.#free += isFree ? 0 : 1;
          isFree = true;
          this.#freed();
        };
        const timer = setTimeout(letNext, maxAgainFor).unref();
        this.#free -= 1;
        stored.times += 1;
        if (!this.#give(stored, event, letNext)) letNext();
        else if (stored.state === "waiting") this.#change(stored);
      }
    }
  }

  /** @returns whether the flow has it */
  #give(stored: StoredEvent, event: JsonObject, settled: () => void = () => undefined): boolean {
    this.#inUse.add(stored.seq);
    const given = this.flow.give(stored, event, (outcome) => {
      settled();
      if (outcome.state !== "interrupted") {
        this.#change(Object.assign(stored, outcome));
        return;
      }
      this.#inUse.delete(stored.seq);
      void this.giveAgain();
    });
    if (given === "unwanted") {
      const times = stored.times - 1;
      this.#change(Object.assign(stored, { state: "processed", unwanted: true, times }));
    }
    if (given === "nobody") this.#inUse.delete(stored.seq);
    return given === "given";
  }

  /** Writes what has become of an event that the flow has. */
  #change(stored: StoredEvent): void {
    // A copy: the next change can come while this one is written.
    this.#changes.set(stored.seq, { ...stored });
    if (!this.#closed) this.#write(); // else with the last that is written
  }

  #write(): void {
    if (this.#arrived.length + this.#changes.size > 0) this.#writing ??= this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    while (this.#arrived.length > 0 || this.#changes.size > 0) {
      const arrived = this.#arrived.splice(0, maxTogether);
      const changes = [...this.#changes.values()];
      this.#changes.clear();
      try {
        const results = await this.#alone(async (store) => {
          if (arrived.length === 0 || (await store.makeRoom())) return store.write(arrived, changes);
          await store.write([], changes);
          return "crowded";
        });
        for (const { seq, state } of changes) if (state !== "waiting") this.#inUse.delete(seq);
        if (results === "crowded") throw new Unusable("crowded");
        if (arrived.length > 0) this.#reopenedAt = -Infinity;
        this.#say(undefined);
        arrived.forEach(({ event, resolve }, i) => {
          const stored = results[i];
          if (stored) {
            this.#last = stored.seq;
            this.#give(stored, event);
          }
          resolve(stored ? "stored" : "duplicate");
        });
      } catch (error) {
        for (const { reject } of arrived) reject(error);
        if (error instanceof Unusable && error.problem === "crowded") {
          this.#say(error);
        } else {
          for (const stored of changes) {
            if (!this.#changes.has(stored.seq)) this.#changes.set(stored.seq, stored);
          }
          if (this.#arrived.length === 0) break;
        }
      }
    }
    this.#writing = undefined; // at once: what comes now begins anew
  }

  /** Lets one writer after the other use the store; with a store that is broken once more, opened anew. */
  #alone<T>(use: (store: Store) => Promise<T>): Promise<T> {
    const result = this.#writes.then(() => this.#read(use).catch(() => this.#read(use)));
    this.#writes = result.catch(() => undefined);
    return result;
  }

  async #read<T>(use: (store: Store) => Promise<T>): Promise<T> {
    const store = await this.#usable();
    try {
      return await use(store);
    } catch (error) {
      if (this.#closed) throw new Closed();
      if (error instanceof Unusable && this.#store === store) {
        this.#store = undefined;
        this.#say(error);
        const now = performance.now();
        if (now - this.#reopenedAt < pause) this.#brokeAt = now;
        await store.close();
      }
      throw error;
    }
  }

  /** The store, opened where it is not. */
  async #usable(): Promise<Store> {
    if (this.#closed) throw new Closed();
    if (this.#store) return this.#store;
    if (this.#problem && performance.now() - this.#brokeAt < pause) throw this.#problem;
    this.#opening ??= this.#open().finally(() => (this.#opening = undefined));
    return this.#opening;
  }

  async #open(): Promise<Store> {
    try {
      const store = await Store.open(this.dir, {
        max: this.options.max,
        last: this.#last,
        check: this.#problem?.problem === "damaged",
      });
      this.#last = store.last;
      if (this.#problem) this.#reopenedAt = performance.now();
      this.#store = store;
      this.#say(undefined);
      this.#write();
      void this.giveAgain();
      this.#clean();
      return store;
    } catch (error) {
      this.#brokeAt = performance.now();
      if (error instanceof Unusable) this.#say(error);
      throw error;
    }
  }

  #retry(): void {
    const check = () => this.#read((store) => store.check());
    void check().catch(() => check().catch(() => undefined)); // said as `problem`
    this.#write(); // what could not be written the last time
  }

  #clean(): void {
    // However many days: nothing is from before 1970.
    const limit = new Date(Math.max(0, Date.now() - this.options.days * day)).toISOString();
    // Said as `problem`, where it cannot.
    this.#delete(({ seq, receivedAt }) => receivedAt < limit && !this.#inUse.has(seq)).catch(() => undefined);
  }

  async #delete(isUnwanted: (stored: StoredEvent) => boolean): Promise<number> {
    let count = 0;
    for (let after: string | undefined = ""; after !== undefined;) {
      // In steps: events that arrive meanwhile are not kept waiting.
      const { deleted, last }: { deleted: number; last?: string } = await this.#alone((store) =>
        store.deleteSome(isUnwanted, after!),
      );
      count += deleted;
      after = last;
    }
    await this.#read((store) => store.compact());
    this.options.changed();
    return count;
  }

  #say(problem: Unusable | undefined): void {
    this.#problem = problem;
    this.options.changed();
  }

  /** A page of the list, newest first; see `Store.list`. */
  async list(
    filter: Filter,
    before: string,
  ): Promise<{ events: { stored: StoredEvent; event: JsonObject }[]; next: string | null }> {
    const { events, next } = await this.#read((store) => store.list(filter, before, pageSize));
    const read = await Promise.all(events.map(({ seq }) => this.read(seq)));
    return { events: read.flatMap((found) => found ?? []), next };
  }

  /** @returns `undefined` where it is gone */
  async read(seq: string): Promise<{ stored: StoredEvent; event: JsonObject } | undefined> {
    const [[stored], event] = await this.#read((store) => Promise.all([store.get([seq]), store.event(seq)]));
    return stored && event && { stored, event };
  }

  /** Lets the flow have events again. Those that wait have not been dealt with, and do not count. */
  async runAgain(seqs: string[]): Promise<Run> {
    const result = await this.#alone(async (store) => {
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
      const { seqs, last }: Some = await this.#read((store) => store.some(state, after!));
      const { run, nowhere } = await this.runAgain(seqs);
      count.run += run;
      count.nowhere += nowhere;
      after = last;
    }
    return count;
  }

  /** Deletes all events but those that wait, for good. @returns how many */
  clear(): Promise<number> {
    return this.#delete(({ state }) => state !== "waiting");
  }

  /** Writes what is left to write, and lets another one have the directory. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers) clearInterval(timer);
    await this.#opening?.catch(() => undefined);
    await this.#writing;
    await this.#writes;
    for (const { reject } of this.#arrived.splice(0)) reject(new Closed());
    await this.#store?.write([], [...this.#changes.values()]).catch(() => undefined);
    await this.#store?.close();
  }
}
