import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { RequestHandler } from "express";
import type { Node, NodeAPI, NodeDef } from "node-red";
import type { JsonObject } from "../../src/event/json";
import type { EventMessage } from "../../src/event/message";
import type { Merchant } from "../../src/receiving/merchant";
import { readBoolean, readText } from "../../src/event/values";
import { readPath, readTopics } from "../../src/receiving/properties";
import type { Receiver } from "../../src/receiving/receive";
import type { InboxReceiver } from "../inbox/merchant-flow";
import type { MerchantInbox } from "../inbox/merchant-inbox";
import { mountEndpoints } from "../receiving/http";
import { loadReceiver } from "../receiving/receiver";
import { serveAddress } from "./address-api";
import { InStatus } from "./status";

interface InDef extends NodeDef {
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
interface TestResult {
  result: "sent" | "not-verified" | "not-let-through" | "unknown-sample";
  message?: string | undefined;
}

interface InNode extends Node {
  /** As it was deployed, with the value of a variable that stands for it. For its dialog. */
  path: string;
  /** Sends a made-up event through this node, verified like any other. */
  sendTest(sample: string): TestResult;
}

/** `radaro in`: receives events over HTTP, verifies them and sends them into the flow. */
export = (RED: NodeAPI): void => {
  const endpoints = mountEndpoints(RED);
  RED.httpAdmin.get("/radaro-in/samples/:name", RED.auth.needsPermission("radaro-in.read"), showSample);
  RED.httpAdmin.post("/radaro-in/:id/test", RED.auth.needsPermission("radaro-in.write"), sendTest(RED));
  serveAddress(RED);

  function RadaroIn(this: InNode, def: InDef) {
    RED.nodes.createNode(this, def);
    let config = findConfig(def.config);
    this.path = readText(def.path);
    const path = readPath(def.path);
    const topics = readTopics(def.topics);
    const status = new InStatus(this, RED, {
      own: () => findProblem(config, path, topics),
      current: () => config?.inbox?.problem?.title,
      inbox: () => config?.inbox?.stateFor(this.id),
    });
    if (topics.problem) this.warn(say(topics, topics.isNone ? "problem" : "warning"));

    const receiver: InboxReceiver = {
      node: { id: this.id, name: readText(this.name) },
      path: path.problem === undefined ? path.path : "",
      isInOrder: readBoolean(def.inOrder, false),
      isDoneByNode: readText(def.done) === "node",
      limit: Math.max(0, Number(readText(def.limit)) || 0),
      merchant: config?.merchant,
      topics: topics.topics,
      keeper: config?.inbox,
      deliver: (message) => {
        deliver(this, message);
        status.received(message);
      },
      fail: (why, message) => {
        fail(this, RED._("radaro-in.error.wrong-type", { why }), message);
        status.refused("wrong-type");
      },
      refused: (why) => status.refused(why),
      // Where a subflow's property names the merchant, Node-RED restarts that one and not this node.
      deployed: () => {
        const current = findConfig(def.config);
        if (current === config) return;
        config = current;
        Object.assign(receiver, { merchant: config?.merchant, keeper: config?.inbox });
        connect();
      },
      ...(this.metric() && { answered: measure(this) }),
    };

    this.sendTest = (sample) => {
      const event = readSample(sample);
      if (!event) return { result: "unknown-sample" };
      const token = tokenOf(config);
      if (token === undefined) return { result: "not-verified" };
      const { delivered } = loadReceiver().receive({ ...event, token }, [receiver], { test: true });
      const [message] = delivered as (object & { _msgid?: string })[];
      return message ? { result: "sent", message: message._msgid } : { result: "not-let-through" };
    };

    let disconnect: (() => void) | undefined;
    const connect = () => {
      disconnect?.();
      disconnect = isServed ? config?.inbox?.connect(endpoints, receiver, () => status.show()) : undefined;
      status.show();
    };
    const isServed = path.problem === undefined && RED.settings.httpNodeRoot !== false;
    connect();
    if (isServed) endpoints.add(path.path, receiver);
    this.on("close", () => {
      if (isServed) endpoints.remove(path.path, receiver);
      disconnect?.();
      status.stop();
    });
  }

  /** The merchant's node; `null` where it is not chosen, disabled, gone, or the id of something else. */
  function findConfig(id: string): ConfigNode | null {
    const node = RED.nodes.getNode(id) as ConfigNode | null;
    return node?.type === "radaro-config" ? node : null;
  }

  /** What keeps a node from receiving anything, as its status says it. */
  function findProblem(
    config: ConfigNode | null,
    path: ReturnType<typeof readPath>,
    topics: ReturnType<typeof readTopics>,
  ): string | undefined {
    if (RED.settings.httpNodeRoot === false) return say({ problem: "http-off" });
    if (!config) return say({ problem: "no-merchant" });
    if (path.problem) return say(path);
    if (!config.merchant.hasToken) return say({ problem: "no-token" });
    return topics.isNone ? say(topics) : undefined;
  }

  function say({ problem, name = "" }: { problem?: string; name?: string }, how = "problem"): string {
    return RED._(`radaro-in.${how}.${problem}`, { name });
  }

  RED.nodes.registerType<InNode, InDef, object, object>("radaro in", RadaroIn);
};

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
function readSample(name: string): JsonObject | undefined {
  const all = JSON.parse(readFileSync(join(__dirname, "samples.json"), "utf8")) as Record<string, JsonObject>;
  return Object.hasOwn(all, name) ? all[name] : undefined;
}

/** What a test event looks like, for the dialog. */
const showSample: RequestHandler<{ name: string }> = (req, res) => {
  const event = readSample(req.params.name);
  if (event) res.json(event);
  else res.sendStatus(404);
};

/** The button of a `radaro in`. */
function sendTest(RED: NodeAPI): RequestHandler<{ id: string }> {
  return (req, res) => {
    const node = RED.nodes.getNode(req.params.id) as InNode | null;
    if (node?.type !== "radaro in") {
      res.status(404).json({ result: "not-deployed" });
      return;
    }
    const { sample } = (req.body ?? {}) as { sample?: unknown };
    const outcome = node.sendTest(readText(sample));
    res.status(outcome.result === "unknown-sample" ? 400 : 200).json(outcome);
  };
}
