import { statSync } from "node:fs";
import { mkdir, open, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ClassicLevel } from "classic-level";
import type { JsonObject } from "../event/json";
import type { AcceptedEvent, State, StoredEvent } from "./stored-event";

/**
 * Why nothing can be stored.
 *
 * - `missing`: there is no LevelDB for this machine
 * - `locked`: another process has the directory
 * - `full`: the disk is
 * - `unwritable`: the directory cannot be written to
 * - `gone`: the directory is not the one that was opened any more
 * - `damaged`: what is in it cannot be read
 * - `crowded`: it holds as much as it may, and all of that waits for the flow
 */
export type Problem = "missing" | "locked" | "full" | "unwritable" | "gone" | "damaged" | "crowded";

/** Nothing can be stored. The message is the system's, for the log. */
export class Unusable extends Error {
  constructor(
    readonly problem: Problem,
    cause?: unknown,
  ) {
    super(cause instanceof Error ? cause.message : problem, { cause });
  }
}

/** How many events a merchant's inbox keeps at most, and how much of them, in bytes. */
export const bounds = { events: 200_000, bytes: 1024 ** 3 };

/** How many events are looked at, or deleted, in one step. */
const step = 500;

/** How much LevelDB keeps in memory before it sorts it into its files, in bytes: twice its default, for half the sorting. */
const writeBufferSize = 8 * 2 ** 20;

/** Some events, and where to go on; nowhere at the end. */
export interface Some {
  seqs: string[];
  last: string | undefined;
}

/** What a list of events is narrowed to. */
export interface Filter {
  state?: State;
  topic?: string;
  /** Its `order_id` or `external_id`. */
  job?: string;
}

// Each kind of key is sorted: by arrival, and what waits by the time of the change, then by arrival.
const keys = {
  /** The event, as it was sent but for the token. */
  event: (seq: string) => `event ${seq}`,
  /** A StoredEvent. */
  stored: (seq: string) => `stored ${seq}`,
  waiting: ({ changedAt, seq }: StoredEvent) => `waiting ${changedAt} ${seq}`,
  "handed-over": ({ seq }: StoredEvent) => `handed-over ${seq}`,
  failed: ({ seq }: StoredEvent) => `failed ${seq}`,
  /** The seq of the event that has this digest. */
  digest: (digest: string) => `digest ${digest}`,
  /** The changedAt and the seq of the latest event about a change. */
  latest: (change: string) => `latest ${change}`,
};

/** All keys of a kind. */
const all = (kind: keyof typeof keys) => ({ gt: `${kind} `, lt: `${kind}!` });

/** A place in the order of arrival, as text. */
const toSeq = (place: number) => String(place).padStart(15, "0");

/** The seq at the end of a key. */
const seqIn = (key: string) => key.slice(key.lastIndexOf(" ") + 1);

/**
 * A merchant's events on disk, in a LevelDB. Whoever uses it calls what writes one after the other.
 * Every method may throw `Unusable`: then the store has to be opened anew.
 */
export class Store {
  readonly counts: Record<State, number> = { waiting: 0, processed: 0, "handed-over": 0, failed: 0 };
  #bytes = 0;
  #last = 0;
  /** Whatever came before this one waits: it cannot be deleted to make room. */
  #keptBefore = "";
  /** The first and the last event that were deleted since `compact`. */
  #deleted: [from: string, to: string] | undefined;

  private constructor(
    private readonly db: ClassicLevel,
    private readonly lock: { path: string; ino: number },
    private readonly max: typeof bounds,
  ) {}

