import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { Unusable } from "./store";

/** "radr": what tells an inbox from a database of something else. */
export const applicationId = 0x72616472;

/** The numbered files that make the schema, each run once. */
const files = join(__dirname, "schema", "sqlite");

function steps(): string[] {
  return readdirSync(files)
    .filter((file) => file.endsWith(".sql"))
    .sort();
}

/**
 * @param done the number of the last step that was run
 * @throws Unusable where a later version of this package has made it
 */
export function checkStep(done: number): void {
  if (done > steps().length) throw new Unusable("newer");
}

/**
 * Brings the tables of a database up to date, all or nothing.
 *
 * @param done the number of the last step that was run, 0 in a new one
 * @param upTo the number of the last step to run; absent: all
 */
export function migrate(db: DatabaseSync, done: number, upTo?: number): void {
  const todo = steps().slice(done, upTo);
  if (todo.length === 0) return;
  db.exec("BEGIN IMMEDIATE");
  if (done === 0) db.exec(`PRAGMA application_id = ${applicationId}`);
  for (const file of todo) {
    db.exec(readFileSync(join(files, file), "utf8"));
    db.prepare("UPDATE inbox SET step = ?").run(Number.parseInt(file));
  }
  db.exec("COMMIT");
}
