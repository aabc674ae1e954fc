// A Node-RED with the first example in it, its inbox on, and a Radaro made up beside it: what `npm start`
// runs. For a minute nothing gets through, and is caught up afterwards.
import { spawnSync } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { readFileSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { JobsApi, MadeUpRadaro, sendWebhook, type Event } from "./made-up-radaro";
import { defaultProgram, startNodeRed, type NodeRed } from "./node-red";

const root = dirname(__dirname);
const exampleName = "1 - The life of a job";
const example = JSON.parse(readFileSync(join(root, "examples", `${exampleName}.json`), "utf8")) as {
  id: string;
  type: string;
  path?: string;
}[];
const merchant = example.find(({ type }) => type === "radaro-config")!;
const { path } = example.find(({ type }) => type === "radaro in")!;

/** In milliseconds. */
const betweenEvents = 1000;

/** From when on nothing gets through, and for how long, in milliseconds. */
const outage = { after: 20_000, lasts: 1000 * Number(process.env.OUTAGE ?? 60) };

/** Minutes between two looks at what Radaro has: also how long after the first look the second is. */
const catchUp = 0.2;

/** A flow that fails half of the time, and heals: what failed comes again by itself. */
const bookkeeping = [
  { id: "start-tab", type: "tab", label: "A flow that fails and heals" },
  {
    ...{
      id: "start-in",
      type: "radaro in",
      z: "start-tab",
      x: 120,
      y: 80,
      name: "",
      config: merchant.id,
      path,
    },
    ...{ topics: ["job.status_changed"], inOrder: true, wires: [["start-bill"]] },
  },
  {
    ...{
      id: "start-bill",
      type: "function",
      z: "start-tab",
      x: 320,
      y: 80,
      name: "Bill it",
      outputs: 1,
      wires: [[]],
    },
    func: 'if (Math.floor(Date.now() / 30000) % 2) throw new Error("The bookkeeping does not answer");\nreturn msg;',
  },
];

type Step = (radaro: MadeUpRadaro, job: number) => void;

const status =
  (to: string): Step =>
  (radaro, job) =>
    radaro.setStatus(job, to);
const lives: Step[][] = [
  [status("assigned"), status("in_progress"), status("delivered"), (radaro, job) => radaro.confirm(job, 9)],
  [
    status("assigned"),
    (radaro, job) => radaro.setDeadline(job, 7_200_000),
    status("in_progress"),
    status("failed"),
  ],
  ["assigned", "pickup", "picked_up", "in_progress", "delivered"].map(status),
  [(radaro, job) => radaro.setStatus(job, "assigned", true), (radaro, job) => radaro.delete(job)],
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
  const [token, apiKey] = [randomBytes(16).toString("base64url"), randomUUID()];
  const announced: (() => Event)[] = [];
  const radaro = new MadeUpRadaro({ announce: (build) => announced.push(build) });
  const api = await JobsApi.start(radaro, apiKey);
  const inbox = hasSqlite();
  const settings = { inbox, inboxRetries: "0.2, 0.5, 1", catchUp, server: api.url };
  const flows = example.map((node) => (node === merchant ? { ...node, ...settings } : node));
  try {
    const nodeRed = await startNodeRed({
      flows: [...flows, ...bookkeeping],
      credentials: { [merchant.id]: { token, apiKey } },
      port: (await isFree(1880)) ? 1880 : 0,
      prepare: (userDir) =>
        symlinkSync(root, join(userDir, "node_modules", "node-red-contrib-radaro"), "dir"),
    }).catch((error: unknown) => {
      if (!stopping.signal.aborted) throw error;
    });
    if (!nodeRed) return;
    try {
      introduce(nodeRed, inbox);
      await simulate(nodeRed, { radaro, announced, token, inbox });
    } catch (error) {
      if (!stopping.signal.aborted) throw error;
    } finally {
      await nodeRed.stop();
    }
  } finally {
    await api.stop();
  }
}

function introduce({ url }: NodeRed, inbox: boolean): void {
  console.log(`
  Node-RED runs with the example "${exampleName}".
  Open ${url} and watch the nodes: a made-up Radaro sends to ${url}${path}
  ${inbox ? "The sidebar Radaro shows each event: the inbox is on." : "There is no sidebar Radaro: the inbox is off, as it needs Node.js 22.13."}
${inbox ? whatToSee : ""}  Ctrl-C ends it and leaves nothing behind.
`);
}

const whatToSee = `  Look at:
  - the tab "A flow that fails and heals": half of each minute "Bill it" fails. In the sidebar such events
    are failed, come again by themselves, and are processed then.
  - ${outage.lasts / 1000} seconds in which nothing gets through. Then Radaro is asked what its jobs are, and the flow gets
    what never arrived: Filter → Only caught up ones.
`;

interface Simulated {
  radaro: MadeUpRadaro;
  announced: (() => Event)[];
  token: string;
  inbox: boolean;
}

/** Lets four jobs live side by side, then four others, for ever. */
async function simulate(nodeRed: NodeRed, { radaro, announced, token, inbox }: Simulated): Promise<void> {
  const begun = Date.now();
  let lost = 0;
  for (;;) {
    const ids = jobs.map(({ title, customer }) =>
      radaro.create({ title, customer: { ...radaro.template.customer, name: customer } }),
    );
    for (let step = 0; step < Math.max(...lives.map(({ length }) => length)); step += 1) {
      for (const [i, life] of lives.entries()) {
        life[step]?.(radaro, ids[i]!);
        for (const build of announced.splice(0)) {
          const since = Date.now() - begun - outage.after;
          if (inbox && since >= 0 && since < outage.lasts) {
            if (lost === 0) console.log("  Nothing gets through now.");
            lost += 1;
          } else await send(nodeRed, build(), token);
          await wait(betweenEvents, undefined, { signal: stopping.signal });
        }
        if (lost > 0 && Date.now() - begun >= outage.after + outage.lasts) {
          console.log(`  It gets through again. Events that never arrived: ${lost}.`);
          lost = 0;
          void sayCaughtUp(nodeRed).catch(() => undefined); // where it ends before that
        }
      }
    }
  }
}

async function send({ url }: NodeRed, event: Event, token: string): Promise<void> {
  const answered = await sendWebhook(url + path, event, token);
  if (stopping.signal.aborted) return;
  const { event_type, new_values, order_info } = event;
  const what = new_values ? JSON.stringify(new_values).slice(1, -1) : String(event_type);
  console.log(`  sent ${what.padEnd(38)} of job ${order_info.order_id}: answered ${answered ?? "nothing"}`);
}

/** Says when the inbox has asked for what never arrived. */
async function sayCaughtUp({ url }: NodeRed): Promise<void> {
  for (;;) {
    const response = await fetch(`${url}/radaro-inbox/${merchant.id}/counts?caughtUp=true`);
    const { counts } = (await response.json()) as { counts: Record<string, number> };
    const count = Object.values(counts).reduce((sum, each) => sum + each, 0);
    if (count > 0) {
      console.log(`  Caught up: the flow has got the first ${count} of them after all.`);
      return;
    }
    await wait(betweenEvents, undefined, { signal: stopping.signal });
  }
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
