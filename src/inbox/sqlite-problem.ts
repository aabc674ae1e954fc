import { closeSync, openSync, rmSync, writeSync, fsyncSync } from "node:fs";
import { join } from "node:path";
import { Unusable, type Problem } from "./store";

/** SQLite's result codes (sqlite.org/rescode.html) that tell what is wrong; the extended ones say the same in their last byte. */
const byCode: Record<number, Problem> = {
  5: "locked", // SQLITE_BUSY
  6: "locked", // SQLITE_LOCKED
  8: "unwritable", // SQLITE_READONLY
  10: "failing", // SQLITE_IOERR
  11: "damaged", // SQLITE_CORRUPT
  13: "full", // SQLITE_FULL
  14: "unwritable", // SQLITE_CANTOPEN
  15: "locked", // SQLITE_PROTOCOL
  26: "damaged", // SQLITE_NOTADB
};

/** SQLITE_IOERR_SHORT_READ: a file that ends within a page. The disk did as it was told. */
const shortRead = 522;

/** @param errcode a result code of SQLite, an extended one where there is one */
function problemOf(errcode: number): Problem | undefined {
  return errcode === shortRead ? "damaged" : byCode[errcode & 0xff];
}

/** SQLITE_ERROR: also a table that is not there, where its name has wrong bytes. */
const sqliteError = 1;

/** Whether an error says that a database has wrong bytes, or is none. */
export function isDamage(error: unknown): boolean {
  if (error instanceof Unusable) return error.problem === "damaged";
  const { errcode = 0 } = error as { errcode?: number };
  return (errcode & 0xff) === sqliteError || problemOf(errcode) === "damaged";
}

/** The system's error codes. Others are the disk's. */
const bySystem: Record<string, Problem> = {
  ENOSPC: "full",
  EDQUOT: "full",
  EFBIG: "full",
  EMFILE: "too-many-files",
  ENFILE: "too-many-files",
  EACCES: "unwritable",
  EPERM: "unwritable",
  EROFS: "unwritable",
  EEXIST: "unwritable",
  ENOTDIR: "unwritable",
  EISDIR: "unwritable",
  EIO: "failing",
};

/**
 * Reads SQLite's and the system's errors.
 *
 * @param dir where the database is. SQLite does not say what the system has said, so that is asked there.
 */
export function unusable(error: unknown, dir: string): Unusable {
  if (error instanceof Unusable) return error;
  const { code = "", errcode } = error as { code?: string; errcode?: number };
  const problem = errcode === undefined ? bySystem[code] : problemOf(errcode);
  if (problem === undefined) return new Unusable(/^E[A-Z]+$/.test(code) ? "failing" : "damaged", error);
  if (errcode === undefined || problem === "locked" || problem === "damaged" || problem === "full")
    return new Unusable(problem, error);
  const system = tryToWrite(dir);
  return new Unusable((system && (bySystem[system.code!] ?? "failing")) ?? problem, system ?? error);
}

/** Not a byte, as where a file may not grow: as much as SQLite writes at least. */
const page = Buffer.alloc(4096);

function tryToWrite(dir: string): NodeJS.ErrnoException | undefined {
  const path = join(dir, "try");
  try {
    const file = openSync(path, "w", 0o600);
    try {
      writeSync(file, page);
      fsyncSync(file);
    } finally {
      closeSync(file);
      rmSync(path, { force: true });
    }
    return undefined;
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
}
