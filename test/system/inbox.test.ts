import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { EventMessage } from "../../src/event/message";
import { defaultProgram } from "../../scripts/node-red";
import { connect, type Comms } from "./editor-comms";
import type { Delivery } from "../../src/inbox/deliveries";
import { flowWith, InboxNodeRed, token } from "./inboxes";

/** Part of each event, and personal. */
const phone = "+61370104455";

/** For root too a directory is read-only that says so. */
const runner =
  process.getuid?.() === 0
    ? ["setpriv", "--bounding-set", "-dac_override", "--inh-caps", "-dac_override"]
    : [];

const flow = flowWith({ id: "next", type: "probe" });
const anHour = { pauseType: "delay", timeout: "1", timeoutUnits: "hours" };
const refused = {
  status: 503,
  body: { ok: false, error: "Node-RED could not store the event in its inbox." },
  retryAfter: "5",
};
const stored = { status: 200, body: { ok: true }, retryAfter: null };

describe("An inbox", () => {
  const started: InboxNodeRed[] = [];
  let running: InboxNodeRed;
  let comms: Comms;
  let dir: string;
  let number = 0;
  before(async () => {
    running = await InboxNodeRed.start({ flows: flow, runner });
    started.push(running);
    comms = await connect(running.nodeRed.url);
    dir = join(running.nodeRed.userDir, "radaro-inbox", "acme");
  });
  after(async () => {
    comms.close();
    for (const { nodeRed } of started) await nodeRed.stop();
  });

  /** Posts an event that was not posted before. */
  const post = (to = running, path?: string) => to.post({ number: number++, customer: { phone } }, path);
  /** Asserts that events are refused: the status shows what it is, and the log says what to do about it. */
  async function refuses(shown: string, toDo: string, to = running, editor = comms) {
    editor.all.splice(0);
    assert.deepEqual(await post(to), refused);
    if (!to.nodeRed.output().includes(toDo)) await to.nodeRed.printed(toDo);
    await editor.told<{ text: string }>("status/in", ({ text }) => text.includes(shown));
  }
  /** Resolves as soon as events are stored again: nobody does anything for that. */
  async function recovers(to = running, editor = comms) {
    for (let answer = await post(to); answer.status !== 200; answer = await post(to))
      assert.deepEqual(answer, refused);
    await to.nodeRed.printed("The inbox stores events again.");
    await editor.told<{ fill: string }>("status/in", ({ fill }) => fill === "green");
  }
  /** Deletes all events, when the flow is done with those before. */
  async function empty() {
    const clear = () => running.api("POST", "/radaro-inbox/acme/clear");
    await clear(); // the store is open when it has answered, and says what waits
    await running.says(({ counts }) => counts.waiting === 0);
    await clear();
  }
  const limitFiles = (bytes: string) =>
    execFileSync("prlimit", ["--pid", String(running.nodeRed.pid), `--fsize=${bytes}:`]);

  it("refuses events while the disk is full, and stores them again when there is room", async () => {
    assert.deepEqual(await post(), stored);
    limitFiles("0"); // no file takes a byte more
    await refuses("the disk is full", `the disk with ${dir} is full. Make room on it.`);
    limitFiles("unlimited");
    await recovers();
  });

  it("makes its directory anew where somebody has deleted it, and stores the event", async () => {
    rmSync(dir, { recursive: true });
    assert.deepEqual(await post(), stored);
    assert.ok(existsSync(dir));
    await running.nodeRed.printed(`The inbox's folder ${dir} was deleted`);
  });

  it("says what waits in it when it is switched off", async () => {
    const waiting = flowWith({ id: "next", type: "delay", ...anHour });
    await running.deploy(waiting);
    assert.deepEqual(await post(), stored);
    await running.deploy(flow.map((node) => (node.id === "acme" ? { ...node, inbox: false } : node)));
    const said = "Events that wait in the inbox: 1. It is off now, or its merchant deleted";
    assert.ok(running.nodeRed.output().includes(said));
    await running.deploy(flow);
    await running.nodeRed.printed("Events that wait in the inbox for the flow: 1.");
  });

  it("says which events wait for a node that is not there, and lets them be", async () => {
    const waiting = flowWith({ id: "next", type: "delay", ...anHour });
    const elsewhere = (flow: typeof waiting) =>
      flow.map((node) => (node.id === "in" ? { ...node, id: "in2", path: "/elsewhere" } : node));
    await running.deploy(flow);
    await empty();
    assert.deepEqual(await post(), stored);
    await running.says(({ counts }) => counts.processed === 1);
    await running.deploy(waiting);
    assert.deepEqual(await post(), stored);
    await running.deploy(elsewhere(flow));
    const { events } = await running.list("");
    const shown = events.map(({ state, deliveries: [delivery] = [] }) => {
      const { node, name } = delivery as Delivery & { name: string | null };
      return [state, node, name];
    });
    assert.deepEqual(shown, [
      ["waiting", "in", null],
      ["processed", "in", null],
    ]);
    const run = (all: boolean) =>
      running.api("POST", `/radaro-inbox/acme/events/${events[1]!.seq}/run`, { all });
    assert.deepEqual(await run(false), { run: 0, nowhere: 0 });
    assert.deepEqual(await run(true), { run: 0, nowhere: 1 });
    await running.deploy(flow);
    await running.says(({ counts }) => counts.processed === 2);
  });

  it("refuses events while its directory is read-only, and stores them again when it can be written", async () => {
    const files = readdirSync(dir).map((name) => join(dir, name));
    const mode = (of: { dir: number; file: number }) => {
      for (const file of files) if (existsSync(file)) chmodSync(file, of.file);
      chmodSync(dir, of.dir);
    };
    mode({ dir: 0o500, file: 0o400 });
    await running.deploy(flow);
    await refuses(
      "cannot be written",
      `${dir} cannot be written to. Let the user that Node-RED runs as write there.`,
    );
    mode({ dir: 0o700, file: 0o600 });
    await recovers();
  });

  it("begins anew where what is in its directory is damaged, and says where that is kept", async () => {
    await running.deploy(flow.map((node) => (node.id === "acme" ? { ...node, inbox: false } : node)));
    writeFileSync(join(dir, "inbox.sqlite"), "broken");
    await running.deploy(flow);
    assert.deepEqual(await post(), stored);
    await running.nodeRed.printed(`What was in ${dir} is damaged.`);
    const [aside] = readdirSync(dir).filter((name) => name.startsWith("damaged-"));
    await running.nodeRed.printed(`in ${aside} there`);
    assert.equal(readFileSync(join(dir, aside!, "inbox.sqlite"), "utf8"), "broken");
  });

  it("refuses events while a newer version has made what is in its directory, and stores them again when that is away", async () => {
    const off = flow.map((node) => (node.id === "acme" ? { ...node, inbox: false } : node));
    await running.deploy(off);
    const change = `new (require("node:sqlite").DatabaseSync)(process.argv[1]).exec("UPDATE inbox SET step = 99")`;
    execFileSync(defaultProgram().node, ["--eval", change, join(dir, "inbox.sqlite")], { stdio: "ignore" });
    await running.deploy(flow);
    await refuses(
      "from a newer version",
      `was made by a newer version of node-red-contrib-radaro. Update that`,
    );
    renameSync(dir, `${dir}-newer`);
    await recovers();
  });

  it("says that too many files are open, while no event comes, and stores them when more may be", async () => {
    const limit = (files: string) =>
      execFileSync("prlimit", ["--pid", String(running.nodeRed.pid), `--nofile=${files}:`]);
    const limits = readFileSync(`/proc/${running.nodeRed.pid}/limits`, "utf8");
    const [, before = ""] = /^Max open files +(\d+)/m.exec(limits) ?? [];
    assert.deepEqual(await post(), stored);
    comms.all.splice(0);
    limit("3"); // what is open stays open
    rmSync(dir, { recursive: true });
    await running.nodeRed.printed("has as many files and connections open as it may. Find what opens them");
    await comms.told<{ text: string }>("status/in", ({ text }) => text.includes("too many open files"));
    limit(before);
    await recovers();
  });

  it("refuses events while another Node-RED has it, and takes over as soon as that has ended", async () => {
    assert.deepEqual(await post(), stored);
    const second = await running.next({ runner });
    started.push(second);
    const editor = await connect(second.nodeRed.url);
    await refuses("used by another Node-RED", `another Node-RED uses ${dir}. Stop it`, second, editor);
    assert.deepEqual(await post(), stored);
    comms.close();
    await running.nodeRed.kill();
    [running, comms] = [second, editor];
    await recovers();
  });

  it("writes no token and nothing of an event to the log, whatever happens", () => {
    const log = running.nodeRed.output();
    assert.match(log, /The inbox cannot store events/);
    for (const secret of [token, phone]) assert.ok(!log.includes(secret));
  });

  it("lists what a flow has failed on, with the reason, and gives it again when the flow is mended", async () => {
    const bill = { id: "next", type: "function", name: "Bill", outputs: 1, wires: [["got"]] };
    const got = { id: "got", type: "probe" };
    const func =
      "if (msg.payload.order_info.order_id % 10 === 0) throw new Error('no such customer'); return msg;";
    await running.deploy(flowWith({ ...bill, func }, got));
    await empty();
    const jobs = Array.from({ length: 600 }, (_, i) => i);
    const tenth = jobs.filter((job) => job % 10 === 0);
    for (const order_id of jobs) assert.deepEqual(await running.post({ order_info: { order_id } }), stored);
    const { counts } = await running.says(({ counts }) => counts.waiting === 0);
    assert.deepEqual(counts, { waiting: 0, failed: 60, processed: 540 });

    const { sizes, events } = await running.list("failed");
    assert.deepEqual(sizes, [50, 10]);
    assert.deepEqual(events.map(({ orderId }) => orderId).reverse(), tenth);
    for (const { deliveries } of events) {
      const { state, error } = deliveries![0]!;
      assert.equal(state, "failed");
      assert.match(error!.text, /no such customer/);
      assert.deepEqual(error!.node, { id: "next", type: "function", name: "Bill" });
    }

    const messages = (count: number) => running.api<EventMessage[]>("GET", `/probe/got/${count}`);
    await messages(540);
    await running.deploy(flowWith({ ...bill, func: "return msg;" }, got));
    assert.deepEqual(await running.api("POST", "/radaro-inbox/acme/run"), { run: 60, nowhere: 0 });
    const again = await messages(60);
    assert.deepEqual(
      again.map(({ radaro }) => [radaro.orderId, radaro.redelivery]),
      tenth.map((job) => [job, 1]),
    );
    await running.says(({ counts: { waiting, failed } }) => waiting + failed === 0);
    assert.deepEqual((await running.list("failed")).events, []);
  });
});
