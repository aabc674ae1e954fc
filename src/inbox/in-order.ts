import type { Held } from "./held";
import type { Reopening } from "./reopening";
import { left, type Delivery } from "./deliveries";
import { turnAtMost, Turns } from "./scheduler";
import { keyOf, type StoredEvent } from "./stored-event";

/** Lets the events of one job come one after the other to the nodes that want that. */
export class InOrder {
  readonly #turns = new Turns();
  /** By event: the turns that it has, or waits for. */
  readonly #keys = new Map<string, Set<string>>();
  readonly #timers = new Set<NodeJS.Timeout>();

  /**
   * @param wants whether a node wants it
   * @param comes is called with the seqs of events whose turn has come
   */
  constructor(
    private readonly store: Reopening,
    private readonly held: Held,
    private readonly wants: (node: string) => boolean,
    private readonly comes: (seqs: string[]) => void,
  ) {}

  /** @returns `undefined` where it does not matter when it comes */
  #keyOf(node: string, { path, orderId }: StoredEvent): string | undefined {
    const job = keyOf(orderId);
    return job !== null && this.wants(node) ? `${node}\n${path}\n${job}` : undefined;
  }

  /**
   * Begins an event's turn with a node.
   *
   * @param isWithFlow else it is about to be given, when the disk has that: until then it keeps others waiting
   * @returns false where that is another's: then it comes later
   */
  begin(node: string, stored: StoredEvent, isWithFlow = true): boolean {
    const key = this.#keyOf(node, stored);
    if (key === undefined) return true;
    const { seq, changedAt } = stored;
    const now = performance.now();
    const keys = this.#keys.get(seq) ?? new Set();
    this.#keys.set(seq, keys.add(key));
    if (this.#turns.isFree(key, seq)) {
      if (this.#turns.begin(key, seq, isWithFlow ? now : Infinity) && isWithFlow) this.#lookIn(turnAtMost);
      return true;
    }
    const wait = this.#turns.wait(key, { seq, order: changedAt }, now);
    if (wait < Infinity) this.#lookIn(wait);
    return false;
  }

  /** Whether an event may come: no earlier one of its job waits to be given to one of these nodes, but those that have a turn, or wait for it. */
  async afterEarlier(nodes: readonly string[], stored: StoredEvent): Promise<boolean> {
    const inOrder = nodes.filter((node) => this.#keyOf(node, stored) !== undefined);
    if (inOrder.length === 0) return true;
    const earlier = await this.store.read((store) => store.earlier(stored, keyOf(stored.orderId)!));
    return !earlier.some(({ seq, deliveries }) => {
      // What the flow was done with a moment ago is not on disk yet.
      const now = this.held.get(seq)?.deliveries ?? deliveries?.map(left);
      // One that the flow has had for longer than its turn keeps nobody waiting, until it has lost it.
      const comesFirst = ({ node, state, since }: Delivery) =>
        state === "waiting" &&
        since === undefined &&
        inOrder.includes(node) &&
        !this.#turns.has(this.#keyOf(node, stored)!, seq);
      return now?.some(comesFirst) ?? true;
    });
  }

  /** The flow is done with an event at a node, or has lost it. */
  end(node: string, seq: string): void {
    this.#end(
      seq,
      [...(this.#keys.get(seq) ?? [])].filter((key) => key.startsWith(`${node}\n`)),
    );
  }

  /** An event is not there any more. */
  forget(seq: string): void {
    this.#end(seq, [...(this.#keys.get(seq) ?? [])]);
  }

  #end(seq: string, over: string[]): void {
    const now = performance.now();
    this.#ended(seq, { over, next: over.flatMap((key) => this.#turns.end(key, seq, now) ?? []) });
  }

  /** An event whose turn had come did not take it everywhere: those are over. */
  pass(seq: string, taken: readonly string[]): void {
    const keys = [...(this.#keys.get(seq) ?? [])];
    const left = keys.filter((key) => !taken.includes(key.slice(0, key.indexOf("\n"))));
    this.#ended(seq, this.#turns.pass(seq, left, performance.now()));
  }

  /**
   * An event whose turn had come cannot be given now: it waits on disk, and so do those behind it, as one of them that could
   * be given a moment later would come before it.
   */
  scatter(seq: string): void {
    for (const key of this.#keys.get(seq) ?? [])
      for (const each of this.#turns.scatter(key, seq)) this.#ended(each, { over: [key], next: [] });
  }

  #ended(seq: string, { over, next }: { over: string[]; next: string[] }): void {
    const left = this.#keys.get(seq);
    for (const key of over) left?.delete(key);
    if (left?.size === 0) this.#keys.delete(seq);
    if (next.length > 0) this.comes(next);
  }

  /** Lets those come that have waited long enough by then. */
  #lookIn(wait: number): void {
    const until = performance.now() + wait + 1;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      const now = performance.now();
      // A timer goes by whole milliseconds, and fires a little early.
      if (now < until) this.#lookIn(until - now);
      else this.comes(this.#turns.late(now, (key, seq) => this.#isWithFlow(key, seq)));
    }, wait + 1).unref();
    this.#timers.add(timer);
  }

  #isWithFlow(key: string, seq: string): boolean {
    const { deliveries = [] } = this.held.get(seq) ?? {};
    return deliveries.some(({ node, since }) => since !== undefined && key.startsWith(`${node}\n`));
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }
}
