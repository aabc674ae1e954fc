import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { hooks } from "@node-red/util";
import bodyParser from "body-parser";
import express from "express";
import type { Node, NodeAPI } from "node-red";
import helper from "node-red-node-test-helper";
import type { EventMessage } from "../../src/event/message";

type NodeModule = (RED: NodeAPI) => void;
// eslint-disable-next-line @typescript-eslint/no-require-imports -- what a user installs: the built nodes
const load = (path: string) => require(path) as NodeModule;
const ours = ["radaro-config", "radaro-in", "radaro-switch", "radaro-done", "radaro-watch"].map((type) =>
  load(`../../dist/${type}.js`),
);

/** A message as it came out of a flow. */
export type Message = EventMessage & {
  _msgid: string;
  error?: { message: string; source: { id: string } };
};

/** A node's status, as the editor gets it. */
export interface Status {
  fill: string;
  shape: string;
  text: string;
  /** When, in milliseconds. */
  at: number;
}

/** What has come, in its order. */
export class Collected<T> {
  readonly all: T[] = [];
  #wake: () => void = () => undefined;
  #more = this.#nextAdded();

  add(one: T): void {
    this.all.push(one);
    this.#wake();
    this.#more = this.#nextAdded();
  }

  /** Resolves with the first that fits, also if it has come already. */
  async find(fits: (one: T) => boolean): Promise<T> {
    for (;;) {
      const found = this.all.find(fits);
      if (found) return found;
      await this.#more;
    }
  }

  #nextAdded(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }
}

/** A running flow, spoken to over HTTP. */
export interface Runtime {
  url: string;
  RED: NodeAPI;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Answered>;
  /** The messages that a node of type `helper` gets from now on. */
  collect(id: string): Collected<Message>;
  /** The statuses of the `radaro in` since its flow started. */
  statuses: Collected<Status>;
  /** Deploys another flow, and resolves when it has started. */
  deploy(flow: object[], type?: "full" | "flows" | "nodes"): Promise<void>;
  /** Resolves when the next request has arrived. */
  requested(): Promise<unknown>;
}

export interface Answered {
  status: number;
  headers: Headers;
  body: unknown;
}

let server: Server | undefined;
let onStatus: (event: { id: string; status: Omit<Status, "at"> }) => void;
let events: NodeAPI["events"];

/**
 * Starts a flow in a real runtime, with its HTTP nodes on a port of their own.
 *
 * @param options `parsed`: as with Node-RED's default settings, an application in front of the nodes
 *   has parsed the body; `nodes`: more node types;
 *   `before`: modules that Node-RED loads before ours
 */
export async function start(
  flow: object[],
  credentials: object = {},
  options: { settings?: object; parsed?: boolean; nodes?: NodeModule[]; before?: NodeModule[] } = {},
): Promise<Runtime> {
  helper.settings({ httpNodeRoot: "/", ...options.settings });
  let RED!: NodeAPI;
  const statuses = new Collected<Status>();
  const watch = (api: NodeAPI) => {
    RED = api;
    api.hooks = hooks; // Node-RED gives them to nodes, the helper does not.
    events = RED.events;
    events.on("node-status", onStatus);
  };
  onStatus = ({ id, status }) => {
    if (id === "in") statuses.add({ ...status, at: Date.now() });
  };
  await helper.load([watch, ...(options.before ?? []), ...ours, ...(options.nodes ?? [])], flow, credentials);

  const app = express();
  if (options.parsed) app.use(bodyParser.json({ limit: "5mb" }));
  app.use(RED.httpNode);
  const current = (server = createServer(app).listen(0, "127.0.0.1"));
  await once(current, "listening");
  const url = `http://127.0.0.1:${(current.address() as AddressInfo).port}`;

  return {
    url,
    RED,
    post: async (path, body, headers = {}) => {
      const response = await fetch(url + path, {
        method: "POST",
        headers: { "Content-Type": "application/json", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      });
      return answered(response);
    },
    collect: (id) => collect(helper.getNode(id)),
    statuses,
    deploy: async (flow, type) => {
      const started = once(RED.events, "flows:started");
      await helper.setFlows(flow, type).catch((error: Error) => {
        // It gives a flow 0.3 s to start, which a busy machine may not be able to.
        if (error.message !== "timeout waiting event") throw error;
      });
      await started;
    },
    requested: () => once(current, "request"),
  };
}

/** Reads an answer; one to HEAD has no body. */
export async function answered(response: Response): Promise<Answered> {
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json");
  return {
    status: response.status,
    headers: response.headers,
    body: isJson && text !== "" ? JSON.parse(text) : text,
  };
}

/** Stops the flow and closes the port. */
export async function stop(): Promise<void> {
  await helper.unload();
  events.off("node-status", onStatus);
  server?.closeAllConnections();
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  server = undefined;
}

function collect(node: Node): Collected<Message> {
  const messages = new Collected<Message>();
  node.on("input", (message, _send, done) => {
    messages.add(message as Message);
    done();
  });
  return messages;
}
