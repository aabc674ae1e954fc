import { statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { attempt, sizeOf, syncNames } from "./sqlite-files";
import { readLog } from "./sqlite-log";
import { checkRow, readBody, type Row } from "./sqlite-rows";
import { finishSalvage, forgetSalvage, listAside, maxAside, salvage, type Salvaged } from "./sqlite-salvage";
import { applicationId, checkStep, migrate } from "./sqlite-schema";
import { isDamage } from "./sqlite-problem";
import { Unusable } from "./store";

/** The name of the database in its directory. */
export const fileName = "inbox.sqlite";

/** How much of the database is kept in memory, in kibibytes. */
const cache = 8192;

/** How long the log stays when all of it is in the database, in bytes: one large write can make it longer. */
const maxLog = 16 * 1024 ** 2;

/** How large a page of the database is, in bytes: an event and its row are in few of these, and so are its indexes. */
const pageSize = 8192;

/** Until what a write is on disk: `full` at its end, `normal` with the next full one. */
type Synchronous = "full" | "normal";

/** How much is read before a database is used: `tables`: all but the events as they were sent. */
export type Check = "nothing" | "tables" | "all";

/** An open SQLite database in a directory of its own, that no other process can open meanwhile. */
export class Database {
  readonly #statements = new Map<string, StatementSync>();
  #synchronous: Synchronous = "full";
  /** What was taken out of one that was damaged; `undefined`: it was not. */
  salvaged: Salvaged | undefined;

  private constructor(
    private readonly db: DatabaseSync,
    private readonly path: string,
    private readonly ino: number,
    /** The seq of an event that the log told of, and that SQLite has dropped; 0: none. */
    readonly dropped: number,
  ) {}

  /**
   * @param check what is read first; at least `tables` where it was not closed the last time
   * @param last the seq of the event that came last, as far as it is known otherwise
   * @throws Unusable, or what SQLite or the system says
   */
  static open(dir: string, check: Check, last: number): Database {
    const path = join(dir, fileName);
    finishSalvage(dir);
    const log = readLog(`${path}-wal`);
    // With an empty database SQLite would delete the log, which may have all of it.
    if (log && sizeOf(path) === 0) writeFileSync(path, Buffer.alloc(log.pageSize), { mode: 0o600 });
    const db = new DatabaseSync(path);
    try {
      const database = new Database(db, path, statSync(path).ino, log?.dropped ?? 0);
      database.#prepare(log && check === "nothing" ? "tables" : check);
      forgetSalvage(dir);
      for (const each of [dir, dirname(dir), dirname(dirname(dir))]) syncNames(each);
      return database;
    } catch (error) {
      try {
        if (!isDamage(error) || listAside(dir).length >= maxAside) throw error;
        const salvaged = salvage(db, dir, Math.max(last, log?.dropped ?? 0));
        const database = Database.open(dir, "nothing", last);
        database.salvaged = salvaged;
        return database;
      } finally {
        attempt(() => db.close());
      }
    }
  }

  #prepare(check: Check): void {
    const { db } = this;
    db.exec(`PRAGMA page_size = ${pageSize}`); // of a new one
    // Before all else: nobody else may come between, and the log needs no shared memory.
    db.exec("PRAGMA locking_mode = EXCLUSIVE");
    const { tables } = this.one("SELECT count(*) AS tables FROM sqlite_schema")!;
    const { application_id } = this.one("PRAGMA application_id")!;
    if (tables !== 0 && application_id !== applicationId)
      throw new Unusable("damaged", new Error(`${fileName} is not a database of an inbox`));
    db.exec("PRAGMA cell_size_check = ON");
    const step = tables === 0 ? 0 : (this.one("SELECT step FROM inbox")?.step as number);
    checkStep(step);
    // Before anything is written.
    if (tables !== 0 && check !== "nothing") this.#check(check === "all");
    for (const pragma of [
      "journal_mode = WAL",
      "synchronous = FULL",
      "fullfsync = ON", // where a sync is none without (macOS)
      "checkpoint_fullfsync = ON",
      "secure_delete = ON",
      "trusted_schema = OFF",
      "temp_store = MEMORY",
      `cache_size = -${cache}`,
      `journal_size_limit = ${maxLog}`,
    ])
      db.exec(`PRAGMA ${pragma}`);
    migrate(db, step);
  }

  /**
   * A database finds damage only in what it needs itself, and does not find that a page is an older one.
   *
   * @param all also the events as they were sent
   */
  #check(all: boolean): void {
    const [found] = Object.values(this.one("PRAGMA integrity_check(1)")!);
    if (found !== "ok") throw new Unusable("damaged", new Error(String(found)));
    let sum = 0;
    for (const row of this.db.prepare("SELECT * FROM events").iterate()) {
      checkRow(row);
      sum = (sum ^ (row.crc as number)) >>> 0;
    }
    const { checksum, missing } = this.one(
      "SELECT checksum, EXISTS (SELECT 1 FROM events WHERE seq NOT IN (SELECT seq FROM bodies)) AS missing FROM inbox",
    )!;
    if (sum !== checksum || missing !== 0) throw new Unusable("damaged", new Error("events are missing"));
    if (!all) return;
    for (const row of this.db.prepare("SELECT body, crc FROM bodies").iterate()) readBody(row);
  }

  /** @throws Unusable where what is written now would be gone: the file is not the one in the directory any more */
  isThere(): void {
    if (statSync(this.path, { throwIfNoEntry: false })?.ino !== this.ino) throw new Unusable("gone");
  }

  /** How much of the database is in use, in bytes. The rest of it is used again before it grows. */
  get used(): number {
    const pages = this.one("PRAGMA page_count")!.page_count as number;
    return (pages - (this.one("PRAGMA freelist_count")!.freelist_count as number)) * pageSize;
  }

  /** Runs some statements all or nothing. */
  transaction<T>(synchronous: Synchronous, use: () => T): T {
    if (synchronous !== this.#synchronous) this.db.exec(`PRAGMA synchronous = ${synchronous}`);
    this.#synchronous = synchronous;
    this.db.exec("BEGIN IMMEDIATE");
    try {
      const result = use();
      this.db.exec("COMMIT");
      return result;
    } catch (error) {
      attempt(() => this.db.exec("ROLLBACK")); // which SQLite may have done
      throw error;
    }
  }

  one(sql: string, ...values: Values): Row | undefined {
    return this.#prepared(sql).get(...values);
  }

  all(sql: string, ...values: Values): Row[] {
    return this.#prepared(sql).all(...values);
  }

  each(sql: string, ...values: Values): Iterable<Row> {
    return this.#prepared(sql).iterate(...values);
  }

  run(sql: string, ...values: Values): void {
    this.#prepared(sql).run(...values);
  }

  #prepared(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, (statement = this.db.prepare(sql)));
    return statement;
  }

  /** Moves all from the log to the database: what was deleted is in neither after that. */
  compact(): void {
    this.db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  close(): void {
    this.db.close();
  }
}

type Values = (string | number | null)[];
