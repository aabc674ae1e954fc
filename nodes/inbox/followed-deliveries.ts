import type { FlowError } from "../../src/inbox/deliveries";
import type { Outcome } from "../../src/inbox/inbox";
import { Followed } from "./followed";

export type Message = object & { _msgid?: string; radaro?: { delivery?: unknown } | null };

/** A delivery that the flow has, or had until lately. */
export interface Event<Node extends object> {
  /** The `_msgid` of its messages. */
  id: string;
  /** Its name, as `msg.radaro.delivery` has it. */
  delivery: string;
  options: FollowOptions;
  /** Whether somebody has said what has become of it. */
  isSaid: boolean;
  since: number;
  messages: Followed<Node>;
}

export interface FollowOptions {
  /** Whether somebody else says when it is done: only errors count, and each at once. */
  isDoneByNode: boolean;
  /** Is told what has become of it: also of one that was settled, where the flow goes on. */
  heard(outcome: Outcome): void;
  /** What it has failed of where a message got lost. */
  stuck(): FlowError;
}

/** The deliveries that the flow has, and those that it had until lately: by their messages, and by their names. */
export class FollowedDeliveries<Node extends object> {
  readonly #byId = new Map<string, Event<Node>>();
  readonly #byMessage = new WeakMap<Message, Event<Node>>();
  readonly #byDelivery = new Map<unknown, Event<Node>>();
  /** In the order in which they began. */
  readonly #all = new Set<Event<Node>>();
  /** What was settled, with when, in that order. */
  readonly #settled = new Map<Event<Node>, number>();

  /** @param max how many there are of both at most: beyond, the oldest are forgotten */
  constructor(private readonly max: number) {}

  /**
   * @param id the `_msgid` of its messages
   * @param delivery its name, as `msg.radaro.delivery` has it
   */
  add(id: string, delivery: string, options: FollowOptions): Event<Node> {
    const since = performance.now();
    const messages = new Followed<Node>();
    const event = { id, delivery, options, isSaid: false, since, messages };
    this.#byId.set(id, event);
    this.#byDelivery.set(delivery, event);
    this.#all.add(event);
    if (this.#all.size > this.max) this.#forgetOldest(this.#all);
    return event;
  }

  /** Those that the flow has. */
  get all(): Iterable<Event<Node>> {
    return this.#all;
  }

  get isEmpty(): boolean {
    return this.#all.size + this.#settled.size === 0;
  }

  named(delivery: string): Event<Node> | undefined {
    return this.#byDelivery.get(delivery);
  }

  find(msg: Message): Event<Node> | undefined {
    if (this.#byId.size === 0) return undefined;
    const event = this.#byId.get(msg._msgid!);
    if (event) return event;
    const named = this.#byDelivery.get(msg.radaro?.delivery);
    return named && this.#all.has(named) ? named : undefined;
  }

  /** Also of a message whose id the node that has it has changed. */
  findTaken(msg: Message): Event<Node> | undefined {
    return this.#byMessage.get(msg) ?? this.find(msg);
  }

  take(msg: Message, event: Event<Node>): void {
    this.#byMessage.set(msg, event);
  }

  /** Whether no node has taken just this message: it is a copy of one. */
  isCopy(msg: Message): boolean {
    return !this.#byMessage.has(msg);
  }

  /** @returns whether the flow had it */
  settle(event: Event<Node>): boolean {
    if (!this.#all.delete(event)) return false;
    this.#settled.set(event, performance.now());
    if (this.#settled.size > this.max) this.#forgetOldest(this.#settled.keys());
    return true;
  }

  /** The flow goes on with it. @returns whether it was settled */
  reopen(event: Event<Node>): boolean {
    if (!this.#settled.delete(event)) return false;
    this.#all.add(event);
    event.since = performance.now();
    return true;
  }

  forget(event: Event<Node>): void {
    this.#all.delete(event);
    this.#settled.delete(event);
    this.#byId.delete(event.id);
    if (this.#byDelivery.get(event.delivery) === event) this.#byDelivery.delete(event.delivery);
  }

  /** Some at once: to find the first in a map from which the first were deleted takes as long as there were. */
  #forgetOldest(all: Iterable<Event<Node>>): void {
    let left = Math.ceil(this.max / 100);
    for (const event of all) {
      this.forget(event);
      if ((left -= 1) === 0) return;
    }
  }

  /** Forgets what was settled before a moment. */
  forgetSettled(before: number): void {
    for (const [event, at] of this.#settled) {
      if (at > before) return;
      this.forget(event);
    }
  }

  clear(): void {
    this.#byId.clear();
    this.#byDelivery.clear();
    this.#all.clear();
    this.#settled.clear();
  }
}
