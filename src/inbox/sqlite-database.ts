import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import type { Row } from "./sqlite-rows";
import { Unusable } from "./store";

/** The name of the database in its directory. */
const fileName = "inbox.sqlite";

/** "radr": what tells an inbox from a database of something else. */
const applicationId = 0x72616472;

/** How much of the database is kept in memory, in kibibytes. */
const cache = 8192;

/** The numbered files that make the schema, each run once. */
const steps = join(__dirname, "schema");

/** Until what a write is on disk: `full` at its end, `normal` with the next full one. */
type Synchronous = "full" | "normal";

/** An open SQLite database in a directory of its own, that no other process can open meanwhile. */
export class Database {
  readonly #statements = new Map<string, StatementSync>();
  #synchronous: Synchronous = "full";

  private constructor(
    private readonly db: DatabaseSync,
    private readonly path: string,
    private readonly ino: number,
  ) {}

  /**
   * @param dir is made where it is not there, for this user only
   * @param check reads all that is there first
   * @throws Unusable, or what SQLite or the system says
   */
  static open(dir: string, check: boolean): Database {
    const path = join(dir, fileName);
    makeDir(dir);
    const log = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    // SQLite would delete the log.
    if (size === 0 && log > 0) throw new Unusable("damaged", new Error(`${fileName} is gone or empty`));
    const db = new DatabaseSync(path);
    try {
      const database = new Database(db, path, statSync(path).ino);
      database.#prepare();
      // Ended without being closed: only then it has a log.
      if (check || log > 0) database.#check(check);
      for (const each of [dir, dirname(dir), dirname(dirname(dir))]) syncNames(each);
      return database;
    } catch (error) {
      db.close();
      throw error;
    }
  }

  #prepare(): void {
    const { db } = this;
    // First: nobody else may come between, and the log needs no shared memory.
    db.exec("PRAGMA locking_mode = EXCLUSIVE");
    const { tables } = this.one("SELECT count(*) AS tables FROM sqlite_schema")!;
    const { application_id } = this.one("PRAGMA application_id")!;
    if (tables !== 0 && application_id !== applicationId)
      throw new Unusable("damaged", new Error(`${fileName} is not a database of an inbox`));
    for (const pragma of [
      "journal_mode = WAL",
      "synchronous = FULL",
      "fullfsync = ON", // where a sync is none without (macOS)
      "checkpoint_fullfsync = ON",
      "secure_delete = ON",
      "cell_size_check = ON",
      "trusted_schema = OFF",
      "temp_store = MEMORY",
      `cache_size = -${cache}`,
    ])
      db.exec(`PRAGMA ${pragma}`);
    this.#migrate(tables === 0);
  }

  #migrate(isNew: boolean): void {
    const files = readdirSync(steps).filter((file) => file.endsWith(".sql"));
    const done = isNew ? 0 : (this.one("SELECT step FROM inbox")!.step as number);
    if (done > files.length) throw new Unusable("newer");
    if (done === files.length) return;
    this.transaction("full", () => {
      if (isNew) this.db.exec(`PRAGMA application_id = ${applicationId}`);
      for (const file of files.sort().slice(done)) {
        this.db.exec(readFileSync(join(steps, file), "utf8"));
        this.run("UPDATE inbox SET step = ?", Number.parseInt(file));
      }
    });
  }

  /** @param all also what SQLite itself needs not read */
  #check(all: boolean): void {
    const [found] = Object.values(this.one("PRAGMA quick_check(1)")!);
    if (found !== "ok") throw new Unusable("damaged", new Error(String(found)));
    if (!all) return;
    for (const row of this.db.prepare("SELECT body, crc FROM bodies").iterate()) readBody(row);
  }

  /** @throws Unusable where what is written now would be gone: the file is not the one in the directory any more */
  isThere(): void {
    if (statSync(this.path, { throwIfNoEntry: false })?.ino !== this.ino) throw new Unusable("gone");
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
      if (this.db.isTransaction) this.db.exec("ROLLBACK");
      throw error;
    }
  }

  one(sql: string, ...values: Values): Row | undefined {
    return this.#prepared(sql).get(...values);
  }

  all(sql: string, ...values: Values): Row[] {
    return this.#prepared(sql).all(...values);
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

/** @throws Unusable where the bytes are others than those that were written */
export function readBody({ body, crc }: Row): string {
  if (crc32(body as string) !== crc) throw new Unusable("damaged", new Error("an event has wrong bytes"));
  return body as string;
}

function makeDir(dir: string): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  // Also where they were there before; a directory that its user cannot write to stays that.
  for (const each of [dirname(dir), dir]) {
    const { mode } = statSync(each);
    if (mode & 0o077) chmodSync(each, mode & 0o700);
  }
}

/** Waits until the disk has the names in a directory: SQLite does so for the files that it makes, not for its own directory. */
function syncNames(dir: string): void {
  if (process.platform === "win32") return; // where a directory cannot be opened
  const file = openSync(dir, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
