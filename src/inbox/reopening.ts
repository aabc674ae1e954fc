import { Unusable, type bounds, type OpenStore, type Others, type Problem, type Store } from "./store";

/** The inbox was closed before it could do it: another one may come in its place. */
export class Closed extends Error {}

/**
 * How long a store is left alone that could not be opened, or broke this soon after it was opened again,
 * in milliseconds; and how long at most, where it is damaged: all of it is read each time.
 */
const pause = { first: 1000, longest: 32_000 };

/** How long it takes to close at most, in milliseconds: Node-RED gives a node 15 s, and a disk may not answer. */
const closeWithin = 10_000;

/** What is over only when something was stored: the store can be opened all the same. */
const shownByWriting: Problem[] = ["full", "unwritable", "failing", "too-many-files", "slow", "crowded"];

/** A store that is opened anew where it broke, and what is wrong meanwhile. */
export class Reopening {
  #store: Store | undefined;
  #problem: Unusable | undefined;
  /** Whether the problem came up while the store was in use. */
  #inUse = false;
  /** Since when the store is left alone, and for how long. */
  #left = { at: -Infinity, for: pause.first };
  /** When the store was opened after something was wrong. */
  #reopenedAt = -Infinity;
  #last = "";
  #ahead = 0;
  #opening: Promise<Store> | undefined;
  /** The end of all that writes, one after the other. */
  #writes: Promise<unknown> = Promise.resolve();
  readonly #closing = new AbortController();
  /** Never resolves. */
  readonly #closed: Promise<never>;

  /** @param options `opened` and `changed` are called when the store was opened, and when `problem` is another; see `Others` */
  constructor(
    private readonly openStore: OpenStore,
    private readonly options: {
      max: typeof bounds;
      opened(store: Store): void;
      changed(): void;
      others(): Others;
    },
  ) {
    const { signal } = this.#closing;
    this.#closed = new Promise((_, reject) =>
      signal.addEventListener("abort", () => reject(new Closed()), { once: true }),
    );
    this.#closed.catch(() => undefined); // whoever waits for it hears of it
  }

  /** Why nothing can be stored; `undefined`: all is well. */
  get problem(): Unusable | undefined {
    return this.#problem;
  }

  /** `undefined` while it cannot be used. */
  get store(): Store | undefined {
    return this.#store;
  }

  /** How far the store's clock is ahead of this machine's, in milliseconds; as it was last while it is not open. */
  get ahead(): number {
    return this.#store?.ahead ?? this.#ahead;
  }

  /** What time it is by the store's clock, in milliseconds. */
  get now(): number {
    return Date.now() + this.ahead;
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Lets one writer after the other use the store; with a store that is broken once more, opened anew. */
  alone<T>(use: (store: Store) => Promise<T>): Promise<T> {
    const result = this.#writes.then(() => this.read(use).catch(() => this.read(use)));
    this.#writes = result.catch(() => undefined);
    return result;
  }

  async read<T>(use: (store: Store) => Promise<T>): Promise<T> {
    const store = await this.#usable();
    try {
      return await use(store);
    } catch (error) {
      if (this.isClosed) throw new Closed();
      if (error instanceof Unusable && this.#store === store) {
        this.#last = store.last;
        this.#ahead = store.ahead;
        this.#store = undefined;
        this.#inUse = true;
        this.say(error);
        if (performance.now() - this.#reopenedAt < pause.first) this.#leave(error);
        await store.close();
      }
      throw error;
    }
  }

  /** The store, opened where it is not. */
  async #usable(): Promise<Store> {
    if (this.isClosed) throw new Closed();
    if (this.#store) return this.#store;
    if (this.#problem && performance.now() - this.#left.at < this.#left.for) throw this.#problem;
    this.#opening ??= this.#open().finally(() => (this.#opening = undefined));
    return Promise.race([this.#opening, this.#closed]);
  }

  async #open(): Promise<Store> {
    const check = this.#problem?.problem === "damaged";
    const { signal } = this.#closing;
    try {
      const others = this.options.others();
      const { max } = this.options;
      const store = await this.openStore({ max, last: this.#last, check, signal, others });
      if (this.#problem) this.#reopenedAt = performance.now();
      this.#store = store;
      const isShown = !this.#inUse || !shownByWriting.includes(this.#problem!.problem);
      if (isShown) this.isWell();
      else this.options.changed();
      this.options.opened(store);
      return store;
    } catch (error) {
      if (this.isClosed) throw new Closed();
      this.#inUse = false;
      if (error instanceof Unusable) {
        this.#leave(error);
        this.say(error);
      }
      throw error;
    }
  }

  #leave({ problem }: Unusable): void {
    const isAgain = problem === "damaged" && this.#problem?.problem === "damaged";
    this.#left = {
      at: performance.now(),
      for: isAgain ? Math.min(2 * this.#left.for, pause.longest) : pause.first,
    };
  }

  /** Something was stored: whatever was wrong is over. */
  isWell(): void {
    this.#inUse = false;
    this.#reopenedAt = -Infinity;
    this.#left.for = pause.first;
    this.say(undefined);
  }

  say(problem: Unusable | undefined): void {
    this.#problem = problem;
    this.options.changed();
  }

  /**
   * Ends it when what writes has ended, and lets another one have the store. One that is being opened is
   * not waited for, and neither is a disk that does not answer: what waits for it then is not written.
   *
   * @param use for the last time
   */
  async close(use: (store: Store) => Promise<unknown>): Promise<void> {
    this.#closing.abort();
    let isOver: () => void;
    const over = new Promise<void>((resolve) => (isOver = resolve));
    const timer = setTimeout(() => {
      this.#store?.leave();
      isOver();
    }, closeWithin);
    await Promise.race([this.#end(use), over]);
    clearTimeout(timer);
  }

  async #end(use: (store: Store) => Promise<unknown>): Promise<void> {
    await this.#writes;
    if (!this.#store) return;
    await use(this.#store).catch(() => undefined);
    await this.#store.close();
  }
}
