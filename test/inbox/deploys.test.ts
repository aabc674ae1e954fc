import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { JsonObject } from "../../src/event/json";
import { flowWith, InboxNodeRed, token } from "../system/inboxes";
import { Load, recorded } from "./load";
import { randomFrom, seed } from "./random";

/** In events a second. */
const rate = 100;
const minutes = Number(process.env.MINUTES ?? 2);

/** For how long no event more is settled, where none will be, in milliseconds. */
const stuckAfter = 300_000;

/** Has a message for up to 40 ms, as what asks a server does. */
const aWhile = {
  type: "function",
  outputs: 1,
  func: "setTimeout(() => { node.send(msg); node.done(); }, 40 * Math.random());",
};
const delay = { type: "delay", pauseType: "delay", timeout: "20", timeoutUnits: "milliseconds", outputs: 1 };
const second = { z: "second" };
const inSubflow = { z: "subflow" };

/** Gives again what failed, soon and often. */
const retries = Array(20).fill("0.01").join(", ");

/**
 * Another one on the same path: it fails now and then (more often, what is given again would rest most of the
 * time), wants the events of a job in order, and says itself when it is done: behind the node that bills, as
 * a deploy can stop that one alone.
 */
const bill = [
  {
    id: "billing",
    type: "radaro in",
    config: "acme",
    path: "/radaro",
    topics: [],
    inOrder: true,
    done: "node",
  },
  { ...aWhile, id: "bill", func: `if (Math.random() < 0.02) throw new Error("down"); ${aWhile.func}` },
  { id: "billed", type: "recorder", file: "billed.txt" },
  { id: "done", type: "radaro done", verdict: "processed" },
];
const wired: Record<string, string[][]> = { billing: [["bill"]], bill: [["billed"]], billed: [["done"]] };

/** From the `radaro in` to the recorder by all the ways that a message can go. */
const flow = flowWith(
  ...bill.map((node) => ({ ...node, wires: wired[node.id] ?? [] })),
  { id: "second", type: "tab", z: undefined, label: "Second" },
  { ...aWhile, id: "next", wires: [["delay"]] },
  { ...delay, id: "delay", wires: [["away"]] },
  { id: "away", type: "link out", mode: "link", links: ["arrived"] },
  { ...second, id: "arrived", type: "link in", links: ["away"], wires: [["quick"]] },
  { ...second, id: "quick", type: "function", outputs: 1, func: "return msg;", wires: [["instance"]] },
  { ...second, id: "instance", type: "subflow:subflow", wires: [["call"]] },
  { ...second, id: "call", type: "link call", linkType: "static", links: ["called"], wires: [["got"]] },
  { id: "called", type: "link in", links: [], wires: [["answer"]] },
  { ...aWhile, id: "answer", wires: [["back"]] },
  { id: "back", type: "link out", mode: "return", links: [] },
  { ...second, id: "got", type: "recorder", file: "got.txt" },
  { ...inSubflow, ...aWhile, id: "inner", wires: [["inner-delay"]] },
  { ...inSubflow, ...delay, id: "inner-delay", wires: [[]] },
  {
    id: "subflow",
    type: "subflow",
    z: undefined,
    name: "Subflow",
    in: [{ x: 1, y: 1, wires: [{ id: "inner" }] }],
    out: [{ x: 2, y: 1, wires: [{ id: "inner-delay", port: 0 }] }],
  },
).map((node) => (node.id === "acme" ? { ...node, inboxRetries: retries } : node));
/** A node whose type nobody has. */
const unknown = { id: "unknown", type: "not installed", z: "second", x: 1, y: 1, wires: [] };

