import { fill, learn, maxJobs, placeIn, placeOf, type Known } from "./known-job";
import type { Connection } from "./postgres-connection";
import { fromText, toJson, toText } from "./postgres-rows";
import { stateOf } from "./deliveries";
import { step, type Unseen, type Windows } from "./store";
import type { AcceptedEvent } from "./stored-event";

const unseenSql = `SELECT job, known FROM radaro_inbox.jobs WHERE merchant = $1 AND job > $2 AND coalesce(seen, '') < $3
  AND (state = 'open' AND deadline BETWEEN $4 AND $5 OR state = 'closed' AND deadline BETWEEN $6 AND $7)
  ORDER BY job LIMIT ${step}`;

/** What events tell of their jobs, before they are stored. */
export interface Told {
  /** Those that are to be stored: without deliveries where all of it was told by events that were made. */
  events: AcceptedEvent[];
  /** JSON for `radaro_inbox.learn`, in the transaction that stores them; `null`: nothing. */
  learned: string | null;
}

interface KnownOf {
  known: Record<string, string>;
  digests: string[];
}

/** What is known of jobs, in a database: what `Store` says of its methods holds for those of the same name. */
export class Jobs {
  /** @param connection one to write with, and another to read */
  constructor(
    private readonly writer: Connection,
    private readonly reader: Connection,
    private readonly merchant: string,
  ) {}

  /** What is known when these are stored. Where nobody asks Radaro, nothing is looked at. */
  async tell(accepted: AcceptedEvent[]): Promise<Told> {
    const telling = accepted.filter(({ news, keys }) => news && keys.order !== null);
    if (telling.length === 0) return { events: accepted, learned: null };
    const jobs = [...new Set(telling.map(({ keys }) => keys.order!))];
    const digests = telling.map(({ digest }) => digest);
    const row = await this.writer.one(
      "SELECT radaro_inbox.known_of($1, $2::text::json, $3::text::json) AS found",
      ...[this.merchant, toJson(jobs), JSON.stringify(digests)],
    );
    const { known: was, digests: there } = row!.found as KnownOf;
    const known = new Map(Object.entries(was).map(([job, text]) => [fromText(job)!, parse(text)]));
    const isThere = new Set(there);
    const changed = new Set<string>();
    const events = accepted.flatMap((event) => {
      const { news, keys, digest, stored } = event;
      if (!news || keys.order === null || isThere.has(digest)) return [event];
      const before = known.get(keys.order);
      const becomes = placeIn(before, news, stored);
      if (becomes === "known") return [];
      if (becomes === "told") {
        const told = { cameAfter: true as const, deliveries: [], state: stateOf([]) };
        return [{ ...event, stored: { ...stored, ...told } }];
      }
      isThere.add(digest);
      known.set(keys.order, learn(before, news, stored.path));
      changed.add(keys.order);
      return [event];
    });
    const learned = [...changed].map((job) => this.#learned(job, was[toText(job)], known.get(job)!));
    return { events, learned: learned.length > 0 ? toJson(learned) : null };
  }

  /** @param was what it was made of, as it is there */
  #learned(job: string, was: string | undefined, known: Known) {
    const { state, deadline, at } = placeOf(known);
    return { ...{ job, was, state, deadline, at }, known: toJson(known), seen: known.seen ?? null };
  }

  async known(jobs: string[]): Promise<Record<string, Known>> {
    const was = await this.#known(jobs, this.reader);
    return Object.fromEntries([...was].map(([job, text]) => [job, parse(text)]));
  }

  async #known(jobs: string[], connection: Connection): Promise<Map<string, string>> {
    const rows = await connection.all(
      `SELECT job, known FROM radaro_inbox.jobs
        WHERE merchant = $1 AND job IN (SELECT json_array_elements_text($2::text::json))`,
      ...[this.merchant, toJson(jobs)],
    );
    return new Map(rows.map(({ job, known }) => [fromText(job)!, known as string]));
  }

  async know(jobs: Record<string, Known>): Promise<void> {
    const entries = Object.entries(jobs);
    if (entries.length === 0) return;
    for (let isDone = false; !isDone;) {
      const was = await this.#known(Object.keys(jobs), this.writer);
      const learned = entries.map(([job, base]) => {
        const text = was.get(job);
        return this.#learned(job, text, fill(text === undefined ? undefined : parse(text), base));
      });
      const row = await this.writer.one(
        "SELECT radaro_inbox.learn($1, $2::text::json) AS is_done",
        ...[this.merchant, toJson(learned)],
      );
      isDone = row!.is_done === true; // else somebody was faster
    }
  }

  async unseen(since: string, { open, closed }: Windows, after: string): Promise<Unseen> {
    const rows = await this.reader.all(unseenSql, this.merchant, toText(after), since, ...open, ...closed);
    const jobs = rows.map(({ job, known }) => ({ job: fromText(job)!, known: parse(known as string) }));
    return { jobs, last: rows.length < step ? undefined : jobs.at(-1)!.job };
  }

  async forget(before?: string): Promise<string | undefined> {
    const { writer, merchant } = this;
    if (before === undefined) {
      await writer.all("DELETE FROM radaro_inbox.jobs WHERE merchant = $1", merchant);
      return undefined;
    }
    await writer.all("DELETE FROM radaro_inbox.jobs WHERE merchant = $1 AND at < $2", merchant, before);
    const oldest = await writer.one(
      `SELECT at FROM radaro_inbox.jobs WHERE merchant = $1 ORDER BY at DESC LIMIT 1 OFFSET ${maxJobs}`,
      merchant,
    );
    if (!oldest) return before;
    const at = oldest.at as string;
    await writer.all("DELETE FROM radaro_inbox.jobs WHERE merchant = $1 AND at <= $2", merchant, at);
    return at;
  }
}

const parse = (known: string) => JSON.parse(known) as Known;
