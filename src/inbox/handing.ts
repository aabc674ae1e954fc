import type { JsonObject } from "../event/json";
import { given, left, newDelivery, type Delivery } from "./deliveries";
import type { Flow } from "./giving";
import type { Held } from "./held";
import type { InOrder } from "./in-order";
import type { Reopening } from "./reopening";
import { Pace } from "./scheduler";
import { changeOf, type StoredEvent } from "./stored-event";

/** An event with what is kept of it, and the nodes that are to get it. */
export interface Next {
  stored: StoredEvent;
  event: JsonObject;
  nodes: string[];
}

/** Hands events that wait to the flow: read, marked on disk as given, and given. */
export class Handing {
  readonly pace = new Pace();
  /** By delivery: when it was given again because of a start or a deploy. */
  readonly #givenAt = new Map<string, number>();
  /** Those that are given again because somebody wants it, or by themselves. */
  readonly #asked = new Set<string>();

  /** @param give gives an event that is held to nodes; returns those that were there */
  constructor(
    private readonly store: Reopening,
    private readonly flow: Flow,
    private readonly held: Held,
    private readonly inOrder: InOrder,
    private readonly told: (stored: StoredEvent, nodes: string[], event: JsonObject) => string[],
  ) {}

  /** These are given again because somebody wants it, or by themselves. */
  ask(seqs: string[]): void {
    for (const seq of seqs) this.#asked.add(seq);
  }

  /** See `GivingAgain.over`. */
  over(seq: string, node: string, isWell: boolean, isSettled: boolean): number | undefined {
    const key = keyFor(seq, node);
    const now = performance.now();
    this.pace.over(key, isWell, now);
    const at = this.#givenAt.get(key);
    if (isSettled) this.#givenAt.delete(key);
    if (isSettled) this.#asked.delete(seq);
    return at === undefined ? undefined : now - at;
  }

  /** Whether something of an event can be given now, by what is known of it without reading it. */
  canBeGiven(seq: string, path: string, deliveries: Delivery[] | undefined): boolean {
    const held = this.held.get(seq);
    const known = held ? held.deliveries : deliveries?.map(left);
    return known
      ? known.some((each) => waits(each) && this.flow.receiver(each.node))
      : this.flow.receivers(path, {}) !== undefined;
  }

  /** Reads an event that waits. @returns `undefined` where there is nothing to give now */
  async prepare(seq: string): Promise<Next | undefined> {
    const found = await this.store.read((store) => store.read(seq));
    if (!found) return undefined;
    const stored = this.held.hold(found.stored);
    const event = JSON.parse(found.text) as JsonObject;
    if (!stored.deliveries) this.#decide(stored, event);
    const nodes = (stored.deliveries ?? [])
      .filter((each) => waits(each) && this.flow.receiver(each.node))
      .map(({ node }) => node);
    if (nodes.length > 0 && (await this.#isSuperseded(stored, event))) stored.superseded = true;
    if (nodes.length > 0) return { stored, event, nodes };
    this.held.letGo(seq);
    return undefined;
  }

  async #isSuperseded(stored: StoredEvent, event: JsonObject): Promise<boolean> {
    // What was made may not say when it happened.
    const change = stored.caughtUp ? changeOf(event, undefined, stored.changedAt) : changeOf(event);
    const later = change && (await this.store.read((store) => store.later(stored, change)));
    // One that waits too comes in its turn, after this one; but nobody knows when another inbox gives it.
    const isBefore = (each: NonNullable<typeof later>[number]) =>
      each.state !== "waiting" || each.isElsewhere === true || this.held.has(each.seq);
    return later?.every(isBefore) ?? false;
  }

  /** It came while its nodes were not there. */
  #decide(stored: StoredEvent, event: JsonObject): void {
    const nodes = this.flow.running ? this.flow.receivers(stored.path, event) : undefined;
    if (!nodes) return;
    stored.deliveries = nodes.map(newDelivery);
    this.held.change(stored);
  }

  /**
   * Gives these, when it is on disk that they are given: that tells with what Node-RED ends.
   *
   * @param isPaced they take places of those that are given again
   * @returns how many
   * @throws what the store throws: then none of them is given
   */
  async give(prepared: Next[], isPaced = true): Promise<number> {
    const batch = await this.#asTheyAre(prepared).catch((error: unknown) => {
      this.letGo(prepared);
      throw error;
    });
    const begun = batch.flatMap(({ stored, event, nodes }) => {
      const mine = nodes.filter(
        (node) => this.#waitsFor(stored, node) && this.inOrder.begin(node, stored, false),
      );
      if (mine.length === 0) return [];
      this.held.hold(stored);
      stored.deliveries = stored.deliveries!.map((each) =>
        mine.includes(each.node) ? given(each, this.store.now) : each,
      );
      this.held.change(stored, true);
      return { stored, event, nodes: mine };
    });
    await Promise.all(begun.map(({ stored }) => this.held.onDisk(stored.seq)));
    const count = begun.filter((next) => this.#giveOne(next, isPaced)).length;
    this.letGo(batch);
    return count;
  }

  /** Those that were let go meanwhile may be others by now, or be deleted: they are read anew. @throws what the store throws */
  async #asTheyAre(batch: Next[]): Promise<Next[]> {
    const isHeld = ({ stored }: Next) => this.held.get(stored.seq) === stored;
    while (!batch.every(isHeld)) {
      const all = batch.map(async (next) => (isHeld(next) ? next : this.prepare(next.stored.seq)));
      batch = (await Promise.all(all)).flatMap((next) => next ?? []);
    }
    return batch;
  }

  /** Those that were prepared are not given now. */
  letGo(batch: Next[]): void {
    for (const { stored } of batch) this.held.letGo(stored.seq);
  }

  #waitsFor({ deliveries }: StoredEvent, node: string): boolean {
    return deliveries?.some((each) => each.node === node && waits(each)) ?? false;
  }

  #giveOne({ stored, event, nodes }: Next, isPaced: boolean): boolean {
    const { seq } = stored;
    const now = performance.now();
    // Somebody may have settled it meanwhile, or have taken or deleted it.
    const isHere = this.held.get(seq) === stored;
    const left = stored.deliveries!.filter(
      ({ node, since }) => isHere && since !== undefined && nodes.includes(node),
    );
    for (const node of nodes) if (!left.some((each) => each.node === node)) this.inOrder.end(node, seq);
    const isAsked = this.#asked.delete(seq);
    for (const { node, times } of left) {
      if (isPaced) this.pace.give(keyFor(seq, node), now);
      if (!isAsked && (times > 1 || this.pace.isUnready(now))) this.#givenAt.set(keyFor(seq, node), now);
    }
    const got = this.told(
      stored,
      left.map(({ node }) => node),
      event,
    );
    for (const { node } of left) if (!got.includes(node)) this.over(seq, node, true, true);
    return got.length > 0;
  }
}

const keyFor = (seq: string, node: string) => `${seq}\n${node}`;

const waits = ({ state, since }: Delivery) => state === "waiting" && since === undefined;
