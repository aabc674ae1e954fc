import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Node, NodeAPI, NodeDef } from "node-red";
import helper from "node-red-node-test-helper";
import type { MerchantInbox } from "../../nodes/inbox/merchant-inbox";
import type { Delivery, State } from "../../src/inbox/deliveries";
import { readSamples } from "../events";
import { start, stop, type Message, type Runtime } from "./runtime";

const token = "Zk3vQ9cXw1LmT7yHs0RdNA";
const tab = { id: "tab", type: "tab", label: "Flow" };
const config = { id: "config", type: "radaro-config", name: "Acme", inbox: true, inboxDays: 7 };
const place = { z: "tab", x: 1, y: 1 };
const receive = { ...place, id: "in", type: "radaro in", config: "config", path: "/radaro", topics: [] };
const told = { ...place, id: "bill", type: "told", name: "Bill", wires: [[]] };
const single = [{ ...receive, wires: [["bill"]] }, told];
const turn = () => new Promise(setImmediate);

/** A message that a node has taken, and what it may say of it. */
interface Taken {
  node: Node;
  msg: Message;
  send(msg?: object): void;
  done(error?: Error): void;
}

/** A fraction of a second, in minutes. */
const soon = 0.002;

describe("the inbox, for each radaro in,", () => {
  let userDir: string;
  let runtime: Runtime;
  /** By node. */
  let taken: Record<string, Taken[]>;
  /** What a node does at once; absent: it has the message until the test says more. */
  let does: Record<string, ((taken: Taken) => void) | undefined>;
  const types = (RED: NodeAPI) => {
    RED.nodes.registerType("told", function (this: Node, def: NodeDef) {
      RED.nodes.createNode(this, def);
      this.on("input", (msg, send, done) => {
        const one = {
          node: this,
          msg: msg as Message,
          send: (more: object = msg) => send(more as never),
          done,
        };
        (taken[this.id] ??= []).push(one);
        does[this.id]?.(one);
      });
    });
  };
  /* eslint-disable @typescript-eslint/no-require-imports -- as Node-RED loads them */
  const core = ["common/25-catch", "function/10-function"].map(
    (path) => require(`@node-red/nodes/core/${path}.js`) as (RED: NodeAPI) => void,
  );
  /* eslint-enable */
  before(() => helper.startServer());
  after(() => helper.stopServer());
  beforeEach(() => {
    userDir = mkdtempSync(join(tmpdir(), "radaro-"));
    [taken, does] = [{}, {}];
  });
  afterEach(async () => {
    await stop();
    rmSync(userDir, { recursive: true });
  });
  const begin = async (nodes: object[] = single, about: object = {}) => {
    const options = { settings: { userDir }, nodes: [types, ...core] };
    runtime = await start([tab, { ...config, ...about }, ...nodes], { config: { token } }, options);
  };
  const merchant = () => (helper.getNode("config") as Node & { inbox: MerchantInbox }).inbox;
  const inbox = () => merchant().inbox;
  let number = 0;
  const post = async (event: object = {}) => {
    const answer = await runtime.post("/radaro", {
      ...readSamples()["job-created"],
      ...event,
      number,
      token,
    });
    number += 1;
    return answer;
  };
  const accepts = async (event?: object) => assert.equal((await post(event)).status, 200);
  const took = async (node: string, count: number) => {
    while ((taken[node]?.length ?? 0) < count) await turn();
    return taken[node]![count - 1]!;
  };
  const newest = async () => (await inbox().events.list({}, "")).events[0]!;
  /** The newest event's delivery to a node, as soon as it fits. */
  const delivery = async (fits: (delivery: Delivery) => boolean, node = "in") => {
    for (;;) {
      const found = (await newest()).deliveries?.find((each) => each.node === node);
      if (found && fits(found)) return found;
      await turn();
    }
  };
  const is = (state: State, node?: string) => delivery((each) => each.state === state, node);

  const two = [
    { ...receive, wires: [["bill"]] },
    { ...receive, id: "in2", wires: [["mail"]] },
    told,
    { ...told, id: "mail" },
  ];

  it("has a state of its own, and the event has the worst of them", async () => {
    await begin(two);
    await accepts();
    (await took("bill", 1)).done();
    await is("processed");
    assert.equal((await newest()).state, "waiting");
    (await took("mail", 1)).done(new Error("no address"));
    const failed = await is("failed", "in2");
    assert.equal(failed.error?.text, "no address");
    assert.deepEqual([(await newest()).state, (await is("processed")).times], ["failed", 1]);
  });

  it("gives again only what is not processed, unless all is wanted", async () => {
    await begin(two);
    await accepts();
    (await took("bill", 1)).done();
    (await took("mail", 1)).done(new Error("no address"));
    const { seq } = await newest();
    await is("failed", "in2");
    assert.deepEqual(await inbox().events.run([seq]), { run: 1, nowhere: 0 });
    const again = await took("mail", 2);
    assert.equal(again.msg.radaro.redelivery, 1);
    again.done();
    await is("processed", "in2");
    assert.equal(taken.bill!.length, 1);
    assert.deepEqual(await inbox().events.run([seq]), { run: 0, nowhere: 0 });
    assert.deepEqual(await inbox().events.run([seq], true), { run: 1, nowhere: 0 });
    (await took("bill", 2)).done();
    (await took("mail", 3)).done();
    await is("processed");
  });

  it("names an event the same each time, and each delivery", async () => {
    await begin(two);
    does = { bill: ({ done }) => done(new Error("down")), mail: ({ done }) => done() };
    await accepts();
    await is("failed");
    await inbox().events.run([(await newest()).seq]);
    const { eventId, delivery } = (await took("bill", 2)).msg.radaro;
    const [first, other] = [taken.bill![0]!.msg.radaro, taken.mail![0]!.msg.radaro];
    assert.ok(eventId && delivery);
    assert.deepEqual([first.eventId, first.delivery, other.eventId], [eventId, delivery, eventId]);
    assert.notEqual(other.delivery, delivery);
  });

  describe("counts as processed", () => {
    const catching = { ...place, id: "catch", type: "catch", scope: ["bill"], wires: [["bill"]] };

    it("what a Catch node sends back, and its node then completes", async () => {
      await begin([...single, catching]);
      await accepts();
      (await took("bill", 1)).done(new Error("busy"));
      (await took("bill", 2)).done();
      assert.deepEqual(await is("processed"), { node: "in", state: "processed", times: 1 });
    });

    it("not what a Catch node sends on to another node", async () => {
      await begin([...single, { ...catching, wires: [["mail"]] }, { ...told, id: "mail" }]);
      await accepts();
      (await took("bill", 1)).done(new Error("busy"));
      (await took("mail", 1)).done();
      assert.equal((await is("failed")).error?.text, "busy");
    });

    it("what a radaro done says so, also where a Catch node has sent it elsewhere", async () => {
      await begin([...single, { ...catching, wires: [["mail"]] }, { ...told, id: "mail" }]);
      await accepts();
      const { seq } = await newest();
      (await took("bill", 1)).done(new Error("busy"));
      const { done } = await took("mail", 1);
      assert.ok(await merchant().verdict(seq, "in"));
      done();
      for (let i = 0; i < 5; i += 1) await turn();
      await is("processed");
    });

    it("not what a radaro done says has failed, whatever is completed after that", async () => {
      await begin();
      await accepts();
      const { seq } = await newest();
      const { node, done } = await took("bill", 1);
      assert.ok(await merchant().verdict(seq, "in", { text: "no price", node }));
      done();
      for (let i = 0; i < 5; i += 1) await turn();
      assert.equal((await is("failed")).error?.text, "no price");
    });

    it("what a radaro done says so, also where a deploy then stops a node that has it", async () => {
      await begin();
      await accepts();
      const { seq } = await newest();
      await took("bill", 1);
      assert.ok(await merchant().verdict(seq, "in"));
      await runtime.deploy([tab, config, single[0]!, { ...told, name: "Bill 2" }], "nodes");
      await accepts();
      (await took("bill", 2)).done();
      await is("processed");
      while (inbox().counts?.processed !== 2) await turn();
      assert.equal(taken.bill!.length, 2);
    });

    it("what is failed by its limit, and completed after all: its retry is dropped", async () => {
      await begin([{ ...receive, limit: soon, wires: [["bill"]] }, told], { inboxRetries: "60" });
      await accepts();
      const { done } = await took("bill", 1);
      const failed = await is("failed");
      assert.ok(failed.error?.text.includes("limit") && failed.againAt);
      done();
      assert.equal((await is("processed")).againAt, undefined);
    });
  });

  it("waits again for what a Function sends after all was completed", async () => {
    const func = "setTimeout(() => node.send(msg), 50);"; // without node.done()
    const late = { ...place, id: "late", type: "function", func, outputs: 1, libs: [], wires: [["bill"]] };
    await begin([{ ...receive, wires: [["late"]] }, late, told]);
    await accepts();
    await is("processed");
    const { done } = await took("bill", 1);
    const waiting = await is("waiting");
    assert.ok(waiting.since);
    done();
    await is("processed");
  });

  it("counts a message for a node that throws, and says no more, as failed", async () => {
    does.bill = () => assert.fail("no price");
    await begin();
    await accepts();
    assert.equal((await is("failed")).error?.text, "no price");
  });

  it("keeps an event with a field of a wrong type as failed, answers 400 and can run it again", async () => {
    await begin([
      ...single,
      { ...place, id: "catch", type: "catch", scope: null, wires: [["mail"]] },
      { ...told, id: "mail" },
    ]);
    const answer = await post({ updated_at: 5 });
    assert.equal(answer.status, 400);
    const { error, times, againAt } = await is("failed");
    assert.deepEqual([error?.node.type, times, againAt], ["radaro in", 0, undefined]);
    assert.ok((await took("mail", 1)).msg.payload.updated_at === 5, "a Catch node hears of it");
    assert.equal(taken.bill, undefined);
    assert.deepEqual(await inbox().events.run([(await newest()).seq]), { run: 1, nowhere: 0 });
    const { msg, done } = await took("bill", 1);
    assert.deepEqual([msg.payload.updated_at, msg.radaro.redelivery], [5, undefined]);
    done();
    await is("processed");
  });

  it("gives what failed again after the minutes of inboxRetries, and then leaves it failed", async () => {
    does.bill = ({ done }) => done(new Error("down"));
    await begin(single, { inboxRetries: `${soon}, ${soon}` });
    await accepts();
    await took("bill", 3);
    const last = await delivery(({ state, times }) => state === "failed" && times === 3);
    assert.equal(last.againAt, undefined);
    assert.deepEqual(
      taken.bill!.map(({ msg }) => msg.radaro.redelivery),
      [undefined, 1, 2],
    );
  });

  it("gives nothing again by itself, and says so, where inboxRetries are no such minutes", async () => {
    for (const inboxRetries of ["often", "0", "-1", "1;2", "10081", Array(21).fill("1").join()]) {
      await begin(single, { inboxRetries });
      const warned = helper.log().args.map(([entry]) => (entry as { msg: string }).msg);
      assert.ok(warned.includes("radaro-config.inbox.retries"), inboxRetries);
      await stop();
    }
  });

  describe("in order", () => {
    const inOrder = [{ ...receive, inOrder: true, wires: [["bill"]] }, told];
    const job = (order_id: number) => ({ order_info: { order_id } });
    const jobs = () => taken.bill!.map(({ msg }) => msg.radaro.orderId);

    it("gives the next event of a job when the flow is done with the one before, or failed it", async () => {
      await begin(inOrder);
      for (const id of [1, 1, 2, 1]) await accepts(job(id));
      await took("bill", 2);
      assert.deepEqual(jobs(), [1, 2]);
      taken.bill![0]!.done(new Error("down"));
      (await took("bill", 3)).done();
      await took("bill", 4);
      assert.deepEqual(jobs(), [1, 2, 1, 1]);
      const numbers = taken.bill!.flatMap(({ msg }) => (msg.radaro.orderId === 1 ? msg.payload.number : []));
      assert.deepEqual(
        numbers,
        (numbers as number[]).toSorted((a, b) => a - b),
      );
    });

    it("gives all at once to a node that was saved before there was an order", async () => {
      await begin();
      for (const id of [1, 1, 1]) await accepts(job(id));
      await took("bill", 3);
    });

    it("keeps it over a restart", async () => {
      await begin(inOrder);
      for (const id of [1, 1, 1]) await accepts(job(id));
      await runtime.deploy([tab, config, ...inOrder]);
      does.bill = ({ done }) => done();
      (await took("bill", 2)).done();
      await took("bill", 4);
      const numbers = taken.bill!.slice(1).map(({ msg }) => msg.payload.number as number);
      assert.deepEqual(
        numbers,
        numbers.toSorted((a, b) => a - b),
      );
    });
  });

  describe("paused", () => {
    it("accepts and stores, gives nothing until it is resumed, also over a restart, and says how many wait", async () => {
      does.bill = ({ done }) => done();
      await begin();
      await inbox().pause(true);
      await accepts();
      await accepts();
      await runtime.statuses.find(({ fill, shape }) => `${fill} ${shape}` === "yellow ring");
      await runtime.deploy([tab, { ...config, name: "Acme 2" }, ...single]);
      await accepts();
      while (inbox().counts?.waiting !== 3) await turn();
      assert.deepEqual([inbox().isPaused, taken.bill], [true, undefined]);
      const logged = helper.log().args.map(([entry]) => (entry as { msg: unknown }).msg);
      assert.ok(logged.includes("sidebar.paused"), JSON.stringify(logged));
      await inbox().pause(false);
      await took("bill", 3);
      while (inbox().counts?.processed !== 3) await turn();
    });

    it("lets a retry that is due wait", async () => {
      does.bill = ({ done }) => done(new Error("down"));
      await begin(single, { inboxRetries: String(soon) });
      await accepts();
      const { againAt } = await is("failed");
      await inbox().pause(true);
      while (new Date().toISOString() <= againAt!) await turn();
      await accepts();
      await is("waiting");
      assert.equal(taken.bill!.length, 1);
      await inbox().pause(false);
      await took("bill", 3);
    });
  });

  it("shows how many deliveries of a node are failed, in red, while they are", async () => {
    does.bill = ({ done }) => done(new Error("down"));
    await begin();
    await accepts();
    await runtime.statuses.find(({ fill, shape }) => `${fill} ${shape}` === "red dot");
    await is("failed");
    await inbox().events.settle((await newest()).seq);
    await runtime.statuses.find(({ fill, at }) => fill === "green" && at > runtime.statuses.all[0]!.at);
    const { times, settled } = await is("processed");
    assert.deepEqual([times, settled], [1, true]);
  });
});
