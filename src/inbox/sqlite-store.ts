import { isBuiltin } from "node:module";
import type { Moment } from "./age";
import type { Label } from "./folder";
import { lackingOf } from "./room";
import { spaceOf } from "./sqlite-rows";
import { SqliteThread } from "./sqlite-thread";
import type { Now } from "./sqlite-worker";
import { bounds, Unusable, type Finding, type OpenOptions, type Settings, type Store } from "./store";

/** By directory: what still has a database open that is to be left. */
const leaving = new Map<string, Promise<void>>();

/** By directory: how this process has left its database. */
const left = new Map<string, string>();

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
  readonly #thread = new SqliteThread((now) => (this.#now = now));

  private constructor(
    private readonly dir: string,
    private readonly max: typeof bounds,
  ) {}

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
      Object.assign(store, await store.#thread.ask("openAt", dir, options));
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
    return store.#thread.ask("remove", dir, now).finally(() => store.#leave());
  }

  /** Ends the thread, whatever it waits for: who opens the same directory next waits for that. */
  #leave(): Promise<void> {
    const ended = this.#thread.end().then(() => {
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
    return this.#thread.ask("check");
  }

  async makeRoom(sizes: number[]) {
    const lacking = lackingOf(this.#now.size, sizes.map(spaceOf), this.max);
    return lacking ? this.#thread.ask("makeRoom", sizes) : sizes.length;
  }

  write(...args: Parameters<Store["write"]>) {
    return this.#thread.ask("write", ...args);
  }

  async set(settings: Settings) {
    this.settings = settings; // at once: others may change the rest of them meanwhile
    await this.#thread.ask("set", settings);
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
    return this.#thread.ask("open", ...args);
  }

  due(...args: Parameters<Store["due"]>) {
    return this.#thread.ask("due", ...args);
  }

  times() {
    return this.#thread.ask("times");
  }

  withFlow() {
    return this.#thread.ask("withFlow");
  }

  earlier(...args: Parameters<Store["earlier"]>) {
    return this.#thread.ask("earlier", ...args);
  }

  some(...args: Parameters<Store["some"]>) {
    return this.#thread.ask("some", ...args);
  }

  someFrom(...args: Parameters<Store["someFrom"]>) {
    return this.#thread.ask("someFrom", ...args);
  }

  redate(...args: Parameters<Store["redate"]>) {
    return this.#thread.ask("redate", ...args);
  }

  delete(seqs: string[]) {
    return this.#thread.ask("delete", seqs); // nothing comes between: only this process has it
  }

  compact(...args: Parameters<Store["compact"]>) {
    return this.#thread.ask("compact", ...args);
  }

  get(...args: Parameters<Store["get"]>) {
    return this.#thread.ask("get", ...args);
  }

  read(...args: Parameters<Store["read"]>) {
    return this.#thread.ask("read", ...args);
  }

  later(...args: Parameters<Store["later"]>) {
    return this.#thread.ask("later", ...args);
  }

  list(...args: Parameters<Store["list"]>) {
    return this.#thread.ask("list", ...args);
  }

  count(...args: Parameters<Store["count"]>) {
    return this.#thread.ask("count", ...args);
  }

  causes() {
    return this.#thread.ask("causes");
  }

  known(...args: Parameters<Store["known"]>) {
    return this.#thread.ask("known", ...args);
  }

  know(...args: Parameters<Store["know"]>) {
    return this.#thread.ask("know", ...args);
  }

  unseen(...args: Parameters<Store["unseen"]>) {
    return this.#thread.ask("unseen", ...args);
  }

  forget(...args: Parameters<Store["forget"]>) {
    return this.#thread.ask("forget", ...args);
  }

  async close() {
    await this.#thread.ask("close").then(
      (how) => left.set(this.dir, how),
      () => undefined,
    );
    await this.#leave();
  }
}
