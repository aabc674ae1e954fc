import { readFileSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { NodeAPI } from "node-red";
import { isJsonObject } from "../../src/event/json";
import { folderName } from "../../src/inbox/folder";
import { readWatched, type Watched } from "../../src/inbox/watched";
import { inboxesDir } from "../inbox/dir";

/** What is known of each merchant, by the id of its node. */
export type Known = Record<string, Watched>;

/** What a `radaro watch` knows, on disk: what it has told it does not tell again after a restart. */
export class StateFile {
  readonly #path: string;
  /** What is there. */
  #written = "";
  /** What is to be there. */
  #wanted: string | undefined;
  #writing: Promise<void> | undefined;

  /** @param failed is told of what keeps it from being written */
  constructor(
    RED: NodeAPI,
    node: string,
    private readonly failed: (error: unknown) => void,
  ) {
    this.#path = join(inboxesDir(RED), `watch-${folderName(node)}.json`);
  }

  /** Where it is damaged or not there, nothing is known. */
  read(): Known {
    try {
      const merchants: unknown = JSON.parse(readFileSync(this.#path, "utf8"));
      if (!isJsonObject(merchants)) return {};
      return Object.fromEntries(
        Object.entries(merchants).flatMap(([id, value]) => {
          const watched = readWatched(value);
          return watched ? [[id, watched]] : [];
        }),
      );
    } catch {
      return {};
    }
  }

  /** @returns when it is on disk, or cannot be written */
  write(known: Known): Promise<void> {
    this.#wanted = JSON.stringify(known);
    return (this.#writing ??= this.#writeAll());
  }

  async #writeAll(): Promise<void> {
    await Promise.resolve(); // what is known is said many times in a turn
    try {
      while (this.#wanted !== undefined && this.#wanted !== this.#written) {
        const wanted = this.#wanted;
        await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
        // As a whole, or not at all.
        await writeFile(`${this.#path}-new`, wanted, { mode: 0o600 });
        await rename(`${this.#path}-new`, this.#path);
        this.#written = wanted;
      }
    } catch (error) {
      this.failed(error);
    }
    this.#writing = undefined;
  }

  /** Deletes it for good. */
  async remove(): Promise<void> {
    this.#wanted = undefined;
    await this.#writing;
    for (const path of [this.#path, `${this.#path}-new`]) await rm(path, { force: true }).catch(this.failed);
  }
}
