import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Moment } from "./age";
import { fateOf, isOwn, labelPath, parseLabel, writeLabel } from "./folder";
import { attempt } from "./sqlite-files";
import { isDamage } from "./sqlite-problem";

/**
 * Deletes what belongs to an inbox in its folder, and the folder where there is nothing else in it, when
 * its days are over.
 *
 * @returns whether it was deleted
 * @throws Unusable, or what SQLite or the system says, where somebody has it open or it cannot be deleted
 */
export function remove(dir: string, now: Moment): boolean {
  const db = lock(join(dir, "inbox.sqlite"));
  try {
    // Read only now: somebody may have used it since.
    const label = parseLabel(readFileSync(labelPath(dir), "utf8"), basename(dir));
    const fate = label && fateOf(label, now);
    if (fate === "renewed") writeLabel(dir, label!);
    if (fate !== "over") return false;
    if (process.platform === "win32") db?.close(); // it deletes no file that is open
    for (const name of readdirSync(dir).filter(isOwn)) rmSync(join(dir, name), { recursive: true });
    rmSync(labelPath(dir));
    attempt(() => rmdirSync(dir)); // something else is in it
    return true;
  } finally {
    attempt(() => db?.close());
  }
}

/** @returns `undefined` where there is none that somebody could have open */
function lock(path: string): DatabaseSync | undefined {
  if (!existsSync(path)) return undefined;
  const db = new DatabaseSync(path);
  try {
    db.exec("PRAGMA locking_mode = EXCLUSIVE");
    db.exec("BEGIN EXCLUSIVE");
    return db;
  } catch (error) {
    db.close();
    if (isDamage(error)) return undefined;
    throw error;
  }
}
