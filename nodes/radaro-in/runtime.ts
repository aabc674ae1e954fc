import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { RequestHandler } from "express";
import type { Node, NodeAPI, NodeDef, NodeStatus } from "node-red";
import type { JsonObject } from "../../src/json";
import type { Merchant } from "../../src/merchant";
import { paced } from "../../src/paced";
import type { Receiver, Refusal } from "../../src/receive";
import type { MerchantInbox } from "../inbox";
import { mountEndpoints } from "../http";
import { loadReceiver } from "../receiver";
import { serveAddress } from "./address-api";

interface InDef extends NodeDef {
  config: string;
  path: string;
  topics: string[];
  sample: string;
}

/** What this node needs of a `radaro-config`. */
interface ConfigNode extends Node<{ token?: string; previousToken?: string }> {
  merchant: Merchant;
  inbox?: MerchantInbox;
}

/** What has become of a test event, and the `_msgid` of its message where it was sent. */
interface TestResult {
  result: "sent" | "not-verified" | "not-let-through" | "unknown-sample";
  message?: string | undefined;
}

interface InNode extends Node {
  /** For its dialog. */
  path?: string | undefined;
  /** Sends a made-up event through this node, verified like any other. */
  sendTest(sample: string): TestResult;
}

/** How much of an event's topic and job a status shows, in characters. */
const maxShown = 50;

/** In milliseconds. */
const statusInterval = 1000;

/** `radaro in`: receives events over HTTP, verifies them and sends them into the flow. */
export = (RED: NodeAPI): void => {
  const endpoints = mountEndpoints(RED);
  RED.httpAdmin.get("/radaro-in/samples/:name", RED.auth.needsPermission("radaro-in.read"), showSample);
  RED.httpAdmin.post("/radaro-in/:id/test", RED.auth.needsPermission("radaro-in.write"), sendTest(RED));
  serveAddress(RED);

  function RadaroIn(this: InNode, def: InDef) {
    RED.nodes.createNode(this, def);
    const { receive } = loadReceiver();
    const config = findConfig(def.config);
    const path = (this.path = def.path?.trim());
    const problem = findProblem(config, path);
    let refused = 0;

    const status = paced((next: NodeStatus) => this.status(next), statusInterval);
    /** What has come last; not what is wrong with the inbox, which is shown while it is. */
    let last = (): NodeStatus => {
      const text = RED._(`radaro-in.${problem ? `problem.${problem}` : "status.waiting"}`);
      return { fill: problem ? "red" : "grey", shape: "ring", text };
    };
    const show = (next: () => NodeStatus) => status.show((last = next));
    const showRefused = (why: Refusal) => {
      refused += 1;
      show(() => {
        const title = why === "not-stored" ? config?.inbox?.problem?.title : undefined;
        const reason = title ?? RED._(problem ? `radaro-in.problem.${problem}` : `radaro-in.refusal.${why}`);
        const text = RED._("radaro-in.status.refused", { reason, count: refused });
        return { fill: "red", shape: "ring", text };
      });
    };

    const receiver: Receiver = {
      merchant: config?.merchant,
      topics: new Set(def.topics),
      keeper: config?.inbox,
      deliver: (message) => {
        refused = 0;
        try {
          this.send(message);
        } catch (error) {
          // Node-RED copies it where more than one node is wired, which very deep nesting ends: the
          // first node has got it.
          this.error(error);
        }
        // The message is the flow's from here on: what is shown of it later is kept.
        const { topic, radaro } = message;
        const { orderId, receivedAt, test } = radaro;
        show(() => {
          const text = [
            test && RED._("radaro-in.status.test"),
            topic.slice(0, maxShown) || RED._("radaro-in.status.no-topic"),
            typeof orderId === "number" || typeof orderId === "string"
              ? String(orderId).slice(0, maxShown)
              : "",
            new Date(receivedAt).toTimeString().slice(0, 8),
          ];
          return { fill: "green", shape: "dot", text: text.filter(Boolean).join(" · ") };
        });
      },
      fail: (why, message) => {
        const text = RED._("radaro-in.error.wrong-type", { why });
        try {
          this.error(text, message);
        } catch {
          this.error(text); // nested too deeply for a Catch node's copy
        }
        showRefused("wrong-type");
      },
      refused: showRefused,
    };

    this.sendTest = (sample) => {
      const event = readSample(sample);
      if (!event) return { result: "unknown-sample" };
      const token = config?.credentials.token || config?.credentials.previousToken;
      const { answer, delivered } = receive({ ...event, token }, [receiver], { test: true });
      if (!answer.body.ok) return { result: "not-verified" };
      const [message] = delivered as (object & { _msgid?: string })[];
      return message ? { result: "sent", message: message._msgid } : { result: "not-let-through" };
    };

    const showInbox = () =>
      status.show(() => {
        const title = config?.inbox?.problem?.title;
        return title && !problem ? { fill: "red", shape: "ring", text: title } : last();
      });
    showInbox();

    const disconnect = config?.inbox?.connect(endpoints, showInbox);
    if (path && RED.settings.httpNodeRoot !== false) endpoints.add(path, receiver);
    this.on("close", () => {
      if (path) endpoints.remove(path, receiver);
      disconnect?.();
      status.stop();
    });
  }

  /** The merchant's node; `null` where it is not chosen, disabled, gone, or the id of something else. */
  function findConfig(id: string): ConfigNode | null {
    const node = RED.nodes.getNode(id) as ConfigNode | null;
    return node?.type === "radaro-config" ? node : null;
  }

  /** What keeps a node from receiving anything, so that its status can say it. */
  function findProblem(config: ConfigNode | null, path: string | undefined) {
    if (RED.settings.httpNodeRoot === false) return "http-off";
    if (!config) return "no-merchant";
    if (!path) return "no-path";
    return config.merchant.hasToken ? undefined : "no-token";
  }

  RED.nodes.registerType<InNode, InDef, object, object>("radaro in", RadaroIn);
};

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
    const { sample } = req.body as { sample?: unknown };
    const outcome = node.sendTest(String(sample));
    res.status(outcome.result === "unknown-sample" ? 400 : 200).json(outcome);
  };
}
