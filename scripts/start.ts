// A Node-RED with the first example in it, and a Radaro made up beside it that sends the life of
// some jobs to it: what `npm start` runs.
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { basename, dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { SampleName } from "../src/event/catalog";
import { defaultProgram, startNodeRed } from "./node-red";

const root = dirname(__dirname);
const exampleName = "1 - The life of a job";
const example = JSON.parse(readFileSync(join(root, "examples", `${exampleName}.json`), "utf8")) as {
  id: string;
  type: string;
  path?: string;
}[];

/** In milliseconds. */
const betweenEvents = 1000;

const lives: SampleName[][] = [
  ["job-created", "job-assigned", "job-in-progress", "job-completed", "job-confirmed"],
  ["job-created", "job-assigned", "job-deadline-changed", "job-in-progress", "job-failed"],
  ["job-created", "job-assigned", "job-pickup", "job-picked-up", "job-in-progress", "job-completed"],
  ["job-created", "job-deleted"],
];
const jobs = [
  { title: "Sofa, two-seater", customer: "Priya Ryan" },
  { title: "Fridge, with removal of the old one", customer: "Jonas Weber" },
  { title: "Flowers, 12 boxes", customer: "Amara Obi" },
  { title: "Desk", customer: "Lea Martin" },
];

const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stopping.abort());

void main();

async function main(): Promise<void> {
  const token = randomBytes(16).toString("base64url");
  const merchant = example.find(({ type }) => type === "radaro-config")!;
  const inbox = hasSqlite();
  const nodeRed = await startNodeRed({
    flows: example.map((node) => (node === merchant ? { ...node, inbox } : node)),
    credentials: { [merchant.id]: { token } },
    port: (await isFree(1880)) ? 1880 : 0,
    prepare: (userDir) => symlinkSync(root, join(userDir, "node_modules", "node-red-contrib-radaro"), "dir"),
  }).catch((error: unknown) => {
    if (!stopping.signal.aborted) throw error;
  });
  if (!nodeRed) return;
  try {
    const webhook = nodeRed.url + example.find(({ type }) => type === "radaro in")!.path!;
    console.log(`
  Node-RED runs with the example "${exampleName}".
  Open ${nodeRed.url} and watch the nodes: a made-up Radaro sends to ${webhook}
  ${inbox ? "The sidebar Radaro shows each event: the inbox is on." : "There is no sidebar Radaro: the inbox is off, as it needs Node.js 22.13."}
  Ctrl-C ends it and leaves nothing behind.
`);
    await simulate(webhook, token);
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
  } finally {
    await nodeRed.stop();
  }
}

/** Sends the lives of four jobs, one event after the other and the jobs side by side, for ever. */
async function simulate(webhook: string, token: string): Promise<void> {
  const samples = readSamples();
  for (let orderId = 410077215; ; orderId += jobs.length) {
    const longest = Math.max(...lives.map((life) => life.length));
    for (let step = 0; step < longest; step++) {
      for (const [i, life] of lives.entries()) {
        const sample = life[step];
        if (!sample) continue;
        const event = tell(samples[sample]!, { orderId: orderId + i, ...jobs[i]! });
        const { status } = await fetch(webhook, {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ ...event, token }),
          signal: stopping.signal,
        });
        console.log(`  sent ${sample.padEnd(22)} of job ${orderId + i}: answered ${status}`);
        await wait(betweenEvents, undefined, { signal: stopping.signal });
      }
    }
  }
}

interface JobEvent {
  updated_at: string;
  order_info: { customer: object };
}

/** A sample, told of another job and of now. */
function tell(sample: JobEvent, job: { orderId: number; title: string; customer: string }) {
  const now = new Date().toISOString();
  return {
    ...sample,
    updated_at: now,
    order_info: {
      ...sample.order_info,
      order_id: job.orderId,
      external_id: `SO-${job.orderId % 100000}`,
      title: job.title,
      customer: { ...sample.order_info.customer, name: job.customer },
      updated_at: now,
    },
  };
}

function readSamples(): Record<string, JobEvent> {
  const dir = join(root, "src", "event", "samples");
  return Object.fromEntries(
    readdirSync(dir).map((file) => [
      basename(file, ".json"),
      JSON.parse(readFileSync(join(dir, file), "utf8")) as JobEvent,
    ]),
  );
}

/** Whether the Node.js that Node-RED runs on can have an inbox: an older one would refuse each event. */
function hasSqlite(): boolean {
  return spawnSync(defaultProgram().node, ["--eval", "require('node:sqlite')"]).status === 0;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
      .once("error", () => resolve(false))
      .listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
