import type { JsonObject } from "../event/json";
import type { Reopening } from "./reopening";
import type { Some } from "./store";
import { changeOf, type Became, type FlowError, type StoredEvent } from "./stored-event";

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

/** An event with what is kept of it. */
interface Kept {
  stored: StoredEvent;
  event: JsonObject;
}

/** How many events that are given once more are with the flow at a time. */
export const maxAgain = 20;

/** How long one of these is waited for before the next is given, in milliseconds. */
const maxAgainFor = 30_000;

/** Gives a store's events to the flow: at once, and again where that did not finish. */
export class Giving {
  /** Events that are with the flow, or were and that is not on disk yet. */
  readonly inUse = new Set<string>();
  /** The seq of the last event that is on disk and was given to the flow, or would have been. */
  last = "";
  /** Those in use that the flow has not had after all, until the disk has how many times it has. */
  readonly #returned = new Map<string, number>();
  #givingAgain: "no" | "yes" | "once-more" = "no";
  /** How many more events may be given once more now. */
  #free = maxAgain;
  #freed: () => void = () => undefined;

  /** @param change writes what has become of an event */
  constructor(
    private readonly store: Reopening,
    private readonly flow: Flow,
    private readonly change: (stored: StoredEvent) => void,
  ) {}

  /** Gives the flow an event that has just been stored. */
  first(stored: StoredEvent, event: JsonObject): void {
    this.last = stored.seq;
    const counted = stored.times;
    this.#give(Object.assign(stored, { times: 1 }), event, { counted });
  }

  /** What has become of an event is with the disk. */
  changed({ seq, state, times }: Became): void {
    if (state === "waiting" && this.#returned.get(seq) !== times) return;
    this.inUse.delete(seq);
    if (this.#returned.delete(seq)) void this.again();
  }

  /** Gives the flow all waiting events that it does not have, in the order of their changes. */
  async again(): Promise<void> {
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
      const { events, last }: Some = await this.store.read((store) => store.some("waiting", after!));
      after = last;
      for (const { seq, path } of events) {
        // One that is later than the last is being written: it is given as soon as that is done.
        if (this.inUse.has(seq) || seq > this.last || !this.flow.receives(path)) continue;
        if (this.#free === 0) await new Promise<void>((resolve) => (this.#freed = resolve));
        // Read now: since the list was read the flow may have been done with it.
        const found = await this.#read(seq);
        if (found?.stored.state !== "waiting") continue;
        if (await this.#isSuperseded(found)) found.stored.superseded = true;
        if (!this.flow.running) return;
        this.#giveOnceMore(found);
      }
    }
  }

  async #isSuperseded({ stored, event }: Kept): Promise<boolean> {
    const change = changeOf(event);
    const later = change && (await this.store.read((store) => store.later(stored, change)));
    // One that waits too comes in its turn, after this one.
    return later?.every(({ seq, state }) => state !== "waiting" || this.inUse.has(seq)) ?? false;
  }

  #giveOnceMore({ stored, event }: Kept): void {
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

  async #read(seq: string): Promise<Kept | undefined> {
    const found = await this.store.read((store) => store.read(seq));
    return found && { stored: found.stored, event: JSON.parse(found.text) as JsonObject };
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
    this.inUse.add(stored.seq);
    const given = this.flow.give(stored, event, (outcome) => {
      settled?.();
      if (outcome.state !== "interrupted") this.change(Object.assign(stored, outcome));
      else if (outcome.isUnseen) this.#takeBack(stored);
      else {
        this.inUse.delete(stored.seq);
        void this.again();
      }
    });
    if (given === "unwanted") {
      const times = stored.times - 1;
      this.change(Object.assign(stored, { state: "processed", unwanted: true, times }));
    } else if (given === "nobody") {
      if (stored.times === counted) this.#takeBack(stored);
      else this.inUse.delete(stored.seq);
    } else if (stored.times !== counted && stored.state === "waiting") this.change(stored);
    return given === "given";
  }

  /** The flow has not had it this time, though the disk has counted that. */
  #takeBack(stored: StoredEvent): void {
    stored.times -= 1;
    this.#returned.set(stored.seq, stored.times);
    this.change(stored);
  }
}
