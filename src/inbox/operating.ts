import type { JsonObject } from "../event/json";
import type { Cleaning } from "./cleaning";
import { isOfCause, runAgain, settled, type Delivery } from "./deliveries";
import type { GivingAgain } from "./giving-again";
import type { Held } from "./held";
import type { Reopening } from "./reopening";
import { step, type Becoming, type Cause, type Filter, type Store } from "./store";
import type { StoredEvent } from "./stored-event";

/** How many events are run again; `nowhere`: and how many are not, as their nodes are not there. */
export interface Run {
  run: number;
  nowhere: number;
}

/** How many events a page of the list has. */
const pageSize = 50;

/** How long the disk is waited for where something is asked that is also known from before, in milliseconds. */
const answerWithin = 300;

/** For how long a search goes on before it answers with what it has found, in milliseconds. */
const searchFor = 300;

type Times = Awaited<ReturnType<Store["times"]>>;

/** What people do with a store's events. */
export class Operating {
  #times: Times = { oldestWaiting: null, lastAccepted: null };

  constructor(
    private readonly store: Reopening,
    private readonly inbox: {
      held: Held;
      again: GivingAgain;
      cleaning: Cleaning;
      /** Whether a node is there. */
      isThere(node: string): boolean;
      changed(): void;
    },
  ) {}

