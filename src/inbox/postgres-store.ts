import { Connection } from "./postgres-connection";
import { unusable } from "./postgres-problem";
import { fromArray, toSeq } from "./postgres-rows";
import { migrate, steps } from "./postgres-schema";
import { readUrl } from "./postgres-url";
import { Instance, type Connections } from "./postgres-saying";
import { Taking } from "./postgres-taking";
import { Writes } from "./postgres-writes";
import {
  bounds,
  Unusable,
  type Finding,
  type OpenOptions,
  type Others,
  type Settings,
  type Store,
} from "./store";

export { Instance };

/** In milliseconds. */
export const times = {
  /** How often it is looked at what others have done, besides when they tell. */
  look: 1000,
  /** How often a sign of life is given. */
  sign: 5000,
  /** For how long an instance counts as alive after one. */
  live: 20_000,
  /** How long nothing is taken after there was nothing for this one. */
  rest: 5000,
  /** How long a statement takes at most. */
  statement: 6000,
};

/** How far a clock may be off before it is the database's that counts, in milliseconds. */
const tolerance = 500;

/** What `radaro_inbox.look` says. */
interface Seen extends Omit<Settings, "asking"> {
  step: number;
  now: number;
  tallies: Record<string, number>;
  last: number | null;
  /** The ids of those that give no more what they have. */
  free: string[];
  hasUntold: boolean;
  hasLost: boolean;
  hasNews: boolean;
  /** JSON. */
  asking: string | null;
}

/** What one instance tells another. */
interface Message {
  what: "came" | "taken" | "gone" | "became" | "settings" | "free";
  to?: string;
  from?: string;
  seqs?: number[];
}

type Shared = Required<Pick<OpenOptions, "max" | "others">> & { instance: Instance; times: typeof times };

/** Where nobody asks. */
const nobody: Others = {
  nodes: () => [],
  came: () => undefined,
  gone: () => undefined,
  news: () => undefined,
  became: () => [],
  held: () => [],
  changed: () => undefined,
};

/** A store in a PostgreSQL database, which the inboxes of several Node-REDs may share. */
export class PostgresStore extends Writes implements Store {
  readonly findings: Finding[] = [];
  settings: Settings = { isPaused: false, ends: 0, refused: [] };
  ahead = 0;
  readonly #times: typeof times;
  /** The number of the last step of the schema that is known here. */
  readonly #steps = steps().length;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #signAt = -Infinity;
  readonly #taking: Taking;
  /** How many times settings were written, and are being written: what was read before that is not how they are. */
  #sets = 0;
  #setting = 0;
  /** Why it is of no more use. */
  #broken: Unusable | undefined;

  private constructor({ writer, reader }: Connections, { max, others, instance, times }: Shared) {
    super({ writer, reader }, instance, max, others, `${times.live} milliseconds`);
    this.#times = times;
    this.#taking = new Taking({ writer, reader }, instance, this.live, times.rest, () => this.#hasTaken());
  }

  /**
   * @param url see `readUrl`
   * @param some of `times` that are others
   * @throws Unusable
   */
  static async open(
    url: string,
    instance: Instance,
    { max = bounds, others = nobody, signal }: OpenOptions = {},
    some: Partial<typeof times> = {},
  ): Promise<PostgresStore> {
    const address = readUrl(url);
    const all = { ...times, ...some };
    let store: PostgresStore | undefined;
    let early: string[] | undefined = [];
    const told = (payload: string) => (early ? void early.push(payload) : store?.hear(payload));
    const opened = await Promise.allSettled([
      Connection.open(address, all.statement),
      Connection.open(address, all.statement, told),
    ]);
    const connections = opened.flatMap((each) => (each.status === "fulfilled" ? each.value : []));
    try {
      for (const each of opened) if (each.status === "rejected") throw unusable(each.reason);
      signal?.throwIfAborted();
      const [writer, reader] = connections as [Connection, Connection];
      await migrate(writer);
      store = new PostgresStore({ writer, reader }, { max, instance, others, times: all });
      await store.#begin();
      signal?.throwIfAborted();
    } catch (error) {
      for (const each of connections) each.close();
      throw error;
    }
    const heard = early;
    early = undefined;
    for (const payload of heard) store.hear(payload);
    store.#lookAgain();
    return store;
  }