describe(`An inbox whose flows are deployed at random for ${minutes} minutes (SEED=${seed})`, function () {
  this.timeout((3 * minutes + 10) * 60_000); // what waits in the end takes as long as the machine needs for it
  const random = randomFrom(seed);
  const oneOf = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)]!;
  const options = { flows: flow, settings: { runtimeState: { enabled: true, ui: false } } };
  const counts: Record<string, number> = {};
  let running: InboxNodeRed;
  let load: Load;
  let current = flow;
  before(async () => {
    running = await InboxNodeRed.start(options);
    load = new Load(rate);
    load.to(running.nodeRed.url);
  });
  after(async () => {
    await load.stop();
    await running.nodeRed.stop();
  });

  /** Deploys, and resolves as soon as what is to stop has stopped: the next thing may come before all runs. */
  const deploy = (flows: JsonObject[], type: string) =>
    running.api("POST", "/flows", flows, { "Node-RED-Deployment-Type": type });
  const changed = (ids: unknown[]) =>
    current.map((node) => (ids.includes(node.id) ? { ...node, name: `At ${random()}` } : node));
  const setState = (state: "start" | "stop") => running.api("POST", "/flows/state", { state });

  /** Resolves when the flows run: until then an event waits for its answer, or its path is not there. */
  const run = async () => {
    const body = JSON.stringify({ number: -1, token });
    const headers = { "Content-Type": "application/json" };
    const post = () => fetch(`${running.nodeRed.url}/radaro`, { method: "POST", headers, body });
    while ((await post()).status !== 200);
  };

  /** Ends Node-RED, and starts another that goes on with what is there. */
  async function restart(end: () => Promise<void>): Promise<void> {
    await end();
    // There it says whether its flows run, and may not have written yet that they do again.
    rmSync(join(running.nodeRed.userDir, ".config.runtime.json"), { force: true });
    running = await running.next();
    load.to(running.nodeRed.url);
  }

  const happenings: Record<string, () => Promise<unknown>> = {
    full: () => deploy(current, "full"),
    async flows() {
      current = changed([oneOf(current).id]);
      await deploy(current, "flows");
    },
    async nodes() {
      current = changed([oneOf(current).id]);
      await deploy(current, "nodes");
    },
    async "several nodes"() {
      current = changed([oneOf(current).id, oneOf(current).id, oneOf(current).id]);
      await deploy(current, "nodes");
    },
    async rewiring() {
      const wires = oneOf([["delay"], ["away"]]);
      current = current.map((node) => (node.id === "next" ? { ...node, wires: [wires] } : node));
      await deploy(current, oneOf(["nodes", "flows"]));
    },
    async "unknown type"() {
      await deploy([...current, unknown], oneOf(["nodes", "full"]));
      await load.answers(Math.ceil(random() * rate));
      await deploy(current, oneOf(["nodes", "flows", "full"]));
    },
    async stop() {
      await run();
      await setState("stop");
      await load.answers(Math.ceil(random() * rate));
      await setState("start");
    },
    async pause() {
      await run();
      await running.api("POST", "/radaro-inbox/acme/pause");
      await load.accepts(Math.ceil(random() * rate));
      if (random() < 0.2) await restart(() => running.nodeRed.kill());
      await run();
      await running.api("POST", "/radaro-inbox/acme/resume");
    },
    async "run again"() {
      await run();
      await running.api("POST", "/radaro-inbox/acme/run", {});
    },
    SIGTERM: () => restart(() => running.nodeRed.end()),
    kill: () => restart(() => running.nodeRed.kill()),
  };
  /** What takes a start of Node-RED comes less often. */
  const often = Object.keys(happenings).flatMap((name) =>
    Array<string>(["SIGTERM", "kill"].includes(name) ? 1 : 4).fill(name),
  );

  it("gives the flow each event that was answered 200, and none of them waits for good", async () => {
    for (const end = performance.now() + minutes * 60_000; performance.now() < end;) {
      const name = oneOf(often);
      counts[name] = (counts[name] ?? 0) + 1;
      await happenings[name]!();
      if (random() < 0.8) await load.accepts(Math.ceil(random() * rate));
    }
    await deploy(current, "full");
    console.log(`      ${JSON.stringify(counts)}`);
    await load.stop();
    await run();
    // What was the only one with the flow at three ends of Node-RED is set aside, and waits for somebody.
    await running.api("POST", "/radaro-inbox/acme/run", {});
    let least = { left: Infinity, at: performance.now() };
    await running.says(({ counts: { waiting, failed } }) => {
      const left = waiting + failed;
      if (left < least.left) least = { left, at: performance.now() };
      const isStuck = performance.now() - least.at > stuckAfter;
      assert.ok(
        !isStuck,
        `${waiting} events wait and ${failed} are failed, and for minutes that were no fewer`,
      );
      return left === 0;
    });
    await load.isDelivered(running);
    const billed = new Set(recorded(running, "billed.txt"));
    const lost = [...load.accepted].filter((number) => !billed.has(number));
    assert.deepEqual(lost, [], "answered 200, and not billed");
  });
});
