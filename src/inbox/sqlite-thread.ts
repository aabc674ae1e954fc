import { Worker } from "node:worker_threads";
import type { Answered, Commands, Now } from "./sqlite-worker";
import { Unusable } from "./store";

type Result<C extends keyof Commands> = ReturnType<Commands[C]>;

/** What has kept a thread from starting, or ended it: it needs some files to begin with. */
function notStarted(error: Error): Unusable {
  const isForFiles = /EMFILE|ENFILE|too many open files/.test(error.message);
  return new Unusable(isForFiles ? "too-many-files" : "failing", error);
}

/** The thread in which a store waits for its disk, as it is asked and answers: `sqlite-worker.ts` is its other end. */
export class SqliteThread {
  readonly #worker: Worker;
  readonly #asked = new Map<number, { resolve(result: unknown): void; reject(why: unknown): void }>();
  #id = 0;
  #ended: Unusable | undefined;

  /** @param told gets what there is now, with each answer that has it */
  constructor(private readonly told: (now: Now) => void) {
    // Node.js 22 says of its SQLite that it is experimental.
    const execArgv = [...process.execArgv, "--disable-warning=ExperimentalWarning"];
    this.#worker = new Worker(require.resolve("./sqlite-worker"), { execArgv });
    this.#worker.on("message", (answered: Answered) => this.#answered(answered));
    this.#worker.on("error", (error: Error) => this.#end(notStarted(error)));
    this.#worker.on("exit", () => this.#end(new Unusable("failing", new Error("its thread has ended"))));
  }

  /** @throws Unusable */
  ask<C extends keyof Commands>(command: C, ...args: Parameters<Commands[C]>): Promise<Result<C>> {
    return new Promise((resolve, reject) => {
      if (this.#ended) {
        reject(this.#ended);
        return;
      }
      this.#id += 1;
      this.#asked.set(this.#id, { resolve, reject });
      this.#worker.postMessage({ id: this.#id, command, args });
    });
  }

  #answered({ id, result, error, now }: Answered): void {
    const asked = this.#asked.get(id);
    if (!asked) return; // it was left meanwhile
    const { resolve, reject } = asked;
    this.#asked.delete(id);
    if (now) this.told(now);
    if (error) reject(new Unusable(error.problem, new Error(error.message)));
    else resolve(result);
  }

  #end(why: Unusable): void {
    this.#ended ??= why;
    for (const { reject } of this.#asked.values()) reject(this.#ended);
    this.#asked.clear();
  }

  /** Ends it, whatever it waits for. @returns when it has ended */
  async end(): Promise<void> {
    this.#end(new Unusable("gone", new Error("it was closed")));
    await this.#worker.terminate();
  }
}
