import { mkdir, open, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ClassicLevel } from "classic-level";
import type { JsonObject } from "./json";
import type { AcceptedEvent, State, StoredEvent } from "./stored-event";

/**
 * Why nothing can be stored.
 *
 * - `missing`: there is no LevelDB for this machine
 * - `locked`: another process has the directory
 * - `full`: the disk is
 * - `unwritable`: the directory cannot be written to
 * - `damaged`: what is in it cannot be read
 * - `crowded`: it holds as much as it may, and all of that waits for the flow
 */
export type Problem = "missing" | "locked" | "full" | "unwritable" | "damaged" | "crowded";

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

/** A change of an event that is in the store. */
export interface Change {
  stored: StoredEvent;
  /** Its state until now. */
  was: State;
}

/** What a list of events is narrowed to. */
export interface Filter {
  state?: State;
  topic?: string;
  /** Its `order_id` or `external_id`. */
  job?: string;
}

type Operations = ({ type: "put"; key: string; value: string } | { type: "del"; key: string })[];

// Each kind of key is sorted: by arrival, and what waits by the time of the change, then by arrival.
const keys = {
  /** The event, as it was sent but for the token. */
  event: (seq: string) => `event ${seq}`,
  /** A StoredEvent. */
  stored: (seq: string) => `stored ${seq}`,
  waiting: ({ changedAt, seq }: StoredEvent) => `waiting ${changedAt} ${seq}`,
  failed: ({ seq }: StoredEvent) => `failed ${seq}`,
  /** The seq of the event that has this digest. */
  digest: (digest: string) => `digest ${digest}`,
  /** The changedAt and the seq of the latest event about a change. */
  latest: (change: string) => `latest ${change}`,
};

/** All keys of a kind. */
const all = (kind: keyof typeof keys) => ({ gt: `${kind} `, lt: `${kind}!` });

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
   * @throws Unusable
   */
  static async open(dir: string, max = bounds): Promise<Store> {
    let db: ClassicLevel | undefined;
    try {
      // Loaded for the first inbox: it is native code, and optional, as not every machine has a binary.
      // eslint-disable-next-line @typescript-eslint/no-require-imports
      const { ClassicLevel } = require("classic-level") as typeof import("classic-level");
      await mkdir(dir, { recursive: true, mode: 0o700 });
      db = new ClassicLevel(dir);
      await db.open();
      await syncNames(dir);
      const path = join(dir, "LOCK");
      const store = new Store(db, { path, ino: (await stat(path)).ino }, max);
      for await (const value of db.values(all("stored"))) store.#count(JSON.parse(value) as StoredEvent);
      return store;
    } catch (error) {
      await db?.close().catch(() => undefined);
      throw unusable(error);
    }
  }

  #count({ seq, state, size }: StoredEvent): void {
    this.#last = Number(seq);
    this.counts[state] += 1;
    this.#bytes += size;
  }

  async close(): Promise<void> {
    await this.db.close().catch(() => undefined); // what had to be on disk is there
  }

  /**
   * Stores events, and what has become of others. When it is done, the disk has the events.
   *
   * @returns of each event what is kept of it, `undefined` where one with the same digest is there
   */
  write(accepted: AcceptedEvent[], changes: Change[]): Promise<(StoredEvent | undefined)[]> {
    return guarded(async () => {
      const found = new Map<string, string | undefined>();
      const lookups = accepted.flatMap(({ stored: { digest, change } }) =>
        change === undefined ? [keys.digest(digest)] : [keys.digest(digest), keys.latest(change)],
      );
      if (lookups.length > 0)
        (await this.db.getMany(lookups)).forEach((value, i) => found.set(lookups[i]!, value));

      const operations: Operations = [];
      const put = (key: string, value: string) => {
        operations.push({ type: "put", key, value });
        found.set(key, value);
      };
      const results = accepted.map(({ stored, text }) => {
        const { digest, change, changedAt } = stored;
        if (found.get(keys.digest(digest)) !== undefined) return undefined;
        this.#last += 1;
        stored.seq = String(this.#last).padStart(15, "0");
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
      for (const { stored, was } of changes) {
        put(keys.stored(stored.seq), JSON.stringify(stored));
        if (was === "waiting" || was === "failed") operations.push({ type: "del", key: keys[was](stored) });
        if (stored.state === "waiting" || stored.state === "failed") put(keys[stored.state](stored), "");
      }
      await this.db.batch(operations, { sync: accepted.length > 0 });
      // What is written to a deleted directory is gone, and nothing but this tells.
      if (accepted.length > 0 && (await stat(this.lock.path)).ino !== this.lock.ino) {
        throw new Error("The directory is another one now.");
      }

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
      for await (const value of this.db.values({ ...all("stored"), gt: keys.stored(this.#keptBefore) })) {
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
    await guarded(() => this.db.compactRange(keys.event(from), keys.event(to)));
    await guarded(() => this.db.compactRange(keys.stored(from), keys.stored(to)));
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
        ...(stored.state === "waiting" || stored.state === "failed" ? [keys[stored.state](stored)] : []),
      ]),
    ];
    await this.db.batch(gone.map((key) => ({ type: "del", key })));
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
   * Some of the events that wait or have failed: waiting ones by the time of their change, then by
   * arrival; failed ones by arrival.
   *
   * @param after the `last` of those before; `""`: from the first on
   * @returns `last`: where to go on, `undefined` at the end
   */
  async some(state: "waiting" | "failed", after: string): Promise<{ seqs: string[]; last?: string }> {
    const found = await guarded(() =>
      this.db.keys({ ...all(state), ...(after && { gt: after }), limit: step }).all(),
    );
    return { seqs: found.map(seqIn), last: found.at(-1) };
  }

  /** @returns what is kept of events, without those that are gone */
  async get(seqs: string[]): Promise<StoredEvent[]> {
    const values = await guarded(() => this.db.getMany(seqs.map(keys.stored)));
    return values.flatMap((value) => (value === undefined ? [] : (JSON.parse(value) as StoredEvent)));
  }

  /** @returns an event as it was sent, without its token; `undefined` where it is gone */
  async event(seq: string): Promise<JsonObject | undefined> {
    const text = await guarded(() => this.db.get(keys.event(seq)));
    return text === undefined ? undefined : (JSON.parse(text) as JsonObject);
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
        const found = await this.#before(state === "failed" ? "failed" : "stored", end);
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

  async #before(kind: "stored" | "failed", before: string): Promise<StoredEvent[]> {
    const range = { ...all(kind), ...(before && { lt: `${kind} ${before}` }), reverse: true, limit: step };
    if (kind === "failed") return this.get((await this.db.keys(range).all()).map(seqIn));
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

async function guarded<T>(use: () => Promise<T>): Promise<T> {
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
    if (code === "LEVEL_LOCKED") return "locked";
    if (/no space left|file too large|quota exceeded/i.test(message)) return "full";
    if (/^E[A-Z]+$/.test(code) || code === "LEVEL_IO_ERROR") return "unwritable";
    return "damaged";
  };
  return new Unusable(problem(), cause);
}
