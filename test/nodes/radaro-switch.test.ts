import assert from "node:assert/strict";
import helper from "node-red-node-test-helper";
import { readSamples, sampleNames } from "../events";
import { start, stop, type Message } from "./runtime";

const tab = { id: "tab", type: "tab", label: "Flow" };
const completed = { kind: "event", eventType: "updated", field: "status", to: "delivered", toType: "str" };
const rated = {
  kind: "event",
  eventType: "updated",
  field: "is_confirmed_by_customer",
  to: true,
  toType: "bool",
};
const superseded = { kind: "superseded" };
const otherwise = { kind: "otherwise" };

/** Starts a `radaro switch`, with a node behind each of its outputs and a Catch node. */
async function begin(rules: unknown[], options: object = {}) {
  const outputs = rules.map((_, i) => ({ id: `out${i + 1}`, type: "helper", z: "tab", wires: [] }));
  const wires = outputs.map(({ id }) => [id]);
  const node = {
    id: "switch",
    type: "radaro switch",
    z: "tab",
    rules,
    outputs: rules.length,
    checkall: true,
    wires,
  };
  const { collect, RED } = await start([
    tab,
    { ...node, property: "payload", ...options },
    ...outputs,
    { id: "catch1", type: "catch", z: "tab", scope: null, uncaught: false, wires: [["caught"]] },
    { id: "caught", type: "helper", z: "tab", wires: [] },
    { id: "complete1", type: "complete", z: "tab", scope: ["switch"], wires: [["completed"]] },
    { id: "completed", type: "helper", z: "tab", wires: [] },
  ]);
  const behind = outputs.map(({ id }) => collect(id));
  const [caught, done] = [collect("caught"), collect("completed")];
  /** Sends a message through, and tells which outputs it left by. */
  const send = async (message: object): Promise<number[]> => {
    const before = behind.map(({ all }) => all.length);
    const _msgid = String(Math.random());
    helper.getNode("switch").receive({ ...message, _msgid });
    const mine = ({ _msgid: id }: Message) => id === _msgid;
    await Promise.race([done.find(mine), caught.find(mine)]);
    return behind.flatMap(({ all }, i) => (all.length > before[i]! ? [i + 1] : []));
  };
  return { send, behind, caught, RED };
}

