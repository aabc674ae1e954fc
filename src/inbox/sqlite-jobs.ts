import { fill, learn, maxJobs, placeIn, placeOf, type Known } from "./known-job";
import type { Database } from "./sqlite-database";
import type { Row } from "./sqlite-rows";
import { step, type Unseen, type Windows } from "./store";
import type { AcceptedEvent } from "./stored-event";

const unseenSql = `SELECT job, known FROM jobs WHERE job > ? AND coalesce(seen, '') < ?
  AND (state = 'open' AND deadline BETWEEN ? AND ? OR state = 'closed' AND deadline BETWEEN ? AND ?)
  ORDER BY job LIMIT ${step}`;

/** What is known of jobs, in a database: what `Store` says of its methods holds for those of the same name. */
export class Jobs {
  constructor(private readonly db: Database) {}

  /**
   * An event is stored: what it tells is known from then on, in the transaction of whoever calls it.
   *
   * @returns see `placeIn`
   */
  accept({ stored, news, keys }: AcceptedEvent): ReturnType<typeof placeIn> {
    const { order } = keys;
    if (!news || order === null) return "new";
    const known = this.#find(order);
    const place = placeIn(known, news, stored);
    if (place === "new") this.#keep(order, learn(known, news, stored.path));
    return place;
  }

  #find(job: string): Known | undefined {
    const row = this.db.one("SELECT known FROM jobs WHERE job = ?", job);
    return row && readKnown(row);
  }

  #keep(job: string, known: Known): void {
    const { state, deadline, at } = placeOf(known);
    this.db.run(
      "INSERT INTO jobs (job, known, state, deadline, seen, at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (job)" +
        " DO UPDATE SET known = excluded.known, state = excluded.state, deadline = excluded.deadline," +
        " seen = excluded.seen, at = excluded.at",
      ...[job, JSON.stringify(known), state, deadline, known.seen ?? null, at],
    );
  }

  known(jobs: string[]): Record<string, Known> {
    return Object.fromEntries(
      jobs.flatMap((job) => {
        const known = this.#find(job);
        return known ? [[job, known] as const] : [];
      }),
    );
  }

  know(jobs: Record<string, Known>): void {
    this.db.transaction("normal", () => {
      for (const [job, base] of Object.entries(jobs)) this.#keep(job, fill(this.#find(job), base));
    });
  }

  unseen(since: string, { open, closed }: Windows, after: string): Unseen {
    const rows = this.db.all(unseenSql, after, since, ...open, ...closed);
    const jobs = rows.map((row) => ({ job: row.job as string, known: readKnown(row) }));
    return { jobs, last: rows.length < step ? undefined : jobs.at(-1)!.job };
  }

  forget(before?: string): string | undefined {
    return this.db.transaction("normal", () => {
      if (before === undefined) {
        this.db.run("DELETE FROM jobs");
        return undefined;
      }
      this.db.run("DELETE FROM jobs WHERE at < ?", before);
      const oldest = this.db.one("SELECT at FROM jobs ORDER BY at DESC LIMIT 1 OFFSET ?", maxJobs);
      if (!oldest) return before;
      this.db.run("DELETE FROM jobs WHERE at <= ?", oldest.at as string);
      return oldest.at as string;
    });
  }
}

const readKnown = ({ known }: Row) => JSON.parse(known as string) as Known;
