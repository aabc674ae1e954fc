import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type AddressInfo, type Server } from "node:net";
import { join } from "node:path";
import { Aedes } from "aedes";
import { startNodeRed, type NodeRed } from "../../scripts/node-red";
import type { SampleName } from "../../src/event/catalog";
import type { JsonObject } from "../../src/event/json";
import { readSamples, sampleNames } from "../events";
import { connect, type Comms } from "./editor-comms";
import { install, root } from "./package";

const token = "Zk3vQ9cXw1LmT7yHs0RdNA";

interface FlowNode extends JsonObject {
  id: string;
  type: string;
  z?: string;
  wires?: string[][];
}

const files = readdirSync(join(root, "examples")).sort();
const read = (number: number) =>
  JSON.parse(readFileSync(join(root, "examples", files[number - 1]!), "utf8")) as FlowNode[];

describe("examples", () => {
  it("are five, made of core nodes and ours alone, each explained by a comment", () => {
    assert.equal(files.length, 5);
    const core = [
      "tab",
      "comment",
      "debug",
      "switch",
      "change",
      "http request",
      "file",
      "catch",
      "mqtt in",
      "mqtt out",
      "mqtt-broker",
    ];
    const ours = ["radaro in", "radaro switch", "radaro-config"];
    for (let number = 1; number <= 5; number++) {
      const flow = read(number);
      for (const { type } of flow) assert.ok([...core, ...ours].includes(type), type);
      for (const tab of flow.filter(({ type }) => type === "tab")) {
        const comments = flow.filter(({ type, z }) => type === "comment" && z === tab.id);
        assert.ok(comments.some(({ info }) => String(info).length > 100));
      }
      const ids = new Set(flow.map(({ id }) => id));
      assert.equal(ids.size, flow.length);
      for (const { wires } of flow) for (const id of wires?.flat() ?? []) assert.ok(ids.has(id));
      assert.ok(!JSON.stringify(flow).includes("credentials"));
    }
  });
});

