import { closeSync, constants, openSync, readFileSync, readdirSync, writeSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { Finding } from "./store";

/**
 * Beside the database, the seq of the event that was stored last. SQLite drops in silence what follows
 * wrong bytes in its log, and a log that is gone altogether: where this file knows of a later event than
 * the database, events are missing. It is written after each commit and never synced, so after a power
 * cut it may be older than the database, and is never ahead of it.
 */
export class LastStored {
  /** `undefined` where it cannot be written: then nothing is known, and nothing else is wrong. */
  #file: number | undefined;
  /** 0: not known. */
  readonly seq: number;

  constructor(dir: string) {
    const path = join(dir, "inbox.last");
    this.#file = attempt(() => openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600));
    this.seq = attempt(() => read(readFileSync(path, "latin1"))) ?? 0;
  }

  write(seq: number): void {
    const file = this.#file;
    // Always as long as before: what is there is written over, on a full disk too.
    if (file !== undefined) attempt(() => writeSync(file, line(seq), 0, "latin1"));
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}

/** What is found in an inbox's directory besides what can be read. */
export function findBeside(dir: string, { known, stored }: { known: number; stored: number }): Finding[] {
  return [
    ...(known > stored ? (["incomplete"] as const) : []),
    ...(readdirSync(dir).includes("CURRENT") ? (["leveldb"] as const) : []),
  ];
}

function line(seq: number): string {
  const text = String(seq).padStart(16, "0");
  return `${text} ${crc32(text).toString(16).padStart(8, "0")}\n`;
}

function read(text: string): number {
  const seq = Number(text.slice(0, 16));
  return text === line(seq) ? seq : 0;
}

function attempt<T>(what: () => T): T | undefined {
  try {
    return what();
  } catch {
    return undefined;
  }
}
