import { copyFileSync, cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startNodeRed, type NodeRed } from "../scripts/node-red";
import { readSamples, sampleNames } from "../test/events";
import { npm, pack } from "../test/system/package";

export const token = "Zk3vQ9cXw1LmT7yHs0RdNA";

/** An event of each kind, as Radaro sends it. */
export const events = sampleNames.map((name) => ({ ...readSamples()[name], token }));

const texts = events.map((event) =>
  JSON.stringify({ ...event, updated_at: "<time>" }).replaceAll(/"order_id":\d+/g, '"order_id":<job>'),
);

/** The text of an event, of each kind in turn: no other has its job and its time. */
export function textOf(i: number): string {
  const time = new Date(Date.UTC(2026, 0) + i).toISOString();
  return texts[i % texts.length]!.replace("<time>", time).replaceAll("<job>", String(10_000_000 + i));
}

/** Where Node-RED's editor is, which decides what an event passes before it comes to a node. */
export const settings = {
  "default settings": {},
  "an httpAdminRoot of its own": { httpAdminRoot: "/admin" },
} as const;

/** What the Node-RED process has used so far. */
export interface Used {
  /** CPU time, in microseconds. */
  cpu: number;
  /** That of Node-RED's own thread; `null` before Node.js 23.9. */
  thread: number | null;
  /** In bytes. */
  heapUsed: number;
  rss: number;
}

/** A Node-RED with the packed package and the nodes of the benchmarks. */
export interface Bench {
  nodeRed: NodeRed;
  /** When it was started, by `performance.now()`. */
  begun: number;
  /** Asks the benchmarks' nodes. */
  ask<T>(path: string): Promise<T>;
  /** @param collect garbage first */
  used(collect?: boolean): Promise<Used>;
  /** Deploys the flows that it was started with in full, and resolves when they run. */
  deploy(): Promise<void>;
}

/**
 * Starts a Node-RED for `run`, and ends it.
 *
 * @param options `inbox`: a directory that holds what is in the merchant's inbox at first; `inboxUrl`: of the
 *   database where it is
 */
export async function withNodeRed(
  flows: object[],
  { httpAdminRoot = "", inbox, inboxUrl }: { httpAdminRoot?: string; inbox?: string; inboxUrl?: string },
  run: (bench: Bench) => Promise<void>,
): Promise<void> {
  let begun = 0;
  const nodeRed = await startNodeRed({
    flows,
    credentials: { acme: { token, ...(inboxUrl && { inboxUrl }) } },
    settings: httpAdminRoot ? { httpAdminRoot } : {},
    prepare: (userDir) => {
      install(userDir);
      if (inbox) cpSync(inbox, join(userDir, "radaro-inbox", "acme"), { recursive: true });
      begun = performance.now();
    },
  });
  const admin = nodeRed.url + httpAdminRoot;
  const ask = async <T>(path: string) => (await (await fetch(`${admin}/bench/${path}`)).json()) as T;
  try {
    await run({
      nodeRed,
      begun,
      ask,
      used: (collect) => ask(collect ? "used?collect=1" : "used"),
      deploy: async () => {
        const response = await fetch(`${admin}/flows`, {
          method: "POST",
          headers: { "Content-Type": "application/json", "Node-RED-Deployment-Type": "full" },
          body: JSON.stringify(flows),
        });
        if (!response.ok) throw new Error(`The deploy was answered ${response.status}.`);
        await nodeRed.printed("Started flows");
      },
    });
  } finally {
    await nodeRed.stop();
  }
}

function install(userDir: string): void {
  npm(["install", "--prefix", userDir, "--no-audit", "--no-fund", "--prefer-offline", pack()], userDir);
  mkdirSync(join(userDir, "nodes"));
  copyFileSync(join(__dirname, "bench-nodes.cjs"), join(userDir, "nodes", "bench.js"));
  // Without an HTML file beside it, Node-RED takes it for no node.
  writeFileSync(join(userDir, "nodes", "bench.html"), "<script></script>");
}