  /**
   * When the oldest of those that wait came, and the last of all: ISO-8601, UTC; `null` where there is none.
   * As it was the last time, where the disk does not answer soon.
   */
  async times(): Promise<Times> {
    if (!this.store.store) return this.#times;
    const now = this.store.read((store) => store.times()).then((times) => (this.#times = times));
    const soon = new Promise((resolve) => setTimeout(resolve, answerWithin).unref());
    await Promise.race([now, soon]).catch(() => undefined); // said as the inbox's problem
    return this.#times;
  }

  /** A page of the list, newest first; see `Store.list`. What arrives is stored between two looks. */
  async list(filter: Filter, before: string): ReturnType<Store["list"]> {
    const until = performance.now() + searchFor;
    const events: StoredEvent[] = [];
    let next: string | null = before;
    do {
      const from: string = next;
      const page = await this.store.read((store) => store.list(filter, from, pageSize - events.length));
      events.push(...page.events);
      next = page.next;
    } while (next !== null && events.length < pageSize && performance.now() < until);
    return { events: events.map((stored) => this.#now(stored)), next };
  }

  /** How many fit, in whichever state; see `Store.count`. */
  async count(filter: Filter, before: string): ReturnType<Store["count"]> {
    const until = performance.now() + searchFor;
    const counts = { waiting: 0, processed: 0, failed: 0 };
    let next: string | null = before;
    do {
      const from: string = next;
      const some = await this.store.read((store) => store.count(filter, from));
      for (const state of ["waiting", "processed", "failed"] as const) counts[state] += some.counts[state];
      next = some.next;
    } while (next !== null && performance.now() < until);
    return { counts, next };
  }

  /** All that fit, newest first, in steps. */
  async *all(filter: Filter): AsyncGenerator<StoredEvent[]> {
    for (let before: string | null = ""; before !== null;) {
      const from: string = before;
      const { events, next } = await this.store.read((store) => store.list(filter, from, step));
      yield events.map((stored) => this.#now(stored));
      before = next;
    }
  }

  /** @returns `undefined` where it is gone */
  async read(seq: string): Promise<{ stored: StoredEvent; event: JsonObject } | undefined> {
    const found = await this.store.read((store) => store.read(seq));
    return found && { stored: this.#now(found.stored), event: JSON.parse(found.text) as JsonObject };
  }

  /** As it is, also where that is not on disk yet. */
  #now(stored: StoredEvent): StoredEvent {
    const { deliveries, state } = this.inbox.held.get(stored.seq) ?? {};
    return deliveries ? { ...stored, deliveries, state: state! } : stored;
  }

  /**
   * Lets the flow have events again: their deliveries that failed, of `all` also those that are processed.
   * Those that wait have not been dealt with, and do not count.
   *
   * @param fits of those, which; absent: each
   */
  async run(seqs: string[], all = false, fits: (delivery: Delivery) => boolean = () => true): Promise<Run> {
    const nowhere = new Set<string>();
    const wanted = (each: Delivery) =>
      each.state === "failed" ? fits(each) : all && each.state === "processed";
    const isRun = (each: Delivery) => wanted(each) && this.inbox.isThere(each.node);
    const become: Becoming = ({ seq, deliveries }) => {
      nowhere.delete(seq);
      // One that no node wanted goes to those that want it now.
      if (deliveries?.length === 0) return { deliveries: undefined };
      if (deliveries?.some(isRun))
        return { deliveries: deliveries.map((each) => (isRun(each) ? runAgain(each) : each)) };
      if (deliveries?.some(wanted)) nowhere.add(seq);
      return undefined;
    };
    const run = await this.#change(seqs, become, true);
    return { run: run.length, nowhere: nowhere.size };
  }

  /** Lets the flow have all failed deliveries again that fit. @param filter its state is not looked at */
  async runAll(filter: Filter): Promise<Run> {
    await this.#allOnDisk();
    const count = { run: 0, nowhere: 0 };
    const fits = (delivery: Delivery) => isOfCause(delivery, filter);
    const seqs: string[] = [];
    for await (const events of this.all({ ...filter, state: "failed" }))
      seqs.push(...events.map(({ seq }) => seq));
    seqs.reverse(); // what came first is given first
    for (let next = 0; next < seqs.length; next += step) {
      const { run, nowhere } = await this.run(seqs.slice(next, next + step), false, fits);
      count.run += run;
      count.nowhere += nowhere;
    }
    return count;
  }

  /** What has failed; see `Store.causes`. */
  async causes(): Promise<Cause[]> {
    await this.#allOnDisk();
    return this.store.read((store) => store.causes());
  }

  /** The first of the events that failed of a cause; `undefined`: it has not failed any more. */
  async firstOf({ node, error, first }: Cause): Promise<StoredEvent | undefined> {
    const after = new Date(Date.parse(first) + 1).toISOString();
    const { events } = await this.store.read((store) => store.someFrom(after, `${first} 0`));
    const found = await this.store.read((store) => store.get(events.map(({ seq }) => seq)));
    const fits = (delivery: Delivery) => isOfCause(delivery, { node: node.id, error });
    return found.map((stored) => this.#now(stored)).find(({ deliveries }) => deliveries?.some(fits));
  }

  /** Resolves when what has become of events is on disk, and is found there. */
  async #allOnDisk(): Promise<void> {
    const { held } = this.inbox;
    await Promise.all(held.values().map(({ seq }) => held.onDisk(seq)));
  }

  /** A person has dealt with an event. @returns false where it is gone */
  async settle(seq: string): Promise<boolean> {
    /** Also of a try of which the answer was lost. */
    const open = new Set<string>();
    const become: Becoming = ({ deliveries = [] }) => {
      for (const { node, state } of deliveries) if (state !== "processed") open.add(node);
      return { deliveries: deliveries.map((each) => (each.state === "processed" ? each : settled(each))) };
    };
    const isThere = (await this.#change([seq], become)).length > 0;
    for (const node of open) this.inbox.again.dealtWith(seq, node);
    return isThere;
  }

  /** Deletes an event for good. @returns false where it is gone */
  async delete(seq: string): Promise<boolean> {
    const deleted = await this.store.alone((store) => store.delete([seq]));
    this.inbox.again.forget(seq);
    this.inbox.held.forget(seq);
    await this.inbox.cleaning.compact();
    return deleted > 0;
  }

  /** Deletes all events but those of which something waits, for good. @returns how many */
  async clear(): Promise<number> {
    let count = 0;
    for (const state of ["processed", "failed"] as const)
      count += await this.inbox.cleaning.delete(
        async (store, after) => {
          const { events, last } = await store.some(state, after);
          return { events: events.filter(({ isOpen }) => !isOpen), last };
        },
        { onlyClosed: true },
      );
    await this.inbox.cleaning.compact();
    return count;
  }

  /** Lets something become of events. @returns the seqs of those that are changed, when that is on disk */
  async #change(seqs: string[], become: Becoming, isRun = false): Promise<string[]> {
    const { held } = this.inbox;
    const changed = new Set<string>();
    /** Those of a try that has failed: it may be done all the same, and then there is nothing left to do. */
    const tried = new Set<string>();
    const noted: Becoming = (stored) => {
      const became = become(stored);
      if (became) changed.add(stored.seq);
      else if (!tried.has(stored.seq)) changed.delete(stored.seq);
      return became;
    };
    await Promise.all(seqs.map((seq) => held.onDisk(seq)));
    const done = new Set(
      await this.store.alone((store) => {
        for (const seq of changed) tried.add(seq);
        return store.change(seqs, noted, isRun);
      }),
    );
    const own = seqs.filter((seq) => !done.has(seq));
    // Also those that are held: they may be let go while the others are read.
    for (const stored of await this.store.read((store) => store.get(own))) held.hold(stored);
    for (const seq of own) {
      const stored = held.get(seq);
      const became = stored && noted(stored);
      if (became) held.change(Object.assign(stored, became), true);
      held.letGo(seq);
    }
    await Promise.all(seqs.map((seq) => held.onDisk(seq)));
    if (isRun) this.inbox.again.ask(own.filter((seq) => changed.has(seq)));
    this.inbox.changed();
    return seqs.filter((seq) => changed.has(seq));
  }
}
