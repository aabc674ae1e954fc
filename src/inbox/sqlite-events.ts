import { crc32 } from "node:zlib";
import type { Database } from "./sqlite-database";
import { Reads } from "./sqlite-reads";
import {
  changedOf,
  insertedOf,
  insertion,
  spaceOf,
  stateCrcOf,
  toChanged,
  toRow,
  toSeq,
  update,
  type Row,
} from "./sqlite-rows";
import type { Delivery, State } from "./deliveries";
import { step, type bounds, type Settings, type Written } from "./store";
import type { AcceptedEvent, Became } from "./stored-event";

/** How much is deleted in one transaction, in bytes. */
const maxDeleted = 16 * 1024 ** 2;

const findDigest = "SELECT seq FROM events WHERE digest = ? AND";

/** The states of events that are deleted to make room. */
const settled = ["processed", "failed"] as const;

/** The events in a database: what `Store` says of its methods holds for those of the same name. */
export class Events extends Reads {
  readonly counts: Record<State, number> = { waiting: 0, processed: 0, failed: 0 };
  /** By node: how many deliveries to it are failed. */
  readonly failures: Record<string, number> = {};
  #last: number;
  /** Of all events that are there. */
  #checksum: number;
  /** The seq of the event that came last, as the database had it when it was opened. */
  readonly found: number;

  /** @param last whatever is in there, the events to come have later seqs than this */
  constructor(
    db: Database,
    private readonly max: typeof bounds,
    last: number,
  ) {
    super(db);
    const { last: found, checksum } = db.one("SELECT last, checksum FROM inbox")!;
    this.found = found as number;
    this.#checksum = checksum as number;
    this.#last = Math.max(last, this.found);
    for (const where of ["is_open = 1", "is_open = 0"]) {
      const rows = db.all(`SELECT state, count(*) AS count FROM events WHERE ${where} GROUP BY state`);
      for (const { state, count } of rows) this.counts[state as State] += count as number;
    }
    for (const where of ["is_open = 1", "is_open = 0"])
      for (const { deliveries } of db.all(
        `SELECT deliveries FROM events WHERE ${where} AND state = 'failed'`,
      ))
        this.#countFailures(deliveries, 1);
  }

