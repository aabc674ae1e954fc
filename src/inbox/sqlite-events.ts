import { crc32 } from "node:zlib";
import type { Known } from "./known-job";
import type { Database } from "./sqlite-database";
import { Jobs } from "./sqlite-jobs";
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
import { stateOf, type State } from "./deliveries";
import { Failures } from "./failures";
import { fitting, lackingOf, tooMany } from "./room";
import { attempt } from "./sqlite-files";
import { step, type Asking, type bounds, type Cause, type Refused, type Settings } from "./store";
import type { Unseen, Windows, Written } from "./store";
import type { AcceptedEvent, Became } from "./stored-event";

/** How much is deleted in one transaction, in bytes. */
const maxDeleted = 16 * 1024 ** 2;

const findDigest = "SELECT seq FROM events WHERE digest = ? AND";

/** The states of events that are deleted to make room. */
const settled = ["processed", "failed"] as const;

/** The events in a database: what `Store` says of its methods holds for those of the same name. */
export class Events extends Reads {
  readonly counts: Record<State, number> = { waiting: 0, processed: 0, failed: 0 };
  readonly #failures = new Failures();
  readonly #jobs: Jobs;
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
    this.#jobs = new Jobs(db);
    const { last: found, checksum } = db.one("SELECT last, checksum FROM inbox")!;
    this.found = found as number;
    this.#checksum = checksum as number;
    this.#last = Math.max(last, this.found);
    for (const where of ["is_open = 1", "is_open = 0"]) {
      const rows = db.all(`SELECT state, count(*) AS count FROM events WHERE ${where} GROUP BY state`);
      for (const { state, count } of rows) this.counts[state as State] += count as number;
    }
    for (const where of ["is_open = 1", "is_open = 0"]) {
      const rows = db.all(`SELECT deliveries, received_at FROM events WHERE ${where} AND state = 'failed'`);
      for (const { deliveries, received_at } of rows) this.#failures.count(deliveries, received_at, 1);
    }
  }

  /** By node: how many deliveries to it are failed. */
  get failures(): Record<string, number> {
    return this.#failures.byNode;
  }

  causes(): Cause[] {
    return this.#failures.causes;
  }

  /** An event is there, or no more. @param row with its state, its deliveries and when it came */
  #tally({ state, deliveries, received_at }: Row, by: 1 | -1): void {
    this.counts[state as State] += by;
    if (state === "failed") this.#failures.count(deliveries, received_at, by);
  }

  get settings(): Settings {
    const { is_paused, ends, refused } = this.db.one("SELECT is_paused, ends, refused FROM inbox")!;
    const asking = this.db.one("SELECT state FROM asking");
    return {
      isPaused: is_paused === 1,
      ends: ends as number,
      refused: attempt(() => JSON.parse(refused as string) as Refused[]) ?? [],
      ...(asking && { asking: JSON.parse(asking.state as string) as Asking }),
    };
  }

  set({ isPaused, ends, refused, asking }: Settings): void {
    this.db.transaction("full", () => {
      this.db.run(
        "UPDATE inbox SET is_paused = ?, ends = ?, refused = ?",
        ...[isPaused ? 1 : 0, ends, JSON.stringify(refused)],
      );
      this.db.run("DELETE FROM asking");
      if (asking) this.db.run("INSERT INTO asking (state) VALUES (?)", JSON.stringify(asking));
    });
  }

  known(jobs: string[]): Record<string, Known> {
    return this.#jobs.known(jobs);
  }

  know(jobs: Record<string, Known>): void {
    this.#jobs.know(jobs);
  }

  unseen(since: string, windows: Windows, after: string): Unseen {
    return this.#jobs.unseen(since, windows, after);
  }

  forget(before?: string): string | undefined {
    return this.#jobs.forget(before);
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
    const needed = sizes.map(spaceOf);
    for (;;) {
      const lacking = lackingOf(this.size, needed, this.max);
      if (!lacking) return sizes.length;
      if (this.#deleteOldest(lacking) === 0) return fitting(this.size, needed, this.max);
    }
  }

  /** Deletes the oldest that wait for nothing. */
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
    const sizes = oldest.map(({ size }) => size as number);
    const gone = oldest.slice(0, tooMany(lacking, sizes, this.max));
    return this.delete(gone.map(({ seq }) => toSeq(seq as number)));
  }

  write(accepted: AcceptedEvent[], changed: Became[]): (Written | undefined)[] {
    const before = { last: this.#last, crc: this.#checksum };
    const tallied: [row: Row, by: 1 | -1][] = [];
    try {
      const results = this.db.transaction(accepted.length > 0 ? "full" : "normal", () => {
        const written = accepted.map((event) => this.#insert(event, tallied));
        if (this.#last > before.last)
          this.db.run("UPDATE inbox SET last = ?, checksum = ?", this.#last, this.#checksum);
        for (const stored of changed) this.#change(stored, tallied);
        return written;
      });
      for (const each of tallied) this.#tally(...each);
      return results;
    } catch (error) {
      this.#last = before.last;
      this.#checksum = before.crc;
      throw error;
    }
  }

  #insert(event: AcceptedEvent, tallied: [Row, 1 | -1][]): Written | undefined {
    const { stored, text, change } = event;
    if (this.#isThere(event)) return undefined;
    const told = this.#jobs.accept(event);
    if (told === "known") return undefined;
    const seq = (this.#last += 1);
    const became: Partial<Written> = {
      ...(change && this.laterOf(stored, change) && { superseded: true }),
      ...(told === "told" && { cameAfter: true, deliveries: [], state: stateOf([]) }),
    };
    const row = toRow(seq, { ...event, stored: { ...stored, ...became } });
    this.db.run(insertion, ...insertedOf(row));
    this.db.run("INSERT INTO bodies (seq, body, crc) VALUES (?, ?, ?)", seq, text, crc32(text));
    this.#checksum = (this.#checksum ^ (row.crc as number)) >>> 0;
    tallied.push([row, 1]);
    return { seq: toSeq(seq), ...became };
  }

  /** Whether the same was sent before: then it says the same time too. */
  #isThere({ digest, isDated, stored: { changedAt } }: AcceptedEvent): boolean {
    const same = isDated
      ? this.db.one(`${findDigest} is_dated = 1 AND changed_at = ?`, digest, changedAt)
      : this.db.one(`${findDigest} is_dated = 0`, digest);
    return same !== undefined;
  }

  #change(stored: Became, tallied: [Row, 1 | -1][]): void {
    const seq = Number(stored.seq);
    const row = this.db.one("SELECT seq, state, deliveries, received_at FROM events WHERE seq = ?", seq);
    if (row === undefined) return;
    const changed = toChanged(row, stored);
    this.db.run(update, ...changedOf(changed));
    tallied.push([row, -1], [changed, 1]);
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
          const row = this.db.one(
            "SELECT state, deliveries, received_at, size, crc FROM events WHERE seq = ?",
            seq,
          );
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
      for (const row of gone) this.#tally(row, -1);
      count += gone.length;
    }
    return count;
  }
}
