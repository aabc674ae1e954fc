import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mock } from "node:test";
import type { Node, NodeAPI, NodeDef } from "node-red";
import helper from "node-red-node-test-helper";
import type { MerchantInbox } from "../../nodes/inbox/merchant-inbox";
import { SqliteStore } from "../../src/inbox/sqlite-store";
import { readSamples } from "../events";
import { Collected, start, stop, type Message, type Runtime, type Status } from "./runtime";

const token = "Zk3vQ9cXw1LmT7yHs0RdNA";
const tab = { id: "tab", type: "tab", label: "Flow" };
const config = { id: "config", type: "radaro-config", name: "Acme", inbox: true, inboxDays: 7 };
const place = { z: "tab", x: 1, y: 1 };
const receive = {
  ...{ ...place, id: "in", type: "radaro in", config: "config", path: "/radaro", topics: [] },
  wires: [["bill"]],
};
const bill = { ...place, id: "bill", type: "told", name: "Bill", wires: [[]] };
const watch = { ...place, id: "watch", type: "radaro watch", config: "config", wires: [["heard"]] };
const heard = { ...place, id: "heard", type: "hears", wires: [] };
const flow = [receive, bill, watch, heard];
const file = "watch-watch.json";
const turn = () => new Promise(setImmediate);
const [second, minute, hour] = [1000, 60_000, 3_600_000];

type Told = Message & { radaro: Record<string, unknown> };

describe("radaro watch, at an inbox,", () => {
  let userDir: string;
  let runtime: Runtime;
  let statuses: Collected<Status>;
  /** All that was told since the test began. */
  let told: Collected<Told>;
  /** What "bill" does with a message; absent: it has it. */
  let does: ((done: (error?: Error) => void) => void) | undefined;
  /** What "bill" has. */
  let has: ((error?: Error) => void)[];
  const types = (RED: NodeAPI) => {
    RED.nodes.registerType("told", function (this: Node, def: NodeDef) {
      RED.nodes.createNode(this, def);
      this.on("input", (_msg, _send, done) => {
        if (does) does(done);
        else has.push(done);
      });
    });
    RED.nodes.registerType("hears", function (this: Node, def: NodeDef) {
      RED.nodes.createNode(this, def);
      this.on("input", (msg, _send, done) => {
        told.add(msg as Told);
        done();
      });
    });
  };
  const onStatus = ({ id, status }: { id: string; status: Omit<Status, "at"> }) => {
    if (id === "watch") statuses.add({ ...status, at: Date.now() });
  };
  before(() => helper.startServer());
  after(() => helper.stopServer());
  beforeEach(() => {
    userDir = mkdtempSync(join(tmpdir(), "radaro-"));
    [statuses, told, does, has] = [new Collected(), new Collected(), undefined, []];
    mock.timers.enable({ apis: ["Date"], now: Date.now() });
  });
  afterEach(async () => {
    runtime.RED.events.off("node-status", onStatus);
    await stop();
    mock.timers.reset();
    rmSync(userDir, { recursive: true });
  });

  const begin = async (about: object = {}, nodes: object[] = flow) => {
    const before = (RED: NodeAPI) => void RED.events.on("node-status", onStatus);
    const options = { settings: { userDir }, nodes: [types], before: [before] };
    const all = [tab, { ...config, ...about }, ...nodes];
    runtime = await start(all, { config: { token }, other: { token: "other" } }, options);
  };
  /** Node-RED is stopped, and started again with the same user directory. */
  const restart = async (about: object = {}, nodes?: object[], between?: () => Promise<void> | void) => {
    runtime.RED.events.off("node-status", onStatus);
    await stop();
    has = [];
    await between?.();
    await begin(about, nodes);
  };
  const merchant = () => (helper.getNode("config") as Node & { inbox: MerchantInbox }).inbox;
  const inbox = () => merchant().inbox;
  let number = 0;
  const accepts = async (event: object = {}) => {
    const sent = { ...readSamples()["job-created"], ...event, number: (number += 1), token };
    assert.equal((await runtime.post("/radaro", sent)).status, 200);
  };
  /** Resolves when a look that begins from now on is over. */
  const looks = async () => {
    const own = merchant();
    const isLooked = new Promise<void>((resolve) => {
      own.summary = async () => {
        delete (own as Partial<MerchantInbox>).summary;
        const summary = await own.summary();
        resolve();
        return summary;
      };
    });
    await inbox().pause(inbox().isPaused); // says that something has changed
    await isLooked;
    for (let i = 0; i < 10; i += 1) await turn();
  };
  /** Time passes, and it is looked at what has come of that. */
  const passes = async (time: number) => {
    mock.timers.tick(time);
    await looks();
  };
  const said = () => told.all.map(({ topic, radaro }) => `${topic} ${String(radaro.state)}`);
  const hears = async (count: number) => {
    while (told.all.length < count) await turn();
    return told.all[count - 1]!;
  };
  const failed = async (count: number) => {
    while (inbox().counts?.failed !== count) await turn();
  };
  const fails = (error: string) => (does = (done) => done(new Error(error)));

  it("tells that a delivery has failed for good once, and when none of that cause is failed any more", async () => {
    fails("no price for Priya Ryan");
    await begin();
    await accepts({ order_info: { order_id: 7, external_id: "Ryan-7" } });
    await failed(1);
    await looks();
    assert.deepEqual(said(), [], "a radaro done may still settle it");
    await passes(3 * second);
    const { topic, payload, radaro } = await hears(1);
    assert.deepEqual([topic, payload], ["failed", "radaro-watch.says.failed-job.begun"]);
    const { cause, since, ...about } = radaro;
    assert.match(String(cause), /^failed:bill:[0-9a-f]{16}$/);
    assert.ok(Date.parse(String(since)) <= Date.now() - 3 * second);
    assert.deepEqual(about, {
      ...{ merchant: "Acme", state: "begun", count: 1, node: { id: "bill", type: "told", name: "Bill" } },
      ...{ error: "no price for Priya Ryan", orderId: 7, externalId: "Ryan-7" },
    });
    await accepts({ order_info: { order_id: 8 } });
    await failed(2);
    await passes(minute);
    assert.equal(told.all.length, 1);
    does = (done) => done();
    await inbox().events.runAll({});
    await failed(0);
    await passes(second);
    await passes(second);
    const over = await hears(2);
    assert.deepEqual(over.radaro, { ...radaro, state: "over", count: 2 });
    await passes(hour);
    assert.deepEqual(said(), ["failed begun", "failed over"]);
  });
});
