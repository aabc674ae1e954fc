import { left, stateOf } from "./deliveries";
import type { Became, StoredEvent } from "./stored-event";

interface Entry {
  stored: StoredEvent;
  /** What is not on disk yet. */
  unwritten: Became | undefined;
  /** Who waits for the disk to have it. */
  waiting: (() => void)[];
}

/** The events of which the flow has a delivery, or of which something is not on disk yet: each once. */
export class Held {
  readonly #entries = new Map<string, Entry>();

  /** @param write writes what has become of an event: soon, or where it `isUrgent` at once */
  constructor(private readonly write: (became: Became, isUrgent: boolean) => void) {}

  get(seq: string): StoredEvent | undefined {
    return this.#entries.get(seq)?.stored;
  }

  has(seq: string): boolean {
    return this.#entries.has(seq);
  }

  /**
   * @param stored as it was read: nothing of it is with the flow, as it is not held
   * @returns the one that is held already, or this
   */
  hold(stored: StoredEvent): StoredEvent {
    const entry = this.#entries.get(stored.seq);
    if (entry) return entry.stored;
    if (stored.deliveries) stored.deliveries = stored.deliveries.map(left);
    return this.begin(stored);
  }

  /** @param stored new, or as it becomes now */
  begin(stored: StoredEvent): StoredEvent {
    this.#entries.set(stored.seq, { stored, unwritten: undefined, waiting: [] });
    return stored;
  }

  /** Something has become of an event that is held. */
  change(stored: StoredEvent, isUrgent = false): void {
    const { seq, deliveries, superseded, ended, words } = stored;
    stored.state = stateOf(deliveries);
    // A copy: the next change can come while this one is written.
    const became = { seq, deliveries: deliveries && [...deliveries], superseded, ended, words };
    const entry = this.#entries.get(seq)!;
    entry.unwritten = became;
    this.write(became, isUrgent || entry.waiting.length > 0);
  }

  /** Whether something of an event that is held is not on disk yet. */
  isUnwritten(seq: string): boolean {
    return this.#entries.get(seq)?.unwritten !== undefined;
  }

  /** What has become of an event is with the disk. */
  written(became: Became): void {
    const entry = this.#entries.get(became.seq);
    if (entry?.unwritten !== became) return;
    entry.unwritten = undefined;
    for (const resolve of entry.waiting.splice(0)) resolve();
    this.letGo(became.seq);
  }

  /** Writes all that has become of an event. @returns when that is with the disk, or the event is gone */
  async onDisk(seq: string): Promise<void> {
    const entry = this.#entries.get(seq);
    if (!entry?.unwritten) return;
    const written = new Promise<void>((resolve) => entry.waiting.push(resolve));
    this.write(entry.unwritten, true);
    await written;
  }

  /** Resolves when all that waits to be given is found on disk. */
  async waitingOnDisk(): Promise<void> {
    const isWaiting = ({ stored }: Entry) =>
      stored.deliveries?.some(({ state, since }) => state === "waiting" && since === undefined);
    const waiting = [...this.#entries.values()].filter(isWaiting);
    await Promise.all(waiting.map(({ stored }) => this.onDisk(stored.seq)));
  }

  /** Lets an event go that the flow does not have, and that is on disk as it is. */
  letGo(seq: string): void {
    const entry = this.#entries.get(seq);
    if (entry && !entry.unwritten && !entry.stored.deliveries?.some(({ since }) => since !== undefined))
      this.#entries.delete(seq);
  }

  /** An event was deleted. */
  forget(seq: string): void {
    for (const resolve of this.#entries.get(seq)?.waiting ?? []) resolve();
    this.#entries.delete(seq);
  }

  values(): StoredEvent[] {
    return Array.from(this.#entries.values(), ({ stored }) => stored);
  }
}
