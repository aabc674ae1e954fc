import type { State } from "./deliveries";
import type { Connection, Row } from "./postgres-connection";
import { columns, readRow, toSeq, toText } from "./postgres-rows";
import { maxLookedThrough, maxSearched, patternFor, whatFits } from "./search";
import type { Filter } from "./store";
import { keyOf, type StoredEvent } from "./stored-event";

type Value = string | number | boolean | null;

/** Looks for events, newest first: what `Store` says of its methods holds for those of the same name. */
export class Search {
  constructor(
    protected readonly connection: Connection,
    protected readonly merchant: string,
  ) {}

  async list(
    filter: Filter,
    before: string,
    limit: number,
  ): Promise<{ events: StoredEvent[]; next: string | null }> {
    const { rows, next } = await this.#find(columns, filter, before, limit);
    return { events: rows.map(readRow), next: rows.length === limit ? toSeq(rows.at(-1)!.seq) : next };
  }

  async count(
    filter: Filter,
    before: string,
  ): Promise<{ counts: Record<State, number>; next: string | null }> {
    const counts = { waiting: 0, processed: 0, failed: 0 };
    const { rows, next } = await this.#find("seq, state", filter, before, Infinity);
    for (const { state } of rows) counts[state as State] += 1;
    return { counts, next };
  }

  /** @param limit how many at most */
  async #find(
    wanted: string,
    filter: Filter,
    before: string,
    limit: number,
  ): Promise<{ rows: Row[]; next: string | null }> {
    const from = await this.#begin(before, filter, limit);
    const values: Value[] = [this.merchant];
    const conditions = ["merchant = $1", ...conditionsOf(filter, (value) => `$${values.push(value)}`)];
    if (before !== "") conditions.push(`seq < $${values.push(Number(before))}`);
    if (from > 0) conditions.push(`seq >= $${values.push(from)}`);
    const fits = whatFits(filter);
    const isLooked = fits.text !== undefined || fits.delivery !== undefined;
    const more = [...(fits.text ? ["body"] : []), ...(fits.delivery ? ["deliveries AS failures"] : [])];
    const found = await this.connection.all(
      `SELECT ${[wanted, ...more].join(", ")} FROM radaro_inbox.events` +
        `${fits.text ? " JOIN radaro_inbox.bodies USING (seq)" : ""} WHERE ${conditions.join(" AND ")}` +
        ` ORDER BY seq DESC${isLooked || limit === Infinity ? "" : ` LIMIT ${limit}`}`,
      ...values,
    );
    const rows = found.filter(
      ({ body, failures }) => (fits.text?.(body as string) ?? true) && (fits.delivery?.(failures) ?? true),
    );
    return { rows: rows.slice(0, limit), next: from > 0 ? toSeq(from) : null };
  }

  /** The seq of the first that is looked through together with those before an end; 0: all are. */
  async #begin(before: string, filter: Filter, limit: number): Promise<number> {
    const end = before === "" ? "9223372036854775807" : before;
    if (filter.text !== undefined) return this.#beginOfTexts(end);
    // An index finds these, however many there are.
    const { state, ...others } = filter;
    const isFound = Object.keys(others).length === 0 && (state === undefined || limit !== Infinity);
    if (filter.job !== undefined || (isFound && limit !== Infinity)) return 0;
    const row = await this.connection.one(
      `SELECT seq FROM radaro_inbox.events WHERE merchant = $1 AND seq < $2 ORDER BY seq DESC OFFSET ${maxLookedThrough - 1} LIMIT 1`,
      ...[this.merchant, end],
    );
    return Number(row?.seq ?? 0);
  }

  async #beginOfTexts(end: string): Promise<number> {
    const sizes = await this.connection.all(
      `SELECT seq, size FROM radaro_inbox.events WHERE merchant = $1 AND seq < $2 ORDER BY seq DESC LIMIT ${maxSearched.events}`,
      ...[this.merchant, end],
    );
    let bytes = 0;
    for (const { seq, size } of sizes) if ((bytes += size as number) > maxSearched.bytes) return Number(seq);
    return sizes.length < maxSearched.events ? 0 : Number(sizes.at(-1)!.seq);
  }
}

/** @param add takes a value; returns what stands for it */
function conditionsOf(filter: Filter, add: (value: Value) => string): string[] {
  const { state, topic, meaning, superseded, caughtUp, job, from, to, text, node, error } = filter;
  const conditions: string[] = [];
  if (state !== undefined) conditions.push(`state = ${add(state)}`);
  if (topic !== undefined) conditions.push(`topic = ${add(toText(topic))}`);
  if (meaning !== undefined)
    conditions.push(`meaning IN (${meaning.map((each) => add(toText(each))).join()})`);
  if (superseded !== undefined) conditions.push("superseded");
  if (caughtUp !== undefined) conditions.push("caught_up = 1");
  if (from !== undefined) conditions.push(`received_at >= ${add(from)}`);
  if (to !== undefined) conditions.push(`received_at < ${add(to)}`);
  if (text !== undefined) conditions.push(`body ILIKE ${add(patternFor(text))} ESCAPE '!'`);
  if (node !== undefined || error !== undefined) conditions.push("state = 'failed'");
  if (job !== undefined) {
    const key = keyOf(job);
    const value = add(key === null ? null : toText(key));
    conditions.push(`(order_key = ${value} OR external_key = ${value})`);
  }
  return conditions;
}
