import type { JsonObject } from "../event/json";
import type { Moment } from "./age";
import { Cleaning, cleanEvery } from "./cleaning";
import { Giving, maxAgain, type Flow, type Given, type Outcome } from "./giving";
import { Intake } from "./intake";
import { Closed, Reopening } from "./reopening";
import {
  bounds,
  type Filter,
  type Finding,
  type OpenStore,
  type Some,
  type Store,
  type Unusable,
} from "./store";
import { prepare, type StoredEvent } from "./stored-event";

export { cleanEvery, Closed, maxAgain, type Flow, type Given, type Outcome };

/** How many events are run again; `nowhere`: and how many are not, as no node receives on their path. */
interface Run {
  run: number;
  nowhere: number;
}

/** How often it is looked at whether the store can be used, while no event comes, in milliseconds. */
const retryEvery = 5000;

/** How many events a page of the list has. */
const pageSize = 50;

/**
 * Keeps a merchant's events until the flow has dealt with them, and gives them to the flow: at once, and
 * again where a deploy or the end of Node-RED came between. At least once, that is.
 */
export class Inbox {
  readonly #store: Reopening;
  readonly #intake: Intake;
  readonly #giving: Giving;
  readonly #cleaning: Cleaning;
  readonly #timers: NodeJS.Timeout[];
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
      stored: (stored, event) => this.#giving.first(stored, event),
      changed: (became) => this.#giving.changed(became),
    });
    this.#giving = new Giving(this.#store, flow, (stored) => this.#intake.change(stored));
    this.#cleaning = new Cleaning(this.#store, this.#giving, options);
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
  giveAgain(): Promise<void> {
    return this.#giving.again();
  }

  #opened(store: Store): void {
    if (store.last > this.#giving.last) this.#giving.last = store.last;
    for (const finding of store.findings) this.options.found?.(finding);
    this.#intake.write();
    void this.giveAgain();
    this.#cleaning.begin();
  }

  #retry(): void {
    const check = () => this.#store.read((store) => store.check());
    void check().catch(() => check().catch(() => undefined)); // said as `problem`
    this.#intake.write(); // what could not be written the last time
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
      count += await this.#cleaning.delete((store, after) => store.some(state, after));
    await this.#cleaning.compact();
    return count;
  }

  /** Writes what is left to write, and lets another one have the store. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.#store.close(async (store) => store.write([], await this.#intake.close()));
    await this.#intake.close();
  }
}