  /**
   * @param dir is made where it is not there, for this user only
   * @param options `max`: how much it holds; `last`: whatever is in the directory, the events to come
   *   have later seqs than this; `check`: reads all events, as LevelDB finds damage only where it reads
   * @throws Unusable
   */
  static async open(dir: string, { max = bounds, last = "", check = false } = {}): Promise<Store> {
    let db: ClassicLevel | undefined;
    try {
      // Loaded for the first inbox: it is native code, and optional, as not every machine has a binary.
      // eslint-disable-next-line @typescript-eslint/no-require-imports
      const { ClassicLevel } = require("classic-level") as typeof import("classic-level");
      await mkdir(dir, { recursive: true, mode: 0o700 });
      db = new ClassicLevel(dir, { writeBufferSize });
      await db.open();
      await syncNames(dir);
      const path = join(dir, "LOCK");
      const store = new Store(db, { path, ino: (await stat(path)).ino }, max);
      store.#last = Number(last);
      for await (const value of db.values(all("stored"))) store.#count(JSON.parse(value) as StoredEvent);
      if (check) for await (const text of db.values(all("event"))) JSON.parse(text);
      return store;
    } catch (error) {
      await db?.close().catch(() => undefined);
      throw unusable(error);
    }
  }

  #count({ seq, state, size }: StoredEvent): void {
    this.#last = Math.max(this.#last, Number(seq));
    this.counts[state] += 1;
    this.#bytes += size;
  }

  /** The seq of the event that came last. */
  get last(): string {
    return toSeq(this.#last);
  }

  /**
   * What is written to a deleted directory is gone, and nothing but this tells. At once: the system knows
   * it of what is in use, while a turn of the event loop and a thread would cost more.
   *
   * @throws Unusable
   */
  check(): Promise<void> {
    return guarded(() => {
      const found = statSync(this.lock.path, { throwIfNoEntry: false });
      if (found?.ino !== this.lock.ino) throw new Unusable("gone");
    });
  }

  async close(): Promise<void> {
    await this.db.close().catch(() => undefined); // what had to be on disk is there
  }

  /**
   * Stores events, and what has become of others, where these are still there. When it is done, the
   * disk has the events.
   *
   * @returns of each event what is kept of it, `undefined` where one with the same digest is there
   */
  write(accepted: AcceptedEvent[], changed: StoredEvent[]): Promise<(StoredEvent | undefined)[]> {
    return guarded(async () => {
      const found = new Map<string, string | undefined>();
      const lookups = accepted.flatMap(({ stored: { digest, change } }) =>
        change === undefined ? [keys.digest(digest)] : [keys.digest(digest), keys.latest(change)],
      );
      lookups.push(...changed.map(({ seq }) => keys.stored(seq)));
      if (lookups.length > 0)
        (await this.db.getMany(lookups)).forEach((value, i) => found.set(lookups[i]!, value));

      // Not a list of operations, of which each would be copied twice.
      const batch = this.db.batch();
      const put = (key: string, value: string) => {
        batch.put(key, value);
        found.set(key, value);
      };
      const results = accepted.map(({ stored, text }) => {
        const { digest, change, changedAt } = stored;
        if (found.get(keys.digest(digest)) !== undefined) return undefined;
        this.#last += 1;
        stored.seq = toSeq(this.#last);
        put(keys.digest(digest), stored.seq);
        if (change !== undefined) {
          const latest = found.get(keys.latest(change))?.slice(0, changedAt.length) ?? "";
          if (latest > changedAt) stored.superseded = true;
          else put(keys.latest(change), `${changedAt} ${stored.seq}`);
        }
        put(keys.event(stored.seq), text);
        put(keys.stored(stored.seq), JSON.stringify(stored));
        put(keys.waiting(stored), "");
        return stored;
      });
      const changes = changed.flatMap((stored) => {
        const before = found.get(keys.stored(stored.seq));
        return before === undefined ? [] : { stored, was: (JSON.parse(before) as StoredEvent).state };
      });
      for (const { stored, was } of changes) {
        put(keys.stored(stored.seq), JSON.stringify(stored));
        if (was !== "processed") batch.del(keys[was](stored));
        if (stored.state !== "processed") put(keys[stored.state](stored), "");
      }
      await batch.write({ sync: accepted.length > 0 });
      if (accepted.length > 0) await this.check();

      for (const stored of results) if (stored) this.#count(stored);
      for (const { stored, was } of changes) {
        this.counts[was] -= 1;
        this.counts[stored.state] += 1;
        if (stored.seq < this.#keptBefore) this.#keptBefore = stored.seq;
      }
      return results;
    });
  }

  /**
   * Deletes the oldest of the events that do not wait, where there are as many as there may be.
   *
   * @returns false where all wait
   */
  async makeRoom(): Promise<boolean> {
    if (this.#size < this.max.events && this.#bytes < this.max.bytes) return true;
    const deleted = await guarded(async () => {
      const oldest: StoredEvent[] = [];
      for await (const value of this.db.values({
        gte: keys.stored(this.#keptBefore),
        lt: all("stored").lt,
      })) {
        const stored = JSON.parse(value) as StoredEvent;
        if (stored.state !== "waiting") oldest.push(stored);
        else if (oldest.length === 0) this.#keptBefore = stored.seq;
        if (oldest.length === step) break;
      }
      return this.#delete(oldest);
    });
    return deleted > 0;
  }

  /**
   * Deletes some events.
   *
   * @param after the `last` of those before; `""`: from the oldest on
   * @returns how many; `last`: where to go on, `undefined` at the end
   */
  deleteSome(
    isUnwanted: (stored: StoredEvent) => boolean,
    after: string,
  ): Promise<{ deleted: number; last?: string }> {
    return guarded(async () => {
      const range = { ...all("stored"), gt: keys.stored(after), limit: step };
      const found = (await this.db.values(range).all()).map((value) => JSON.parse(value) as StoredEvent);
      const deleted = await this.#delete(found.filter(isUnwanted));
      return { deleted, last: found.length < step ? undefined : found.at(-1)!.seq };
    });
  }

  /** Takes what was deleted out of the files too, where LevelDB would keep it for a while. */
  async compact(): Promise<void> {
    if (!this.#deleted) return;
    const [from, to] = this.#deleted;
    this.#deleted = undefined;
    for (const key of [keys.event, keys.stored]) {
      const ends = [key(from), key(to)] as const;
      await guarded(() => this.db.compactRange(...ends));
      // What was in memory until now is in a file, with the mark that it is deleted. Only where
      // something else is to be merged with that file, both are left out.
      await guarded(() => this.db.batch(ends.map((end) => ({ type: "del", key: end }))));
      await guarded(() => this.db.compactRange(...ends));
    }
  }

  async #delete(events: StoredEvent[]): Promise<number> {
    if (events.length === 0) return 0;
    const changes = events.flatMap(({ change }) => change ?? []);
    const latest = await this.db.getMany(changes.map(keys.latest));
    const seqs = new Set(events.map(({ seq }) => seq));
    const gone = [
      ...changes.map(keys.latest).filter((_, i) => seqs.has(seqIn(latest[i] ?? ""))),
      ...events.flatMap((stored) => [
        keys.event(stored.seq),
        keys.stored(stored.seq),
        keys.digest(stored.digest),
        ...(stored.state === "processed" ? [] : [keys[stored.state](stored)]),
      ]),
    ];
    const batch = this.db.batch();
    for (const key of gone) batch.del(key);
    await batch.write();
    for (const { seq, state, size } of events) {
      this.counts[state] -= 1;
      this.#bytes -= size;
      const [from, to] = this.#deleted ?? [seq, seq];
      this.#deleted = [seq < from ? seq : from, seq > to ? seq : to];
    }
    return events.length;
  }

  get #size(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count);
  }

  /**
   * Some of the events in a state: waiting ones by the time of their change, then by arrival; others by
   * arrival.
   *
   * @param after the `last` of those before; `""`: from the first on
   */
  async some(state: Exclude<State, "processed">, after: string): Promise<Some> {
    const found = await guarded(() =>
      this.db.keys({ ...all(state), ...(after && { gt: after }), limit: step }).all(),
    );
    return { seqs: found.map(seqIn), last: found.at(-1) };
  }

  /** @returns what is kept of events, without those that are gone */
  get(seqs: string[]): Promise<StoredEvent[]> {
    return guarded(async () => {
      const values = await this.db.getMany(seqs.map(keys.stored));
      return values.flatMap((value) => (value === undefined ? [] : (JSON.parse(value) as StoredEvent)));
    });
  }

  /** The latest event about the same change, where it is another, later one. */
  async later({ seq, change, changedAt }: StoredEvent): Promise<StoredEvent | undefined> {
    if (change === undefined) return undefined;
    const latest = await guarded(() => this.db.get(keys.latest(change)));
    if (latest === undefined || seqIn(latest) === seq || latest.slice(0, changedAt.length) <= changedAt)
      return undefined;
    return (await this.get([seqIn(latest)]))[0];
  }

  /** @returns an event as it was sent, without its token; `undefined` where it is gone */
  event(seq: string): Promise<JsonObject | undefined> {
    return guarded(async () => {
      const text = await this.db.get(keys.event(seq));
      return text === undefined ? undefined : (JSON.parse(text) as JsonObject);
    });
  }

  /**
   * A page of a list, newest first.
   *
   * @param before the seq that the page before ended with; `""`: from the newest on
   * @param limit how many events at most. There may be fewer, also where more follow: no more than
   *   20 steps are looked through in one go.
   * @returns `next`: the `before` of the next page, `null` at the end
   */
  list(
    filter: Filter,
    before: string,
    limit: number,
  ): Promise<{ events: StoredEvent[]; next: string | null }> {
    return guarded(async () => {
      const { state } = filter;
      const events: StoredEvent[] = [];
      let end = before;
      for (let i = 0; i < 20; i += 1) {
        const found = await this.#before(
          state === "failed" || state === "handed-over" ? state : "stored",
          end,
        );
        for (const stored of found) {
          end = stored.seq;
          if (matches(stored, filter)) events.push(stored);
          if (events.length === limit) return { events, next: end };
        }
        if (found.length < step) return { events, next: null };
      }
      return { events, next: end };
    });
  }

  async #before(kind: "stored" | "failed" | "handed-over", before: string): Promise<StoredEvent[]> {
    const range = { ...all(kind), ...(before && { lt: `${kind} ${before}` }), reverse: true, limit: step };
    if (kind !== "stored") return this.get((await this.db.keys(range).all()).map(seqIn));
    return (await this.db.values(range).all()).map((value) => JSON.parse(value) as StoredEvent);
  }
}

/**
 * Waits until the disk has the names in a directory. LevelDB renames a file while it opens and does
 * not wait for that: after a power cut, the old name may lead to a file that was never synced.
 */
async function syncNames(dir: string): Promise<void> {
  if (process.platform === "win32") return; // where a directory cannot be opened
  const handle = await open(dir);
  await handle.sync().finally(() => handle.close());
}

function matches({ state, topic, orderId, externalId }: StoredEvent, filter: Filter): boolean {
  const isJob = (id: unknown) => id === filter.job || (typeof id === "number" && String(id) === filter.job);
  return (
    (filter.state === undefined || state === filter.state) &&
    (filter.topic === undefined || topic === filter.topic) &&
    (filter.job === undefined || isJob(orderId) || isJob(externalId))
  );
}

async function guarded<T>(use: () => T | Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (error) {
    throw unusable(error);
  }
}

/** Reads LevelDB's and the system's errors. */
function unusable(error: unknown): Unusable {
  if (error instanceof Unusable) return error;
  const { cause = error } = error as { cause?: unknown };
  const { code = "", message } = cause as NodeJS.ErrnoException;
  const problem = (): Problem => {
    if (/^MODULE_NOT_FOUND$|^ERR_DLOPEN_FAILED$/.test(code) || message.includes("No native build"))
      return "missing";
    // Of Windows, the second words.
    if (code === "LEVEL_LOCKED" || /used by another process/i.test(message)) return "locked";
    if (/no space left|file too large|quota exceeded|not enough space/i.test(message)) return "full";
    if (/^E[A-Z]+$/.test(code) || code === "LEVEL_IO_ERROR") return "unwritable";
    return "damaged";
  };
  return new Unusable(problem(), cause);
}
