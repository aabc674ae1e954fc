import { inspect } from "node:util";
import type { Node, NodeAPI } from "node-red";
import type { Outcome } from "../../src/inbox/inbox";

/** What Node-RED's hooks tell of a message on its way to a node. */
interface SendEvent {
  msg: Message;
  destination: { id: string; node: TrackedNode };
}

type Message = object & { _msgid?: string };

/** A node, with what Node-RED keeps of it: how many of its input handlers will say that they are done. */
type TrackedNode = Node & { _expectedDoneCount?: number };

/**
 * How long an event is waited for before it counts as handed over, and how often that is looked at, in
 * milliseconds; and how many are followed at most: beyond, the oldest count as handed over.
 */
const limits = { time: 600_000, every: 10_000, followed: 10_000 };

/** How much of an error's text is kept, in characters. */
const maxText = 500;

const label = "radaro-inbox";

/** What has become of an event in the flow: where its messages are. */
class Followed {
  /** How many of its messages were sent to a node that has not completed them, and one until all are sent. */
  open = 1;
  /** Where these are: on their way to a node, or in it. */
  readonly at = new Map<TrackedNode, { coming: number; there: number }>();
  readonly since = performance.now();
  constructor(
    readonly ids: string[],
    readonly settled: (outcome: Outcome) => void,
  ) {}
}

/**
 * Follows messages through the flows by Node-RED's hooks, which are there only while it is used.
 * Messages belong together that have the same `_msgid`, which Node-RED keeps in all copies.
 */
export class Tracking {
  #users = 0;
  #hooked = false;
  readonly #byId = new Map<string, Followed>();
  readonly #byMessage = new WeakMap<Message, Followed>();
  /** In the order in which they began. */
  readonly #all = new Set<Followed>();
  #ending = new Set<Followed>();
  readonly #listening = new Map<TrackedNode, () => void>();
  readonly #closed = new WeakSet<TrackedNode>();
  #timer: NodeJS.Timeout | undefined;
  /** What nodes have said while flows stop and start: some say that they are done as they are stopped. */
  #put: (() => void)[] | undefined;

  constructor(
    private readonly RED: NodeAPI,
    private readonly max = limits,
  ) {}

