import type { Node, NodeAPI } from "node-red";
import type { FlowError } from "../../src/inbox/deliveries";
import type { Outcome } from "../../src/inbox/inbox";
import { onDeploys } from "../receiving/deploys";
import {
  FollowedDeliveries,
  type Event as Followed,
  type FollowOptions,
  type Message,
} from "./followed-deliveries";
import type { Sent } from "./followed";
import { TrackedNodes } from "./tracked-nodes";

/** A node, with what Node-RED keeps of it: how many of its input handlers will say that they are done. */
type TrackedNode = Node & { _expectedDoneCount?: number };

type Event = Followed<TrackedNode>;

/** What Node-RED's hooks tell of a message that a node gets. */
interface Received {
  msg: Message;
  destination: { node: TrackedNode };
}

/**
 * How long a lost message is waited for, how long it is remembered what was settled, and how often both are
 * looked at, in milliseconds; and how many deliveries are followed, and remembered, at most: beyond, the oldest
 * are not, which come again when Node-RED starts again.
 */
const limits = { time: 600_000, every: 10_000, followed: 10_000 };

const label = "radaro-inbox";

/**
 * Follows messages through the flows by Node-RED's hooks, which are there only while it is used.
 * Messages belong together that have the same `_msgid`, which Node-RED keeps in all copies; or, while the
 * flow has the delivery, the same `msg.radaro.delivery`: nodes such as split make messages with ids of their own.
 */
export class Tracking {
  /** What they want to be told when the flows run. */
  readonly #users = new Set<() => void>();
  #hooked = false;
  readonly #deliveries: FollowedDeliveries<TrackedNode>;
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
    this.#deliveries = new FollowedDeliveries(max.followed);
    this.#nodes = new TrackedNodes(RED, (msg, error, node) => this.#failed(msg, error, node));
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
    this.#deliveries.clear();
  }

  /** Listens while there is something to follow, and no longer than that takes to be seen: it costs other flows. */
  #hook(): void {
    if (this.#hooked) return;
    this.#hooked = true;
    const { hooks } = this.RED;
    hooks.add(`onSend.${label}`, (all: (Sent<TrackedNode> & { msg: Message })[]) => {
      for (const sent of all) {
        const event = this.#deliveries.find(sent.msg);
        if (event) this.#sends(event, sent);
      }
    });
    hooks.add(`onReceive.${label}`, ({ msg, destination: { node } }: Received) => {
      const event = this.#deliveries.find(msg);
      if (!event) return;
      this.#nodes.add(node, this.#put !== undefined);
      event.messages.take(msg, node);
      this.#reopen(event);
      this.#deliveries.take(msg, event);
    });
    // A node that never says that it is done is done when it has taken the message.
    hooks.add(`postReceive.${label}`, ({ msg, destination: { node } }: Received) => {
      if (node._expectedDoneCount === 0) this.#completed(msg, node, true);
    });
    hooks.add(
      `onComplete.${label}`,
      ({ msg, error, node: { node } }: { msg: Message; error?: unknown; node: { node: TrackedNode } }) =>
        this.#completed(msg, node, !error),
    );
  }

  #unhook(): void {
    this.#hooked = false;
    this.RED.hooks.remove(`*.${label}`);
  }

  /**
   * Follows a delivery's messages from before the first is sent.
   *
   * @param id their `_msgid`
   * @param delivery its name, as `msg.radaro.delivery` has it
   * @returns `sent`: to be called when it is sent; `lost`: where the next nodes did not get it
   */
  follow(id: string, delivery: string, options: FollowOptions): { sent(): void; lost(): void } {
    this.#hook();
    const event = this.#deliveries.add(id, delivery, options);
    return {
      sent: () => {
        event.messages.begun();
        this.#look(event);
      },
      lost: () => this.#settle(event, { state: "interrupted", isUnseen: true }),
    };
  }

  /** Somebody says what has become of a delivery: that counts, whatever its nodes complete after it. */
  said(delivery: string): void {
    const event = this.#deliveries.named(delivery);
    if (event) event.isSaid = true;
  }

  /** The nodes that have some of a delivery now. */
  nodesOf(delivery: string): { id: string; type: string; name?: string }[] {
    const { nodes = [] } = this.#deliveries.named(delivery)?.messages ?? {};
    return nodes.map(({ id, type, name }) => ({ id, type, ...(name && { name }) }));
  }

  #sends(event: Event, sent: Sent<TrackedNode>): void {
    event.messages.send(sent);
    if (this.#reopen(event)) this.#look(event);
  }

  /** The flow goes on with what it had settled. @returns whether it had */
  #reopen(event: Event): boolean {
    const isReopened = this.#deliveries.reopen(event);
    if (isReopened && !isForOthers(event)) event.options.heard({ state: "reopened" });
    return isReopened;
  }

  #completed(msg: Message, node: TrackedNode, isWell: boolean): void {
    const event = this.#deliveries.findTaken(msg);
    if (!event) return;
    const complete = () => {
      event.messages.complete(msg, node, isWell);
      this.#look(event);
    };
    // While flows stop and start: when it is known which nodes were stopped.
    if (this.#put) this.#put.push(complete);
    else complete();
  }

  #failed(msg: Message, error: FlowError, node: TrackedNode): void {
    const event = this.#deliveries.findTaken(msg);
    if (!event) return;
    // While flows stop and start this may come of just that: what it needs is not there.
    if (this.#put) event.messages.interrupt();
    else {
      event.messages.fail(msg, node, error, this.#deliveries.isCopy(msg));
      this.#reopen(event);
      if (isForOthers(event)) event.options.heard({ state: "failed", error });
      this.#look(event);
    }
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
      const { isDone, error } = event.messages;
      if (!isDone) continue;
      // Somebody else says so; an error that comes still counts.
      if (isForOthers(event)) this.#deliveries.settle(event);
      else this.#settle(event, error ? { state: "failed", error } : { state: "processed" });
    }
  }

  #settle(event: Event, outcome: Outcome): void {
    if (!this.#deliveries.settle(event)) return;
    if (outcome.state === "interrupted") this.#deliveries.forget(event);
    event.options.heard(outcome);
  }

  /** The flows have stopped and started, or will not start for now: what they have lost is given again. */
  #over(): void {
    this.#nodes.deployed();
    const onTheirWay: [Event, () => boolean][] = [];
    for (const event of [...this.#deliveries.all]) {
      const { messages } = event;
      if (messages.isInterrupted((node) => this.#nodes.isStopped(node)))
        if (event.isSaid) this.#deliveries.forget(event);
        else this.#settle(event, { state: "interrupted" });
      else onTheirWay.push([event, messages.onItsWay()]);
    }
    const put = this.#put ?? [];
    this.#put = undefined;
    for (const happen of put) happen();
    setImmediate(() => {
      // What was on its way has come by now, if nothing has held it back.
      for (const [event, isOnItsWay] of onTheirWay)
        if (isOnItsWay() && !event.isSaid) this.#settle(event, { state: "interrupted" });
      for (const running of this.#users) running();
    });
  }

  #check(): void {
    const limit = performance.now() - this.max.time;
    this.#deliveries.forgetSettled(limit);
    if (this.#deliveries.isEmpty) this.#unhook();
    if (this.#put) return;
    for (const event of this.#deliveries.all) {
      if (event.since > limit) return;
      if (event.messages.isLost) this.#settle(event, { state: "failed", error: event.options.stuck() });
    }
  }
}

/** Whether somebody else than its nodes says when it is done. */
const isForOthers = ({ options, isSaid }: Event) => options.isDoneByNode || isSaid;
