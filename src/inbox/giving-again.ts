import type { JsonObject } from "../event/json";
import type { Flow } from "./giving";
import { Coming } from "./coming";
import { Handing, type Next } from "./handing";
import type { Held } from "./held";
import type { InOrder } from "./in-order";
import type { Reopening } from "./reopening";
import { watchFor } from "./scheduler";
import type { Some } from "./store";
import type { StoredEvent } from "./stored-event";

interface Told {
  /** Whether an event is on disk, and was given to the flow for the first time or would have been. */
  isStored(seq: string): boolean;
  give(stored: StoredEvent, nodes: string[], event: JsonObject): string[];
  /** All that was with the flow when Node-RED ended has shown that it does no harm. */
  harmless(): void;
}

/** Gives the flow what waits and it does not have: in the order of the changes, and bounded. */
export class GivingAgain {
  isPaused = false;
  /** Whether it is known with what Node-RED may have ended: before that nothing is given. */
  isReady = false;
  readonly #handing: Handing;
  /** What was with the flow when Node-RED ended, to be given one by one; and how often that has come in a row. */
  readonly #suspects: string[] = [];
  #ends = 0;
  /** How long each is watched, in milliseconds. */
  #watch = 0;
  #isPassDue = false;
  /** Whether the pass is to begin anew. */
  #isAnew = false;
  /** Whether the flows, or the store, have started since it last began to look. */
  #isStarted = false;
  #isGiving = false;
  #wake: () => void = () => undefined;
  #isClosed = false;
  /** Those that come one by one. */
  readonly coming: Coming;

  constructor(
    private readonly store: Reopening,
    private readonly flow: Flow,
    private readonly held: Held,
    private readonly inOrder: InOrder,
    private readonly told: Told,
  ) {
    this.#handing = new Handing(store, flow, held, inOrder, (...all) => told.give(...all));
    this.coming = new Coming(this.#handing, held, inOrder, {
      mayGive: () => this.mayGive,
      isPassing: () => this.#isGiving,
      pass: () => this.pass(),
      passAnew: () => {
        this.#isAnew = true;
        this.pass();
      },
    });
  }

  /** Whether it is giving: what waits may be earlier than what comes. */
  get isGiving(): boolean {
    return this.#isGiving || this.coming.isBusy;
  }

  /** Whether anything is given. */
  get mayGive(): boolean {
    return this.isReady && this.flow.running && !this.isPaused && !this.#isClosed;
  }

  /** Whether new events are given at once, and do not wait for others to show that they do no harm. */
  get mayGiveNew(): boolean {
    return this.mayGive && (this.#suspects.length === 0 || this.#ends < 2);
  }

  /**
   * Some more events were with the flow when Node-RED ended.
   *
   * @param ends how many times in a row that has come
   */
  suspect(seqs: string[], ends: number): void {
    this.#suspects.push(...seqs);
    this.#ends = ends;
    this.#watch = watchFor(ends, this.#suspects.length);
  }

  /** Looks at all that waits. */
  pass(): void {
    this.#isPassDue = true;
    void this.#giveAll();
  }

  /** As `pass`, where the flows have just started: nodes may not be ready. */
  start(): void {
    this.#handing.pace.begin(performance.now());
    this.#isStarted = true;
    this.pass();
  }

  /** As `pass`: these are given again because somebody wants it, or by themselves. */
  ask(seqs: string[]): void {
    this.#handing.ask(seqs);
    this.pass();
  }

  /**
   * The flow is done with a delivery, or it failed.
   *
   * @returns how long ago it was given again because of a start or a deploy, in milliseconds; `undefined`:
   *   it was not
   */
  over(seq: string, node: string, isWell: boolean, isSettled: boolean): number | undefined {
    const ago = this.#handing.over(seq, node, isWell, isSettled);
    this.#wake();
    return ago;
  }

  /** Somebody has dealt with a delivery, or deleted it: nobody waits for the flow to be done with it. */
  dealtWith(seq: string, node: string): void {
    this.over(seq, node, true, true);
    this.inOrder.end(node, seq);
  }

  /** An event is not there any more: it is deleted, or another inbox gives it. */
  forget(seq: string): void {
    for (const { node } of this.held.get(seq)?.deliveries ?? []) this.over(seq, node, true, true);
    this.inOrder.forget(seq);
  }

  async #giveAll(): Promise<void> {
    if (this.#isGiving) {
      this.#wake();
      return;
    }
    this.#isGiving = true;
    while (this.mayGive && (this.#suspects.length > 0 || this.#isPassDue)) {
      this.#isStarted = false;
      try {
        await this.#giveSuspects();
        await this.#giveWaiting();
      } catch {
        // The problem is known, and is tried to be overcome: that may be done by now.
        if (!this.#isStarted) break;
      }
    }
    this.#isGiving = false;
  }

  async #giveWaiting(): Promise<void> {
    this.#isPassDue = false;
    this.#isAnew = false;
    await this.held.waitingOnDisk();
    for (let after: string | undefined = ""; after !== undefined && this.#mayGoOn;) {
      const { events, last }: Some = await this.store.read((store) => store.open(after!));
      after = last;
      await this.#giveSome(events);
    }
  }

  get #mayGoOn(): boolean {
    return this.mayGive && !this.#isAnew;
  }

  /** One by one: the next when the flow is done with it, or it has been watched for long enough. */
  async #giveSuspects(): Promise<void> {
    while (this.#suspects.length > 0 && this.mayGive) {
      const [seq] = this.#suspects as [string];
      const rest = this.#handing.pace.rest(performance.now());
      if (rest > 0) {
        await this.#waitFor(rest);
        continue;
      }
      const until = performance.now() + this.#watch;
      const next = await this.#handing.prepare(seq);
      if (next && this.mayGive && (await this.#handing.give([next])) > 0)
        while (this.#isWithFlow(seq) && performance.now() < until && this.mayGive)
          await this.#waitFor(until - performance.now());
      // Or it were one of several that were with the flow when the next ends Node-RED.
      await this.held.onDisk(seq);
      if (!this.mayGive) return;
      this.#suspects.shift();
      if (this.#suspects.length === 0) this.told.harmless();
    }
  }

  #isWithFlow(seq: string): boolean {
    return this.held.get(seq)?.deliveries?.some(({ state, since }) => state === "waiting" && since) ?? false;
  }

  /** Gives these, as many at a time as may be. */
  async #giveSome(events: Some["events"]): Promise<void> {
    const batch: Next[] = [];
    for (const { seq, path, deliveries } of events) {
      if (!this.#mayGoOn) break;
      if (!this.told.isStored(seq) || !this.#handing.canBeGiven(seq, path, deliveries)) continue;
      const next = await this.#handing.prepare(seq).catch((error: unknown) => {
        this.#handing.letGo(batch);
        throw error;
      });
      if (!next) continue;
      for (let now = performance.now(); this.#mayGoOn; now = performance.now()) {
        if (this.#handing.pace.free(now) > batch.length) break;
        if (batch.length > 0) await this.#handing.give(batch.splice(0));
        else await this.#waitFor(this.#handing.pace.wait(now));
      }
      batch.push(next);
    }
    if (this.#mayGoOn) await this.#handing.give(batch);
    else this.#handing.letGo(batch);
  }

  #waitFor(wait: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#wake(), wait).unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#wake();
  }
}