  /** Counts an event's failed deliveries, or no more. */
  #countFailures(deliveries: unknown, by: 1 | -1): void {
    if (typeof deliveries !== "string" || !deliveries.includes('"failed"')) return;
    for (const { node, state } of JSON.parse(deliveries) as Delivery[])
      if (state === "failed") this.failures[node] = (this.failures[node] ?? 0) + by;
  }

  get settings(): Settings {
    const { is_paused, ends } = this.db.one("SELECT is_paused, ends FROM inbox")!;
    return { isPaused: is_paused === 1, ends: ends as number };
  }

  set({ isPaused, ends }: Settings): void {
    this.db.transaction("full", () =>
      this.db.run("UPDATE inbox SET is_paused = ?, ends = ?", isPaused ? 1 : 0, ends),
    );
  }

  /** Before the first write: what was known from elsewhere is in the database too from now on. */
  begin(): void {
    if (this.#last === this.found) return;
    this.db.transaction("full", () => this.db.run("UPDATE inbox SET last = ?", this.#last));
  }

  get size() {
    const events = Object.values(this.counts).reduce((sum, count) => sum + count);
    return { events, bytes: this.db.used };
  }

  get last(): string {
    return toSeq(this.#last);
  }

  makeRoom(sizes: number[]): number {
    const bytes = sizes.reduce((sum, size) => sum + spaceOf(size), 0);
    for (;;) {
      const { size, max } = this;
      const lacking = {
        events: size.events + sizes.length - max.events,
        bytes: size.bytes + bytes - max.bytes,
      };
      if (lacking.events <= 0 && lacking.bytes <= 0) return sizes.length;
      if (this.#deleteOldest(lacking) === 0) break;
    }
    let { events, bytes: used } = this.size;
    return sizes.findIndex(
      (size) => (events += 1) > this.max.events || (used += spaceOf(size)) > this.max.bytes,
    );
  }

  /** Deletes the oldest that wait for nothing: what is lacking, and some more, so that not each write has to. */
  #deleteOldest(lacking: typeof bounds): number {
    const oldest = settled
      .flatMap((state) =>
        this.db.all(
          `SELECT seq, size FROM events WHERE is_open = 0 AND state = ? AND again_at IS NULL ORDER BY seq LIMIT ${step}`,
          state,
        ),
      )
      .sort((a, b) => (a.seq as number) - (b.seq as number))
      .slice(0, step);
    let events = lacking.events > 0 ? step : 0;
    let bytes = lacking.bytes > 0 ? lacking.bytes + this.max.bytes / 256 : 0;
    const end = oldest.findIndex(({ size }) => {
      if (events <= 0 && bytes <= 0) return true;
      events -= 1;
      bytes -= size as number;
      return false;
    });
    return this.delete(oldest.slice(0, end < 0 ? step : end).map(({ seq }) => toSeq(seq as number)));
  }

  write(accepted: AcceptedEvent[], changed: Became[]): (Written | undefined)[] {
    const before = {
      ...{ counts: { ...this.counts }, failures: { ...this.failures } },
      ...{ last: this.#last, crc: this.#checksum },
    };
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
      for (const node of Object.keys(this.failures)) this.failures[node] = before.failures[node] ?? 0;
      this.#last = before.last;
      this.#checksum = before.crc;
      throw error;
    }
  }

  #insert(event: AcceptedEvent): Written | undefined {
    const { stored, text, change } = event;
    if (this.#isThere(event)) return undefined;
    const seq = (this.#last += 1);
    const superseded = change && this.laterOf(stored, change) ? { superseded: true as const } : {};
    const row = toRow(seq, { ...event, stored: { ...stored, ...superseded } });
    this.db.run(insertion, ...insertedOf(row));
    this.db.run("INSERT INTO bodies (seq, body, crc) VALUES (?, ?, ?)", seq, text, crc32(text));
    this.#checksum = (this.#checksum ^ (row.crc as number)) >>> 0;
    this.counts[stored.state] += 1;
    if (stored.state === "failed") this.#countFailures(row.deliveries, 1);
    return { seq: toSeq(seq), ...superseded };
  }

  /** Whether the same was sent before: then it says the same time too. */
  #isThere({ digest, isDated, stored: { changedAt } }: AcceptedEvent): boolean {
    const same = isDated
      ? this.db.one(`${findDigest} is_dated = 1 AND changed_at = ?`, digest, changedAt)
      : this.db.one(`${findDigest} is_dated = 0`, digest);
    return same !== undefined;
  }

  #change(stored: Became): void {
    const seq = Number(stored.seq);
    const row = this.db.one("SELECT seq, state, deliveries, received_at FROM events WHERE seq = ?", seq);
    if (row === undefined) return;
    const changed = toChanged(row, stored);
    this.db.run(update, ...changedOf(changed));
    this.counts[row.state as State] -= 1;
    this.counts[changed.state as State] += 1;
    if (row.state === "failed") this.#countFailures(row.deliveries, -1);
    if (changed.state === "failed") this.#countFailures(changed.deliveries, 1);
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
    let count = 0;
    for (let next = 0; next < seqs.length;) {
      let bytes = 0;
      let checksum = this.#checksum;
      const gone = this.db.transaction("normal", () => {
        const rows: Row[] = [];
        // What is deleted is written over, so it is in the log too.
        for (; next < seqs.length && bytes < maxDeleted; next += 1) {
          const seq = Number(seqs[next]);
          const row = this.db.one("SELECT state, deliveries, size, crc FROM events WHERE seq = ?", seq);
          if (!row) continue;
          this.db.run("DELETE FROM bodies WHERE seq = ?", seq);
          this.db.run("DELETE FROM events WHERE seq = ?", seq);
          bytes += row.size as number;
          checksum = (checksum ^ (row.crc as number)) >>> 0;
          rows.push(row);
        }
        if (rows.length > 0) this.db.run("UPDATE inbox SET checksum = ?", checksum);
        return rows;
      });
      this.#checksum = checksum;
      for (const { state, deliveries } of gone) {
        this.counts[state as State] -= 1;
        this.#countFailures(deliveries, -1);
      }
      count += gone.length;
    }
    return count;
  }
}
