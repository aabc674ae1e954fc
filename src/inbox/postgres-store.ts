import { randomUUID } from "node:crypto";
import { lastWord, type State } from "./deliveries";
import { Connection } from "./postgres-connection";
import { Reads } from "./postgres-reads";
import { arriving, changing, spaceOf, toJson, toSeq } from "./postgres-rows";
import { unusable } from "./postgres-problem";
import { Jobs } from "./postgres-jobs";
import { migrate, steps } from "./postgres-schema";
import { readUrl } from "./postgres-url";
import {
  bounds,
  step,
  Unusable,
  type Finding,
  type OpenOptions,
  type Others,
  type Settings,
  type Store,
  type Written,
} from "./store";
import type { AcceptedEvent, Became } from "./stored-event";

/** An inbox that shares a database with others, over all the times that it has it open. */
export class Instance {
  readonly id = randomUUID();
  /** The digests of events that may be stored or not: the connection was cut while they were. */
  readonly unsure = new Set<string>();

  /** @param merchant the id of the merchant's node: those with the same share its events */
  constructor(readonly merchant: string) {}
}

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

/** From how many events on other ways to find one are better. */
const grown = [100, 1000, 10_000];

/** How far a clock may be off before it is the database's that counts, in milliseconds. */
const tolerance = 500;

/** What `radaro_inbox.look` says. */
interface Seen extends Omit<Settings, "asking"> {
  step: number;
  now: number;
  tallies: Record<string, number>;
  last: number | null;
  isFree: boolean;
  hasLost: boolean;
  /** JSON. */
  asking: string | null;
}

/** What `radaro_inbox.write` says. */
interface WriteAnswer {
  written:
    | {
        new_seq: number;
        new_digest: string;
        new_superseded: boolean;
        new_owner: string;
        is_behind: boolean;
      }[]
    | null;
  others: number[] | null;
  tallies: Record<string, number>;
}

/** What one instance tells another. */
interface Message {
  what: "came" | "taken" | "gone" | "became" | "settings" | "free";
  to?: string;
  from?: string;
  seqs?: number[];
}

interface Connections {
  /** For what writes. */
  writer: Connection;
  /** For what reads, for signs of life, and for what others tell. */
  reader: Connection;
}

type Shared = Required<Pick<OpenOptions, "max" | "others">> & { instance: Instance; times: typeof times };

/** Where nobody asks. */
const nobody: Others = {
  nodes: () => [],
  came: () => undefined,
  gone: () => undefined,
  became: () => undefined,
  changed: () => undefined,
};

/** With what is to be known of those that were stored as told by events that were made. */
function withTold(
  results: (Written | undefined)[],
  accepted: AcceptedEvent[],
  stored: AcceptedEvent[],
): (Written | undefined)[] {
  const told = new Map(stored.map((event) => [event.digest, event.stored]));
  return results.map((written, i) => {
    const { cameAfter, deliveries, state } = told.get(accepted[i]!.digest) ?? {};
    return written && cameAfter ? { ...written, cameAfter, deliveries, state } : written;
  });
}

/** A store in a PostgreSQL database, which the inboxes of several Node-REDs may share. */
export class PostgresStore extends Reads implements Store {
  readonly findings: Finding[] = [];
  settings: Settings = { isPaused: false, ends: 0, refused: [] };
  counts: Record<State, number> = { waiting: 0, processed: 0, failed: 0 };
  failures: Record<string, number> = {};
  ahead = 0;
  last = "";
  #bytes = 0;
  readonly #writer: Connection;
  readonly #jobs: Jobs;
  readonly #others: Others;
  readonly #times: typeof times;
  readonly #max: typeof bounds;
  readonly #instance: Instance;
  /** The number of the last step of the schema that is known here. */
  readonly #steps = steps().length;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #signAt = -Infinity;
  #restUntil = -Infinity;
  #isTaking = false;
  /** How many times settings were written, and are being written: what was read before that is not how they are. */
  #sets = 0;
  #setting = 0;
  /** Why it is of no more use. */
  #broken: Unusable | undefined;

