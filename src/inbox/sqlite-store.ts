import { isBuiltin } from "node:module";
import { Worker } from "node:worker_threads";
import type { Moment } from "./age";
import type { Label } from "./folder";
import { lackingOf } from "./room";
import { spaceOf } from "./sqlite-rows";
import type { Answered, Commands, Now } from "./sqlite-worker";
import { bounds, Unusable, type Finding, type OpenOptions, type Settings, type Store } from "./store";

/** By directory: what still has a database open that is to be left. */
const leaving = new Map<string, Promise<void>>();

/** By directory: how this process has left its database. */
const left = new Map<string, string>();

type Result<C extends keyof Commands> = ReturnType<Commands[C]>;

/** What has kept a thread from starting, or ended it: it needs some files to begin with. */
function notStarted(error: Error): Unusable {
  const isForFiles = /EMFILE|ENFILE|too many open files/.test(error.message);
  return new Unusable(isForFiles ? "too-many-files" : "failing", error);
}

/** A store in a SQLite database. All that waits for the disk is in a thread of its own: `sqlite-worker.ts`. */
export class SqliteStore implements Store {
  findings: Finding[] = [];
  settings: Settings = { isPaused: false, ends: 0, refused: [] };
  readonly ahead = 0;
  #now: Now = {
    counts: { waiting: 0, processed: 0, failed: 0 },
    failures: {},
    size: { events: 0, bytes: 0 },
    last: "",
  };
  readonly #worker: Worker;
  readonly #asked = new Map<number, { resolve(result: unknown): void; reject(why: unknown): void }>();
  #id = 0;
  #ended: Unusable | undefined;

  private constructor(
    private readonly dir: string,
    private readonly max: typeof bounds,
  ) {
    // Node.js 22 says of its SQLite that it is experimental.
    const execArgv = [...process.execArgv, "--disable-warning=ExperimentalWarning"];
    this.#worker = new Worker(require.resolve("./sqlite-worker"), { execArgv });
    this.#worker.on("message", (answered: Answered) => this.#answered(answered));
    this.#worker.on("error", (error: Error) => this.#end(notStarted(error)));
    this.#worker.on("exit", () => this.#end(new Unusable("failing", new Error("its thread has ended"))));
  }

  /**
   * @param dir is made where it is not there, for this user only
   * @param label whose it is and for how long, for those who find it later
   */
  static async open(
    dir: string,
    options: OpenOptions = {},
    label?: Omit<Label, "used">,
  ): Promise<SqliteStore> {
    if (!isBuiltin("node:sqlite")) throw new Unusable("missing");
    const { max = bounds, last = "", check = false, signal } = options;
    await leaving.get(dir);
    signal?.throwIfAborted();
    const store = new SqliteStore(dir, max);
    const leave = () => void store.#leave();
    signal?.addEventListener("abort", leave);
    try {
      const options = { max, last, check, left: left.get(dir), label };
      left.delete(dir);
      Object.assign(store, await store.#ask("openAt", dir, options));
      return store;
    } catch (error) {
      leave();
      throw error;
    } finally {
      signal?.removeEventListener("abort", leave);
    }
  }

  /**
   * Deletes the folder of an inbox that nobody has open, when its days are over.
   *
   * @returns whether it was deleted
   * @throws Unusable where somebody has it open, or it cannot be deleted
   */
  static async remove(dir: string, now: Moment): Promise<boolean> {
    if (!isBuiltin("node:sqlite")) throw new Unusable("missing");
    await leaving.get(dir);
    const store = new SqliteStore(dir, bounds);
    return store.#ask("remove", dir, now).finally(() => store.#leave());
  }

  #ask<C extends keyof Commands>(command: C, ...args: Parameters<Commands[C]>): Promise<Result<C>> {
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
    if (now) this.#now = now;
    if (error) reject(new Unusable(error.problem, new Error(error.message)));
    else resolve(result);
  }

  #end(why: Unusable): void {
    this.#ended ??= why;
    for (const { reject } of this.#asked.values()) reject(this.#ended);
    this.#asked.clear();
  }

  /** Ends the thread, whatever it waits for: who opens the same directory next waits for that. */
  #leave(): Promise<void> {
    this.#end(new Unusable("gone", new Error("it was closed")));
    const ended = this.#worker.terminate().then(() => {
      if (leaving.get(this.dir) === ended) leaving.delete(this.dir);
    });
    leaving.set(this.dir, ended);
    return ended;
  }

  leave(): void {
    void this.#leave();
  }

  get counts() {
    return this.#now.counts;
  }

  get failures() {
    return this.#now.failures;
  }

  get last() {
    return this.#now.last;
  }

  check() {
    return this.#ask("check");
  }

  async makeRoom(sizes: number[]) {
    const lacking = lackingOf(this.#now.size, sizes.map(spaceOf), this.max);
    return lacking ? this.#ask("makeRoom", sizes) : sizes.length;
  }

  write(...args: Parameters<Store["write"]>) {
    return this.#ask("write", ...args);
  }

  async set(settings: Settings) {
    this.settings = settings; // at once: others may change the rest of them meanwhile
    await this.#ask("set", settings);
  }

  /** Nobody shares it. */
  change() {
    return Promise.resolve([]);
  }

  /** There is never any. */
  async news() {
    // Nobody shares it.
  }

  /** Whoever opens it next has them. */
  async letGo() {
    // Nobody shares it.
  }

  open(...args: Parameters<Store["open"]>) {
    return this.#ask("open", ...args);
  }

  due(...args: Parameters<Store["due"]>) {
    return this.#ask("due", ...args);
  }

  times() {
    return this.#ask("times");
  }

  withFlow() {
    return this.#ask("withFlow");
  }

  earlier(...args: Parameters<Store["earlier"]>) {
    return this.#ask("earlier", ...args);
  }

  some(...args: Parameters<Store["some"]>) {
    return this.#ask("some", ...args);
  }

  someFrom(...args: Parameters<Store["someFrom"]>) {
    return this.#ask("someFrom", ...args);
  }

  redate(...args: Parameters<Store["redate"]>) {
    return this.#ask("redate", ...args);
  }

  delete(seqs: string[]) {
    return this.#ask("delete", seqs); // nothing comes between: only this process has it
  }

  compact(...args: Parameters<Store["compact"]>) {
    return this.#ask("compact", ...args);
  }

  get(...args: Parameters<Store["get"]>) {
    return this.#ask("get", ...args);
  }

  read(...args: Parameters<Store["read"]>) {
    return this.#ask("read", ...args);
  }

  later(...args: Parameters<Store["later"]>) {
    return this.#ask("later", ...args);
  }

  list(...args: Parameters<Store["list"]>) {
    return this.#ask("list", ...args);
  }

  count(...args: Parameters<Store["count"]>) {
    return this.#ask("count", ...args);
  }

  causes() {
    return this.#ask("causes");
  }

  known(...args: Parameters<Store["known"]>) {
    return this.#ask("known", ...args);
  }

  know(...args: Parameters<Store["know"]>) {
    return this.#ask("know", ...args);
  }

  unseen(...args: Parameters<Store["unseen"]>) {
    return this.#ask("unseen", ...args);
  }

  forget(...args: Parameters<Store["forget"]>) {
    return this.#ask("forget", ...args);
  }

  async close() {
    await this.#ask("close").then(
      (how) => left.set(this.dir, how),
      () => undefined,
    );
    await this.#leave();
  }
}
