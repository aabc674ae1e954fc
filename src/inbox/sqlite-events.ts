import { crc32 } from "node:zlib";
import type { Database } from "./sqlite-database";
import {
  changedOf,
  checkRow,
  columns,
  insertedOf,
  insertion,
  readBody,
  readRow,
  stateCrcOf,
  toChanged,
  toRow,
  toSeq,
  update,
  type Row,
} from "./sqlite-rows";
import {
  keyOf,
  type AcceptedEvent,
  type Became,
  type Change,
  type State,
  type StoredEvent,
} from "./stored-event";
import { step, Unusable, type bounds, type Filter, type Some, type Written } from "./store";

/** How many events a list that no index is for looks through in one go. */
const maxLookedThrough = 20_000;

/** How many later events of a job are looked at, for what supersedes one: more than a job has. */
const maxLater = 200;

/** The events in a database: what `Store` says of its methods holds for those of the same name. */
export class Events {
  readonly counts: Record<State, number> = { waiting: 0, processed: 0, "handed-over": 0, failed: 0 };
  #bytes = 0;
  #last: number;
  /** Of all events that are there. */
  #checksum: number;
  /** The seq of the event that came last, as the database had it when it was opened. */
  readonly found: number;

  /** @param last whatever is in there, the events to come have later seqs than this */
  constructor(
    private readonly db: Database,
    private readonly max: typeof bounds,
    last: number,
  ) {
    const { last: found, checksum } = db.one("SELECT last, checksum FROM inbox")!;
    this.found = found as number;
    this.#checksum = checksum as number;
    this.#last = Math.max(last, this.found);
    for (const row of db.all("SELECT state, count(*) AS count, sum(size) AS size FROM events GROUP BY state"))
      this.#count(row.state as State, row.count as number, row.size as number);
  }

