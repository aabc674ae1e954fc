import { closeSync, constants, fdatasyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { attempt } from "./sqlite-files";

/** In milliseconds. */
const syncEvery = 10_000;

/**
 * Beside the database, the seq of the event that was stored last. SQLite drops in silence what follows
 * wrong bytes in its log, and a log that is gone altogether: where this file knows of a later event than
 * the database, events are missing. It is written after each commit, so it is never ahead of the
 * database; after a power cut it may be older, as it is synced only now and then.
 */
export class LastStored {
  /** `undefined` where it cannot be written: then nothing is known, and nothing else is wrong. */
  #file: number | undefined;
  /** 0: not known. */
  readonly seq: number;
  #syncedAt = -Infinity;

  constructor(dir: string) {
    const path = join(dir, "inbox.last");
    this.#file = attempt(() => openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600));
    this.seq = attempt(() => read(readFileSync(path, "latin1"))) ?? 0;
  }

  write(seq: number): void {
    const file = this.#file;
    // Always as long as before: what is there is written over, on a full disk too.
    if (file === undefined) return;
    attempt(() => writeSync(file, line(seq), 0, "latin1"));
    if (performance.now() - this.#syncedAt < syncEvery) return;
    attempt(() => fdatasyncSync(file));
    this.#syncedAt = performance.now();
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}

function line(seq: number): string {
  const text = String(seq).padStart(16, "0");
  return `${text} ${crc32(text).toString(16).padStart(8, "0")}\n`;
}

function read(text: string): number {
  const seq = Number(text.slice(0, 16));
  return text === line(seq) ? seq : 0;
}
