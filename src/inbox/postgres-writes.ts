import type { State } from "./deliveries";
import { Jobs } from "./postgres-jobs";
import { isSeq } from "./postgres-reads";
import { arriving, changing, columns, fromArray, readRow, spaceOf, toJson, toSeq } from "./postgres-rows";
import { Saying, type Connections, type Instance } from "./postgres-saying";
import { fitting, lackingOf, tooMany } from "./room";
import { step, type bounds, type Others, type Store, type Written } from "./store";
import type { AcceptedEvent, Became } from "./stored-event";

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
  news: number[] | null;
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
export class Writes extends Saying {
  counts: Record<State, number> = { waiting: 0, processed: 0, failed: 0 };
  failures: Record<string, number> = {};
  last = "";
  /** How many times it was written, and is being written. */
  protected writes = 0;
  protected writing = 0;
  #bytes = 0;
  readonly #jobs: Jobs;

  /** See `Saying`. */
  constructor(
    connections: Connections,
    sharer: Instance,
    private readonly max: typeof bounds,
    others: Others,
    live: string,
  ) {
    super(connections, sharer, others, live);
    const { writer, reader } = connections;
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
    const gone = oldest.slice(0, tooMany(lacking, sizes, this.max));
    return this.delete(
      gone.map(({ seq }) => toSeq(seq)),
      true,
    );
  }

  async write(accepted: AcceptedEvent[], changed: Became[]): Promise<(Written | undefined)[]> {
    this.writes += 1;
    this.writing += 1;
    try {
      return await this.#write(accepted, changed);
    } catch (error) {
      for (const { digest } of accepted) this.sharer.unsure.add(digest);
      throw error;
    } finally {
      this.writing -= 1;
    }
  }

  async #write(accepted: AcceptedEvent[], changed: Became[]): Promise<(Written | undefined)[]> {
    const { unsure } = this.sharer;
    // In one order, as others lock them too.
    const become = changed
      .map((became) => ({
        seq: Number(became.seq),
        ...changing(became),
        words: became.words ?? null,
      }))
      .sort((one, other) => one.seq - other.seq);
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
      if (answer.news) await this.newsOf(answer.news);
      await this.saySo(changed.filter(({ seq }) => answer.others?.includes(Number(seq))));
      for (const { seq } of results.filter((written) => written !== undefined)) {
        if (seq > this.last) this.last = seq;
        if (seq > this.told) this.told = seq;
      }
      unsure.clear();
      const before = this.#size.events;
      this.tally(answer.tallies);
      this.#learn(before);
      return withTold(results, accepted, events);
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

  /** An event that this instance has stored, and did not hear of: by now it may be further. */
  async #found({ digest, stored }: AcceptedEvent): Promise<Written | undefined> {
    const row = await this.writer.one(
      `SELECT ${columns}, owner FROM radaro_inbox.events
        WHERE merchant = $1 AND digest = $2 AND accepted_by = $3 AND received_at = $4`,
      ...[this.merchant, digest, this.instance, stored.receivedAt],
    );
    if (!row) return undefined;
    const { seq, superseded, deliveries, state } = readRow(row);
    return {
      ...{ seq, deliveries, state, isBehind: true }, // earlier ones may have come meanwhile
      ...(superseded && { superseded }),
      ...(row.owner !== this.instance && { isElsewhere: true }),
    };
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

  async redate(before: string, after: string, to: string): Promise<number> {
    const rows = await this.writer.all(
      `UPDATE radaro_inbox.events SET received_at = $4 WHERE merchant = $1 AND seq IN (
        SELECT seq FROM radaro_inbox.events WHERE merchant = $1 AND (received_at < $2 OR received_at > $3) LIMIT ${step}
      ) RETURNING seq`,
      ...[this.merchant, before, after, to],
    );
    return rows.length;
  }

  async delete(seqs: string[], onlyClosed = false): Promise<number> {
    if (seqs.length === 0) return 0;
    const row = await this.writer.one(
      `SELECT radaro_inbox.remove($1, $2, ${fromArray("$3")}, $4) AS removed`,
      ...[this.merchant, this.instance, JSON.stringify(seqs.filter(isSeq)), onlyClosed],
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
