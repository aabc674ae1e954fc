import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Node, NodeAPI, NodeMessage } from "node-red";
import helper from "node-red-node-test-helper";
import type { MerchantInbox } from "../../nodes/inbox/merchant-inbox";
import type { Delivery, State } from "../../src/inbox/deliveries";
import { Unusable } from "../../src/inbox/store";
import { readSamples } from "../events";
import { Collected, start, stop, type Message, type Runtime, type Status } from "./runtime";

const token = "Zk3vQ9cXw1LmT7yHs0RdNA";
const tab = { id: "tab", type: "tab", label: "Flow" };
const config = { id: "config", type: "radaro-config", name: "Acme", inbox: true, inboxDays: 7 };
const place = { z: "tab", x: 1, y: 1 };
const receive = { ...place, id: "in", type: "radaro in", config: "config", path: "/radaro", topics: [] };
const byNode = { ...receive, done: "node" };
const done = { ...place, id: "done", type: "radaro done", name: "Billed", wires: [] };
const failing = { ...done, id: "failing", verdict: "failed", reason: "error.message", reasonType: "msg" };
const func = (id: string, code: string, wires: string[]) => ({
  ...{ ...place, id, type: "function", func: code, outputs: 1, libs: [], wires: [wires] },
});
const turn = () => new Promise(setImmediate);

interface Log {
  level: number;
  type?: string;
  msg: unknown;
}

