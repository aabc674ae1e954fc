import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import { now, possible } from "./age";
import { attempt, syncNames } from "./sqlite-files";
import { crcOf, readBody, stateCrcOf, toChanged, type Row } from "./sqlite-rows";
import { migrate } from "./sqlite-schema";

/** What was taken out of a damaged database. */
export interface Salvaged {
  /** How many events could be read. */
  events: number;
  /** The name of the folder in the inbox's with the damaged files, as they were found. */
  aside: string;
}

const fileName = "inbox.sqlite";

/** What could be read, until it takes the place of the damaged one. */
const salvageName = "inbox.salvage";

const asideName = /^damaged-(\d{4}-\d\d-\d\dT)(\d\d)-(\d\d)-(\d\d)-(\d{3}Z)$/;

/** How many damaged databases are kept: where there are more, something is wrong that this does not mend. */
export const maxAside = 3;

/** How many rows are passed over that cannot be read, or are out of place: a damaged tree can have these without end. */
const maxPassedOver = 100_000;

/**
 * The folders with damaged files that were set aside, with when.
 *
 * @returns `at` in milliseconds
 */
export function listAside(dir: string): { name: string; at: number }[] {
  return readdirSync(dir).flatMap((name) => {
    const at = Date.parse(name.replace(asideName, "$1$2:$3:$4.$5"));
    return Number.isNaN(at) ? [] : { name, at };
  });
}

/** Deletes damaged files that were set aside before a time, in milliseconds. One that cannot be counts as now. */
export function deleteAside(dir: string, before: number): void {
  const { from, to } = possible(now());
  for (const { name, at } of listAside(dir)) {
    if (at < from || at > to) renameSync(join(dir, name), join(dir, nameAside(dir)));
    else if (at < before) rmSync(join(dir, name), { recursive: true });
  }
}

/** The name of a folder for damaged files, as of now, that is not there yet. */
function nameAside(dir: string): string {
  const { wall } = now();
  const name = (at: number) => `damaged-${new Date(at).toISOString().replace(/[:.]/g, "-")}`;
  let later = 0;
  while (existsSync(join(dir, name(wall + later)))) later += 1;
  return name(wall + later);
}

/** @returns the name of a new folder for damaged files */
export function makeAside(dir: string): string {
  const name = nameAside(dir);
  mkdirSync(join(dir, name), { mode: 0o700 });
  return name;
}

/**
 * Takes what can be read out of a damaged database into a new one, which takes its place, and sets the
 * damaged files aside as they are. Ends in any moment: then it begins anew, or has ended.
 *
 * @param damaged open, as far as it can be; to be closed after that
 * @param last the seq of the event that came last, as far as it is known otherwise
 */
export function salvage(damaged: DatabaseSync, dir: string, last: number): Salvaged {
  forgetSalvage(dir);
  const db = new DatabaseSync(join(dir, salvageName));
  let events: number;
  try {
    events = copy(damaged, db, last);
  } finally {
    db.close();
  }
  const aside = makeAside(dir);
  syncNames(dir);
  // SQLite would write its log into a database that it closes, unless that has moved; and Windows moves
  // no file that is open.
  if (process.platform === "win32") damaged.close();
  renameSync(join(dir, fileName), join(dir, aside, fileName));
  finishSalvage(dir);
  return { events, aside };
}

/** Keeps a log that SQLite does not read to its end, before it writes over that. */
export function keepLog(dir: string): void {
  if (listAside(dir).length < maxAside)
    copyFileSync(join(dir, `${fileName}-wal`), join(dir, makeAside(dir), `${fileName}-wal`));
}

/** Ends what `salvage` had begun, where Node-RED ended between. */
export function finishSalvage(dir: string): void {
  const [file, log, salvaged] = [fileName, `${fileName}-wal`, salvageName].map((name) => join(dir, name));
  if (!existsSync(salvaged!) || existsSync(file!)) return;
  const aside = listAside(dir).sort((a, b) => b.at - a.at)[0]?.name ?? makeAside(dir);
  if (existsSync(log!)) renameSync(log!, join(dir, aside, `${fileName}-wal`));
  renameSync(salvaged!, file!);
}

