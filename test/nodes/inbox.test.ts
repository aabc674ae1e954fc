import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Node, NodeAPI, NodeDef } from "node-red";
import helper from "node-red-node-test-helper";
import type { MerchantInbox } from "../../nodes/inbox/merchant-inbox";
import { Tracking } from "../../nodes/inbox/tracking";
import type { StoredEvent } from "../../src/inbox/stored-event";
import { SqliteStore } from "../../src/inbox/sqlite-store";
import { readSamples, sampleNames } from "../events";
import { start, stop, type Message, type Runtime } from "./runtime";

const token = "Zk3vQ9cXw1LmT7yHs0RdNA";
const tab = { id: "tab", type: "tab", label: "Flow" };
const config = { id: "config", type: "radaro-config", name: "Acme", inbox: true, inboxDays: 7 };
const place = { z: "tab", x: 1, y: 1 };
const receive = {
  ...place,
  id: "in",
  type: "radaro in",
  config: "config",
  path: "/radaro",
  topics: [] as string[],
  wires: [["out"]],
};
const out = { ...place, id: "out", type: "helper", wires: [] };
const flow = [tab, config, receive, out];

/** What a node under test does with each message. */
type OnInput = (this: Node, msg: Message, send: (msg: object) => void, done: (error?: Error) => void) => void;

/** Node types: one that never says that it is done, and one that does as it is told. */
let onInput: OnInput;
let onClose: () => void;
const types = (RED: NodeAPI) => {
  RED.nodes.registerType("told", function (this: Node, def: NodeDef) {
    RED.nodes.createNode(this, def);
    this.on("input", (msg, send, done) => onInput.call(this, msg as Message, send as never, done));
    this.on("close", () => onClose());
  });
  RED.nodes.registerType("old", function (this: Node, def: NodeDef) {
    RED.nodes.createNode(this, def);
    this.on("input", (msg: object) => {
      this.send(msg as Message);
    });
  });
};
/** Core nodes that take a message on in a way of their own. */
const core = ["common/60-link", "function/10-function"].map(
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- as Node-RED loads them
  (path) => require(`@node-red/nodes/core/${path}.js`) as (RED: NodeAPI) => void,
);
const told = { ...place, id: "out", type: "told", name: "Bill", wires: [["end"]] };
const end = { ...place, id: "end", type: "helper", wires: [] };

