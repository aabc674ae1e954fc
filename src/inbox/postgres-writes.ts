import { randomUUID } from "node:crypto";
import { lastWord, type State } from "./deliveries";
import type { Connection } from "./postgres-connection";
import { Jobs } from "./postgres-jobs";
import { isSeq, Reads } from "./postgres-reads";
import { arriving, changing, columns, readRow, spaceOf, toJson, toSeq } from "./postgres-rows";
import { fitting, lackingOf, tooMany } from "./room";
import { step, type bounds, type Others, type Store, type Written } from "./store";
import type { AcceptedEvent, Became } from "./stored-event";

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

/** From how many events on other ways to find one are better. */
const grown = [100, 1000, 10_000];

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
  has_news: boolean;
  tallies: Record<string, number>;
}

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

/** What is written of a merchant's events: what `Store` says of its methods holds for those of the same name. */
export class Writes extends Reads {
  counts: Record<State, number> = { waiting: 0, processed: 0, failed: 0 };
  failures: Record<string, number> = {};
  last = "";
  #bytes = 0;
  protected readonly writer: Connection;
  readonly #jobs: Jobs;

  /** @param live for how long an instance counts as alive after a sign of life, as an interval of PostgreSQL */
  constructor(
    { writer, reader }: Connections,
    private readonly sharer: Instance,
    private readonly max: typeof bounds,
    protected readonly others: Others,
    protected readonly live: string,
  ) {
    super(reader, sharer.merchant, sharer.id);
    this.writer = writer;
    this.#jobs = new Jobs(writer, reader, sharer.merchant);
  }

  get #size() {
    const events = Object.values(this.counts).reduce((sum, count) => sum + count);
    return { events, bytes: this.#bytes + events * spaceOf(0) };
  }

