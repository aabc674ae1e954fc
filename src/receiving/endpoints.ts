import type { Receiver } from "./receive";

/** How many requests wait for the end of a deploy at most; further ones are answered 503. */
export const maxHeld = 1000;

/** How much of them is kept at most, in bytes of their bodies: some 1000 events. */
export const maxHeldBytes = 16 * 1024 * 1024;

/** How long a request waits for the end of a deploy at most, in milliseconds. */
export const maxHeldFor = 20_000;

const nobody: ReadonlySet<Receiver> = new Set();

/**
 * The paths that receive events, and who receives them.
 *
 * Radaro does not send an event twice, so a path outlives a deploy: while the flows are stopped
 * and started again its requests wait, and go to the receivers that are there afterwards.
 */
export class Endpoints {
  readonly #receivers = new Map<string, Set<Receiver>>();
  #waiting = new Set<(running: boolean) => void>();
  #heldBytes = 0;
  #deploying = false;
  /** The paths that there will be after the deploy; `undefined`: not known. */
  #wanted: ReadonlySet<string> | undefined;

  /**
   * Requests wait from now on: the flows are being stopped or started.
   *
   * @param wanted the paths that there will be afterwards, as the user wrote them, where that is
   *   known: those that will be gone are gone at once, and those that will be new are there already
   */
  hold(wanted?: Iterable<string>): void {
    this.#deploying = true;
    this.#wanted = wanted && new Set(Array.from(wanted, normalisePath));
  }

  /** The flows run, or are known not to come back: requests go on. Paths that nobody wants are gone. */
  release(): void {
    this.#deploying = false;
    this.#wanted = undefined;
    for (const [path, receivers] of this.#receivers) {
      if (receivers.size === 0) this.#receivers.delete(path);
      for (const receiver of receivers) receiver.deployed?.();
    }
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const goOn of waiting) goOn(true);
  }

  /** @param path as the user wrote it */
  add(path: string, receiver: Receiver): void {
    const key = normalisePath(path);
    const receivers = this.#receivers.get(key);
    if (receivers) receivers.add(receiver);
    else this.#receivers.set(key, new Set([receiver]));
  }

  remove(path: string, receiver: Receiver): void {
    const key = normalisePath(path);
    const receivers = this.#receivers.get(key);
    receivers?.delete(receiver);
    if (receivers?.size === 0 && !this.#deploying) this.#receivers.delete(key);
  }

  /** Whether requests wait. */
  get deploying(): boolean {
    return this.#deploying;
  }

  /** How many paths there are. */
  get size(): number {
    return this.#receivers.size;
  }

  /**
   * @param path of a request, as it came
   * @returns who receives what is sent there, `undefined` where the path is not one of these. Empty
   *   while a deploy has stopped them.
   */
  at(path: string): ReadonlySet<Receiver> | undefined {
    if (this.#wanted) {
      const key = normalisePath(path);
      return this.#wanted.has(key) ? (this.#receivers.get(key) ?? nobody) : undefined;
    }
    // Most often the path is already in the form that is kept.
    return this.#receivers.get(path) ?? this.#receivers.get(normalisePath(path));
  }

  /**
   * Waits until the flows run, for `maxHeldFor` at most.
   *
   * @param size of the request's body, in bytes, where it has been read
   * @returns false where a bound was reached
   */
  running(size = 0): Promise<boolean> | true {
    if (!this.#deploying) return true;
    if (this.#waiting.size >= maxHeld || this.#heldBytes + size > maxHeldBytes) return Promise.resolve(false);
    this.#heldBytes += size;
    return new Promise((resolve) => {
      const goOn = (running: boolean) => {
        clearTimeout(timer);
        this.#waiting.delete(goOn);
        this.#heldBytes -= size;
        resolve(running);
      };
      const timer = setTimeout(goOn, maxHeldFor, false);
      this.#waiting.add(goOn);
    });
  }
}

/** One form for a path: decoded, with a leading and without a trailing `/`. */
export function normalisePath(path: string): string {
  const trimmed = path.trim();
  let [start, end] = [0, trimmed.length];
  while (trimmed[start] === "/") start += 1;
  while (end > start && trimmed[end - 1] === "/") end -= 1;
  const literal = `/${trimmed.slice(start, end)}`;
  if (!literal.includes("%")) return literal;
  try {
    return decodeURI(literal);
  } catch {
    return literal; // a stray %, taken literally like the rest
  }
}