  async #begin(): Promise<void> {
    const { merchant } = this;
    const state = await this.writer.one(
      `SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS is_read_only,
        radaro_inbox.channel($1) AS channel`,
      merchant,
    );
    if (state!.is_read_only === true) throw new Unusable("read-only");
    await this.writer.all(
      "INSERT INTO radaro_inbox.inboxes (merchant) VALUES ($1) ON CONFLICT DO NOTHING",
      merchant,
    );
    // Those that have ended long ago, and of which all is taken.
    await this.writer.all(
      `DELETE FROM radaro_inbox.instances AS i WHERE merchant = $1 AND seen_at < clock_timestamp() - interval '1 hour'
        AND NOT EXISTS (SELECT FROM radaro_inbox.events
          WHERE merchant = $1 AND owner = i.id AND (is_open OR again_at IS NOT NULL))`,
      merchant,
    );
    await this.connection.run(`LISTEN "${state!.channel as string}"`);
    await this.#look(true);
    this.told = this.last || "0";
    await this.#catchUp(this.others.held());
  }

  /** What others have taken or deleted of these while there was no connection is said now. */
  async #catchUp(seqs: string[]): Promise<void> {
    if (seqs.length === 0) return;
    const own = await this.writer.all(
      `SELECT seq FROM radaro_inbox.events WHERE merchant = $1 AND owner = $2 AND seq = ANY (${fromArray("$3")})`,
      ...[this.merchant, this.instance, JSON.stringify(seqs)],
    );
    const there = new Set(own.map(({ seq }) => toSeq(seq)));
    this.others.gone(seqs.filter((seq) => !there.has(seq)));
  }

  /** Looks at what others have done. @param isQuiet nobody is told of it */
  async #look(isQuiet = false): Promise<void> {
    if (this.#broken) throw this.#broken;
    if (performance.now() - this.#signAt >= this.#times.sign) await this.#giveSign();
    const sets = this.#sets;
    const isWriting = this.writing > 0;
    const { writes } = this;
    const from = Date.now();
    const row = await this.connection.one(
      "SELECT radaro_inbox.look($1, $2, $3::interval, $4) AS seen",
      ...[this.merchant, this.instance, this.live, isQuiet ? "9".repeat(18) : this.told],
    );
    const seen = row!.seen as Seen;
    if (seen.step > this.#steps) throw new Unusable("newer");
    const ahead = Math.round(seen.now - (from + Date.now()) / 2);
    if (Math.abs(ahead - this.ahead) > tolerance) this.ahead = ahead;
    const before = JSON.stringify([this.counts, this.failures, this.settings]);
    this.tally(seen.tallies);
    const last = seen.last === null ? "" : toSeq(seen.last);
    if (last > this.last) this.last = last;
    const { isPaused, ends, refused } = seen;
    const asking = seen.asking === null ? {} : { asking: JSON.parse(seen.asking) as Settings["asking"] };
    if (sets === this.#sets && this.#setting === 0) this.settings = { isPaused, ends, refused, ...asking };
    if (isQuiet) return;
    if (JSON.stringify([this.counts, this.failures, this.settings]) !== before) this.others.changed();
    if (seen.hasLost) this.others.came([]);
    if (seen.hasNews) this.others.news();
    if (!isWriting && writes === this.writes) this.#allTold(last, seen.hasUntold);
    if (seen.free.length > 0)
      this.#taking
        .take(seen.free, this.others.nodes())
        .catch((error: unknown) => (this.#broken = unusable(error)));
  }

  /** Nothing is being stored: what it has stored up to there is known, also where its answer was lost. */
  #allTold(last: string, hasUntold: boolean): void {
    if (last > this.told) this.told = last;
    if (hasUntold) this.others.came([]);
  }

  async #giveSign(): Promise<void> {
    this.#signAt = performance.now();
    await this.connection.all(
      `INSERT INTO radaro_inbox.instances (id, merchant, seen_at) VALUES ($1, $2, clock_timestamp())
        ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, given = NULL`,
      ...[this.instance, this.merchant],
    );
  }

  #lookAgain(): void {
    this.#timer = setTimeout(() => {
      // What is wrong is said by `check`.
      void this.check().then(
        () => this.#lookAgain(),
        (error: unknown) => (this.#broken = unusable(error)),
      );
    }, this.#times.look).unref();
  }

  /** Some of what others had is its own now: with how many of them that ended is known before. */
  async #hasTaken(): Promise<void> {
    await this.check();
    this.others.came([]);
  }

  /** What another instance tells. */
  hear(payload: string): void {
    const { what, to, from, seqs: places = [] } = JSON.parse(payload) as Message;
    if (from === this.instance || (to !== undefined && to !== this.instance)) return;
    const seqs = places.map(toSeq);
    if (what === "came") this.others.came(seqs);
    else if (what === "taken")
      void this.#hasTaken().catch((error: unknown) => (this.#broken = unusable(error)));
    else if (what === "gone") this.others.gone(seqs);
    else if (what === "became") this.others.news();
    else {
      if (what === "free") this.#taking.again();
      void this.check().catch((error: unknown) => (this.#broken = unusable(error)));
    }
  }

  check(): Promise<void> {
    return (this.#looking ??= this.#look().finally(() => (this.#looking = undefined)));
  }

  async set(settings: Settings): Promise<void> {
    const before = this.settings;
    this.settings = settings; // at once: others may change the rest of them meanwhile
    this.#setting += 1;
    try {
      await this.#set(before, settings);
    } finally {
      this.#setting -= 1;
      this.#sets += 1;
    }
  }

  /** Writes what is another: the rest may be others' to change. */
  async #set(before: Settings, { isPaused, ends, refused, asking }: Settings): Promise<void> {
    const count = (of: string) => before.refused.find(({ why }) => why === of)?.count ?? 0;
    const more = refused.map((each) => ({ ...each, count: each.count - count(each.why) }));
    await this.writer.one(
      "SELECT radaro_inbox.set($1, $2, $3, $4, $5::text::json, $6)",
      ...[this.merchant, this.instance],
      ...[isPaused === before.isPaused ? null : isPaused, ends === before.ends ? null : ends],
      JSON.stringify(more.filter((each) => each.count !== 0)),
      asking === before.asking ? null : asking ? JSON.stringify(asking) : "",
    );
  }

  async letGo(): Promise<void> {
    await this.writer.all("SELECT radaro_inbox.let_go($1, $2)", this.merchant, this.instance);
  }

  /** The database does it by itself: it calls that autovacuum. */
  async compact(): Promise<void> {
    // Nothing to do.
  }

  /** Its own events stay its own: it may be opened anew. */
  close(): Promise<void> {
    this.leave();
    return Promise.resolve();
  }

  leave(): void {
    clearTimeout(this.#timer);
    this.#broken ??= new Unusable("gone", new Error("it was closed"));
    this.writer.close();
    this.connection.close();
  }
}