describe("the inbox", () => {
  let userDir: string;
  let runtime: Runtime;
  before(() => helper.startServer());
  after(() => helper.stopServer());
  beforeEach(() => {
    userDir = mkdtempSync(join(tmpdir(), "radaro-"));
    onInput = (_msg, _send, done) => done();
    onClose = () => undefined;
  });
  afterEach(async () => {
    await stop();
    rmSync(userDir, { recursive: true });
  });
  const begin = async (nodes: object[] = flow) => {
    const options = { settings: { userDir }, nodes: [types, ...core] };
    runtime = await start(nodes, { config: { token }, other: { token } }, options);
  };
  const inboxOf = (id = "config") => (helper.getNode(id) as Node & { inbox: MerchantInbox }).inbox.inbox;
  const post = (event: object, path = "/radaro") => runtime.post(path, { ...event, token });
  /** The newest event in the inbox, as soon as it is as it should be. */
  const newest = async (fits: (stored: StoredEvent) => boolean): Promise<StoredEvent> => {
    for (;;) {
      const { events } = await inboxOf().events.list({}, "");
      if (events[0] && fits(events[0])) return events[0];
      await new Promise(setImmediate);
    }
  };
  /** What the merchant has warned of since the flow began. */
  const warnings = () =>
    helper
      .log()
      .args.map(([entry]) => entry as { id?: string; level: number; msg: string })
      .filter(({ id, level }) => id === "config" && level === 30)
      .map(({ msg }) => msg);
  const settled = () => newest(({ state }) => state !== "waiting");
  /** The only delivery of an event, or that to a node. */
  const deliveryOf = ({ deliveries }: StoredEvent, node = "in") =>
    deliveries?.find((each) => each.node === node) ?? assert.fail(`no delivery to ${node}`);
  const sample = (name: (typeof sampleNames)[number]) => readSamples()[name];

  describe("stores", () => {
    for (const name of sampleNames) {
      it(`${name} whole but for its token, and sends it as without an inbox`, async () => {
        await begin();
        const { all: messages } = runtime.collect("out");
        const answer = await post(sample(name));
        assert.deepEqual([answer.status, answer.body], [200, { ok: true }]);
        assert.equal(messages.length, 1);
        const { payload, radaro, topic } = messages[0]!;
        assert.deepEqual(payload, sample(name));
        assert.equal(topic, payload.topic);
        const keys = ["eventType", "changed", "orderId", "externalId", "merchant", "receivedAt"];
        assert.deepEqual(Object.keys(radaro), [...keys, "eventId", "delivery"]);
        const stored = await newest(({ state }) => state === "processed");
        assert.equal(deliveryOf(stored).times, 1);
        assert.deepEqual((await inboxOf().events.read(stored.seq))?.event, sample(name));
      });
    }

    it("nothing that is refused, and counts it by reason", async () => {
      await begin();
      for (const body of ["{", "[]", { topic: "t" }, { token: "x" }]) {
        assert.notEqual((await runtime.post("/radaro", body)).status, 200);
      }
      assert.deepEqual((await inboxOf().events.list({}, "")).events, []);
      const { refused } = await (helper.getNode("config") as Node & { inbox: MerchantInbox }).inbox.summary();
      const counts = refused.map(({ why, count }) => [why, count]);
      const each = ["not-json", "not-object", "no-token", "wrong-token"].map((why) => [why, 1]);
      assert.deepEqual(counts, each);
    });

    it("in directories that nobody else can enter", async () => {
      await begin();
      await post(sample("job-created"));
      for (const dir of ["radaro-inbox", "radaro-inbox/config"]) {
        assert.equal(statSync(join(userDir, dir)).mode & 0o777, 0o700);
      }
    });

    it("nothing at all while it is off", async () => {
      await begin([tab, { ...config, inbox: false }, receive, out]);
      assert.deepEqual((await post(sample("job-created"))).body, { ok: true });
      assert.deepEqual((await post(sample("job-created"))).body, { ok: true });
      assert.ok(!existsSync(join(userDir, "radaro-inbox")));
      assert.ok(!runtime.RED.hooks.has("onSend"));
    });

    it("nothing more when it is switched off, and says how many events are left in it", async () => {
      onInput = () => undefined;
      await begin([tab, config, receive, told, end]);
      await post(sample("job-created"));
      const off = [tab, { ...config, inbox: false }, receive, told, end];
      await runtime.deploy(off);
      await runtime.deploy(off);
      assert.deepEqual(warnings(), ["radaro-config.inbox.off"]);
      onInput = (_msg, _send, done) => done();
      await runtime.deploy([tab, config, receive, told, end]);
      assert.equal(deliveryOf(await settled()).times, 2);
      await runtime.deploy(off);
      assert.equal(warnings().length, 1, "none is left");
    });

    it("nothing more when its merchant is deleted, and says how many events are left in it", async () => {
      onInput = () => undefined;
      await begin([tab, config, receive, told, end]);
      await post(sample("job-created"));
      await runtime.deploy([tab, receive, told, end], "nodes");
      assert.deepEqual(warnings(), ["radaro-config.inbox.off"]);
    });

    it("for 7 days, and says so, where the days are no number that can be", async () => {
      for (const inboxDays of ["", "a week", 0, -1, true, {}, [7], "${RADARO_NOT_SET}"]) {
        await begin([tab, { ...config, inboxDays }, receive, out]);
        assert.deepEqual(warnings(), ["radaro-config.inbox.days"]);
        await stop();
      }
      for (const inboxDays of [undefined, null, "30", 1, 2.5]) {
        await begin([tab, { ...config, inboxDays }, receive, out]);
        assert.deepEqual(warnings(), []);
        await stop();
      }
    });

    it("an event that no node lets through, as processed", async () => {
      await begin([tab, config, { ...receive, topics: ["job.deleted"] }, out]);
      const { all: messages } = runtime.collect("out");
      assert.deepEqual((await post(sample("job-created"))).body, { ok: true });
      const { state, deliveries } = await settled();
      assert.deepEqual([state, deliveries, messages.length], ["processed", [], 0]);
    });
  });

  describe("says what has become of an event:", () => {
    it("processed, when all nodes have completed it", async () => {
      const dones: (() => void)[] = [];
      onInput = (msg, send, done) => {
        dones.push(() => {
          send(msg);
          done();
        });
      };
      await begin([tab, config, receive, told, end]);
      await post(sample("job-created"));
      await newest(({ state }) => state === "waiting");
      dones[0]!();
      assert.equal((await settled()).state, "processed");
    });

    for (const [how, fail] of [
      ["by done(error)", (_node, _msg, done) => done(new Error("no such customer"))],
      ["by throwing", () => assert.fail("no such customer")],
      [
        "by node.error(text, msg)",
        (node, msg, done) => {
          node.error("no such customer", msg);
          done();
        },
      ],
    ] as [string, (node: Node, msg: Message, done: (error?: Error) => void) => void][]) {
      it(`failed, with the text and the node, where a node reports an error ${how}`, async () => {
        onInput = function (msg, _send, done) {
          fail(this, msg, done);
        };
        await begin([tab, config, receive, told, end]);
        await post(sample("job-created"));
        const { state, error } = deliveryOf(await settled());
        assert.equal(state, "failed");
        const node = { id: "out", type: "told", name: "Bill" };
        assert.deepEqual(error, { text: "no such customer", node });
      });
    }

    it("failed, with the text, where a Function node throws", async () => {
      const func = "throw new Error('no such customer');";
      await begin([
        tab,
        config,
        receive,
        { ...place, id: "out", type: "function", func, outputs: 1, libs: [], wires: [] },
      ]);
      await post(sample("job-created"));
      assert.equal(deliveryOf(await settled()).error?.text, "no such customer");
    });

    it("failed, also where a node reports something that is no error and has no text", async () => {
      onInput = function (msg, _send, done) {
        const response: Record<string, unknown> = { statusCode: 404 };
        response.request = { response };
        this.error(response, msg);
        done();
      };
      await begin([tab, config, receive, told, end]);
      await post(sample("job-created"));
      const { state, error } = deliveryOf(await settled());
      assert.equal(state, "failed");
      assert.match(error!.text, /statusCode: 404/);
    });

    it("failed, also where a Catch node takes the error", async () => {
      onInput = (_msg, _send, done) => done(new Error("no such customer"));
      const catching = { ...place, id: "catch", type: "catch", scope: null, wires: [["end"]] };
      await begin([tab, config, receive, told, catching, end]);
      await post(sample("job-created"));
      assert.equal((await settled()).state, "failed");
    });

    it("processed, where a node of the old kind has taken it", async () => {
      await begin([tab, config, receive, { ...told, type: "old" }, end]);
      runtime.collect("end");
      await post(sample("job-created"));
      assert.equal((await settled()).state, "processed");
    });

    it("processed, where nothing is wired", async () => {
      await begin([tab, config, { ...receive, wires: [] }]);
      await post(sample("job-created"));
      assert.equal((await settled()).state, "processed");
    });
  });

  describe("waits for", () => {
    let dones: (() => void)[];
    beforeEach(() => {
      dones = [];
      onInput = (msg, send, done) =>
        dones.push(() => {
          send(msg);
          done();
        });
    });
    const last = { ...told, wires: [] };
    const first = { ...receive, wires: [["first"]] };
    const plain = { ...place, id: "first", type: "function", func: "return msg;", outputs: 1, libs: [] };

    for (const [what, nodes] of [
      [
        "what is in a subflow",
        [
          { id: "sub", type: "subflow", in: [{ wires: [{ id: "inner" }] }], out: [] },
          { ...last, id: "inner", z: "sub" },
          { ...place, id: "first", type: "subflow:sub", wires: [] },
        ],
      ],
      [
        "what a Complete node sends",
        [
          { ...plain, wires: [] },
          { ...place, id: "complete", type: "complete", scope: ["first"], wires: [["out"]] },
          last,
        ],
      ],
      [
        "what a link call node calls",
        [
          {
            ...place,
            id: "first",
            type: "link call",
            links: ["link"],
            linkType: "static",
            timeout: "30",
            wires: [[]],
          },
          { ...place, id: "link", type: "link in", links: [], wires: [["out"]] },
          { ...told, wires: [["return"]] },
          { ...place, id: "return", type: "link out", mode: "return", links: [], wires: [] },
        ],
      ],
      ["each of several wires", [{ ...plain, wires: [["out", "out2"]] }, last, { ...last, id: "out2" }]],
      [
        "each of several messages",
        [{ ...plain, func: "return [[msg, {payload: 1}]];", wires: [["out"]] }, last],
      ],
      [
        "what a Function node sends later",
        [
          {
            ...plain,
            func: "setTimeout(() => { node.send(msg); node.done(); }, 0); return null;",
            wires: [["out"]],
          },
          last,
        ],
      ],
    ] as [string, object[]][]) {
      it(what, async () => {
        await begin([tab, config, first, ...nodes]);
        await post(sample("job-created"));
        const count = what.startsWith("each") ? 2 : 1;
        while (dones.length < count) await new Promise(setImmediate);
        for (const done of dones) {
          await inboxOf().events.list({}, ""); // time to be settled too early
          assert.equal(inboxOf().counts?.waiting, 1);
          done();
        }
        assert.equal((await settled()).state, "processed");
      });
    }
  });

  describe("follows the flow", () => {
    let leave: () => void;
    const error = { text: "stuck", node: { id: "in", type: "radaro in" } };
    const follow = (limits: { time: number; every: number; followed: number }) => {
      const tracking = new Tracking(runtime.RED, limits);
      leave = tracking.use();
      const heard: string[] = [];
      const options = (id: string) => ({
        isDoneByNode: false,
        heard: ({ state }: { state: string }) => heard.push(`${id} ${state}`),
        stuck: () => error,
      });
      return { heard, follow: (id: string) => tracking.follow(id, id, options(id)) };
    };

    it("without a limit, and listens to messages only while there is one to wait for", async () => {
      await begin([tab]);
      const tracking = follow({ time: 1, every: 1, followed: 10 });
      const { hooks } = runtime.RED;
      assert.ok(!hooks.has("onSend"));
      const { sent } = tracking.follow("id");
      for (const since = performance.now(); performance.now() - since < 20;) await new Promise(setImmediate);
      assert.deepEqual([tracking.heard, hooks.has("onSend")], [[], true]);
      sent();
      while (hooks.has("onSend")) await new Promise(setImmediate);
      assert.deepEqual(tracking.heard, ["id processed"]);
      leave();
    });

    it("of no more than so many: what is beyond is not settled by a guess", async () => {
      await begin([tab]);
      const tracking = follow({ time: 1e6, every: 1e6, followed: 2 });
      const [first, second, third] = ["1", "2", "3"].map((id) => tracking.follow(id));
      for (const { sent } of [first!, second!, third!]) sent();
      while (tracking.heard.length < 2) await new Promise(setImmediate);
      assert.deepEqual(tracking.heard, ["2 processed", "3 processed"]);
      leave();
      assert.ok(!runtime.RED.hooks.has("onSend"));
    });
  });

  describe("gives an event again", () => {
    it("after the flows were stopped before it was done, with the count of the times before", async () => {
      onInput = () => undefined;
      await begin([tab, config, receive, told, end]);
      const order = [
        "2026-01-01T10:00:00.000003Z",
        "2026-01-01T10:00:00.000002Z",
        "2026-01-01T09:00:00+00:00",
      ];
      for (const updated_at of order) await post({ ...sample("job-created"), updated_at });
      const redelivered: Message[] = [];
      onInput = (msg, _send, done) => {
        redelivered.push(msg);
        done();
      };
      await runtime.deploy([tab, config, receive, told, end]);
      while (inboxOf().counts?.processed !== 3) await new Promise(setImmediate);
      assert.deepEqual(
        redelivered.map(({ payload }) => payload.updated_at),
        order.toReversed(),
      );
      assert.deepEqual(
        redelivered.map(({ radaro }) => radaro.redelivery),
        [1, 1, 1],
      );
    });

    it("after a deploy that stopped only the node that had it", async () => {
      onInput = () => undefined;
      await begin([tab, config, receive, told, end]);
      await post(sample("job-created"));
      onInput = (_msg, _send, done) => done();
      const inbox = inboxOf();
      await runtime.deploy([tab, config, receive, { ...told, name: "Billing" }, end], "nodes");
      assert.equal(deliveryOf(await newest(({ state }) => state === "processed")).times, 2);
      assert.equal(inboxOf(), inbox);
    });

    for (const type of ["full", "nodes"] as const) {
      for (const error of [undefined, new Error("stopped")]) {
        it(`where a node says ${error ? "that it failed" : "that it is done"} because it is stopped (${type})`, async () => {
          onInput = (_msg, _send, done) => (onClose = () => done(error));
          await begin([tab, config, receive, told, end]);
          await post(sample("job-created"));
          onInput = (_msg, _send, done) => done();
          await runtime.deploy([tab, config, receive, { ...told, name: "Billing" }, end], type);
          const { state, times } = deliveryOf(await settled());
          assert.deepEqual([state, times], ["processed", 2]);
        });
      }
    }

    it("not, where a deploy did not touch the node that has it", async () => {
      const dones: (() => void)[] = [];
      onInput = (_msg, _send, done) => void dones.push(done);
      const other = { ...place, id: "other", type: "helper", name: "a", wires: [] };
      await begin([tab, config, receive, told, end, other]);
      await post(sample("job-created"));
      await runtime.deploy([tab, config, receive, told, end, { ...other, name: "b" }], "nodes");
      assert.equal(dones.length, 1);
      dones[0]!();
      assert.equal(deliveryOf(await settled()).times, 1);
    });

    it("where it is asked to, also all that have failed", async () => {
      onInput = (_msg, _send, done) => done(new Error("down"));
      await begin([tab, config, receive, told, end]);
      for (const name of ["job-created", "job-completed", "job-deleted"] as const) {
        await post(sample(name));
        await newest(({ topic, state }) => topic === sample(name).topic && state === "failed");
      }
      const times: (number | undefined)[] = [];
      onInput = ({ radaro }, _send, done) => {
        times.push(radaro.redelivery);
        done();
      };
      const { events } = await inboxOf().events.list({}, "");
      assert.equal((await inboxOf().events.run([events[0]!.seq])).run, 1);
      await newest(({ state }) => state === "processed");
      assert.equal((await inboxOf().events.runAll({})).run, 2);
      while (inboxOf().counts?.processed !== 3) await new Promise(setImmediate);
      assert.deepEqual(times, [1, 1, 1]);
      assert.deepEqual((await inboxOf().events.list({ state: "failed" }, "")).events, []);
    });

    it("only when its node is there again, also on another path", async () => {
      onInput = () => undefined;
      await begin([tab, config, receive, told, end]);
      await post(sample("job-created"));
      onInput = (_msg, _send, done) => done();
      await runtime.deploy([tab, config, { ...receive, id: "other" }, told, end]);
      await post(sample("job-deleted"));
      while (inboxOf().counts?.processed !== 1) await new Promise(setImmediate);
      assert.deepEqual(inboxOf().counts, { waiting: 1, processed: 1, failed: 0 });
      await runtime.deploy([tab, config, { ...receive, path: "/other" }, told, end]);
      while (inboxOf().counts?.processed !== 2) await new Promise(setImmediate);
    });
  });

  describe("answers a body that it has with duplicate", () => {
    const duplicate = { ok: true, duplicate: true };

    it("and sends nothing", async () => {
      await begin();
      const { all: messages } = runtime.collect("out");
      const answers = await Promise.all([1, 2, 3].map(() => post(sample("job-created"))));
      answers.push(await post(sample("job-created"), "/radaro/"));
      assert.deepEqual(
        answers.map(({ body }) => body),
        [{ ok: true }, duplicate, duplicate, duplicate],
      );
      assert.equal(messages.length, 1);
    });

    it("also after a deploy, but not where a byte is another one, nor on another path", async () => {
      const second = { ...receive, id: "in2", path: "/second" };
      await begin([...flow, second]);
      const text = JSON.stringify({ ...sample("job-created"), token });
      assert.deepEqual((await runtime.post("/radaro", text)).body, { ok: true });
      await runtime.deploy([...flow, second]);
      assert.deepEqual((await runtime.post("/radaro", text)).body, duplicate);
      assert.deepEqual((await runtime.post("/radaro", `${text} `)).body, { ok: true });
      assert.deepEqual((await runtime.post("/second", text)).body, { ok: true });
    });

    it("unless a merchant without it or with another one of its own wants it", async () => {
      const other = { ...config, id: "other" };
      const second = { ...receive, id: "in2", config: "other" };
      await begin([...flow, other, second]);
      const { all: messages } = runtime.collect("out");
      assert.deepEqual((await post(sample("job-created"))).body, { ok: true });
      assert.deepEqual((await post(sample("job-created"))).body, duplicate);
      assert.equal(messages.length, 2);
      await runtime.deploy([...flow, { ...other, inbox: false }, second]);
      const { all: later } = runtime.collect("out");
      assert.deepEqual((await post(sample("job-created"))).body, { ok: true });
      assert.equal(later.length, 1);
    });
  });

  describe("marks an event as superseded", () => {
    const at = (updated_at: string, changed: object = { new_values: { status: "delivered" } }) => ({
      ...sample("job-completed"),
      ...changed,
      updated_at,
    });
    const marks = async (events: object[]) => {
      await begin();
      const { all: messages } = runtime.collect("out");
      for (const event of events) await post(event);
      return messages.map(({ radaro }) => radaro.superseded);
    };

    it("where a later one about the same fields of the same job came before", async () => {
      const later = "2026-01-01T12:00:00.000002+02:00";
      assert.deepEqual(await marks([at(later), at("2026-01-01T10:00:00.000001Z")]), [undefined, true]);
    });

    it("also where both arrive together", async () => {
      await begin();
      const { all: messages } = runtime.collect("out");
      const times = ["2026-01-02T10:00:00Z", "2026-01-01T10:00:00Z", "2026-01-03T10:00:00Z"];
      await Promise.all(times.map((time) => post(at(time))));
      for (const { radaro, payload } of messages) {
        const before = messages.slice(
          0,
          messages.findIndex((message) => message.payload === payload),
        );
        const isLate = before.some((other) => String(other.payload.updated_at) > String(payload.updated_at));
        assert.equal(radaro.superseded, isLate || undefined);
      }
    });

    it("but not where the job, the fields or nothing else is another, or the time is not known", async () => {
      const [early, late] = ["2026-01-01T10:00:00Z", "2026-01-01T11:00:00Z"];
      const events = [
        at(late),
        at(late, { new_values: { status: "assigned" } }),
        at(early, { new_values: { is_confirmed_by_customer: true } }),
        at(early, { new_values: { status: "failed", driver: 1 } }),
        at(early, { new_values: {} }),
        at(early, { order_info: { order_id: 1 } }),
        at("not a time"),
      ];
      assert.deepEqual(
        await marks(events),
        events.map(() => undefined),
      );
    });
  });

  describe("answers 503 and sends nothing", () => {
    const refused = { ok: false, error: "Node-RED could not store the event in its inbox." };

    it("while its directory cannot be made, and stores again when it can", async () => {
      const file = join(userDir, "radaro-inbox");
      writeFileSync(file, "");
      await begin();
      const { all: messages } = runtime.collect("out");
      const answer = await post(sample("job-created"));
      assert.deepEqual([answer.status, answer.body], [503, refused]);
      assert.ok(Number(answer.headers.get("retry-after")) > 0);
      await runtime.statuses.find(({ fill }) => fill === "red");
      assert.equal(inboxOf().problem?.problem, "unwritable");
      assert.equal(messages.length, 0);
      rmSync(file);
      while (inboxOf().problem) await new Promise(setImmediate);
      assert.deepEqual(new Set(runtime.statuses.all.slice(1).map(({ fill }) => fill)), new Set(["red"]));
      await post(sample("job-created"));
      assert.equal(messages.length, 1);
    });

    it("while another has the directory, and stores again when that has gone", async () => {
      const other = await SqliteStore.open(join(userDir, "radaro-inbox/config"));
      await begin();
      assert.equal((await post(sample("job-created"))).status, 503);
      await runtime.statuses.find(({ fill }) => fill === "red");
      assert.equal(inboxOf().problem?.problem, "locked");
      await other.close();
      while ((await post(sample("job-created"))).status !== 200) await new Promise(setImmediate);
    });
  });

  it("begins anew, and says so, where what is in its directory is something else", async () => {
    await begin();
    await post(sample("job-created"));
    await settled();
    await runtime.deploy([tab, { ...config, inbox: false }, receive, out]);
    const dir = join(userDir, "radaro-inbox/config");
    writeFileSync(join(dir, "inbox.sqlite"), "broken");
    await runtime.deploy(flow);
    assert.deepEqual((await post(sample("job-created"))).body, { ok: true });
    assert.deepEqual(warnings(), ["radaro-config.inbox.found.damaged"]);
    const [aside] = readdirSync(dir).filter((name) => name.startsWith("damaged-"));
    assert.equal(readFileSync(join(dir, aside!, "inbox.sqlite"), "utf8"), "broken");
  });

  it("begins anew, and stores, where its directory is deleted", async () => {
    await begin();
    await post(sample("job-created"));
    rmSync(join(userDir, "radaro-inbox"), { recursive: true });
    assert.deepEqual((await post(sample("job-created"))).body, { ok: true });
    assert.ok(existsSync(join(userDir, "radaro-inbox/config")));
  });
});
