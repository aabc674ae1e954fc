import { crc32 } from "node:zlib";
import type { Database } from "./sqlite-database";
import {
  changing,
  checkRow,
  columns,
  crcOf,
  readBody,
  readRow,
  stateCrcOf,
  toRow,
  toSeq,
} from "./sqlite-rows";
import { keyOf, type AcceptedEvent, type Change, type State, type StoredEvent } from "./stored-event";
import { step, Unusable, type bounds, type Filter, type Some, type Written } from "./store";

/** How many events a list that no index is for looks through in one go. */
const maxLookedThrough = 20_000;

/** A `?` for each. */
const marks = (values: unknown[]) => values.map(() => "?").join(", ");

/** The columns that `toRow` gives, in one order. */
const insertion = (row: object) =>
  `INSERT INTO events (${Object.keys(row).join(", ")}) VALUES (${marks(Object.keys(row))})`;
const update = (row: object) =>
  `UPDATE events SET ${Object.keys(row)
    .map((name) => `${name} = ?`)
    .join(", ")} WHERE seq = ?`;

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

  write(accepted: AcceptedEvent[], changed: StoredEvent[]): (Written | undefined)[] {
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
    const superseded = change !== undefined && this.#supersede(seq, stored, change);
    const known = { seq, ...toRow({ ...event, stored: { ...stored, ...(superseded && { superseded }) } }) };
    const row = { ...known, crc: crcOf(known), state_crc: stateCrcOf(known) };
    this.db.run(insertion(row), ...Object.values(row));
    this.#checksum = (this.#checksum ^ row.crc) >>> 0;
    this.db.run("INSERT INTO bodies (seq, body, crc) VALUES (?, ?, ?)", seq, text, crc32(text));
    this.#count(stored.state, 1, stored.size);
    return { seq: toSeq(seq), ...(superseded && { superseded }) };
  }

  /** Notes what an event has changed. @returns whether all of that was changed later */
  #supersede(seq: number, { path, changedAt }: StoredEvent, { job, fields }: Change): true | undefined {
    let isSuperseded = true;
    for (const field of fields) {
      const latest = this.#latest(path, job, field)?.changed_at as string | undefined;
      if (latest !== undefined && latest > changedAt) continue;
      isSuperseded = false;
      this.db.run(
        "INSERT INTO latest (path, job, field, changed_at, seq) VALUES (?, ?, ?, ?, ?) ON CONFLICT" +
          " (path, job, field) DO UPDATE SET changed_at = excluded.changed_at, seq = excluded.seq",
        ...[path, job, field, changedAt, seq],
      );
    }
    return isSuperseded || undefined;
  }

  #latest(path: string, job: string, field: string) {
    const sql = "SELECT changed_at, seq FROM latest WHERE path = ? AND job = ? AND field = ?";
    return this.db.one(sql, path, job, field);
  }

  #change(stored: StoredEvent): void {
    const seq = Number(stored.seq);
    const was = this.db.one("SELECT state, received_at FROM events WHERE seq = ?", seq);
    if (was === undefined) return;
    const changes = changing(stored);
    const row = { ...changes, state_crc: stateCrcOf({ ...was, seq, ...changes }) };
    this.db.run(update(row), ...Object.values(row), seq);
    this.#count(was.state as State, -1, 0);
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
            `SELECT seq, path, state, '' AS at FROM events WHERE state = ? AND seq > ? ORDER BY seq LIMIT ${step}`,
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
        for (const table of ["latest", "bodies", "events"])
          this.db.run(`DELETE FROM ${table} WHERE seq = ?`, seq);
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

  later(
    { path, changedAt }: StoredEvent,
    { job, fields }: Change,
  ): { seq: string; state: State }[] | undefined {
    const found = new Set<string>();
    for (const field of fields) {
      const latest = this.#latest(path, job, field);
      if (!latest || (latest.changed_at as string) <= changedAt) return undefined;
      found.add(toSeq(latest.seq as number));
    }
    return this.get([...found]).map(({ seq, state }) => ({ seq, state }));
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