  async makeRoom(sizes: number[]): Promise<number> {
    const needed = sizes.map(spaceOf);
    for (;;) {
      const lacking = lackingOf(this.#size, needed, this.max);
      if (!lacking) return sizes.length;
      if ((await this.#deleteOldest(lacking)) === 0) return fitting(this.#size, needed, this.max);
    }
  }

  /** Deletes the oldest that wait for nothing. */
  async #deleteOldest(lacking: typeof bounds): Promise<number> {
    const oldest = await this.writer.all(
      `SELECT seq, size FROM (
        (SELECT seq, size FROM radaro_inbox.events WHERE merchant = $1 AND state = 'processed' ORDER BY seq LIMIT ${step})
        UNION ALL
        (SELECT seq, size FROM radaro_inbox.events WHERE merchant = $1 AND state = 'failed' AND NOT is_open
          AND again_at IS NULL ORDER BY seq LIMIT ${step})
      ) AS settled ORDER BY seq LIMIT ${step}`,
      this.merchant,
    );
    const sizes = oldest.map(({ size }) => spaceOf(size as number));
    return this.delete(oldest.slice(0, tooMany(lacking, sizes, this.max)).map(({ seq }) => toSeq(seq)));
  }

  async write(accepted: AcceptedEvent[], changed: Became[]): Promise<(Written | undefined)[]> {
    const become = changed.map((became) => ({ seq: Number(became.seq), ...changing(became) }));
    const { unsure } = this.sharer;
    try {
      for (;;) {
        const { events, learned } = await this.#jobs.tell(accepted);
        const arrived = events.map(arriving);
        const jobs = arrived
          .filter((each) => each.in_order)
          .map(({ path, order_key }) => ({ path, order_key }));
        const row = await this.writer.one(
          `SELECT radaro_inbox.write($1, $2, $3::interval, $4::text::json, $5::text::json, $6::text::json, $7::text::json) AS answer`,
          ...[this.merchant, this.instance, this.live],
          ...[arrived, jobs, become].map((each) => (each.length > 0 ? toJson(each) : null)),
          learned,
        );
        if (row!.answer === null) continue; // something else is known of the jobs by now
        const answer = row!.answer as WriteAnswer;
        const results = await this.#writtenOf(accepted, answer);
        // What was not written of them then is said once more.
        if (answer.has_news) await this.news();
        await this.#say(changed.filter(({ seq }) => answer.others?.includes(Number(seq))));
        unsure.clear();
        const before = this.#size.events;
        this.tally(answer.tallies);
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
      if (this.sharer.unsure.has(event.digest) && !known.has(event.digest)) {
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
    const row = await this.writer.one(
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

  /** Says what has become of events that another gives by now: the last word counts. */
  async #say(changed: Became[]): Promise<void> {
    if (changed.length === 0) return;
    const bySeq = new Map(changed.map(({ seq, deliveries = [] }) => [seq, deliveries]));
    const others = await this.changeOthers([...bySeq.keys()], ({ seq, deliveries = [] }) => {
      const last = deliveries.map((there) => {
        const said = bySeq.get(seq)!.find(({ node }) => node === there.node);
        return said ? lastWord(there, said) : there;
      });
      return last.some((each, i) => each !== deliveries[i]) ? { deliveries: last } : undefined;
    });
    this.others.gone(others);
  }

  async changeOthers(...[seqs, become]: Parameters<Store["changeOthers"]>): Promise<string[]> {
    const others = new Set<string>();
    // Until none of them was changed by somebody else between reading and writing.
    for (let left = seqs; left.length > 0;) {
      const rows = await this.writer.all(
        `SELECT ${columns} FROM radaro_inbox.events WHERE merchant = $1 AND owner <> $2
          AND seq = ANY (ARRAY(SELECT json_array_elements_text($3::text::json)::bigint))`,
        ...[this.merchant, this.instance, JSON.stringify(left.filter(isSeq))],
      );
      left = [];
      for (const row of rows) {
        const stored = readRow(row);
        others.add(stored.seq);
        const became = become(stored);
        if (became && !(await this.#merge(row.deliveries as string | null, { ...stored, ...became })))
          left.push(stored.seq);
      }
    }
    return [...others];
  }

  /** @returns false where somebody was faster */
  async #merge(was: string | null, became: Became): Promise<boolean> {
    const row = await this.writer.one(
      `SELECT radaro_inbox.merge($1, $2, json_populate_record(NULL::radaro_inbox.became, $3::text::json)) AS is_done`,
      ...[this.merchant, was, toJson({ seq: Number(became.seq), ...changing(became) })],
    );
    return row!.is_done === true;
  }

  async news(): Promise<void> {
    const rows = await this.writer.all(
      `UPDATE radaro_inbox.events SET news = false WHERE merchant = $1 AND owner = $2 AND news RETURNING ${columns}`,
      ...[this.merchant, this.instance],
    );
    this.others.became(rows.map(readRow));
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
    await this.writer.all(
      "SELECT radaro_inbox.own($1, $2, $3::interval, ARRAY(SELECT json_array_elements_text($4::text::json)::bigint))",
      ...[this.merchant, this.instance, this.live, JSON.stringify(seqs)],
    );
  }

  async redate(before: string, after: string, to: string): Promise<number> {
    const rows = await this.writer.all(
      `UPDATE radaro_inbox.events SET received_at = $4 WHERE merchant = $1 AND seq IN (
        SELECT seq FROM radaro_inbox.events WHERE merchant = $1 AND (received_at < $2 OR received_at > $3) LIMIT ${step}
      ) RETURNING seq`,
      ...[this.merchant, before, after, to],
    );
    return rows.length;
  }

  async delete(seqs: string[]): Promise<number> {
    if (seqs.length === 0) return 0;
    const row = await this.writer.one(
      `SELECT radaro_inbox.remove($1, $2, ARRAY(SELECT json_array_elements_text($3::text::json)::bigint)) AS removed`,
      ...[this.merchant, this.instance, JSON.stringify(seqs)],
    );
    const tallies = await this.writer.one("SELECT radaro_inbox.tallies_of($1) AS tallies", this.merchant);
    this.tally(tallies!.tallies as Record<string, number>);
    return row!.removed as number;
  }

  /** How many there are, as `radaro_inbox.tallies_of` says. */
  protected tally(tallies: Record<string, number>): void {
    const { waiting = 0, processed = 0, failed = 0, bytes = 0, ...others } = tallies;
    this.counts = { waiting, processed, failed };
    this.#bytes = bytes;
    const nodes = Object.entries(others).filter(([name]) => name.startsWith("node:"));
    this.failures = Object.fromEntries(nodes.map(([name, count]) => [name.slice("node:".length), count]));
  }
}