describe("radaro switch", () => {
  before(() => helper.startServer());
  after(() => helper.stopServer());
  afterEach(stop);

  it("sends the two delivered events to different outputs, once each", async () => {
    const { send, behind } = await begin([completed, rated]);
    assert.deepEqual(await send({ payload: readSamples()["job-completed"] }), [1]);
    assert.deepEqual(await send({ payload: readSamples()["job-confirmed"] }), [2]);
    assert.deepEqual(
      behind.map(({ all }) => all.length),
      [1, 1],
    );
  });

  it("sends the message on unchanged", async () => {
    const { send, behind } = await begin([otherwise]);
    for (const name of sampleNames) {
      await send({ payload: readSamples()[name], topic: "mine", extra: { kept: true } });
      const got = behind[0]!.all.at(-1)!;
      const sent = { payload: readSamples()[name], topic: "mine", extra: { kept: true } };
      assert.deepEqual(got, { ...sent, _msgid: got._msgid });
    }
  });

  it("sends to every rule that matches, or to the first only", async () => {
    const rules = [{ kind: "event" }, completed, otherwise];
    const all = await begin(rules);
    assert.deepEqual(await all.send({ payload: readSamples()["job-completed"] }), [1, 2]);
    await stop();
    const first = await begin(rules, { checkall: false });
    assert.deepEqual(await first.send({ payload: readSamples()["job-completed"] }), [1]);
  });

  it("routes by the job: a bad rating, and the merchants of a group", async () => {
    const low = { ...rated, job: "rating", op: "lte", value: "3", valueType: "num" };
    const merchant = (value: number) => ({
      kind: "event",
      job: "merchant",
      op: "eq",
      value,
      valueType: "num",
    });
    const { send } = await begin([low, merchant(124), merchant(125), otherwise]);
    const payload = readSamples()["job-confirmed"];
    const job = payload.order_info as object;
    assert.deepEqual(await send({ payload }), [1, 2]);
    assert.deepEqual(await send({ payload: { ...payload, order_info: { ...job, rating: 4 } } }), [2]);
    assert.deepEqual(await send({ payload: { ...payload, order_info: { ...job, rating: null } } }), [2]);
    assert.deepEqual(await send({ payload: { ...payload, order_info: { ...job, merchant: 125 } } }), [1, 3]);
    assert.deepEqual(await send({ payload: readSamples()["optimisation-completed"] }), [4]);
  });

  it("tells a superseded event by msg.radaro, wherever the event itself is", async () => {
    const { send, behind } = await begin([superseded, completed, otherwise], { property: "event" });
    const event = readSamples()["job-completed"];
    assert.deepEqual(await send({ event, radaro: { superseded: true } }), [1, 2]);
    assert.deepEqual(behind[0]!.all[0]?.radaro, { superseded: true });
    for (const radaro of [undefined, null, "superseded", true, [], {}, { superseded: "true" }]) {
      assert.deepEqual(await send({ event, radaro }), [2]);
    }
  });

  it("keeps a superseded event from all other outputs where its rule is first and the first is enough", async () => {
    const { send, caught } = await begin([superseded, completed, otherwise], { checkall: false });
    const payload = readSamples()["job-completed"];
    assert.deepEqual(await send({ payload, radaro: { superseded: true } }), [1]);
    assert.deepEqual(await send({ payload }), [2]);
    assert.deepEqual(await send({ payload: {}, radaro: {} }), [3]);
    assert.equal(caught.all.length, 0);
  });

  it("reads the event from the property it is told", async () => {
    const { send } = await begin([completed, otherwise], { property: "from.broker['event']" });
    assert.deepEqual(await send({ from: { broker: { event: readSamples()["job-completed"] } } }), [1]);
    assert.deepEqual(await send({ from: { broker: { event: {} } } }), [2]);
  });

  it("raises an error, for a Catch node, where the property holds no object", async () => {
    const { send, caught } = await begin([{ kind: "event" }, otherwise]);
    // A Buffer is what a broker and a file give.
    const others = [Buffer.from("{}"), new Date(), new Map(), new Error("no")];
    for (const payload of [undefined, null, "text", 1, true, [{}], ...others])
      assert.deepEqual(await send({ payload }), []);
    assert.equal(caught.all.length, 10);
    assert.equal(caught.all[2]?.payload, "text");
    assert.equal(caught.all[2].error?.message, "Error: radaro-switch.error.no-event");
    await stop();
    const deep = await begin([otherwise], { property: "a.b.c" });
    assert.deepEqual(await deep.send({}), []);
  });

  it("warns of a rule it does not know, and routes by the others", async () => {
    const { send } = await begin([completed, { kind: "later" }, otherwise]);
    assert.deepEqual(await send({ payload: readSamples()["job-created"] }), [3]);
    const warnings = helper
      .log()
      .args.flat()
      .filter(({ type, id }) => type === "radaro switch" && id === "switch");
    assert.deepEqual(
      warnings.map(({ msg }) => msg),
      ["radaro-switch.problem.in-rule"],
    );
  });

  it("says when no rule matched a test event, until the next message, and says nothing of other events", async () => {
    const { send, RED } = await begin([completed]);
    const told: unknown[] = [];
    const onStatus = ({ id, status }: { id: string; status: { text?: string } }) => {
      if (id === "switch") told.push(status.text);
    };
    const onComms = ({ topic, data }: { topic: string; data: object }) => {
      if (topic === "radaro-test") told.push({ ...data, message: "message" in data && typeof data.message });
    };
    RED.events.on("node-status", onStatus).on("comms", onComms);
    const noRule = ["radaro-switch.status.no-rule", { node: "switch", message: "string" }];
    const [other, fitting] = [readSamples()["job-created"], readSamples()["job-completed"]];
    const steps: [message: object, told: unknown[]][] = [
      [{ payload: other }, []],
      [{ payload: other, radaro: null }, []],
      [{ payload: other, radaro: { test: true } }, noRule],
      [{ payload: other, radaro: { test: true } }, noRule],
      [{ payload: fitting, radaro: { test: true } }, [undefined]],
      [{ payload: fitting, radaro: { test: true } }, []],
      [{ payload: other, radaro: { test: true } }, noRule],
      [{ payload: other, radaro: {} }, [undefined]],
    ];
    for (const [message, expected] of steps) {
      await send(message);
      assert.deepEqual(told.splice(0), expected, JSON.stringify(message).slice(-40));
    }
    RED.events.off("node-status", onStatus).off("comms", onComms);
  });

  it("does without rules", async () => {
    const { send } = await begin([]);
    assert.deepEqual(await send({ payload: {} }), []);
  });

  it("reads what to do at the first match in both spellings, and does all where it is not said", async () => {
    for (const [checkall, outputs] of [
      [true, [1, 2]],
      ["true", [1, 2]],
      [undefined, [1, 2]],
      [null, [1, 2]],
      [false, [1]],
      ["false", [1]],
    ] as const) {
      const { send } = await begin([{ kind: "event" }, { kind: "event" }], { checkall });
      assert.deepEqual(await send({ payload: {} }), outputs, String(checkall));
      await stop();
    }
  });

  it("runs, and says what is wrong, whatever stands in its properties", async () => {
    const odd = [null, 42, "text", "${RADARO_NOT_SET}", true, {}, [null, 42, "text", []]];
    for (const property of [...odd, undefined]) {
      for (const rules of odd) {
        const { send } = await begin([otherwise], { property, rules });
        await send({ payload: {} });
        const logged = helper.log().args.flat() as { msg: unknown; id: string }[];
        assert.ok(!logged.some(({ msg }) => String(msg).includes("TypeError")), JSON.stringify(logged));
        const said = logged.filter(({ id }) => id === "switch").map(({ msg }) => msg);
        const inRules = new Array(Array.isArray(rules) ? rules.length : 0).fill(
          "radaro-switch.problem.in-rule",
        );
        const isList = Array.isArray(rules) || rules === null;
        assert.deepEqual(said, isList ? inRules : ["radaro-switch.problem.no-list"]);
        await stop();
      }
    }
  });
});
