import { earlier, type Known } from "./known-job";
import { isJsonObject, type JsonObject } from "../event/json";
import type { Operating } from "./operating";
import type { Reopening } from "./reopening";
import type { Asking, Unseen, Windows } from "./store";
import { keyOf } from "./stored-event";

/** How far the jobs API may be behind what an event has told, in milliseconds. */
const behind = 600_000;

/** What a store knows of jobs, for whoever asks Radaro for what never arrived. All may throw `Unusable` or `Closed`. */
export class KnownJobs {
  constructor(
    private readonly store: Reopening,
    private readonly events: Operating,
  ) {}

  /** What is kept of asking; `undefined`: it was not asked yet, or the store cannot be used now. */
  get asking(): Asking | undefined {
    return this.store.store?.settings.asking;
  }

  /** What is kept of asking; `undefined`: it was not asked yet. */
  read(): Promise<Asking | undefined> {
    return this.store.read((store) => Promise.resolve(store.settings.asking));
  }

  /**
   * From now on what becomes of jobs makes events, unless it does already: nothing counts that was known
   * before.
   */
  async begin(since: string, whom: string): Promise<Asking> {
    return this.store.alone(async (store) => {
      const { asking } = store.settings;
      if (asking?.whom === whom) return asking;
      // Another key may see other jobs. Behind the first answer the jobs API may be a little behind what has come.
      await store.forget(asking ? since : earlier(since, behind));
      const begun = { since, whom, found: 0 };
      await store.set({ ...store.settings, asking: begun });
      return begun;
    });
  }

  async keep(asking: Asking): Promise<void> {
    await this.store.alone((store) => store.set({ ...store.settings, asking }));
  }

  /** Nothing is known of any job from here on. */
  async end(): Promise<void> {
    await this.store.alone(async (store) => {
      await store.set({ ...store.settings, asking: undefined });
      await store.forget();
    });
  }

  /** See `Store.known`. */
  known(jobs: string[]): Promise<Record<string, Known>> {
    return this.store.read((store) => store.known(jobs));
  }

  /** See `Store.know`. */
  know(jobs: Record<string, Known>): Promise<void> {
    return this.store.alone((store) => store.know(jobs));
  }

  /** See `Store.unseen`: all of them, in steps. */
  async *unseen(since: string, windows: Windows): AsyncGenerator<Unseen["jobs"]> {
    for (let after: string | undefined = ""; after !== undefined;) {
      const from: string = after;
      const { jobs, last }: Unseen = await this.store.read((store) => store.unseen(since, windows, from));
      yield jobs;
      after = last;
    }
  }

  /** See `Store.forget`. */
  forget(before: string): Promise<string | undefined> {
    return this.store.alone((store) => store.forget(before));
  }

  /** The job as the last event showed it that has one; `undefined`: there is none any more. */
  async lastShown(job: string): Promise<JsonObject | undefined> {
    const { events } = await this.events.list({ job }, "");
    // A number of the merchant's own may be the same as another job's.
    for (const { seq } of events.filter(({ orderId }) => keyOf(orderId) === job)) {
      const shown = (await this.events.read(seq))?.event.order_info;
      if (isJsonObject(shown) && keyOf(shown.order_id) === job) return shown;
    }
    return undefined;
  }
}
