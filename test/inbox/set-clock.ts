import { execFileSync } from "node:child_process";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { needs } from "./needs";

/** In seconds. */
export const hour = 3600;
export const day = 24 * hour;

/** More than an hour, in seconds: by then what is too old is deleted. */
export const moreThanAnHour = hour + 10;

/** A clock that is another than this machine's, for processes that are started with `env`. */
export class SetClock {
  readonly #dir = mkdtempSync(join(tmpdir(), "radaro-clock-"));
  readonly #file = join(this.#dir, "ahead");
  readonly #library: string;
  #ahead = 0;

  constructor() {
    needs("faketime");
    const library = execFileSync("faketime", ["-f", "+0", "printenv", "LD_PRELOAD"], { encoding: "utf8" });
    this.#library = library.trim();
    this.set(0);
  }

  /**
   * A process that is started while this is right has its timers go by it too. While it is set, a thread may
   * read this machine's clock for once: Node.js ends where that is before its start.
   */
  get env(): NodeJS.ProcessEnv {
    return {
      ...{ LD_PRELOAD: this.#library, FAKETIME_TIMESTAMP_FILE: this.#file, FAKETIME_NO_CACHE: "1" },
      ...(this.#ahead !== 0 && { FAKETIME_DONT_FAKE_MONOTONIC: "1" }),
    };
  }

  /** How much it is ahead of this machine's, in seconds. A process that runs takes a change for time that goes by. */
  set(ahead: number): void {
    this.#ahead = Math.round(ahead);
    writeFileSync(`${this.#file}-new`, `${ahead < 0 ? "" : "+"}${this.#ahead}`);
    renameSync(`${this.#file}-new`, this.#file); // it is read all the time, and never half
  }

  /** Lets time go by for processes that were started while this was right, in seconds. */
  pass(seconds: number): void {
    this.set(this.#ahead + seconds);
  }

  remove(): void {
    rmSync(this.#dir, { recursive: true });
  }
}

/** Asks again where a connection has ended because the clock was set: a server thinks that nobody uses it any more. */
export async function again<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const { code } = ((error as Error).cause ?? {}) as { code?: string };
      if (code !== "ECONNRESET" && code !== "UND_ERR_SOCKET") throw error;
    }
  }
}
