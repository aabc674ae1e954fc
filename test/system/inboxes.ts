import { startNodeRed, type NodeRed, type NodeRedOptions } from "../../scripts/node-red";
import type { StoredEvent } from "../../src/inbox/stored-event";
import type { JsonObject } from "../../src/event/json";
import { install } from "./package";

export const token = "Zk3vQ9cXw1LmT7yHs0RdNA";

/** Node-RED takes a node that has no place on its tab for a config node. */
const place = { z: "tab", x: 100, y: 100 };

/** A merchant with an inbox, and the nodes behind it: the one with the id `next` gets the events. */
export const flowWith = (...nodes: JsonObject[]): JsonObject[] => [
  { id: "tab", type: "tab", label: "Flow" },
  { id: "acme", type: "radaro-config", name: "Acme", inbox: true },
  { ...place, id: "in", type: "radaro in", config: "acme", path: "/radaro", topics: [], wires: [["next"]] },
  ...nodes.map((node) => ({ ...place, wires: [], ...node })),
];

/** Sends an event to a Node-RED, or to what stands in front of it. */
export async function postTo(url: string, event: JsonObject, path = "/radaro") {
  const response = await fetch(url + path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ topic: "job.changed", ...event, token }),
  });
  const text = await response.text();
  return {
    status: response.status,
    body: (text.startsWith("{") ? JSON.parse(text) : text) as unknown,
    retryAfter: response.headers.get("retry-after"),
  };
}

/** What the inbox says of itself. */
interface Summary {
  problem: { kind: string; title: string; text: string } | null;
  counts: { waiting: number; failed: number; processed: number };
}

/** A Node-RED whose merchant has an inbox, and who speaks to it. */
export class InboxNodeRed {
  private constructor(readonly nodeRed: NodeRed) {}

  static async start(options: NodeRedOptions): Promise<InboxNodeRed> {
    const credentials = { acme: { token } };
    return new InboxNodeRed(await startNodeRed({ credentials, prepare: install, ...options }));
  }

  /** Starts another one that goes on with what is there. */
  next(options: NodeRedOptions = {}): Promise<InboxNodeRed> {
    return InboxNodeRed.start({ userDir: this.nodeRed.userDir, ...options });
  }

  async api<T>(
    method: string,
    path: string,
    body?: object,
    headers: Record<string, string> = {},
  ): Promise<T> {
    const response = await fetch(this.nodeRed.url + path, {
      method,
      headers: { "Content-Type": "application/json", ...headers },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}: ${text}`);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }

  /** Deploys flows in full, and resolves when they run. */
  async deploy(flows: JsonObject[]): Promise<void> {
    await this.api("POST", "/flows", flows);
    await this.nodeRed.printed("Started flows");
  }

  post(event: JsonObject, path = "/radaro") {
    return postTo(this.nodeRed.url, event, path);
  }

  /** Resolves with what the inbox says of itself, as soon as that fits. */
  async says(fits: (summary: Summary) => boolean): Promise<Summary> {
    for (;;) {
      const { merchants } = await this.api<{ merchants: [Summary] }>("GET", "/radaro-inbox");
      if (fits(merchants[0])) return merchants[0];
    }
  }

  /** All pages of the list. */
  async list(state: string): Promise<{ sizes: number[]; events: StoredEvent[] }> {
    const sizes: number[] = [];
    const events: StoredEvent[] = [];
    for (let before: string | null = ""; before !== null;) {
      const page: { events: StoredEvent[]; next: string | null } = await this.api(
        "GET",
        `/radaro-inbox/acme/events?state=${state}&before=${before}`,
      );
      sizes.push(page.events.length);
      events.push(...page.events);
      before = page.next;
    }
    return { sizes, events };
  }
}
