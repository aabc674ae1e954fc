import type { JsonObject } from "../event/json";
import { Closed, type Reopening } from "./reopening";
import { Unusable } from "./store";
import type { AcceptedEvent, Became, StoredEvent } from "./stored-event";

/** An event on its way to the store. */
interface Arrived {
  accepted: AcceptedEvent;
  event: JsonObject;
  resolve(result: "stored" | "duplicate"): void;
  reject(why: unknown): void;
}

/** How many events share a write at most, and how much of them, in bytes. */
const together = { events: 256, bytes: 16 * 1024 ** 2 };

/** How many events wait to be written at most while the disk does not answer, and how much of them, in bytes. */
const waiting = { events: 2000, bytes: 64 * 1024 ** 2 };

/**
 * How long what has become of events may wait for a write that is needed anyway, in milliseconds; and how
 * many of them may.
 */
const later = { after: 100, changes: 256 };

/** What is told of what was written, in the order in which it came. */
interface Told {
  /** A new event is on disk, and this inbox gives it. @param isBehind see `Written` */
  stored(stored: StoredEvent, event: JsonObject, isBehind: boolean): void;
  /** What has become of an event is with the disk. */
  changed(became: Became): void;
}

/**
 * Writes what arrives, and what has become of events. All that comes while a write is under way shares
 * the next one.
 */
export class Intake {
  #arrived: Arrived[] = [];
  /** Of what has arrived. */
  #bytes = 0;
  /** What has become of events, and is not on disk yet. */
  readonly #changes = new Map<string, Became>();
  #writing: Promise<void> | undefined;
  /** Whether what has become of events is written even where nothing arrives. */
  #isDue = false;
  /** Makes it due. */
  #timer: NodeJS.Timeout | undefined;

  /** @param answerWithin how long an event waits at most, in milliseconds; absent: as long as the disk takes */
  constructor(
    private readonly store: Reopening,
    private readonly told: Told,
    private readonly answerWithin?: number,
  ) {}

  /** @throws Unusable, or Closed */
  accept(accepted: AcceptedEvent, event: JsonObject): Promise<"stored" | "duplicate"> {
    return new Promise((resolve, reject) => {
      if (this.store.isClosed) {
        reject(new Closed());
        return;
      }
      const { size } = accepted.stored;
      if (this.#arrived.length >= waiting.events || this.#bytes + size > waiting.bytes) {
        reject(this.#slow());
        return;
      }
      const arrived = { accepted, event, resolve, reject };
      this.#arrived.push(arrived);
      if (this.answerWithin !== undefined) this.#limit(arrived, this.answerWithin);
      this.#bytes += size;
      this.#writing ??= this.#writeAll();
    });
  }

  #slow(): Unusable {
    const slow = new Unusable("slow");
    if (!this.store.problem) this.store.say(slow);
    return slow;
  }

  /** Refuses what was not stored in time. What is being stored then may be there all the same. */
  #limit(arrived: Arrived, within: number): void {
    const timer = setTimeout(() => {
      const at = this.#arrived.indexOf(arrived);
      if (at >= 0) this.#arrived.splice(at, 1);
      if (at >= 0) this.#bytes -= arrived.accepted.stored.size;
      arrived.reject(this.#slow());
    }, within);
    const { resolve, reject } = arrived;
    arrived.resolve = (result) => {
      clearTimeout(timer);
      resolve(result);
    };
    arrived.reject = (why) => {
      clearTimeout(timer);
      reject(why);
    };
  }

  /**
   * Writes what has become of an event: soon, with the next that arrives where one does, as a write of its
   * own costs as much as that of an event; or where it `isUrgent` at once.
   */
  change(became: Became, isUrgent: boolean): void {
    this.#changes.set(became.seq, became);
    if (this.store.isClosed) return; // with the last that is written
    if (isUrgent || this.#changes.size >= later.changes) this.write();
    else this.#timer ??= setTimeout(() => this.write(), later.after);
  }

  /** Writes what there is to write, also what could not be written the last time. */
  write(): void {
    if (this.#arrived.length + this.#changes.size === 0) return;
    this.#isDue = true;
    this.#writing ??= this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    while (this.#arrived.length > 0 || this.#isDue) {
      this.#isDue = false;
      clearTimeout(this.#timer);
      this.#timer = undefined;
      const arrived = this.#next();
      const changes = [...this.#changes.values()];
      this.#changes.clear();
      try {
        await this.#writeSome(arrived, changes);
      } catch (error) {
        for (const { reject } of arrived) reject(error);
        for (const stored of changes)
          if (!this.#changes.has(stored.seq)) this.#changes.set(stored.seq, stored);
        if (this.#arrived.length === 0) break;
      }
    }
    this.#writing = undefined; // at once: what comes now begins anew
  }

  /** As many as may share a write. */
  #next(): Arrived[] {
    let bytes = 0;
    const end = this.#arrived.findIndex(
      ({ accepted: { stored } }, i) => i === together.events || (bytes += stored.size) > together.bytes,
    );
    // One that is larger alone is written alone.
    const next = this.#arrived.splice(0, end < 0 ? this.#arrived.length : Math.max(end, 1));
    for (const { accepted } of next) this.#bytes -= accepted.stored.size;
    return next;
  }

  async #writeSome(arrived: Arrived[], changes: Became[]): Promise<void> {
    const { room, results } = await this.store.alone(async (store) => {
      const all = arrived.map(({ accepted }) => accepted);
      const room = await store.makeRoom(all.map(({ stored }) => stored.size));
      return { room, results: await store.write(all.slice(0, room), changes) };
    });
    for (const stored of changes) this.told.changed(stored);
    if (room < arrived.length) this.store.say(new Unusable("crowded"));
    else if (room > 0) this.store.isWell();
    else this.store.say(this.store.problem);
    arrived.forEach(({ accepted: { stored }, event, resolve, reject }, i) => {
      if (i >= room) {
        reject(new Unusable("crowded"));
        return;
      }
      const written = results[i];
      const { isElsewhere, isBehind = false, ...became } = written ?? {};
      if (written && !isElsewhere) this.told.stored(Object.assign(stored, became), event, isBehind);
      resolve(written ? "stored" : "duplicate");
    });
  }

  /** @returns what has become of events and is not written, when nothing is written any more; what arrived is refused */
  async close(): Promise<Became[]> {
    clearTimeout(this.#timer);
    await this.#writing;
    for (const { reject } of this.#arrived.splice(0)) reject(new Closed());
    const left = [...this.#changes.values()];
    this.#changes.clear();
    return left;
  }
}
