// A Node-RED with the first example in it, its inbox on, and a Radaro made up beside it: what `npm start`
// runs. For a minute now and then nothing gets through, and is caught up afterwards.
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

/** For how long nothing gets through, in milliseconds; how often, and the first time after how long, in such times. */
const outage = 1000 * Number(process.env.OUTAGE ?? 60);
const [every, first] = [5, 1];

/** Minutes between two looks at what Radaro has: also how long after the first look the second is. */
const catchUp = outage / 60_000;

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
      name: "Bookkeeping",
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
  { title: "Sofa, two-seater", name: "Priya Ryan" },
  { title: "Fridge, with removal of the old one", name: "Jonas Weber" },
  { title: "Flowers, 12 boxes", name: "Amara Obi" },
  { title: "Desk", name: "Lea Martin" },
].map(({ title, name }, i) => {
  const email = `${name.toLowerCase().replace(" ", ".")}@example.com`;
  return { title, customer: { id: 88_210 + i, name, email, phone: `+61370104${455 + 11 * i}` } };
});

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
  - ${outage / 1000} seconds in which nothing gets through, ${(outage * first) / 1000} seconds from now and then every ${(outage * every) / 60_000} minutes. It is said here.
    Afterwards Radaro is asked what its jobs are, and the flow gets the events that must have been:
    in the sidebar, Filter → Only caught up ones.
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
  const isOut = () => inbox && Math.floor((Date.now() - begun) / outage) % every === first;
  let lost = 0;
  for (;;) {
    const ids = jobs.map(({ title, customer }) =>
      radaro.create({ title, customer: { ...radaro.template.customer, ...customer } }),
    );
    for (let step = 0; step < Math.max(...lives.map(({ length }) => length)); step += 1) {
      for (const [i, life] of lives.entries()) {
        life[step]?.(radaro, ids[i]!);
        for (const build of announced.splice(0)) {
          if (isOut()) {
            if (lost === 0) console.log(`  Nothing gets through now, for ${outage / 1000} seconds.`);
            lost += 1;
          } else await send(nodeRed, build(), token);
          await wait(betweenEvents, undefined, { signal: stopping.signal });
        }
        if (lost > 0 && !isOut()) {
          console.log(
            `  It gets through again. Events that never arrived: ${lost}. Radaro is asked for its jobs, twice.`,
          );
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
  const since = new Date(Date.now() + outage).toISOString();
  const read = async (what: string): Promise<unknown> => (await fetch(`${url}/radaro-inbox${what}`)).json();
  for (;;) {
    const { merchants } = (await read("")) as { merchants: { catchUp: { asked: string | null } }[] };
    if ((merchants[0]?.catchUp.asked ?? "") > since) break;
    await wait(betweenEvents, undefined, { signal: stopping.signal });
  }
  const { counts } = (await read(`/${merchant.id}/counts?caughtUp=true`)) as {
    counts: Record<string, number>;
  };
  const count = Object.values(counts).reduce((sum, each) => sum + each, 0);
  console.log(
    `  Caught up: ${count} events, from what the flow knew of each job to what it is now. What it was in between nobody tells.`,
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