describe("example", () => {
  let nodeRed: NodeRed;
  let comms: Comms;

  /** Starts an example as it is, but for the token that the user fills in, and what `change` does. */
  async function begin(number: number, change: (node: FlowNode) => FlowNode = (node) => node) {
    const flows = read(number).map(change);
    const credentials = Object.fromEntries(
      flows.filter(({ type }) => type === "radaro-config").map(({ id }) => [id, { token }]),
    );
    nodeRed = await startNodeRed({ flows, credentials, prepare: install });
    comms = await connect(nodeRed.url);
  }
  afterEach(async () => {
    comms.close();
    await nodeRed.stop();
  });

  const send = async (event: JsonObject) => {
    const response = await fetch(`${nodeRed.url}/radaro`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ ...event, token }),
    });
    assert.equal(response.status, 200);
  };
  const sendSamples = async (...names: SampleName[]) => {
    for (const name of names) await send(readSamples()[name]);
  };

  it("1: routes the life of a job", async () => {
    await begin(1);
    await sendSamples(...sampleNames);
    const shown = await comms.debugged(sampleNames.length);
    const count = (name: string) => shown.filter(([node]) => node === name).length;
    const expected = {
      "Job created": 1,
      "Assigned to a driver": 1,
      "Driver on the way": 1,
      "Completed by the driver": 1,
      "Confirmed or rated by the customer": 1,
      Failed: 1,
      Deleted: 1,
      "Everything else": sampleNames.length - 7,
    };
    assert.deepEqual(Object.fromEntries(Object.keys(expected).map((name) => [name, count(name)])), expected);
    assert.deepEqual(
      shown.find(([node]) => node === "Confirmed or rated by the customer"),
      ["Confirmed or rated by the customer", "Job 410077215 rated 3"],
    );
  });

  it("2: tells the two delivered events apart, each once", async () => {
    await begin(2);
    await sendSamples(...sampleNames);
    for (const name of ["job-confirmed", "job-completed"] as const) {
      const event = readSamples()[name];
      await send({ ...event, order_info: { ...(event.order_info as object), order_id: 2 } });
    }
    // Each event of the second job is behind those of the first: one sent twice would be among these.
    assert.deepEqual((await comms.debugged(4)).sort(), [
      ["Bill the job", "Bill job 2 to Priya Ryan"],
      ["Bill the job", "Bill job 410077215 to Priya Ryan"],
      ["Thank the customer", "Thank Priya Ryan for rating 3 (job 2)"],
      ["Thank the customer", "Thank Priya Ryan for rating 3 (job 410077215)"],
    ]);
  });

  it("3: rings someone for a failed job and a low rating, and not for a good one or none", async () => {
    await begin(3);
    const confirmed = readSamples()["job-confirmed"];
    for (const rating of [null, 10, 5])
      await send({ ...confirmed, order_info: { ...(confirmed.order_info as object), rating } });
    await sendSamples(...sampleNames);
    const shown = await comms.debugged(2);
    assert.deepEqual(shown.map(([, text]) => text).sort(), [
      "Job 410077215 failed: Sofa, two-seater. Customer: +61370104455",
      "Job 410077215 was rated 3 of 10. Customer: +61370104455",
    ]);
  });

  it("4: keeps a log, one line each, with what was refused for a wrong type too", async () => {
    await begin(4);
    await sendSamples(...sampleNames);
    await fetch(`${nodeRed.url}/radaro`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ topic: "job.changed", new_values: 1, token }),
    });
    await comms.debugged(sampleNames.length + 1);
    const text = readFileSync(join(nodeRed.userDir, "radaro-events.jsonl"), "utf8");
    const lines = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { event: JsonObject; problem?: string });
    assert.deepEqual(
      lines.slice(0, -1).map(({ event }) => event),
      sampleNames.map((name) => readSamples()[name]),
    );
    assert.match(lines.at(-1)?.problem ?? "", /new_values must be an object or null/);
    assert.ok(!text.includes(token));
  });

  describe("5, with a broker,", () => {
    let broker: Aedes;
    let server: Server;
    beforeEach(async () => {
      broker = await Aedes.createBroker();
      server = createServer((socket) => broker.handle(socket)).listen(0, "127.0.0.1");
      await once(server, "listening");
    });
    afterEach(async () => {
      await new Promise<void>((resolve) => broker.close(resolve));
      server.close();
    });
    /** The example with this broker in it. */
    const withBroker = (node: FlowNode) => {
      const { port } = server.address() as AddressInfo;
      return node.type === "mqtt-broker" ? { ...node, broker: "127.0.0.1", port: String(port) } : node;
    };

    it("hands events on to it, and routes them on another flow", async () => {
      const published: string[] = [];
      broker.on("publish", ({ topic }) => {
        if (topic.startsWith("radaro/")) published.push(topic);
      });
      const subscribed = once(broker, "subscribe");
      await begin(5, withBroker);
      await subscribed;
      await sendSamples(...sampleNames);
      const shown = await comms.debugged(sampleNames.length);
      const events = sampleNames.map((name) => readSamples()[name]);
      assert.deepEqual(
        published,
        events.map(({ topic }) => `radaro/${String(topic)}`),
      );
      const by = (name: string) => shown.filter(([node]) => node === name).map(([, text]) => text);
      assert.deepEqual(by("Completed by the driver"), ["Job 410077215 completed"]);
      assert.deepEqual(by("Confirmed or rated"), ["Job 410077215 rated 3"]);
      assert.equal(by("Everything else").length, sampleNames.length - 2);
    });

    it("and an inbox, counts an event as processed when the broker has acknowledged it", async () => {
      const acknowledging: (() => void)[] = [];
      let published = (): void => undefined;
      broker.authorizePublish = (_client, _packet, acknowledge) => {
        acknowledging.push(() => acknowledge(null));
        published();
      };
      const held = () => new Promise<void>((resolve) => (published = resolve));
      const states = async () => {
        const [id] = read(5).flatMap(({ id, type }) => (type === "radaro-config" ? [id] : []));
        const answer = await fetch(`${nodeRed.url}/radaro-inbox/${id}/events`);
        return ((await answer.json()) as { events: { state: string }[] }).events.map(({ state }) => state);
      };
      const first = held();
      const connected = once(broker, "subscribe");
      await begin(5, (node) => withBroker(node.type === "radaro-config" ? { ...node, inbox: true } : node));
      await connected;
      await sendSamples("job-created");
      await first;
      assert.deepEqual(await states(), ["waiting"]);
      acknowledging[0]!();
      while ((await states())[0] !== "processed");
    });
  });
});