describe("radaro done, with the inbox,", () => {
  let userDir: string;
  let runtime: Runtime;
  let statuses: Collected<Status & { id: string }>;
  /** What the node "hold" has taken, with what completes it. */
  let held: Collected<{ node: Node; msg: Message; done: (error?: Error) => void }>;
  const types = (RED: NodeAPI) => {
    RED.nodes.registerType("hold", function (this: Node, def) {
      RED.nodes.createNode(this, def);
      this.on("input", (msg, _send, done) => held.add({ node: this, msg: msg as Message, done }));
    });
  };
  const onStatus = ({ id, status }: { id: string; status: Omit<Status, "at"> }) =>
    statuses.add({ ...status, id, at: Date.now() });
  const watch = (RED: NodeAPI) => void RED.events.on("node-status", onStatus);
  /* eslint-disable @typescript-eslint/no-require-imports -- as Node-RED loads them */
  const core = ["common/25-catch", "common/60-link", "function/10-function", "sequence/17-split"].map(
    (path) => require(`@node-red/nodes/core/${path}.js`) as (RED: NodeAPI) => void,
  );
  /* eslint-enable */
  before(() => helper.startServer());
  after(() => helper.stopServer());
  beforeEach(() => {
    userDir = mkdtempSync(join(tmpdir(), "radaro-"));
    [statuses, held] = [new Collected(), new Collected()];
  });
  afterEach(async () => {
    runtime.RED.events.off("node-status", onStatus);
    await stop();
    rmSync(userDir, { recursive: true });
  });

  const begin = async (nodes: object[], about: object = {}) => {
    const options = { settings: { userDir }, nodes: [types, ...core], before: [watch] };
    runtime = await start([tab, { ...config, ...about }, ...nodes], { config: { token } }, options);
  };
  const merchant = () => (helper.getNode("config") as Node & { inbox: MerchantInbox }).inbox;
  const newest = async () => (await merchant().inbox.events.list({}, "")).events[0]!;
  let number = 0;
  const accepts = async () => {
    const event = { ...readSamples()["job-created"], number: (number += 1), token };
    assert.equal((await runtime.post("/radaro", event)).status, 200);
  };
  const delivery = async (fits: (delivery: Delivery) => boolean, node = "in") => {
    for (;;) {
      const found = (await newest()).deliveries?.find((each) => each.node === node);
      if (found && fits(found)) return found;
      await turn();
    }
  };
  const is = (state: State, node?: string) => delivery((each) => each.state === state, node);
  const shows = (look: string, id = "done") =>
    statuses.find((each) => each.id === id && `${each.fill} ${each.shape}` === look);
  const logged = (level: string) => {
    const levels: Record<string, number> = { error: 20, warn: 30 };
    const entries = helper.log().args.map(([entry]) => entry as Log);
    return entries.filter((entry) => entry.level === levels[level] && entry.type === "radaro done");
  };
  /** Sends a message to a node, and resolves when the node has completed it. */
  const give = (id: string, msg: object) =>
    new Promise<unknown>((resolve) => {
      const { hooks } = runtime.RED;
      hooks.add("onComplete.test", ({ error, node }: { error?: unknown; node: { id: string } }) => {
        if (node.id !== id) return;
        hooks.remove("*.test");
        resolve(error);
      });
      helper.getNode(id).receive(msg as NodeMessage);
    });
  const hold = { ...place, id: "hold", type: "hold", name: "Bill", wires: [] };

  describe("where the radaro in is told by a node", () => {
    it("says that a delivery is processed, which its nodes' completing does not", async () => {
      await begin([{ ...byNode, wires: [["hold"]] }, hold, done]);
      await accepts();
      const { msg, done: complete } = await held.find(() => true);
      complete();
      for (let i = 0; i < 20; i += 1) await turn();
      await is("waiting");
      await give("done", msg);
      assert.deepEqual(await is("processed"), { node: "in", state: "processed", times: 1 });
    });

    it("leaves a delivery failed as soon as a node has reported an error, until it says more", async () => {
      await begin([{ ...byNode, wires: [["hold"]] }, hold, done]);
      await accepts();
      const { node, msg } = await held.find(() => true);
      node.error("no price", msg);
      assert.equal((await is("failed")).error?.text, "no price");
      await give("done", msg);
      const { error, tries } = await is("processed");
      assert.deepEqual([error, tries?.map(({ outcome }) => outcome)], [undefined, ["failed", "processed"]]);
    });
  });

  it("says that a delivery is failed, with the text that a Catch node has found", async () => {
    const catching = { ...place, id: "catch", type: "catch", scope: ["bill"], wires: [["failing"]] };
    await begin([
      { ...byNode, wires: [["bill"]] },
      func("bill", "throw new Error('no price')", []),
      catching,
      failing,
    ]);
    await accepts();
    const { error } = await delivery(({ error }) => error?.node.id === "failing");
    assert.deepEqual(error, {
      text: "Error: no price",
      node: { id: "failing", type: "radaro done", name: "Billed" },
    });
    assert.match((await shows("red dot", "failing")).text, /^\d\d:\d\d:\d\d · radaro-done\.status\.failed/);
  });

  describe("as the reason", () => {
    const reasons: [string, object, object, string][] = [
      ["takes a text", { reason: "No price", reasonType: "str" }, {}, "No price"],
      ["takes any property", { reason: "payload.why" }, { payload: { why: "No price" } }, "No price"],
      ["takes what is no text", { reason: "payload" }, { payload: { a: 1 } }, "{ a: 1 }"],
      ["takes an error's text", { reason: "error" }, { error: { message: "down" } }, "down"],
      ["takes error.message where none is named", { reason: undefined }, { error: { message: "x" } }, "x"],
      ["shortens it", { reason: "payload" }, { payload: "x".repeat(600) }, `${"x".repeat(499)}…`],
      ["has one of its own for nothing", {}, {}, "radaro-done.no-reason"],
      [
        "has one of its own for an empty one",
        { reason: "payload" },
        { payload: " " },
        "radaro-done.no-reason",
      ],
      ["has one of its own for no text", { reason: "", reasonType: "str" }, {}, "radaro-done.no-reason"],
      ["has one of its own for no property", { reason: "a[" }, {}, "radaro-done.no-reason"],
    ];
    for (const [what, about, more, text] of reasons) {
      it(`${what}, in the inbox`, async () => {
        await begin([{ ...byNode, wires: [["hold"]] }, hold, { ...failing, ...about }]);
        await accepts();
        const { msg } = await held.find(() => true);
        await give("failing", { ...msg, ...more });
        assert.equal((await is("failed")).error?.text, text);
      });
    }
  });

  describe("wherever the message has been, in an inbox's flow:", () => {
    const other = { id: "tab2", type: "tab", label: "Elsewhere" };
    const link = { ...place, id: "out", type: "link out", mode: "link", links: ["link"], wires: [] };
    const ways: Record<string, object[]> = {
      "split,": [
        func("parts", "return { ...msg, payload: [1, 2, 3] };", ["split"]),
        {
          ...{ ...place, id: "split", type: "split", splt: "\\n", spltType: "str", arraySplt: 1 },
          ...{ arraySpltType: "len", stream: false, addname: "", wires: [["done"]] },
        },
        done,
      ],
      "a new message of a Function,": [
        func("parts", "node.send({ payload: 1, radaro: msg.radaro });", ["done"]),
        done,
      ],
      "link nodes and another tab,": [
        other,
        func("parts", "return msg;", ["out"]),
        link,
        { ...link, z: "tab2", id: "link", type: "link in", links: ["out"], wires: [["done"]] },
        { ...done, z: "tab2" },
      ],
    };
    for (const [way, nodes] of Object.entries(ways)) {
      it(`${way} it says it`, async () => {
        await begin([{ ...byNode, wires: [["parts"]] }, ...nodes]);
        await accepts();
        await is("processed");
        assert.deepEqual(logged("warn"), []);
      });
    }

    it("of text, as through a broker, it says it, also after a restart of the flows", async () => {
      await begin([{ ...byNode, wires: [["hold"]] }, hold, done]);
      await accepts();
      const { msg } = await held.find(() => true);
      const text = JSON.stringify(msg);
      await runtime.deploy([tab, config, { ...byNode, wires: [["hold"]] }, hold, { ...done, name: "2" }]);
      await give("done", { ...(JSON.parse(text) as object), _msgid: "another" });
      await is("processed");
    });
  });

  it("speaks of one radaro in, and not of another that got the event from the inbox", async () => {
    await begin([{ ...byNode, wires: [["done"]] }, { ...byNode, id: "in2", wires: [["hold"]] }, hold, done]);
    await accepts();
    await is("processed");
    await is("waiting", "in2");
    assert.equal((await newest()).state, "waiting");
  });

  it("counts each time anew, as the last word, and takes away the inbox's retry", async () => {
    await begin([{ ...byNode, wires: [["hold"]] }, hold, done, failing], { inboxRetries: "60" });
    await accepts();
    const { msg } = await held.find(() => true);
    await give("failing", msg);
    assert.ok((await is("failed")).againAt);
    await give("done", msg);
    assert.equal((await is("processed")).againAt, undefined);
    await give("failing", msg);
    await is("failed");
  });

  describe("where the nodes' completing counts,", () => {
    it("counts instead of it: what it has failed stays failed in the inbox", async () => {
      await begin([
        { ...receive, wires: [["bill"]] },
        func("bill", "return msg", ["failing", "hold"]),
        { ...failing, reason: "answered 500", reasonType: "str" },
        hold,
      ]);
      await accepts();
      const { done: complete } = await held.find(() => true);
      await is("failed");
      complete();
      for (let i = 0; i < 20; i += 1) await turn();
      assert.equal((await is("failed")).error?.text, "answered 500");
    });

    it("counts instead of an error that came before: the inbox has it as processed", async () => {
      await begin([
        { ...receive, wires: [["bill"]] },
        func("bill", "node.error('no answer', msg); return msg", ["done"]),
        done,
      ]);
      await accepts();
      await is("processed");
      for (let i = 0; i < 20; i += 1) await turn();
      await is("processed");
    });

    it("does not count instead of an error that comes later, which fails it in the inbox", async () => {
      await begin([{ ...receive, wires: [["hold"]] }, hold, done]);
      await accepts();
      const { node, msg } = await held.find(() => true);
      await give("done", msg);
      await is("processed");
      node.error("no paper", msg);
      assert.equal((await is("failed")).error?.text, "no paper");
    });
  });

  it("completes its message when the inbox has taken the verdict", async () => {
    await begin([{ ...byNode, wires: [["hold"]] }, hold, done]);
    await accepts();
    const { msg } = await held.find(() => true);
    assert.equal(await give("done", msg), undefined);
    assert.equal((await newest()).state, "processed");
  });

  it("passes over a message of no inbox, and its status says so", async () => {
    await begin([{ ...receive, wires: [["done"]] }, done], { inbox: false });
    await accepts();
    const { text } = await shows("grey ring");
    assert.match(text, /^\d\d:\d\d:\d\d · radaro-done\.status\.passed-over · job/);
    for (const radaro of [undefined, null, 5, "x", {}, { delivery: null }, { delivery: "" }])
      assert.equal(await give("done", { radaro }), undefined);
    assert.deepEqual([logged("warn"), logged("error")], [[], []]);
  });

  it("warns of what is not there, whatever stands in the place of the inbox's delivery", async () => {
    await begin([{ ...byNode, wires: [["hold"]] }, hold, done, { ...config, id: "off", inbox: false }]);
    await accepts();
    const { msg } = await held.find(() => true);
    const name = msg.radaro.delivery!;
    const [, seq] = name.split("/") as [string, string];
    const names: [unknown, string][] = [
      [name.replace(seq, "000000000000099"), "gone"],
      [name.replace(seq, String(Number(seq))), "gone"],
      [name.replace(seq, "constructor"), "gone"],
      [`${name}2`, "gone"],
      [name.replace("config", "in"), "no-merchant"],
      [name.replace("config", "nobody"), "no-merchant"],
      [name.replace("config", "__proto__"), "no-merchant"],
      [name.replace("config", "off"), "no-inbox"],
      ...[5, true, {}, [], [name], "%", "a/b", "x".repeat(100_000)].map((each): [unknown, string] => [
        each,
        "gone",
      ]),
    ];
    for (const [delivery, why] of names) {
      assert.equal(await give("done", { radaro: { delivery } }), undefined);
      assert.equal(logged("warn").at(-1)?.msg, `radaro-done.warning.${why}`, String(delivery));
    }
    assert.equal(logged("warn").length, names.length);
    await shows("yellow ring");
    await is("waiting");
  });

  it("warns of an event that was deleted from the inbox", async () => {
    await begin([{ ...byNode, wires: [["hold"]] }, hold, done]);
    await accepts();
    const { msg } = await held.find(() => true);
    await give("done", msg);
    await is("processed");
    while ((await merchant().inbox.events.clear()) === 0) await turn();
    assert.equal(await give("done", msg), undefined);
    assert.equal(logged("warn").at(-1)?.msg, "radaro-done.warning.gone");
  });

  it("raises an error where the inbox cannot be used, for a Catch node", async () => {
    const catching = { ...place, id: "catch", type: "catch", scope: ["done"], wires: [["hold"]] };
    await begin([receive, done, catching, hold]);
    merchant().verdict = () => Promise.reject(new Unusable("full"));
    const error = await give("done", { radaro: { delivery: "config/1/in" } });
    assert.ok(error instanceof Error);
    const { msg } = await held.find(() => true);
    assert.equal(msg.error?.message, "Error: radaro-done.error.store");
    await shows("red ring");
  });

  it("shows what it said last, once a second, however many the inbox gives", async () => {
    await begin([{ ...byNode, wires: [["done"]] }, done]);
    const begun = Date.now();
    for (let i = 0; i < 20; i += 1) await accepts();
    const mine = () => statuses.all.filter(({ id }) => id === "done");
    await shows("green dot");
    const seconds = (Date.now() - begun) / 1000;
    assert.ok(mine().length <= seconds + 1);
    assert.match(mine()[0]!.text, /^\d\d:\d\d:\d\d · radaro-done\.status\.processed · job/);
  });

  it("says of a verdict that is none of both that it is wrong, and tells the inbox nothing", async () => {
    await begin([{ ...byNode, wires: [["hold"]] }, hold, { ...done, verdict: "Failed" }]);
    assert.equal(logged("warn").at(-1)?.msg, "radaro-done.error.verdict");
    await accepts();
    const { msg } = await held.find(() => true);
    assert.ok((await give("done", msg)) instanceof Error);
    await is("failed"); // of the error that it has reported, as any node's
    assert.equal(logged("error").length > 0, true);
  });
});
