import { randomUUID } from "node:crypto";
import { lastWord, type Delivery } from "./deliveries";
import type { Connection, Row } from "./postgres-connection";
import { isSeq, Reads } from "./postgres-reads";
import { changing, columns, fromArray, readRow, toJson, toSeq } from "./postgres-rows";
import type { Becoming, Others, Store } from "./store";
import type { Became, StoredEvent } from "./stored-event";

/** An inbox that shares a database with others, over all the times that it has it open. */
export class Instance {
  readonly id = randomUUID();
  /** The digests of events that may be stored or not: the connection was cut while they were. */
  readonly unsure = new Set<string>();

  /** @param merchant the id of the merchant's node: those with the same share its events */
  constructor(readonly merchant: string) {}
}

/** What one instance has open of a database. */
export interface Connections {
  /** For what writes. */
  writer: Connection;
  /** For what reads, for signs of life, and for what others tell. */
  reader: Connection;
}

/** What is said of an event, for `radaro_inbox.say`. @param was its deliveries in the database */
function sayingOf(was: string | null, stored: StoredEvent, now: Delivery[] | undefined) {
  const before = stored.deliveries ?? [];
  const others = (now ?? []).filter((each) => !before.includes(each));
  const { deliveries, state, is_open, is_given, again_at } = changing({ ...stored, deliveries: now });
  const seq = Number(stored.seq);
  return { seq, was, deliveries, state, is_open, is_given, again_at, word: toJson(others) };
}

/** What is said of events whose owner it has to hear: what `Store` says of its methods holds for those of the same name. */
export class Saying extends Reads {
  protected readonly writer: Connection;

  /** @param live for how long an instance counts as alive after a sign of life, as an interval of PostgreSQL */
  constructor(
    { writer, reader }: Connections,
    protected readonly sharer: Instance,
    protected readonly others: Others,
    protected readonly live: string,
  ) {
    super(reader, sharer.merchant, sharer.id);
    this.writer = writer;
  }

  /** Says what has become of events that another gives by now: the last word counts. */
  protected async saySo(changed: Became[]): Promise<void> {
    if (changed.length === 0) return;
    const bySeq = new Map(changed.map(({ seq, deliveries = [] }) => [seq, deliveries]));
    const others: string[] = [];
    const become: Becoming = ({ seq, deliveries = [] }) => {
      others.push(seq);
      const last = deliveries.map((there) => {
        const said = bySeq.get(seq)!.find(({ node }) => node === there.node);
        return said ? lastWord(there, said) : there;
      });
      return last.some((each, i) => each !== deliveries[i]) ? { deliveries: last } : undefined;
    };
    await this.#say([...bySeq.keys()], become, { isRun: false, ofOthers: true });
    this.others.gone(others);
  }

  async change(...[seqs, become, isRun]: Parameters<Store["change"]>): Promise<string[]> {
    const there = await this.#say(seqs, become, { isRun, ofOthers: false });
    await this.news();
    return there;
  }

  /** @param how `ofOthers`: only what another gives @returns the seqs of those that are there */
  async #say(
    seqs: string[],
    become: Becoming,
    { isRun, ofOthers }: { isRun: boolean; ofOthers: boolean },
  ): Promise<string[]> {
    const there = new Set<string>();
    // Until none of them was changed by somebody else between reading and writing.
    for (let left = seqs.filter(isSeq); left.length > 0;) {
      const rows = await this.writer.all(
        `SELECT ${columns} FROM radaro_inbox.events WHERE merchant = $1 AND seq = ANY (${fromArray("$2")})
          ${ofOthers ? "AND owner <> $3" : ""} ORDER BY seq`,
        ...[this.merchant, JSON.stringify(left), ...(ofOthers ? [this.instance] : [])],
      );
      for (const { seq } of rows) there.add(toSeq(seq));
      const said = rows.flatMap((row) => {
        const stored = readRow(row);
        const became = become(stored);
        return became ? sayingOf(row.deliveries as string | null, stored, became.deliveries) : [];
      });
      const done =
        said.length === 0
          ? []
          : await this.writer.all(
              "SELECT seq FROM radaro_inbox.say($1, $2, $3::interval, $4::text::json, $5)",
              ...[this.merchant, this.instance, this.live, toJson(said), isRun],
            );
      const isDone = new Set(done.map(({ seq }) => Number(seq)));
      left = said.flatMap(({ seq }) => (isDone.has(seq) ? [] : toSeq(seq)));
    }
    return [...there];
  }

  /** Tells what was said of events, where that is not known. @param places their seqs */
  protected async newsOf(places: number[]): Promise<void> {
    const rows = await this.writer.all(
      `SELECT ${columns}, words AS said FROM radaro_inbox.events
        WHERE merchant = $1 AND owner = $2 AND seq = ANY (${fromArray("$3")}) ORDER BY seq`,
      ...[this.merchant, this.instance, JSON.stringify(places)],
    );
    this.others.became(rows.map(saidOf));
  }

  async news(): Promise<void> {
    const rows = await this.writer.all(
      `SELECT ${columns}, words AS said FROM radaro_inbox.events WHERE merchant = $1 AND owner = $2 AND has_news ORDER BY seq`,
      ...[this.merchant, this.instance],
    );
    const written = new Set(this.others.became(rows.map(saidOf)));
    // Of the others nothing is in memory that could be written.
    const seen = rows.filter(({ seq }) => !written.has(toSeq(seq)));
    if (seen.length === 0) return;
    await this.writer.all(
      `UPDATE radaro_inbox.events AS e SET has_news = false FROM json_to_recordset($2::text::json) AS s (seq bigint, words integer)
        WHERE merchant = $1 AND e.seq = s.seq AND radaro_inbox.count_of(e.words) = s.words`,
      ...[this.merchant, JSON.stringify(seen.map(({ seq, words }) => ({ seq, words })))],
    );
  }
}

const saidOf = (row: Row) => ({
  stored: readRow(row),
  words: JSON.parse((row.said as string | null) ?? "[]") as Delivery[][],
});
