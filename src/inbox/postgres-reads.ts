import type { Delivery, State } from "./deliveries";
import type { Connection, Row } from "./postgres-connection";
import { columns, fromText, readRow, toSeq, toText } from "./postgres-rows";
import { Search } from "./postgres-search";
import { step, type Cause, type Some, type Store } from "./store";
import type { Change, StoredEvent } from "./stored-event";

/** How many later events of a job are looked at, for what supersedes one: more than a job has. */
const maxLater = 200;

const events = "radaro_inbox.events";
const isOwned = "merchant = $1 AND owner = $2";

/** What is read of a merchant's events: what `Store` says of its methods holds for those of the same name. */
export class Reads extends Search {
  /** The seq of the last event that this instance has accepted, and heard of that it is stored. */
  protected told = "0";

  /** @param instance the id of the one whose own events are read */
  constructor(
    connection: Connection,
    merchant: string,
    protected readonly instance: string,
  ) {
    super(connection, merchant);
  }

  #mine(sql: string, ...values: (string | number)[]): Promise<Row[]> {
    return this.connection.all(sql, this.merchant, this.instance, ...values);
  }

  async open(after: string): Promise<Some> {
    const [first = "", second = "0"] = after.split(" ");
    // What was lost comes first, one by one; what was just stored comes when the inbox has heard of it.
    const rows = await this.#mine(
      `SELECT seq, path, state, is_open, deliveries, changed_at AS at FROM ${events}
      WHERE ${isOwned} AND is_open AND (changed_at, seq) > ($3, $4) AND (accepted_by <> $2 OR seq <= $5)
        AND NOT EXISTS (SELECT FROM ${events} WHERE ${isOwned} AND lost > 0)
      ORDER BY changed_at, seq LIMIT ${step}`,
      ...[first, second, this.told],
    );
    return toSome(rows);
  }

  async some(state: State, after: string): Promise<Some> {
    const rows = await this.connection.all(
      `SELECT seq, path, state, is_open FROM ${events} WHERE merchant = $1 AND state = $2 AND seq > $3 ORDER BY seq LIMIT ${step}`,
      ...[this.merchant, state, after || "0"],
    );
    const { events: found } = toSome(rows);
    return { events: found, last: rows.length < step ? undefined : found.at(-1)!.seq };
  }

  async due(by: string, beyond: string): Promise<{ seqs: string[]; next: string | undefined }> {
    const rows = await this.#mine(
      `SELECT seq FROM ${events} WHERE ${isOwned} AND again_at IS NOT NULL AND (again_at <= $3 OR again_at > $4)
      ORDER BY again_at, seq LIMIT ${step}`,
      ...[by, beyond],
    );
    const [first] = await this.#mine(
      `SELECT again_at FROM ${events} WHERE ${isOwned} AND again_at IS NOT NULL ORDER BY again_at LIMIT 1`,
    );
    return { seqs: rows.map(({ seq }) => toSeq(seq)), next: (first?.again_at as string) ?? undefined };
  }

  async withFlow(): Promise<{ stored: StoredEvent; isAlone: boolean }[]> {
    const rows = await this.#mine(
      `SELECT ${columns}, lost FROM ${events} WHERE ${isOwned} AND lost > 0 ORDER BY changed_at, seq`,
    );
    return rows.map((row) => ({ stored: readRow(row), isAlone: row.lost === 2 }));
  }

  async earlier(
    { seq, path, changedAt }: Pick<StoredEvent, "seq" | "path" | "changedAt">,
    job: string,
  ): Promise<StoredEvent[]> {
    const rows = await this.#mine(
      `SELECT ${columns} FROM ${events} WHERE ${isOwned} AND order_key = $3 AND path = $4 AND is_open
      AND (changed_at, seq) < ($5, $6) ORDER BY changed_at DESC, seq DESC LIMIT ${maxLater}`,
      ...[toText(job), toText(path), changedAt, seq],
    );
    return rows.map(readRow);
  }

  async someFrom(before: string, after: string): Promise<Some> {
    const [first = "", second = "0"] = after.split(" ");
    const rows = await this.#mine(
      `SELECT seq, path, state, is_open, received_at AS at FROM ${events}
      WHERE merchant = $1 AND received_at < $3 AND (received_at, seq) > ($4, $5) AND NOT (is_given AND owner <> $2)
      ORDER BY received_at, seq LIMIT ${step}`,
      ...[before, first, second || "0"],
    );
    return toSome(rows);
  }

  async get(seqs: string[]): Promise<StoredEvent[]> {
    const rows = await this.connection.all(
      `SELECT ${columns}, owner FROM ${events} JOIN json_array_elements_text($2::text::json) WITH ORDINALITY AS asked (id, place)
        ON seq = id::bigint WHERE merchant = $1 ORDER BY place`,
      ...[this.merchant, JSON.stringify(seqs.filter(isSeq))],
    );
    return rows.map((row) => {
      const stored = readRow(row);
      return row.owner === this.instance ? stored : notGiven(stored);
    });
  }

  async read(seq: string): Promise<{ stored: StoredEvent; text: string } | undefined> {
    if (!isSeq(seq)) return undefined;
    const row = await this.connection.one(
      `SELECT ${columns}, body FROM ${events} JOIN radaro_inbox.bodies USING (seq) WHERE merchant = $1 AND seq = $2`,
      ...[this.merchant, seq],
    );
    return row && { stored: readRow(row), text: row.body as string };
  }

  async times(): Promise<{ oldestWaiting: string | null; lastAccepted: string | null }> {
    const row = await this.connection.one(
      // Not by the index of seq itself, which has all that is done too.
      `SELECT (
        SELECT received_at FROM ${events} WHERE seq = (
          SELECT min(first) FROM (
            SELECT '' AS id UNION ALL SELECT id FROM radaro_inbox.instances WHERE merchant = $1
          ) AS instance CROSS JOIN LATERAL (
            SELECT min(seq + 0) AS first FROM ${events} WHERE merchant = $1 AND owner = instance.id AND is_open
          ) AS oldest
        )
      ) AS oldest, (SELECT received_at FROM ${events} WHERE merchant = $1 ORDER BY seq DESC LIMIT 1) AS last`,
      this.merchant,
    );
    return { oldestWaiting: row!.oldest as string | null, lastAccepted: row!.last as string | null };
  }

  async later({ path, changedAt }: StoredEvent, { job, fields }: Change): ReturnType<Store["later"]> {
    const rows = await this.#mine(
      `SELECT DISTINCT ON (field) seq, state, owner <> $2 AS is_elsewhere FROM (
        SELECT seq, state, owner, changed, changed_at FROM ${events}
        WHERE merchant = $1 AND order_key = $3 AND path = $4 AND changed_at > $5 AND is_dated
        ORDER BY changed_at DESC, seq DESC LIMIT ${maxLater}
      ) AS later, unnest(changed) AS field
      WHERE field IN (SELECT json_array_elements_text($6::text::json)) ORDER BY field, changed_at DESC, seq DESC`,
      ...[toText(job), toText(path), changedAt, JSON.stringify(fields.map(toText))],
    );
    if (rows.length < new Set(fields).size) return undefined;
    const bySeq = new Map(rows.map((row) => [row.seq, row]));
    return Array.from(bySeq.values(), ({ seq, state, is_elsewhere }) => ({
      seq: toSeq(seq),
      state: state as State,
      ...(is_elsewhere === true && { isElsewhere: true }),
    }));
  }

  async causes(): Promise<Cause[]> {
    const rows = await this.connection.all(
      `SELECT min(node) AS node, min(error) AS error, sum(count)::int AS count, sum(again)::int AS again,
        min(first) AS first, max(last) AS last
      FROM radaro_inbox.causes WHERE merchant = $1 GROUP BY cause HAVING sum(count) > 0 ORDER BY sum(count) DESC LIMIT 100`,
      this.merchant,
    );
    return rows.map((row) => ({ ...row, node: JSON.parse(row.node as string) as Cause["node"] }) as Cause);
  }
}

/** What a message says that it is of may be anything. */
export const isSeq = (seq: string) => /^\d{1,18}$/.test(seq);

/** As it is for those whose flow does not have it. */
function notGiven(stored: StoredEvent): StoredEvent {
  const without = (delivery: Delivery) => {
    const rest = { ...delivery };
    delete rest.since;
    return rest;
  };
  return stored.deliveries ? { ...stored, deliveries: stored.deliveries.map(without) } : stored;
}

/** @param rows with the time that sorts them as `at` */
function toSome(rows: Row[]): Some {
  const found = rows.map(({ seq, path, state, is_open, deliveries }) => ({
    seq: toSeq(seq),
    path: fromText(path)!,
    state: state as State,
    isOpen: is_open === true,
    ...(typeof deliveries === "string" && { deliveries: JSON.parse(deliveries) as Delivery[] }),
  }));
  const last = rows.at(-1);
  return {
    events: found,
    last: rows.length < step ? undefined : `${last!.at as string} ${found.at(-1)!.seq}`,
  };
}