  /** Begins, for one more user. */
  use(): void {
    this.#users += 1;
    if (this.#users > 1) return;
    this.#timer = setInterval(() => this.#check(), this.max.every).unref();
    this.RED.events.on("flows:stopping", this.#stopping);
    this.RED.events.on("flows:started", this.#started);
  }

  /** Listens while there is something to follow, and no longer than that takes to be seen: it costs other flows. */
  #hook(): void {
    if (this.#hooked) return;
    this.#hooked = true;
    const { hooks } = this.RED;
    hooks.add(`preDeliver.${label}`, (event: SendEvent) => {
      const followed = this.#find(event.msg);
      if (followed) this.#coming(followed, event.destination.node);
    });
    hooks.add(`onReceive.${label}`, ({ msg, destination: { node } }: SendEvent) => {
      const followed = this.#find(msg);
      if (!followed) return;
      // Catch and complete nodes get theirs without its being sent.
      if (!followed.at.get(node)?.coming) this.#coming(followed, node);
      const at = followed.at.get(node)!;
      at.coming -= 1;
      at.there += 1;
      this.#byMessage.set(msg, followed);
    });
    // A node that never says that it is done is done when it has taken the message.
    hooks.add(`postReceive.${label}`, ({ msg, destination: { node } }: SendEvent) => {
      if (node._expectedDoneCount === 0) this.#completed(msg, node);
    });
    hooks.add(
      `onComplete.${label}`,
      ({ msg, node: { node } }: { msg: Message; node: { node: TrackedNode } }) => this.#completed(msg, node),
    );
  }

  /** Ends it for one user: the last takes the hooks away. */
  leave(): void {
    this.#users -= 1;
    if (this.#users > 0) return;
    this.#unhook();
    clearInterval(this.#timer);
    this.RED.events.off("flows:stopping", this.#stopping);
    this.RED.events.off("flows:started", this.#started);
    this.#put = undefined;
    for (const stop of this.#listening.values()) stop();
    this.#listening.clear();
    this.#byId.clear();
    this.#all.clear();
  }

  /**
   * Follows messages from before they are sent.
   *
   * @param ids their `_msgid`s
   * @param settled is called once
   * @returns `sent`: to be called when all are sent; `lost`: where the next nodes did not get them
   */
  follow(ids: string[], settled: (outcome: Outcome) => void): { sent(): void; lost(): void } {
    this.#hook();
    const followed = new Followed(ids, settled);
    for (const id of ids) this.#byId.set(id, followed);
    this.#all.add(followed);
    if (this.#all.size > this.max.followed) {
      const [oldest] = this.#all;
      this.#settle(oldest!, { state: "handed-over" });
    }
    return {
      sent: () => this.#less(followed),
      lost: () => this.#settle(followed, { state: "interrupted" }),
    };
  }

  #find(msg: Message): Followed | undefined {
    return this.#byId.size === 0 ? undefined : this.#byId.get(msg._msgid!);
  }

  /** Also of a message whose id the node that has it has changed. */
  #findGiven(msg: Message): Followed | undefined {
    return this.#find(msg) ?? (this.#all.size === 0 ? undefined : this.#byMessage.get(msg));
  }

  #coming(followed: Followed, node: TrackedNode): void {
    followed.open += 1;
    const at = followed.at.get(node);
    if (at) at.coming += 1;
    else followed.at.set(node, { coming: 1, there: 0 });
    if (!this.#listening.has(node)) this.#listen(node);
  }

  #completed(msg: Message, node: TrackedNode): void {
    const followed = this.#findGiven(msg);
    if (!followed) return;
    this.#happens(() => {
      const at = followed.at.get(node);
      if (!at?.there) return;
      at.there -= 1;
      if (at.there + at.coming === 0) followed.at.delete(node);
      this.#less(followed);
    });
  }

  #less(followed: Followed): void {
    followed.open -= 1;
    if (followed.open > 0) return;
    // At the end of this turn: a complete node gets its message after this one is done.
    if (this.#ending.size === 0) setImmediate(() => this.#end());
    this.#ending.add(followed);
  }

  #end(): void {
    const ending = this.#ending;
    this.#ending = new Set();
    for (const followed of ending) if (followed.open === 0) this.#settle(followed, { state: "processed" });
  }

  #settle(followed: Followed, outcome: Outcome): void {
    if (!this.#all.delete(followed)) return;
    for (const id of followed.ids) this.#byId.delete(id);
    followed.settled(outcome);
  }

  /**
   * Hears of a node's errors, and of its end. No hook tells of `node.error(text, msg)`, which is how a
   * node reports an error of a message without saying that it is done with it.
   */
  #listen(node: TrackedNode): void {
    const own = Object.getOwnPropertyDescriptor(node, "error");
    const { error } = node;
    const settle = (text: unknown, msg: unknown) => {
      const followed = typeof msg === "object" && msg !== null ? this.#findGiven(msg) : undefined;
      if (!followed) return;
      const error = describe(text, node);
      this.#happens(() => this.#settle(followed, { state: "failed", error }));
    };
    node.error = function (text: unknown, msg?: unknown) {
      settle(text, msg);
      return error.call(this, text, msg as never);
    };
    const onClose = () => {
      this.#closed.add(node);
      stop();
      this.#listening.delete(node);
    };
    const stop = () => {
      if (own) Object.defineProperty(node, "error", own);
      else delete (node as Partial<Node>).error;
    };
    node.on("close", onClose);
    this.#listening.set(node, () => {
      node.removeListener("close", onClose);
      stop();
    });
  }

  readonly #stopping = () => {
    this.#put ??= [];
  };

  /** After a deploy: what was at a node that it has stopped will not be completed, whatever that node said. */
  readonly #started = () => {
    for (const followed of this.#all) {
      const isAtClosed = [...followed.at.keys()].some((node) => this.#closed.has(node));
      if (isAtClosed) this.#settle(followed, { state: "interrupted" });
    }
    const put = this.#put ?? [];
    this.#put = undefined;
    for (const happen of put) happen();
  };

  /** Lets something happen to an event; while flows stop and start, when it is known which nodes were stopped. */
  #happens(what: () => void): void {
    if (this.#put) this.#put.push(what);
    else what();
  }

  #unhook(): void {
    this.#hooked = false;
    this.RED.hooks.remove(`*.${label}`);
  }

  #check(): void {
    if (this.#all.size === 0) this.#unhook();
    if (this.#put) return;
    const limit = performance.now() - this.max.time;
    for (const followed of this.#all) {
      if (followed.since > limit) return;
      this.#settle(followed, { state: "handed-over" });
    }
  }
}

/** An error, as the inbox shows it. A Function node's errors are no `Error` out here. */
function describe(error: unknown, { id, name, type }: Node) {
  const { message = error } = (error ?? {}) as { message?: unknown };
  const text = typeof message === "string" ? message : inspect(message);
  return {
    text: text.length > maxText ? `${text.slice(0, maxText - 1)}…` : text,
    node: { id, type, ...(name && { name }) },
  };
}
