import { againAt, due, isDue, longestRetry } from "./deliveries";
import type { Held } from "./held";
import type { Reopening } from "./reopening";

/** How often it is looked at least whether a retry is due, in milliseconds: the clock may be set. */
const lookEvery = 60_000;

/** Lets what failed be given again by itself, when that is due: with one timer, whatever is on disk. */
export class Retrying {
  #timer: NodeJS.Timeout | undefined;
  /** When it fires, in milliseconds. */
  #at = Infinity;
  #isClosed = false;

  /** @param due is called with the seqs of those that wait to be given now; `isPaused`: none is for now */
  constructor(
    private readonly store: Reopening,
    private readonly held: Held,
    private readonly told: { isPaused(): boolean; due(seqs: string[]): void },
  ) {}

  /** Something is given again at a time: ISO-8601, UTC. */
  at(text: string): void {
    const at = Date.parse(text);
    if (at >= this.#at || this.#isClosed) return;
    clearTimeout(this.#timer);
    this.#at = at;
    const wait = Math.min(Math.max(at - this.store.now, 0), lookEvery);
    this.#timer = setTimeout(() => this.look(), wait).unref();
  }

  /** Looks whether something is due. */
  look(): void {
    this.#at = Infinity;
    // Tried again when the store was opened.
    if (!this.#isClosed && !this.told.isPaused()) void this.#look().catch(() => undefined);
  }

  async #look(): Promise<void> {
    const { now } = this.store;
    const iso = (time: number) => new Date(time).toISOString();
    const beyond = iso(now + (longestRetry + 1) * 60_000);
    // Before the disk is read: they may not be there yet, and are let go as soon as they are.
    const given = this.#begin(now);
    const later = this.held.values().flatMap(({ deliveries }) => againAt(deliveries) ?? []);
    const { seqs, next } = await this.store.read((store) => store.due(iso(now), beyond));
    const unheld = seqs.filter((seq) => !this.held.has(seq));
    for (const stored of await this.store.read((store) => store.get(unheld))) this.held.hold(stored);
    given.push(...this.#begin(now));
    for (const seq of unheld) this.held.letGo(seq);
    for (const at of [...later, ...(next === undefined ? [] : [next])]) if (Date.parse(at) > now) this.at(at);
    if (seqs.length + given.length === 0) return;
    await Promise.all([...seqs, ...given].map((seq) => this.held.onDisk(seq)));
    this.told.due(given);
    if (seqs.length > 0) this.look(); // more may be due than were looked at
  }

  /** Lets those that are held and due wait to be given. @returns their seqs */
  #begin(now: number): string[] {
    return this.held.values().flatMap((stored) => {
      if (!stored.deliveries?.some((each) => isDue(each, now))) return [];
      stored.deliveries = stored.deliveries.map((each) => (isDue(each, now) ? due(each) : each));
      this.held.change(stored, true);
      return stored.seq;
    });
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }
}
