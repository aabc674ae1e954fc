import type { Node, NodeAPI } from "node-red";
import type { Outcome } from "../../src/inbox/inbox";
import type { FlowError } from "../../src/inbox/stored-event";
import { onDeploys } from "../receiving/deploys";
import { Followed, type Sent } from "./followed";
import { TrackedNodes } from "./tracked-nodes";

/** A node, with what Node-RED keeps of it: how many of its input handlers will say that they are done. */
type TrackedNode = Node & { _expectedDoneCount?: number };

type Message = object & { _msgid?: string };

/** What Node-RED's hooks tell of a message that a node gets. */
interface Received {
  msg: Message;
  destination: { node: TrackedNode };
}

/** An event that is with the flow. */
interface Event {
  ids: string[];
  settled: (outcome: Outcome) => void;
  since: number;
  messages: Followed<TrackedNode>;
}

/**
 * How long an event is waited for before it counts as handed over, and how often that is looked at, in
 * milliseconds; and how many are followed at most: beyond, the oldest count as handed over.
 */
const limits = { time: 600_000, every: 10_000, followed: 10_000 };

const label = "radaro-inbox";

/**
 * Follows messages through the flows by Node-RED's hooks, which are there only while it is used.
 * Messages belong together that have the same `_msgid`, which Node-RED keeps in all copies.
 */
export class Tracking {
  /** What they want to be told when the flows run. */
  readonly #users = new Set<() => void>();
  #hooked = false;
  readonly #byId = new Map<string, Event>();
  readonly #byMessage = new WeakMap<Message, Event>();
  /** In the order in which they began. */
  readonly #all = new Set<Event>();
  #ending = new Set<Event>();
  readonly #nodes: TrackedNodes;
  #timer: NodeJS.Timeout | undefined;
  /** What nodes have completed while flows stop and start: some say so because they are stopped. */
  #put: (() => void)[] | undefined;
  #leaveDeploys: () => void = () => undefined;

  constructor(
    private readonly RED: NodeAPI,
    private readonly max = limits,
  ) {
    this.#nodes = new TrackedNodes(RED, (msg, error) => this.#failed(msg, error));
  }

  /**
   * Begins, for one more user.
   *
   * @param running is called each time when the flows have started, and what they have interrupted is settled
   * @returns what ends it: the last takes the hooks away
   */
  use(running: () => void = () => undefined): () => void {
    const user = () => running();
    this.#users.add(user);
    if (this.#users.size === 1) {
      this.#timer = setInterval(() => this.#check(), this.max.every).unref();
      this.#leaveDeploys = onDeploys(this.RED, {
        stopping: () => (this.#put ??= []),
        over: () => this.#over(),
      });
    }
    return () => {
      if (this.#users.delete(user) && this.#users.size === 0) this.#end();
    };
  }

  #end(): void {
    this.#unhook();
    clearInterval(this.#timer);
    this.#leaveDeploys();
    this.#put = undefined;
    this.#nodes.leave();
    this.#byId.clear();
    this.#all.clear();
  }

  /** Listens while there is something to follow, and no longer than that takes to be seen: it costs other flows. */
  #hook(): void {
    if (this.#hooked) return;
    this.#hooked = true;
    const { hooks } = this.RED;
    hooks.add(`onSend.${label}`, (all: (Sent<TrackedNode> & { msg: Message })[]) => {
      for (const sent of all) this.#find(sent.msg)?.messages.send(sent);
    });
    hooks.add(`onReceive.${label}`, ({ msg, destination: { node } }: Received) => {
      const event = this.#find(msg);
      if (!event) return;
      this.#nodes.add(node, this.#put !== undefined);
      event.messages.take(msg, node);
      this.#byMessage.set(msg, event);
    });
    // A node that never says that it is done is done when it has taken the message.
    hooks.add(`postReceive.${label}`, ({ msg, destination: { node } }: Received) => {
      if (node._expectedDoneCount === 0) this.#completed(msg, node);
    });
    hooks.add(
      `onComplete.${label}`,
      ({ msg, node: { node } }: { msg: Message; node: { node: TrackedNode } }) => this.#completed(msg, node),
    );
  }

  #unhook(): void {
    this.#hooked = false;
    this.RED.hooks.remove(`*.${label}`);
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
    const event = { ids, settled, since: performance.now(), messages: new Followed<TrackedNode>() };
    for (const id of ids) this.#byId.set(id, event);
    this.#all.add(event);
    if (this.#all.size > this.max.followed) {
      const [oldest] = this.#all;
      this.#settle(oldest!, { state: "handed-over" });
    }
    return {
      sent: () => {
        event.messages.begun();
        this.#look(event);
      },
      lost: () => this.#settle(event, { state: "interrupted", isUnseen: true }),
    };
  }

  #find(msg: Message): Event | undefined {
    return this.#byId.size === 0 ? undefined : this.#byId.get(msg._msgid!);
  }

  /** Also of a message whose id the node that has it has changed. */
  #findTaken(msg: Message): Event | undefined {
    return this.#find(msg) ?? (this.#all.size === 0 ? undefined : this.#byMessage.get(msg));
  }

  #completed(msg: Message, node: TrackedNode): void {
    const event = this.#findTaken(msg);
    if (!event) return;
    const complete = () => {
      event.messages.complete(node);
      this.#look(event);
    };
    // While flows stop and start: when it is known which nodes were stopped.
    if (this.#put) this.#put.push(complete);
    else complete();
  }

  #failed(msg: Message, error: FlowError): void {
    const event = this.#findTaken(msg);
    if (!event) return;
    // While flows stop and start this may come of just that: what it needs is not there.
    if (this.#put) event.messages.interrupt();
    else this.#settle(event, { state: "failed", error });
  }

  /** Looks whether it is done, at the end of this turn: a complete node gets its message after this one is done. */
  #look(event: Event): void {
    if (!event.messages.isIdle) return;
    if (this.#ending.size === 0) setImmediate(() => this.#settleDone());
    this.#ending.add(event);
  }

  #settleDone(): void {
    const ending = this.#ending;
    this.#ending = new Set();
    for (const event of ending) {
      // While flows stop and start nobody knows where a node will be.
      if (!this.#put) event.messages.passOver((id) => this.#nodes.isNowhere(id));
      if (event.messages.isDone) this.#settle(event, { state: "processed" });
    }
  }

  #settle(event: Event, outcome: Outcome): void {
    if (!this.#all.delete(event)) return;
    for (const id of event.ids) this.#byId.delete(id);
    event.settled(outcome);
  }

  /** The flows have stopped and started, or will not start for now: what they have lost is given again. */
  #over(): void {
    this.#nodes.deployed();
    const onTheirWay: [Event, () => boolean][] = [];
    for (const event of this.#all) {
      const { messages } = event;
      if (messages.isInterrupted((node) => this.#nodes.isStopped(node)))
        this.#settle(event, { state: "interrupted" });
      else onTheirWay.push([event, messages.onItsWay()]);
    }
    const put = this.#put ?? [];
    this.#put = undefined;
    for (const happen of put) happen();
    setImmediate(() => {
      // What was on its way has come by now, if nothing has held it back.
      for (const [event, isOnItsWay] of onTheirWay)
        if (isOnItsWay()) this.#settle(event, { state: "interrupted" });
      for (const running of this.#users) running();
    });
  }

  #check(): void {
    if (this.#all.size === 0) this.#unhook();
    if (this.#put) return;
    const limit = performance.now() - this.max.time;
    for (const event of this.#all) {
      if (event.since > limit) return;
      this.#settle(event, { state: event.messages.isLost ? "interrupted" : "handed-over" });
    }
  }
}