/** Removes what `salvage` had begun, where it has to begin anew or is not needed any more. */
export function forgetSalvage(dir: string): void {
  rmSync(join(dir, salvageName), { force: true });
}

function copy(damaged: DatabaseSync, db: DatabaseSync, last: number): number {
  db.exec("PRAGMA locking_mode = EXCLUSIVE");
  db.exec("PRAGMA journal_mode = MEMORY"); // where it does not come to its end, it begins anew
  // Lets SQLite read one that is shorter than it says.
  attempt(() => damaged.enableDefensive(false)); // Node.js 22 has it off
  attempt(() => damaged.exec("PRAGMA writable_schema = ON"));
  const inbox = attempt(() => damaged.prepare("SELECT step, last, is_paused, refused FROM inbox").get());
  migrate(db, 0, Number(inbox?.step) || undefined);
  db.exec("BEGIN IMMEDIATE");
  let [events, highest, checksum] = [0, last, 0];
  const add = adder(db);
  const bodies = attempt(() => damaged.prepare("SELECT body, crc FROM bodies WHERE seq = ?"));
  for (const row of readable(damaged)) {
    const text = attempt(() => readBody(bodies!.get(row.seq!)!));
    if (text === undefined || !insert(add, row, text)) continue;
    events += 1;
    highest = Math.max(highest, row.seq as number);
    checksum = (checksum ^ (row.crc as number)) >>> 0;
  }
  // It may be wrong itself.
  const known = Number(inbox?.last);
  if (known > highest && known < highest + 1e6) highest = known;
  const paused = inbox?.is_paused === 1 ? 1 : 0;
  const refused = typeof inbox?.refused === "string" ? inbox.refused : "[]";
  db.prepare("UPDATE inbox SET last = ?, checksum = ?, is_paused = ?, refused = ?").run(
    ...[highest, checksum, paused, refused],
  );
  db.exec("COMMIT");
  return events;
}

/** The rows of `events` that can be read, by their seq. */
function* readable(db: DatabaseSync): Generator<Row> {
  const rows = attempt(() => db.prepare("SELECT * FROM events WHERE seq BETWEEN ? AND ? ORDER BY seq"));
  const ranges = [{ from: 1, to: 1e15 }];
  let passedOver = 0;
  for (let range = ranges.pop(); rows && range; range = ranges.pop()) {
    let { from } = range;
    const { to } = range;
    try {
      for (const row of rows.iterate(from, to)) {
        const seq = row.seq as number;
        const isInPlace = seq >= from && seq <= to;
        if (isInPlace) from = seq + 1;
        else if ((passedOver += 1) > maxPassedOver) return;
        if (isInPlace && crcOf(row) === row.crc) yield row;
      }
    } catch {
      // Something in what follows; how far that goes is found by looking at its halves.
      if ((passedOver += 1) > maxPassedOver) return;
      const middle = from + 1 + Math.floor((to - from) / 2);
      if (middle <= to) ranges.push({ from: middle, to });
      if (from + 1 < middle) ranges.push({ from: from + 1, to: middle - 1 });
    }
  }
}

/** Puts a row of `events` with its event into a database. @returns false where there is such an event already */
function insert(add: Add, row: Row, text: string): boolean {
  // What became of it is not known any more: then the flow gets it again.
  if (stateCrcOf(row) !== row.state_crc) {
    const unknown = { deliveries: undefined, superseded: undefined, ended: undefined };
    Object.assign(row, toChanged({ ...row, received_at: new Date().toISOString() }, unknown));
  }
  if (!add("events", row)) return false;
  add("bodies", { seq: row.seq!, body: text, crc: crc32(text) });
  return true;
}

/** Adds a row to a table. @returns false where it is there */
type Add = (table: "events" | "bodies", row: Row) => boolean;

function adder(db: DatabaseSync): Add {
  const statements = new Map<string, StatementSync>();
  return (table, row) => {
    let statement = statements.get(table);
    if (!statement) {
      const names = Object.keys(row);
      statement = db.prepare(
        `INSERT INTO ${table} (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})` +
          ` ON CONFLICT DO NOTHING`,
      );
      statements.set(table, statement);
    }
    return statement.run(...Object.values(row)).changes === 1;
  };
}