  /** Before the first write: what was known from elsewhere is in the database too from now on. */
  begin(): void {
    if (this.#last === this.found) return;
    this.db.transaction("full", () => this.db.run("UPDATE inbox SET last = ?", this.#last));
  }

  #count(state: State, count: number, size: number): void {
    this.counts[state] += count;
    this.#bytes += size;
  }

  get size() {
    const { counts } = this;
    return { events: Object.values(counts).reduce((sum, count) => sum + count), bytes: this.#bytes };
  }

  get last(): string {
    return toSeq(this.#last);
  }

  makeRoom(sizes: number[]): number {
    const wanted = { events: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
    const lacks = (of: "events" | "bytes") => this.size[of] + wanted[of] > this.max[of];
    while (lacks("events") || lacks("bytes")) {
      const settled = (["processed", "handed-over", "failed"] as const).flatMap(
        (state) => this.some(state, "").events,
      );
      if (settled.length === 0) break;
      this.delete(
        settled
          .map(({ seq }) => seq)
          .sort()
          .slice(0, step),
      );
    }
    let { events, bytes } = this.size;
    const crowded = sizes.findIndex(
      (size) => (events += 1) > this.max.events || (bytes += size) > this.max.bytes,
    );
    return crowded < 0 ? sizes.length : crowded;
  }

  write(accepted: AcceptedEvent[], changed: Became[]): (Written | undefined)[] {
    const before = { counts: { ...this.counts }, bytes: this.#bytes, last: this.#last, crc: this.#checksum };
    try {
      return this.db.transaction(accepted.length > 0 ? "full" : "normal", () => {
        const results = accepted.map((event) => this.#insert(event));
        if (this.#last > before.last)
          this.db.run("UPDATE inbox SET last = ?, checksum = ?", this.#last, this.#checksum);
        for (const stored of changed) this.#change(stored);
        return results;
      });
    } catch (error) {
      Object.assign(this.counts, before.counts);
      this.#bytes = before.bytes;
      this.#last = before.last;
      this.#checksum = before.crc;
      throw error;
    }
  }

  #insert(event: AcceptedEvent): Written | undefined {
    const { stored, text, digest, change } = event;
    if (this.db.one("SELECT seq FROM events WHERE digest = ?", digest)) return undefined;
    const seq = (this.#last += 1);
    const superseded = change && this.#laterOf(stored, change) ? { superseded: true as const } : {};
    const row = toRow(seq, { ...event, stored: { ...stored, ...superseded } });
    this.db.run(insertion, ...insertedOf(row));
    this.db.run("INSERT INTO bodies (seq, body, crc) VALUES (?, ?, ?)", seq, text, crc32(text));
    this.#checksum = (this.#checksum ^ (row.crc as number)) >>> 0;
    this.#count(stored.state, 1, stored.size);
    return { seq: toSeq(seq), ...superseded };
  }

  /** Those that have changed each of some fields of a job last; `undefined` where one is not changed later. */
  #laterOf({ path, changedAt }: StoredEvent, { job, fields }: Change): Row[] | undefined {
    const missing = new Set(fields);
    const found: Row[] = [];
    const rows = this.db.all(
      `SELECT seq, state, changed FROM events WHERE order_key = ? AND changed_at > ? AND is_dated = 1 AND path = ?
      ORDER BY changed_at DESC, seq DESC LIMIT ${maxLater}`,
      ...[job, changedAt, path],
    );
    for (const row of rows) {
      const changed = (JSON.parse(row.changed as string) as string[]).filter((field) =>
        missing.delete(field),
      );
      if (changed.length > 0) found.push(row);
      if (missing.size === 0) return found;
    }
    return undefined;
  }

  #change(stored: Became): void {
    const seq = Number(stored.seq);
    const row = this.db.one("SELECT seq, state, received_at FROM events WHERE seq = ?", seq);
    if (row === undefined) return;
    this.db.run(update, ...changedOf(toChanged(row, stored)));
    this.#count(row.state as State, -1, 0);
    this.#count(stored.state, 1, 0);
  }

  some(state: State, after: string): Some {
    const [first = "", second = ""] = after.split(" ");
    const rows =
      state === "waiting"
        ? this.db.all(
            `SELECT seq, path, state, changed_at AS at FROM events WHERE state = 'waiting' AND (changed_at, seq) > (?, ?)
            ORDER BY changed_at, seq LIMIT ${step}`,
            ...[first, Number(second)],
          )
        : this.db.all(
            `SELECT seq, path, state, '' AS at FROM events WHERE state <> 'waiting' AND state = ? AND seq > ?
            ORDER BY seq LIMIT ${step}`,
            ...[state, Number(second)],
          );
    return toSome(rows);
  }

  someFrom(before: string, after: string): Some {
    const [first = "", second = ""] = after.split(" ");
    const rows = this.db.all(
      `SELECT seq, path, state, received_at AS at FROM events WHERE received_at < ? AND (received_at, seq) > (?, ?)
      ORDER BY received_at, seq LIMIT ${step}`,
      ...[before, first, Number(second)],
    );
    return toSome(rows);
  }

  redate(before: string, after: string, to: string): number {
    const rows = this.db.all(
      `SELECT * FROM events WHERE received_at < ? OR received_at > ? LIMIT ${step}`,
      ...[before, after],
    );
    this.db.transaction("normal", () => {
      for (const row of rows)
        this.db.run(
          "UPDATE events SET received_at = ?, state_crc = ? WHERE seq = ?",
          ...[to, stateCrcOf({ ...row, received_at: to }), row.seq as number],
        );
    });
    return rows.length;
  }

  delete(seqs: string[]): number {
    let checksum = this.#checksum;
    const gone = this.db.transaction("normal", () => {
      const rows = seqs.flatMap((text) => {
        const seq = Number(text);
        const row = this.db.one("SELECT state, size, crc FROM events WHERE seq = ?", seq);
        if (!row) return [];
        for (const table of ["bodies", "events"]) this.db.run(`DELETE FROM ${table} WHERE seq = ?`, seq);
        checksum = (checksum ^ (row.crc as number)) >>> 0;
        return [row];
      });
      if (rows.length > 0) this.db.run("UPDATE inbox SET checksum = ?", checksum);
      return rows;
    });
    this.#checksum = checksum;
    for (const { state, size } of gone) this.#count(state as State, -1, -(size as number));
    return gone.length;
  }

  get(seqs: string[]): StoredEvent[] {
    return seqs.flatMap((seq) => {
      const row = this.db.one(`SELECT ${columns} FROM events WHERE seq = ?`, Number(seq));
      return row ? [readRow(row)] : [];
    });
  }

  read(seq: string): { stored: StoredEvent; text: string } | undefined {
    const row = this.db.one("SELECT * FROM events WHERE seq = ?", Number(seq));
    if (!row) return undefined;
    checkRow(row);
    const body = this.db.one("SELECT body, crc FROM bodies WHERE seq = ?", Number(seq));
    if (!body) throw new Unusable("damaged", new Error("an event is missing"));
    return { stored: readRow(row), text: readBody(body) };
  }

  later(event: StoredEvent, change: Change): { seq: string; state: State }[] | undefined {
    return this.#laterOf(event, change)?.map(({ seq, state }) => ({
      seq: toSeq(seq as number),
      state: state as State,
    }));
  }

  list(
    { state, topic, job }: Filter,
    before: string,
    limit: number,
  ): { events: StoredEvent[]; next: string | null } {
    const end = before === "" ? this.#last + 1 : Number(before);
    const from = topic === undefined || job !== undefined ? 0 : end - maxLookedThrough;
    const conditions: [sql: string, ...values: (string | number | null)[]][] = [["seq < ?", end]];
    if (from > 0) conditions.push(["seq >= ?", from]);
    if (state !== undefined) conditions.push(["state = ?", state]);
    if (topic !== undefined) conditions.push(["topic = ?", topic]);
    if (job !== undefined) conditions.push(["(order_key = ? OR external_key = ?)", keyOf(job), keyOf(job)]);
    const rows = this.db.all(
      `SELECT ${columns} FROM events WHERE ${conditions.map(([sql]) => sql).join(" AND ")} ORDER BY seq DESC LIMIT ?`,
      ...conditions.flatMap(([, ...values]) => values),
      limit,
    );
    const events = rows.map(readRow);
    if (events.length === limit) return { events, next: events.at(-1)!.seq };
    return { events, next: from > 0 ? toSeq(from) : null };
  }
}

/** @param rows with the time that sorts them as `at` */
function toSome(rows: Record<string, unknown>[]): Some {
  const events = rows.map(({ seq, path, state }) => ({
    seq: toSeq(seq as number),
    path: path as string,
    state: state as State,
  }));
  const last = rows.at(-1);
  return { events, last: rows.length < step ? undefined : `${last!.at as string} ${events.at(-1)!.seq}` };
}
