import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";

/** Makes an inbox's directory, for this user only. */
export function makeDir(dir: string): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  // Also where they were there before; a directory that its user cannot write to stays that.
  for (const each of [dirname(dir), dir]) {
    const { mode } = statSync(each);
    if (mode & 0o077) chmodSync(each, mode & 0o700);
  }
}

/** Waits until the disk has the names in a directory: SQLite does so for the files that it makes, not for its own directory. */
export function syncNames(dir: string): void {
  if (process.platform === "win32") return; // where a directory cannot be opened
  const file = openSync(dir, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** How long a file is, in bytes; 0 where it is not there. */
export function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** @returns `undefined` where it fails, which does not matter */
export function attempt<T>(what: () => T): T | undefined {
  try {
    return what();
  } catch {
    return undefined;
  }
}
