import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Node, NodeAPI, NodeDef } from "node-red";
import type { JsonObject } from "../../src/event/json";
import type { EventMessage } from "../../src/event/message";
import type { Merchant } from "../../src/receiving/merchant";
import { readBoolean, readText } from "../../src/event/values";
import { readPath, readTopics } from "../../src/receiving/properties";
import type { Receiver } from "../../src/receiving/receive";
import type { InboxReceiver } from "../inbox/merchant-flow";
import type { MerchantInbox } from "../inbox/merchant-inbox";
import type { DeployedEndpoints } from "../receiving/deploys";
import { loadReceiver } from "../receiving/receiver";
import { InStatus } from "./status";

export interface InDef extends NodeDef {
  config: string;
  path: unknown;
  topics: unknown;
  inOrder?: unknown;
  done?: unknown;
  limit?: unknown;
}

/** What this node needs of a `radaro-config`. */
interface ConfigNode extends Node<{ token?: unknown; previousToken?: unknown }> {
  merchant: Merchant;
  inbox?: MerchantInbox;
}

/** What has become of a test event, and the `_msgid` of its message where it was sent. */
export interface TestResult {
  result: "sent" | "not-verified" | "not-let-through" | "unknown-sample";
  message?: string | undefined;
}

/** What a `radaro in` does while it is deployed. */
export class Receiving {
  #config: ConfigNode | null;
  readonly #path: ReturnType<typeof readPath>;
  /** The path that it receives on; `undefined`: on none. */
  readonly #served: string | undefined;
  readonly #topics: ReturnType<typeof readTopics>;
  readonly #status: InStatus;
  readonly #receiver: InboxReceiver;
  #disconnect: (() => void) | undefined;

  constructor(
    private readonly RED: NodeAPI,
    private readonly node: Node,
    private readonly def: InDef,
    private readonly endpoints: DeployedEndpoints,
  ) {
    this.#config = this.#findConfig();
    this.#path = readPath(def.path);
    this.#served = RED.settings.httpNodeRoot === false ? undefined : this.#path.path;
    this.#topics = readTopics(def.topics);
    this.#status = new InStatus(node, RED, {
      own: () => this.#findProblem(),
      current: () => this.#config?.inbox?.problem?.title,
      inbox: () => this.#config?.inbox?.stateFor(node.id),
    });
    const topics = this.#topics;
    if (topics.problem) node.warn(this.#say(topics, topics.isNone ? "problem" : "warning"));
    this.#receiver = { ...this.#asDeployed(), ...this.#told() };
    this.#connect();
    if (this.#served !== undefined) endpoints.add(this.#served, this.#receiver);
  }

  #asDeployed() {
    const { def, node } = this;
    return {
      node: { id: node.id, name: readText(node.name) },
      path: this.#path.path ?? "",
      isInOrder: readBoolean(def.inOrder, false),
      isDoneByNode: readText(def.done) === "node",
      limit: Math.max(0, Number(readText(def.limit)) || 0),
      merchant: this.#config?.merchant,
      topics: this.#topics.topics,
      keeper: this.#config?.inbox,
    };
  }

  /** What it does with what it is told. */
  #told(): Pick<InboxReceiver, "deliver" | "fail" | "refused" | "deployed" | "answered"> {
    return {
      deliver: (message) => {
        deliver(this.node, message);
        this.#status.received(message);
      },
      fail: (why, message) => {
        fail(this.node, this.RED._("radaro-in.error.wrong-type", { why }), message);
        this.#status.refused("wrong-type");
      },
      refused: (why) => this.#status.refused(why),
      // Where a subflow's property names the merchant, Node-RED restarts that one and not this node.
      deployed: () => {
        const current = this.#findConfig();
        if (current === this.#config) return;
        this.#config = current;
        Object.assign(this.#receiver, { merchant: current?.merchant, keeper: current?.inbox });
        this.#connect();
      },
      ...(this.node.metric() && { answered: measure(this.node) }),
    };
  }

  #connect(): void {
    this.#disconnect?.();
    const inbox = this.#served === undefined ? undefined : this.#config?.inbox;
    this.#disconnect = inbox?.connect(this.endpoints, this.#receiver, () => this.#status.show());
    this.#status.show();
  }

  /** Sends a made-up event through this node, verified like any other. */
  sendTest(sample: string): TestResult {
    const event = readSample(sample);
    if (!event) return { result: "unknown-sample" };
    const token = tokenOf(this.#config);
    if (token === undefined) return { result: "not-verified" };
    const { delivered } = loadReceiver().receive({ ...event, token }, [this.#receiver], { test: true });
    const [message] = delivered as (object & { _msgid?: string })[];
    return message ? { result: "sent", message: message._msgid } : { result: "not-let-through" };
  }

  /** The merchant's node; `null` where it is not chosen, disabled, gone, or the id of something else. */
  #findConfig(): ConfigNode | null {
    const node = this.RED.nodes.getNode(this.def.config) as ConfigNode | null;
    return node?.type === "radaro-config" ? node : null;
  }

  /** What keeps the node from receiving anything, as its status says it. */
  #findProblem(): string | undefined {
    if (this.RED.settings.httpNodeRoot === false) return this.#say({ problem: "http-off" });
    if (!this.#config) return this.#say({ problem: "no-merchant" });
    if (this.#path.problem) return this.#say(this.#path);
    if (!this.#config.merchant.hasToken) return this.#say({ problem: "no-token" });
    return this.#topics.isNone ? this.#say(this.#topics) : undefined;
  }

  #say({ problem, name = "" }: { problem?: string; name?: string }, how = "problem"): string {
    return this.RED._(`radaro-in.${how}.${problem}`, { name });
  }

  close(): void {
    if (this.#served !== undefined) this.endpoints.remove(this.#served, this.#receiver);
    this.#disconnect?.();
    this.#status.stop();
  }
}

/** Sends a message into the flow. */
function deliver(node: Node, message: EventMessage): void {
  try {
    node.send(message);
  } catch (error) {
    // Node-RED copies it where more than one node is wired, which very deep nesting ends: the
    // first node has got it.
    node.error(error);
  }
}

/** Raises an error with the message that it is about, for a Catch node. */
function fail(node: Node, text: string, message: EventMessage): void {
  try {
    node.error(text, message);
  } catch {
    node.error(text); // nested too deeply for a Catch node's copy
  }
}

/** One of the merchant's tokens, as a test event carries it. */
function tokenOf(config: ConfigNode | null): string | undefined {
  const { token, previousToken } = config?.credentials ?? {};
  return [token, previousToken].map(readText).find((each) => config?.merchant.accepts(each));
}

/** Says what an answer took and how large it was, where metrics are logged, as core `http in` does. */
function measure(node: Node): NonNullable<Receiver["answered"]> {
  return (message, { milliseconds, bytes }) => {
    node.metric("response.time.millis", message, Number(milliseconds.toFixed(3)));
    node.metric("response.content-length.bytes", message, bytes);
  };
}

/** The made-up events, by name; kept in a file as they are seldom needed. */
export function readSample(name: string): JsonObject | undefined {
  const all = JSON.parse(readFileSync(join(__dirname, "samples.json"), "utf8")) as Record<string, JsonObject>;
  return Object.hasOwn(all, name) ? all[name] : undefined;
}
