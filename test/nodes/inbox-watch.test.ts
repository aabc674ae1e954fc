import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mock } from "node:test";
import type { Node, NodeAPI, NodeDef } from "node-red";
import helper from "node-red-node-test-helper";
import type { MerchantInbox } from "../../nodes/inbox/merchant-inbox";
import { Unusable } from "../../src/inbox/store";
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

  it("says nothing of what is given again by itself, until it is not any more", async () => {
    fails("down");
    await begin({ inboxRetries: "0.01" });
    await accepts();
    await failed(1);
    await passes(300);
    assert.deepEqual(said(), []);
    for (;;) {
      const [delivery] = (await inbox().events.list({}, "")).events[0]!.deliveries ?? [];
      if (delivery?.times === 2 && delivery.state === "failed") break;
      mock.timers.tick(100);
      await turn();
    }
    assert.deepEqual(said(), []);
    await looks();
    await passes(3 * second);
    await hears(1);
    assert.deepEqual(said(), ["failed begun"]);
  });

  it("tells of many causes 20, and the rest in one message", async () => {
    let failures = 0;
    does = (done) => done(new Error(`no price for job ${(failures += 1)}`));
    await begin();
    for (let i = 0; i < 30; i += 1) await accepts();
    await failed(30);
    await looks();
    await passes(3 * second);
    await hears(21);
    const more = told.all.filter(({ radaro }) => radaro.cause === "failed:more");
    assert.deepEqual(
      more.map(({ payload, radaro }) => [payload, radaro.count]),
      [["radaro-watch.says.more.begun", 10]],
    );
    assert.match(String(more[0]!.radaro.error), /^no price/);
    await inbox().events.clear();
    await failed(0);
    await passes(second);
    await passes(second);
    await hears(41);
    await passes(10 * minute);
    assert.equal((await hears(42)).radaro.cause, "failed:more");
    await passes(minute);
    assert.equal(told.all.length, 42);
  });

  describe("does not tell twice what it has told", () => {
    const toldOnce = async () => {
      fails("no price for Priya Ryan");
      await begin();
      await accepts();
      await failed(1);
      await looks();
      await passes(3 * second);
      return (await hears(1)).radaro;
    };
    const heals = async () => {
      await inbox().events.settle((await inbox().events.list({}, "")).events[0]!.seq);
      await failed(0);
    };

    it("over a deploy of all, and of other nodes", async () => {
      const radaro = await toldOnce();
      await runtime.deploy([tab, config, ...flow]);
      await passes(minute);
      await runtime.deploy([tab, config, receive, { ...bill, name: "Bill 2" }, watch, heard], "nodes");
      await passes(minute);
      await runtime.deploy([tab, { ...config, name: "Acme" }, ...flow.map((each) => ({ ...each, y: 2 }))]);
      await passes(minute);
      assert.deepEqual(said(), ["failed begun"]);
      await heals();
      await passes(second);
      await passes(second);
      assert.deepEqual((await hears(2)).radaro, { ...radaro, state: "over" });
    });

    it("over a restart, and tells that it is over, with what it was", async () => {
      const radaro = await toldOnce();
      await restart();
      await passes(minute);
      assert.deepEqual(said(), ["failed begun"]);
      await heals();
      await passes(second);
      await passes(second);
      assert.deepEqual((await hears(2)).radaro, { ...radaro, state: "over" });
    });

    it("over a restart, and tells that it is over where it was healed meanwhile", async () => {
      const radaro = await toldOnce();
      await restart({}, [receive, bill]);
      await heals();
      await restart();
      await passes(second);
      await passes(second);
      const nothing = { error: null, orderId: null, externalId: null };
      assert.deepEqual((await hears(2)).radaro, { ...radaro, ...nothing, state: "over" });
    });

    it("but once more, where what it knew is damaged or lost", async () => {
      await toldOnce();
      for (const damage of [
        () => writeFileSync(path(), "{"),
        () => writeFileSync(path(), JSON.stringify({ config: { things: 1 } })),
        () => writeFileSync(path(), Buffer.alloc(1000)),
        () => rmSync(path()),
      ]) {
        const before = told.all.length;
        await restart({}, undefined, damage);
        await looks();
        await passes(3 * second);
        await hears(before + 1);
      }
      assert.deepEqual(new Set(said()), new Set(["failed begun"]));
    });
  });

  const path = () => join(userDir, "radaro-inbox", file);

  it("keeps what it has told in a file that nobody else looks at, without error text, and deletes it with its node", async () => {
    fails("no price for Priya Ryan");
    await begin();
    await accepts();
    await failed(1);
    await looks();
    await passes(3 * second);
    await hears(1);
    while (!existsSync(path()) || !readFileSync(path(), "utf8").includes("failed:bill")) await turn();
    assert.doesNotMatch(readFileSync(path(), "utf8"), /price|Priya/);
    const { lookAtFolders } =
      // eslint-disable-next-line @typescript-eslint/no-require-imports -- as the nodes load it
      require("../../dist/merchant-inbox.js") as typeof import("../../nodes/inbox/merchant-inbox");
    await lookAtFolders(runtime.RED, { wall: Date.now() + 1000 * hour, steady: 1e12 });
    assert.ok(existsSync(path()));
    await runtime.deploy([tab, config, receive, bill]);
    assert.deepEqual(
      readdirSync(join(userDir, "radaro-inbox")).filter((name) => name.startsWith("watch")),
      [],
    );
  });

  it("tells no personal data and no token but in msg.radaro, in no log and no status", async () => {
    fails("no price for Priya Ryan");
    await begin();
    await accepts({ order_info: { order_id: "Priya Ryan" } });
    await failed(1);
    await looks();
    await passes(3 * second);
    const { payload, topic } = await hears(1);
    await statuses.find(({ fill }) => fill === "red");
    const logged = helper.log().args.flatMap(([entry]) => {
      const { type, msg } = entry as { type?: string; msg: unknown };
      return type === "radaro watch" ? String(msg) : [];
    });
    assert.doesNotMatch(
      JSON.stringify([payload, topic, statuses.all, logged]),
      new RegExp(`Priya|price|${token}`),
    );
  });

  it("tells that it cannot store, and when it can again", async () => {
    await begin();
    await looks();
    const cannot = () => Object.defineProperty(inbox(), "problem", { get: () => full, configurable: true });
    const full = new Unusable("full");
    cannot();
    await looks();
    assert.deepEqual(said(), []);
    await passes(10 * second);
    assert.deepEqual((await hears(1)).radaro.cause, "store");
    await passes(hour);
    delete (inbox() as Partial<{ problem: unknown }>).problem;
    await looks();
    await passes(10 * second);
    await hears(2);
    assert.deepEqual(said(), ["store begun", "store over"]);
  });

  it("tells that it cannot store, also where the disk does not say what has failed", async () => {
    fails("down");
    await begin();
    await accepts();
    await failed(1);
    inbox().events.causes = () => new Promise(() => undefined);
    inbox().events.firstOf = () => new Promise(() => undefined);
    Object.defineProperty(inbox(), "problem", { get: () => new Unusable("slow") });
    await looks();
    await passes(10 * second);
    assert.equal((await hears(1)).radaro.cause, "store");
  });

  it("tells at once that an event was refused, as it could not be stored", async () => {
    await begin();
    await looks();
    merchant().accept = () => Promise.resolve("not-stored");
    const event = { ...readSamples()["job-created"], token };
    assert.equal((await runtime.post("/radaro", event)).status, 503);
    assert.equal((await hears(1)).radaro.count, 1);
  });

  it("tells the first request that is refused for a reason, and when none was for an hour, also over a restart", async () => {
    await begin();
    await looks();
    const refuse = async () =>
      assert.equal(
        (await runtime.post("/radaro", { ...readSamples()["job-created"], token: "x" })).status,
        401,
      );
    await refuse();
    const { radaro } = await hears(1);
    assert.deepEqual([radaro.cause, radaro.count], ["refused:wrong-token", 1]);
    await refuse();
    await restart();
    await passes(hour / 2);
    await refuse();
    await passes(hour / 2);
    assert.deepEqual(said(), ["refused begun"]);
    await passes(hour / 2);
    const over = await hears(2);
    assert.deepEqual([over.radaro.state, over.radaro.count], ["over", 3]);
    await refuse();
    assert.equal((await hears(3)).radaro.count, 1);
  });

  it("tells that events wait too long, also of a merchant that is paused, by itself, and when they do not", async () => {
    await begin({}, [receive, bill, { ...watch, refused: false, waiting: 0.002 }, heard]);
    await inbox().pause(true);
    await accepts();
    await passes(minute);
    assert.equal((await hears(1)).payload, "radaro-watch.says.waiting-one.begun");
    await inbox().pause(false);
    while (has.length < 1) await turn();
    has[0]!();
    while (inbox().counts?.processed !== 1) await turn();
    await hears(2);
    assert.deepEqual(said(), ["waiting begun", "waiting over"]);
  });

  it("wakes up by itself where nothing else happens", async () => {
    mock.timers.reset();
    await begin({}, [receive, bill, { ...watch, waiting: 0.005, silence: 0.0001 }, heard]);
    await accepts();
    await hears(2);
    assert.deepEqual(said().sort(), ["silence begun", "waiting begun"]);
  });

  it("tells of silence within the hours that count, and of the next event", async () => {
    const at = new Date(2026, 10, 27, 17); // a Friday
    mock.timers.setTime(at.getTime());
    const hours = { silence: "4", from: "08:00", to: "18:00", days: [1, 2, 3, 4, 5] };
    await begin({}, [receive, bill, { ...watch, ...hours }, heard]);
    await accepts();
    await looks();
    mock.timers.setTime(new Date(2026, 10, 30, 10, 59).getTime());
    await looks();
    assert.deepEqual(said(), []);
    await passes(minute);
    assert.equal((await hears(1)).radaro.since, at.toISOString());
    await accepts();
    await hears(2);
    assert.deepEqual(said(), ["silence begun", "silence over"]);
  });

  describe("without a merchant of its own", () => {
    const all = { ...watch, config: "" };
    const other = { ...config, id: "other", name: "Other" };
    const receiveOther = { ...receive, id: "in2", config: "other", path: "/other" };
    const refuse = (path: string) => runtime.post(path, {});

    it("watches all that have an inbox, each for itself, also those that are deployed later", async () => {
      await begin({}, [receive, bill, all, heard]);
      await looks();
      await refuse("/radaro");
      assert.equal((await hears(1)).radaro.merchant, "Acme");
      await runtime.deploy([tab, config, other, receive, receiveOther, bill, all, heard], "nodes");
      await looks();
      await refuse("/other");
      assert.equal((await hears(2)).radaro.merchant, "Other");
      assert.deepEqual(said(), ["refused begun", "refused begun"]);
    });

    it("forgets in silence what it has told of one whose inbox is switched off, and shows that none has one", async () => {
      await begin({}, [receive, bill, all, heard]);
      await looks();
      await refuse("/radaro");
      await hears(1);
      await runtime.deploy([tab, { ...config, inbox: false }, receive, bill, all, heard]);
      await statuses.find(({ fill, shape }) => `${fill} ${shape}` === "grey ring");
      while (readFileSync(path(), "utf8") !== "{}") await turn();
      await runtime.deploy([tab, config, receive, bill, all, heard]);
      await hears(2);
      assert.deepEqual(said(), ["refused begun", "refused begun"]);
    });

    it("says so where the one that it has is gone, or has no inbox", async () => {
      await begin({ inbox: false });
      const { text } = await statuses.find(({ fill, shape }) => `${fill} ${shape}` === "red ring");
      assert.equal(text, "radaro-watch.status.no-merchant");
    });
  });

  it("shows whether all is well, and what it has told last", async () => {
    await begin();
    assert.equal((await statuses.find(({ fill }) => fill === "green")).text, "radaro-watch.status.well");
    await runtime.post("/radaro", {});
    const { shape, text } = await statuses.find(({ fill }) => fill === "red");
    assert.equal(shape, "dot");
    assert.match(text, /^\d\d:\d\d:\d\d · radaro-watch\.status\.holding/);
  });

  it("warns of settings that it cannot read, and goes on without them", async () => {
    const wrong = { waiting: "soon", silence: -1, from: "8 am", to: "late", days: "1" };
    await begin({}, [receive, bill, { ...watch, ...wrong }, heard]);
    const logged = helper.log().args.map(([entry]) => (entry as { msg: unknown }).msg);
    for (const property of Object.keys(wrong)) assert.ok(logged.includes(`radaro-watch.warning.${property}`));
    await runtime.post("/radaro", {});
    await hears(1);
  });
});
