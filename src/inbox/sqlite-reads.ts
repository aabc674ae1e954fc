import { checkRow, columns, readBody, readRow, toSeq, type Row } from "./sqlite-rows";
import type { Delivery, State } from "./deliveries";
import type { Change, StoredEvent } from "./stored-event";
import { maxLookedThrough } from "./search";
import { Search } from "./sqlite-search";
import { step, Unusable, type Some } from "./store";

/** How many later events of a job are looked at, for what supersedes one: more than a job has. */
const maxLater = 200;

/** What is read of the events in a database: what `Store` says of its methods holds for those of the same name. */
export class Reads extends Search {
  open(after: string): Some {
    const [first = "", second = ""] = after.split(" ");
    return toSome(
      this.db.all(
        `SELECT seq, path, state, is_open, deliveries, changed_at AS at FROM events WHERE is_open = 1 AND (changed_at, seq) > (?, ?)
        ORDER BY changed_at, seq LIMIT ${step}`,
        ...[first, Number(second)],
      ),
    );
  }

  some(state: State, after: string): Some {
    const from = Number(after);
    const rows = this.db.all(
      `SELECT seq, path, state, is_open FROM events WHERE seq > ? AND seq <= ? AND state = ? ORDER BY seq LIMIT ${step}`,
      ...[from, from + maxLookedThrough, state],
    );
    const { events } = toSome(rows);
    if (rows.length === step) return { events, last: events.at(-1)!.seq };
    const end = from + maxLookedThrough;
    return { events, last: end < this.lastSeq() ? toSeq(end) : undefined };
  }

  due(by: string, beyond: string): { seqs: string[]; next: string | undefined } {
    const rows = this.db.all(
      `SELECT seq FROM events WHERE again_at IS NOT NULL AND (again_at <= ? OR again_at > ?)
      ORDER BY again_at, seq LIMIT ${step}`,
      ...[by, beyond],
    );
    const { next } = this.db.one("SELECT min(again_at) AS next FROM events WHERE again_at IS NOT NULL")!;
    return {
      seqs: rows.map(({ seq }) => toSeq(seq as number)),
      next: (next as string | null) ?? undefined,
    };
  }

  times(): { oldestWaiting: string | null; lastAccepted: string | null } {
    const { oldest, last } = this.db.one(
      `SELECT (SELECT received_at FROM events WHERE seq = (
        SELECT min(seq) FROM events INDEXED BY events_open WHERE is_open = 1)) AS oldest,
      (SELECT received_at FROM events ORDER BY seq DESC LIMIT 1) AS last`,
    )!;
    return { oldestWaiting: oldest as string | null, lastAccepted: last as string | null };
  }

  withFlow(): { stored: StoredEvent; isAlone: boolean }[] {
    const events = this.db
      .all(
        `SELECT ${columns} FROM events WHERE is_open = 1 AND deliveries LIKE '%"since":%' ORDER BY changed_at, seq`,
      )
      .map(readRow)
      .filter(({ deliveries }) => deliveries!.some(({ since }) => since !== undefined)); // earlier tries have one too
    return events.map((stored) => ({ stored, isAlone: events.length === 1 }));
  }

  earlier(
    { seq, path, changedAt }: Pick<StoredEvent, "seq" | "path" | "changedAt">,
    job: string,
  ): StoredEvent[] {
    return this.db
      .all(
        `SELECT ${columns} FROM events WHERE order_key = ? AND path = ? AND is_open = 1 AND (changed_at, seq) < (?, ?)
        ORDER BY changed_at DESC, seq DESC LIMIT ${maxLater}`,
        ...[job, path, changedAt, Number(seq)],
      )
      .map(readRow);
  }

  someFrom(before: string, after: string): Some {
    const [first = "", second = ""] = after.split(" ");
    const rows = this.db.all(
      `SELECT seq, path, state, is_open, received_at AS at FROM events WHERE received_at < ? AND (received_at, seq) > (?, ?)
      ORDER BY received_at, seq LIMIT ${step}`,
      ...[before, first, Number(second)],
    );
    return toSome(rows);
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
    return this.laterOf(event, change)?.map(({ seq, state }) => ({
      seq: toSeq(seq as number),
      state: state as State,
    }));
  }

  /** Those that have changed each of some fields of a job last; `undefined` where one is not changed later. */
  protected laterOf({ path, changedAt }: StoredEvent, { job, fields }: Change): Row[] | undefined {
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
}

/** @param rows with the time that sorts them as `at` */
function toSome(rows: Record<string, unknown>[]): Some {
  const events = rows.map(({ seq, path, state, is_open, deliveries }) => ({
    seq: toSeq(seq as number),
    path: path as string,
    state: state as State,
    isOpen: is_open === 1,
    ...(typeof deliveries === "string" && { deliveries: JSON.parse(deliveries) as Delivery[] }),
  }));
  const last = rows.at(-1);
  return { events, last: rows.length < step ? undefined : `${last!.at as string} ${events.at(-1)!.seq}` };
}
