/** How long an event keeps the next of its job waiting, in milliseconds (contract). */
export const turnAtMost = 30_000;

interface Turn {
  /** Whose it is. */
  seq: string;
  since: number;
  isGiven: boolean;
  /** Those that come after it, as text that sorts by their order. */
  queue: string[];
}

/** Of an event that waits for its turn. */
const seqOf = (entry: string) => entry.slice(entry.lastIndexOf(" ") + 1);

/**
 * Whose turn it is where events come one after the other: of each job, for each node. Times are in
 * milliseconds, of any clock that runs evenly.
 */
export class Turns {
  readonly #turns = new Map<string, Turn>();

  /** Whether an event may be given: nobody has the turn, or it has. */
  isFree(key: string, seq: string): boolean {
    const turn = this.#turns.get(key);
    return !turn || turn.seq === seq;
  }

  /** Whether an event has the turn, or waits for it. */
  has(key: string, seq: string): boolean {
    const turn = this.#turns.get(key);
    return turn !== undefined && (turn.seq === seq || turn.queue.some((entry) => seqOf(entry) === seq));
  }

  /**
   * An event is given: it has the turn.
   *
   * @returns whether somebody waits: then `late` is to be asked when that is too long
   */
  begin(key: string, seq: string, now: number): boolean {
    const { queue = [] } = this.#turns.get(key) ?? {};
    this.#turns.set(key, { seq, since: now, isGiven: true, queue });
    return queue.length > 0;
  }

  /**
   * An event waits for its turn.
   *
   * @param order as text that sorts by it
   * @returns how long until the turn is another's at the latest
   */
  wait(key: string, { seq, order }: { seq: string; order: string }, now: number): number {
    const turn = this.#turns.get(key)!;
    const entry = `${order} ${seq}`;
    const at = turn.queue.findIndex((each) => each >= entry);
    if (at < 0) turn.queue.push(entry);
    else if (turn.queue[at] !== entry) turn.queue.splice(at, 0, entry);
    return Math.max(0, turn.since + turnAtMost - now);
  }

  /**
   * An event's turn is over, or it waits for none any more: the flow is done with it, or it is not there.
   *
   * @returns whose turn it is now, if it was this one's and somebody waits
   */
  end(key: string, seq: string, now: number): string | undefined {
    const turn = this.#turns.get(key);
    if (turn?.seq === seq) return this.#next(key, turn, now);
    const at = turn?.queue.findIndex((entry) => entry.endsWith(` ${seq}`)) ?? -1;
    if (at >= 0) turn!.queue.splice(at, 1);
    return undefined;
  }

  /**
   * Those that have waited long enough for the one before, or that one where the flow has lost it: it comes before them.
   */
  late(now: number, isWithFlow: (key: string, seq: string) => boolean = () => true): string[] {
    return [...this.#turns].flatMap(([key, turn]) => {
      const { seq, since, queue } = turn;
      if (queue.length === 0 || now - since < turnAtMost) return [];
      if (isWithFlow(key, seq)) return this.#next(key, turn, now) ?? [];
      this.#turns.set(key, { seq, since: now, isGiven: false, queue });
      return seq;
    });
  }

  /**
   * Ends the turns of an event that it did not take.
   *
   * @returns `over`: the keys of these; `next`: whose turns they are now
   */
  pass(seq: string, keys: readonly string[], now: number): { over: string[]; next: string[] } {
    const over = keys.filter((key) => {
      const turn = this.#turns.get(key);
      return turn?.seq === seq && !turn.isGiven;
    });
    return { over, next: over.flatMap((key) => this.#next(key, this.#turns.get(key)!, now) ?? []) };
  }

  /**
   * Ends the turn of an event that cannot be given now, and nobody gets it.
   *
   * @returns the seqs of those that waited for it, and its own; none where it is another's, or it was given
   */
  scatter(key: string, seq: string): string[] {
    const turn = this.#turns.get(key);
    if (turn?.seq !== seq || turn.isGiven) return [];
    this.#turns.delete(key);
    return [seq, ...turn.queue.map(seqOf)];
  }

  #next(key: string, { queue }: Turn, now: number): string | undefined {
    const entry = queue.shift();
    if (entry === undefined) {
      this.#turns.delete(key);
      return undefined;
    }
    const seq = seqOf(entry);
    this.#turns.set(key, { seq, since: now, isGiven: false, queue });
    return seq;
  }
}

/** How many that are given again are with the flow at a time at most. */
export const maxAgain = 20;

/** How long one of these is waited for before the next is given, in milliseconds. */
export const againAtMost = 30_000;

/** How long nothing more is given again after a failure while nodes may not be ready, in milliseconds. */
const restAfter = 1000;

/** For how long after a start or a deploy nodes may not be ready, in milliseconds. */
const unreadyFor = 60_000;

/**
 * How many that are given again may be with the flow: it begins with one, and goes on as that succeeds.
 * Times are in milliseconds, of any clock that runs evenly.
 */
export class Pace {
  #width = 1;
  readonly #given = new Map<string, number>();
  #restUntil = -Infinity;
  #unreadyUntil = -Infinity;

  /** Nodes may not be ready: begins with one again. */
  begin(now: number): void {
    this.#width = 1;
    this.#unreadyUntil = now + unreadyFor;
  }

  /** Whether nodes may not be ready. */
  isUnready(now: number): boolean {
    return now < this.#unreadyUntil;
  }

  /** How many may be given now. */
  free(now: number): number {
    for (const [key, since] of this.#given) if (now - since >= againAtMost) this.over(key, true, now);
    return now < this.#restUntil ? 0 : Math.max(0, this.#width - this.#given.size);
  }

  /** How long nothing is given, as something has failed while nodes may not be ready. */
  rest(now: number): number {
    return Math.max(0, this.#restUntil - now);
  }

  /** How long until more may be given at the latest. */
  wait(now: number): number {
    const [since = now] = this.#given.values();
    return Math.max(1, this.rest(now) || since + againAtMost - now);
  }

  give(key: string, now: number): void {
    this.#given.set(key, now);
  }

  /** One is settled, or is not waited for any longer. @returns whether it was one of these */
  over(key: string, isWell: boolean, now: number): boolean {
    if (!this.#given.delete(key)) return false;
    if (isWell) this.#width = Math.min(2 * this.#width, maxAgain);
    else if (now < this.#unreadyUntil) {
      this.#width = 1;
      this.#restUntil = now + restAfter;
    }
    return true;
  }
}

/** After how many ends of Node-RED an event that alone was with the flow is set aside (contract). */
export const maxEnds = 3;

/** How long all of them are watched at most, in milliseconds: other events may wait for that. */
const longestWatch = 300_000;

/**
 * How long an event that was with the flow when Node-RED ended is watched before it counts as harmless, in
 * milliseconds: longer where that has come again, and less where there are many.
 *
 * @param ends how many times in a row Node-RED has ended while events were with the flow
 * @param count how many events that was the last time
 */
export function watchFor(ends: number, count: number): number {
  const each = ends <= 1 ? 2000 : ends === 2 ? 10_000 : 30_000;
  return Math.min(each, longestWatch / count);
}
