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
  readonly env: NodeJS.ProcessEnv;
  #ahead = 0;

  constructor() {
    needs("faketime");
    const library = execFileSync("faketime", ["-f", "+0", "printenv", "LD_PRELOAD"], { encoding: "utf8" });
    const FAKETIME_TIMESTAMP_FILE = join(this.#dir, "ahead");
    this.env = { LD_PRELOAD: library.trim(), FAKETIME_TIMESTAMP_FILE, FAKETIME_NO_CACHE: "1" };
    this.set(0);
  }

  /** How much it is ahead of this machine's, in seconds. A process that runs takes a change for time that goes by. */
  set(ahead: number): void {
    this.#ahead = Math.round(ahead);
    const file = this.env.FAKETIME_TIMESTAMP_FILE!;
    writeFileSync(`${file}-new`, `${ahead < 0 ? "" : "+"}${this.#ahead}`);
    renameSync(`${file}-new`, file); // it is read all the time, and never half
  }

  /** Lets time go by, in seconds. */
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