  private constructor({ writer, reader }: Connections, { max, others, instance, times }: Shared) {
    super(reader, instance.merchant, instance.id);
    this.#writer = writer;
    this.#jobs = new Jobs(writer, reader, instance.merchant);
    this.#others = others;
    this.#times = times;
    this.#max = max;
    this.#instance = instance;
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
    const { merchant } = this.#instance;
    const state = await this.#writer.one(
      `SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS is_read_only,
        radaro_inbox.channel($1) AS channel`,
      merchant,
    );
    if (state!.is_read_only === true) throw new Unusable("read-only");
    await this.#writer.all(
      "INSERT INTO radaro_inbox.inboxes (merchant) VALUES ($1) ON CONFLICT DO NOTHING",
      merchant,
    );
    // Those that have ended long ago, and of which all is taken.
    await this.#writer.all(
      `DELETE FROM radaro_inbox.instances AS i WHERE merchant = $1 AND seen_at < clock_timestamp() - interval '1 hour'
        AND NOT EXISTS (SELECT FROM radaro_inbox.events
          WHERE merchant = $1 AND owner = i.id AND (is_open OR again_at IS NOT NULL))`,
      merchant,
    );
    await this.connection.run(`LISTEN "${state!.channel as string}"`);
    await this.#look(true);
    this.told = this.last || "0";
  }

  /** Looks at what others have done. @param isQuiet nobody is told of it */
  async #look(isQuiet = false): Promise<void> {
    if (this.#broken) throw this.#broken;
    if (performance.now() - this.#signAt >= this.#times.sign) await this.#giveSign();
    const sets = this.#sets;
    const from = Date.now();
    const row = await this.connection.one(
      "SELECT radaro_inbox.look($1, $2, $3::interval) AS seen",
      ...[this.merchant, this.instance, this.#live],
    );
    const seen = row!.seen as Seen;
    if (seen.step > this.#steps) throw new Unusable("newer");
    const ahead = Math.round(seen.now - (from + Date.now()) / 2);
    if (Math.abs(ahead - this.ahead) > tolerance) this.ahead = ahead;
    const before = JSON.stringify([this.counts, this.failures, this.settings]);
    this.#count(seen.tallies);
    const last = seen.last === null ? "" : toSeq(seen.last);
    if (last > this.last) this.last = last;
    const { isPaused, ends, refused } = seen;
    const asking = seen.asking === null ? {} : { asking: JSON.parse(seen.asking) as Settings["asking"] };
    if (sets === this.#sets && this.#setting === 0) this.settings = { isPaused, ends, refused, ...asking };
    if (isQuiet) return;
    if (JSON.stringify([this.counts, this.failures, this.settings]) !== before) this.#others.changed();
    if (seen.hasLost) this.#others.came([]);
    if (seen.isFree) this.#take();
  }

  async #giveSign(): Promise<void> {
    this.#signAt = performance.now();
    await this.connection.all(
      `INSERT INTO radaro_inbox.instances (id, merchant, seen_at) VALUES ($1, $2, clock_timestamp())
        ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at`,
      ...[this.instance, this.merchant],
    );
  }

  get #live(): string {
    return `${this.#times.live} milliseconds`;
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

  /** Takes what nobody gives. */
  #take(): void {
    const nodes = this.#others.nodes();
    if (nodes.length === 0 || this.#isTaking || performance.now() < this.#restUntil) return;
    this.#isTaking = true;
    void this.#takeAll(nodes)
      .catch((error: unknown) => (this.#broken = unusable(error)))
      .finally(() => (this.#isTaking = false));
  }

  async #takeAll(nodes: string[]): Promise<void> {
    for (let all = 0; ;) {
      const row = await this.#writer.one(
        `SELECT radaro_inbox.take($1, $2, $3::interval, ARRAY(SELECT json_array_elements_text($4::text::json))) AS taken`,
        ...[this.merchant, this.instance, this.#live, JSON.stringify(nodes)],
      );
      const taken = row!.taken as number;
      all += taken;
      if (taken > 0) this.#others.came([]);
      else if (all === 0) this.#restUntil = performance.now() + this.#times.rest;
      if (taken === 0) return;
    }
  }

  /** What another instance tells. */
  hear(payload: string): void {
    const { what, to, from, seqs: places = [] } = JSON.parse(payload) as Message;
    if (from === this.instance || (to !== undefined && to !== this.instance)) return;
    const seqs = places.map(toSeq);
    if (what === "came") this.#others.came(seqs);
    else if (what === "taken") this.#others.came([]);
    else if (what === "gone") this.#others.gone(seqs);
    else if (what === "became") this.#others.became(seqs);
    else {
      if (what === "free") this.#restUntil = -Infinity;
      void this.check().catch((error: unknown) => (this.#broken = unusable(error)));
    }
  }

  #count(tallies: Record<string, number>): void {
    const { waiting = 0, processed = 0, failed = 0, bytes = 0, ...others } = tallies;
    this.counts = { waiting, processed, failed };
    this.#bytes = bytes;
    const nodes = Object.entries(others).filter(([name]) => name.startsWith("node:"));
    this.failures = Object.fromEntries(nodes.map(([name, count]) => [name.slice("node:".length), count]));
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
    await this.#writer.one(
      "SELECT radaro_inbox.set($1, $2, $3, $4, $5::text::json, $6)",
      ...[this.merchant, this.instance],
      ...[isPaused === before.isPaused ? null : isPaused, ends === before.ends ? null : ends],
      JSON.stringify(more.filter((each) => each.count !== 0)),
      asking === before.asking ? null : asking ? JSON.stringify(asking) : "",
    );
  }

  get #size() {
    const events = Object.values(this.counts).reduce((sum, count) => sum + count);
    return { events, bytes: this.#bytes + events * spaceOf(0) };
  }

  async makeRoom(sizes: number[]): Promise<number> {
    const bytes = sizes.reduce((sum, size) => sum + spaceOf(size), 0);
    for (;;) {
      const lacking = {
        events: this.#size.events + sizes.length - this.#max.events,
        bytes: this.#size.bytes + bytes - this.#max.bytes,
      };
      if (lacking.events <= 0 && lacking.bytes <= 0) return sizes.length;
      if ((await this.#deleteOldest(lacking)) === 0) break;
    }
    let { events, bytes: used } = this.#size;
    return sizes.findIndex(
      (size) => (events += 1) > this.#max.events || (used += spaceOf(size)) > this.#max.bytes,
    );
  }

  /** Deletes the oldest that wait for nothing: what is lacking, and some more, so that not each write has to. */
  async #deleteOldest(lacking: typeof bounds): Promise<number> {
    const oldest = await this.#writer.all(
      `SELECT seq, size FROM (
        (SELECT seq, size FROM radaro_inbox.events WHERE merchant = $1 AND state = 'processed' ORDER BY seq LIMIT ${step})
        UNION ALL
        (SELECT seq, size FROM radaro_inbox.events WHERE merchant = $1 AND state = 'failed' AND NOT is_open
          AND again_at IS NULL ORDER BY seq LIMIT ${step})
      ) AS settled ORDER BY seq LIMIT ${step}`,
      this.merchant,
    );
    let events = lacking.events > 0 ? step : 0;
    let bytes = lacking.bytes > 0 ? lacking.bytes + this.#max.bytes / 256 : 0;
    const end = oldest.findIndex(({ size }) => {
      if (events <= 0 && bytes <= 0) return true;
      events -= 1;
      bytes -= spaceOf(size as number);
      return false;
    });
    return this.delete(oldest.slice(0, end < 0 ? step : end).map(({ seq }) => toSeq(seq)));
  }

  async write(accepted: AcceptedEvent[], changed: Became[]): Promise<(Written | undefined)[]> {
    const become = changed.map((became) => ({ seq: Number(became.seq), ...changing(became) }));
    const { unsure } = this.#instance;
    try {
      for (;;) {
        const { events, learned } = await this.#jobs.tell(accepted);
        const arrived = events.map(arriving);
        const jobs = arrived
          .filter((each) => each.in_order)
          .map(({ path, order_key }) => ({ path, order_key }));
        const row = await this.#writer.one(
          `SELECT radaro_inbox.write($1, $2, $3::interval, $4::text::json, $5::text::json, $6::text::json, $7::text::json) AS answer`,
          ...[this.merchant, this.instance, this.#live],
          ...[arrived, jobs, become].map((each) => (each.length > 0 ? toJson(each) : null)),
          learned,
        );
        if (row!.answer === null) continue; // something else is known of the jobs by now
        const answer = row!.answer as WriteAnswer;
        const results = await this.#writtenOf(accepted, answer);
        await this.#merge(changed.filter(({ seq }) => answer.others?.includes(Number(seq))));
        unsure.clear();
        const before = this.#size.events;
        this.#count(answer.tallies);
        this.#learn(before);
        return withTold(results, accepted, events);
      }
    } catch (error) {
      for (const { digest } of accepted) unsure.add(digest);
      throw error;
    }
  }

  /** Lets the database learn how much there is: it does that by itself each minute, in which much can come. */
  #learn(before: number): void {
    const after = this.#size.events;
    if (!grown.some((size) => before < size && after >= size)) return;
    // Where another owns the tables it does nothing.
    this.connection.run("ANALYZE radaro_inbox.events").catch(() => undefined);
  }

  /** @returns of each that was accepted; `undefined` where it was there already, and this one has not stored it */
  async #writtenOf(accepted: AcceptedEvent[], { written }: WriteAnswer): Promise<(Written | undefined)[]> {
    const known = new Map<string, Written>();
    for (const each of written ?? []) {
      const seq = toSeq(each.new_seq);
      const isElsewhere = each.new_owner !== this.instance;
      known.set(each.new_digest, {
        seq,
        ...(each.new_superseded && { superseded: true as const }),
        ...(isElsewhere && { isElsewhere }),
        ...(each.is_behind && { isBehind: true as const }),
      });
      if (seq > this.last) this.last = seq;
      if (seq > this.told) this.told = seq;
    }
    for (const event of accepted)
      if (this.#instance.unsure.has(event.digest) && !known.has(event.digest)) {
        const found = await this.#found(event);
        if (found) known.set(event.digest, found);
      }
    return accepted.map(({ digest }) => {
      const found = known.get(digest);
      known.delete(digest); // the next with the same is a duplicate
      return found;
    });
  }

  /** An event that this instance has stored, and did not hear of. */
  async #found({ digest, stored }: AcceptedEvent): Promise<Written | undefined> {
    const row = await this.#writer.one(
      `SELECT seq, superseded, owner FROM radaro_inbox.events
        WHERE merchant = $1 AND digest = $2 AND accepted_by = $3 AND received_at = $4`,
      ...[this.merchant, digest, this.instance, stored.receivedAt],
    );
    if (!row) return undefined;
    return {
      seq: toSeq(row.seq),
      ...(row.superseded === true && { superseded: true }),
      ...(row.owner !== this.instance && { isElsewhere: true }),
    };
  }

  /** Writes what has become of events that another gives: the last word counts. */
  async #merge(changed: Became[]): Promise<void> {
    for (const { seq, deliveries: said = [] } of changed)
      for (let isDone = false; !isDone;) {
        const row = await this.#writer.one(
          "SELECT deliveries, superseded, ended FROM radaro_inbox.events WHERE merchant = $1 AND seq = $2",
          ...[this.merchant, seq],
        );
        const was = (row?.deliveries as string | null | undefined) ?? null;
        const there = (JSON.parse(was ?? "[]") as NonNullable<Became["deliveries"]>).map((each) => ({
          there: each,
          now: lastWord(each, said.find(({ node }) => node === each.node) ?? each),
        }));
        if (there.every(({ there, now }) => there === now)) break;
        const became = changing({ deliveries: there.map(({ now }) => now) });
        const merged = await this.#writer.one(
          `SELECT radaro_inbox.merge($1, $2, json_populate_record(NULL::radaro_inbox.became, $3::text::json)) AS is_done`,
          ...[this.merchant, was, toJson({ seq: Number(seq), ...became })],
        );
        isDone = merged!.is_done === true; // else somebody was faster
      }
  }

  known(...args: Parameters<Store["known"]>) {
    return this.#jobs.known(...args);
  }

  know(...args: Parameters<Store["know"]>) {
    return this.#jobs.know(...args);
  }

  unseen(...args: Parameters<Store["unseen"]>) {
    return this.#jobs.unseen(...args);
  }

  forget(...args: Parameters<Store["forget"]>) {
    return this.#jobs.forget(...args);
  }

  async own(seqs: string[]): Promise<void> {
    await this.#writer.all(
      "SELECT radaro_inbox.own($1, $2, ARRAY(SELECT json_array_elements_text($3::text::json)::bigint))",
      ...[this.merchant, this.instance, JSON.stringify(seqs)],
    );
  }

  async letGo(): Promise<void> {
    await this.#writer.all("SELECT radaro_inbox.let_go($1, $2)", this.merchant, this.instance);
  }

  async redate(before: string, after: string, to: string): Promise<number> {
    const rows = await this.#writer.all(
      `UPDATE radaro_inbox.events SET received_at = $4 WHERE merchant = $1 AND seq IN (
        SELECT seq FROM radaro_inbox.events WHERE merchant = $1 AND (received_at < $2 OR received_at > $3) LIMIT ${step}
      ) RETURNING seq`,
      ...[this.merchant, before, after, to],
    );
    return rows.length;
  }

  async delete(seqs: string[]): Promise<number> {
    if (seqs.length === 0) return 0;
    const row = await this.#writer.one(
      `SELECT radaro_inbox.remove($1, $2, ARRAY(SELECT json_array_elements_text($3::text::json)::bigint)) AS removed`,
      ...[this.merchant, this.instance, JSON.stringify(seqs)],
    );
    const tallies = await this.#writer.one("SELECT radaro_inbox.tallies_of($1) AS tallies", this.merchant);
    this.#count(tallies!.tallies as Record<string, number>);
    return row!.removed as number;
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
    this.#writer.close();
    this.connection.close();
  }
}
