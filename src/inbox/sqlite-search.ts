import type { State } from "./deliveries";
import { maxLookedThrough, maxSearched, patternFor, whatFits } from "./search";
import type { Database } from "./sqlite-database";
import { columns, readRow, toSeq, type Row } from "./sqlite-rows";
import type { Filter } from "./store";
import { keyOf, type StoredEvent } from "./stored-event";

type Condition = [sql: string, ...values: (string | number | null)[]];

/** Looks for events, newest first: what `Store` says of its methods holds for those of the same name. */
export class Search {
  constructor(protected readonly db: Database) {}

  list(filter: Filter, before: string, limit: number): { events: StoredEvent[]; next: string | null } {
    const { rows, next } = this.#find(columns, filter, before, limit);
    return {
      events: rows.map(readRow),
      next: rows.length === limit ? toSeq(rows.at(-1)!.seq as number) : next,
    };
  }

  count(filter: Filter, before: string): { counts: Record<State, number>; next: string | null } {
    const counts = { waiting: 0, processed: 0, failed: 0 };
    const { rows, next } = this.#find("seq, state", filter, before, -1);
    for (const { state } of rows) counts[state as State] += 1;
    return { counts, next };
  }

  protected lastSeq(): number {
    return this.db.one("SELECT last FROM inbox")!.last as number;
  }

  /** @param limit how many at most; negative: all that are looked through */
  #find(wanted: string, filter: Filter, before: string, limit: number): { rows: Row[]; next: string | null } {
    const end = before === "" ? this.lastSeq() + 1 : Number(before);
    const from = filter.job === undefined ? this.#begin(end, filter) : 0;
    const conditions: Condition[] = [["seq < ?", end], ["seq >= ?", from], ...conditionsOf(filter)];
    const fits = whatFits(filter);
    const more = [...(filter.text === undefined ? [] : ["body"]), ...(fits.delivery ? ["deliveries"] : [])];
    const sql =
      `SELECT ${[wanted, ...more].join(", ")} FROM events${filter.text === undefined ? "" : " JOIN bodies USING (seq)"}` +
      ` WHERE ${conditions.map(([each]) => each).join(" AND ")} ORDER BY seq DESC LIMIT ?`;
    const values = conditions.flatMap(([, ...each]) => each);
    // What is looked at afterwards may be less than what the database finds.
    const isLooked = fits.text !== undefined || fits.delivery !== undefined;
    const rows: Row[] = [];
    for (const row of this.db.each(sql, ...values, isLooked ? -1 : limit)) {
      if (fits.text && !fits.text(row.body as string)) continue;
      if (fits.delivery && !fits.delivery(row.deliveries)) continue;
      rows.push(row);
      if (rows.length === limit) break;
    }
    return { rows, next: from > 0 ? toSeq(from) : null };
  }

  /** The seq of the first that is looked through together with those before an end; 0: all are. */
  #begin(end: number, { text }: Filter): number {
    if (text === undefined) return Math.max(0, end - maxLookedThrough);
    const sizes = this.db.all(
      `SELECT seq, size FROM events WHERE seq < ? ORDER BY seq DESC LIMIT ${maxSearched.events}`,
      end,
    );
    let bytes = 0;
    for (const { seq, size } of sizes)
      if ((bytes += size as number) > maxSearched.bytes) return seq as number;
    return sizes.length < maxSearched.events ? 0 : (sizes.at(-1)!.seq as number);
  }
}

function conditionsOf(filter: Filter): Condition[] {
  const { state, topic, meaning, superseded, caughtUp, job, from, to, text, node, error } = filter;
  const isCause = node !== undefined || error !== undefined;
  const conditions: (Condition | false)[] = [
    state !== undefined && ["state = ?", state],
    topic !== undefined && ["topic = ?", topic],
    meaning !== undefined && [`meaning IN (${meaning.map(() => "?").join()})`, ...meaning],
    superseded !== undefined && ["superseded = 1"],
    caughtUp !== undefined && ["caught_up = 1"],
    job !== undefined && ["(order_key = ? OR external_key = ?)", keyOf(job), keyOf(job)],
    from !== undefined && ["received_at >= ?", from],
    to !== undefined && ["received_at < ?", to],
    text !== undefined && ["body LIKE ? ESCAPE '!'", patternFor(text)],
    isCause && ["state = 'failed'"],
  ];
  return conditions.filter((each) => each !== false);
}
