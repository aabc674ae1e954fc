import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer, type AddressInfo, type Server } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { Aedes } from "aedes";
import { startNodeRed, type NodeRed } from "../../scripts/node-red";
import type { SampleName } from "../../src/event/catalog";
import type { JsonObject } from "../../src/event/json";
import { compileRules } from "../../src/routing/rules";
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
const all = files.map((_, i) => read(i + 1));

describe("examples", () => {
  it("are eight, made of core nodes and ours alone, each explained by a comment", () => {
    assert.equal(files.length, 8);
    const core = [
      "tab",
      "comment",
      "debug",
      "change",
      "template",
      "function",
      "http request",
      "file",
      "catch",
      "mqtt in",
      "mqtt out",
      "mqtt-broker",
    ];
    const ours = ["radaro in", "radaro switch", "radaro done", "radaro watch", "radaro-config"];
    for (const flow of all) {
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

  it("have the same merchant, and nothing else in common, so that a second one uses the merchant that is there", () => {
    const merchants = all.flatMap((flow) => flow.filter(({ type }) => type === "radaro-config"));
    // The last watches all merchants that are there.
    assert.equal(merchants.length, files.length - 1);
    for (const merchant of merchants) assert.deepEqual(merchant, merchants[0]);
    const others = all.flat().filter(({ type }) => type !== "radaro-config");
    assert.equal(new Set(others.map(({ id }) => id)).size, others.length);
  });

  it("have a test event that their own rules send on, as their test button says", () => {
    const samples = readSamples();
    for (const flow of all) {
      const rules = flow.filter(({ type }) => type === "radaro switch").map((node) => node.rules as object[]);
      for (const { sample } of flow.filter(({ type }) => type === "radaro in")) {
        for (const each of rules) {
          const { route, problems } = compileRules(each, true);
          assert.deepEqual(problems, []);
          assert.ok(route(samples[sample as SampleName]).length > 0, `${String(sample)}: no rule matches`);
        }
      }
    }
  });
});

/** A service that answers 200 once and then 500. `asked`: what it was asked. */
async function serveOnce() {
  const asked: unknown[] = [];
  const service = createHttpServer((req, res) => {
    void text(req).then((body) => {
      asked.push(JSON.parse(body));
      res.writeHead(asked.length === 1 ? 200 : 500).end("what it says");
    });
  }).listen(0, "127.0.0.1");
  await once(service, "listening");
  return { asked, service, url: `http://127.0.0.1:${(service.address() as AddressInfo).port}` };
}

describe("example", () => {
  let nodeRed: NodeRed;
  let comms: Comms;

  /** Starts an example as it is, but for the token that the user fills in, and what `change` does, beside other nodes. */
  async function begin(
    number: number,
    change: (node: FlowNode) => FlowNode = (node) => node,
    others: FlowNode[] = [],
  ) {
    const flows = [...others, ...read(number).map(change)];
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

  const sendRating = async (rating: number | null) => {
    const confirmed = readSamples()["job-confirmed"];
    await send({ ...confirmed, order_info: { ...(confirmed.order_info as object), rating } });
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
      ["Ask what went wrong", "Ask Priya Ryan about rating 3 of 10 (job 2)"],
      ["Ask what went wrong", "Ask Priya Ryan about rating 3 of 10 (job 410077215)"],
      ["Bill the job", "Bill job 2 to Priya Ryan"],
      ["Bill the job", "Bill job 410077215 to Priya Ryan"],
    ]);
  });

  it("2: thanks for a high rating, asks about a low one, and leaves alone who gave none", async () => {
    await begin(2);
    for (const rating of [null, 7, 6, 10, 1]) await sendRating(rating);
    assert.deepEqual(await comms.debugged(4), [
      ["Thank the customer", "Thank Priya Ryan for rating 7 of 10 (job 410077215)"],
      ["Ask what went wrong", "Ask Priya Ryan about rating 6 of 10 (job 410077215)"],
      ["Thank the customer", "Thank Priya Ryan for rating 10 of 10 (job 410077215)"],
      ["Ask what went wrong", "Ask Priya Ryan about rating 1 of 10 (job 410077215)"],
    ]);
  });

  it("3: rings someone for a failed job and a low rating, and not for a good one or none", async () => {
    await begin(3);
    for (const rating of [null, 10, 4]) await sendRating(rating);
    await sendSamples(...sampleNames);
    const shown = await comms.debugged(2);
    assert.deepEqual(shown.map(([, text]) => text).sort(), [
      "Job 410077215 failed: Sofa, two-seater. Customer: +61370104455",
      "Job 410077215 was rated 3 of 10. Customer: +61370104455",
    ]);
  });

  it("3: asks the phone service to ring, and says so where that answers with an error", async () => {
    const { asked, service, url: at } = await serveOnce();
    try {
      const url = `${at}/call`;
      await begin(3, (node) => (node.type === "http request" ? { ...node, url, d: false } : node));
      await sendSamples("job-failed", "job-failed");
      const { msg } = await comms.told<{ msg: string }>("debug", ({ msg }) => msg.includes("answered"));
      assert.equal(msg, "The phone service answered 500");
      const text = "Job 410077215 failed: Sofa, two-seater. Customer: +61370104455";
      assert.deepEqual(asked, Array(2).fill({ to: "+61370100001", text }));
    } finally {
      service.close();
    }
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

  it("6: tells the customer that the driver is on the way, as the event has it, where there is a phone number", async () => {
    await begin(6);
    const event = readSamples()["job-in-progress"];
    const job = event.order_info as JsonObject;
    const customers = [
      { name: "Without", phone: "" },
      { name: "Nobody's", phone: null },
      { name: `Zoë O'Brien & "Sons" <3`, phone: "+61370104456" },
    ];
    for (const customer of customers) {
      const customer_tracking_url = "https://example.com/track?job=2&lang=en";
      await send({
        ...event,
        order_info: { ...job, title: "Fridge / 70 cm", customer, customer_tracking_url },
      });
    }
    await sendSamples(...sampleNames);
    assert.deepEqual(
      (await comms.debugged(2)).map(([, text]) => text),
      [
        `To +61370104456: Hello Zoë O'Brien & "Sons" <3, your driver is on the way with: Fridge / 70 cm. Follow your delivery at https://example.com/track?job=2&lang=en`,
        "To +61370104455: Hello Priya Ryan, your driver is on the way with: Sofa, two-seater. Follow your delivery at https://example.com/track/410077215",
      ],
    );
  });

  it("7: bills a job with the inbox, again where the service was down, and says so of each event", async () => {
    const asked: { body: unknown; key: unknown }[] = [];
    const service = createHttpServer((req, res) => {
      void text(req).then((body) => {
        asked.push({ body: JSON.parse(body), key: req.headers["idempotency-key"] });
        res.writeHead(asked.length === 1 ? 500 : 201).end("what it says");
      });
    }).listen(0, "127.0.0.1");
    await once(service, "listening");
    try {
      const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}/jobs`;
      await begin(7, (node) => {
        if (node.type === "radaro-config") return { ...node, inbox: true };
        return node.type === "http request" ? { ...node, url, d: false } : node;
      });
      const [id] = read(7).flatMap(({ id, type }) => (type === "radaro-config" ? [id] : []));
      const inbox = `${nodeRed.url}/radaro-inbox/${id}/events`;
      interface Kept {
        seq: string;
        state: string;
        deliveries: { error?: { text: string } }[];
      }
      const events = async () => ((await (await fetch(inbox)).json()) as { events: Kept[] }).events;
      const count = async (state: string) => (await events()).filter((each) => each.state === state).length;
      await sendSamples(...sampleNames);
      while ((await count("processed")) < sampleNames.length - 1 || (await count("failed")) < 1);
      const failed = (await events()).find(({ state }) => state === "failed")!;
      assert.equal(failed.deliveries[0]?.error?.text, "The billing service answered 500");
      await fetch(`${inbox}/${failed.seq}/run`, { method: "POST" });
      while ((await count("processed")) < sampleNames.length);
      assert.deepEqual(asked[0]!.body, { job: 410077215, customer: "Priya Ryan" });
      assert.ok(asked[0]!.key);
      assert.deepEqual(asked, [asked[0], asked[0]]);
    } finally {
      service.close();
    }
  });

  it("8: tells what of the inbox needs a person, and says so where the service does not take it", async () => {
    const { asked, service, url: at } = await serveOnce();
    try {
      const url = `${at}/messages`;
      const others = read(3).map((node) => (node.type === "radaro-config" ? { ...node, inbox: true } : node));
      await begin(8, (node) => (node.type === "http request" ? { ...node, url, d: false } : node), others);
      const event = { ...readSamples()["job-failed"], token: "wrong" };
      const headers = { "Content-Type": "application/json" };
      const post = (body: object) =>
        fetch(`${nodeRed.url}/radaro`, { method: "POST", headers, body: JSON.stringify(body) });
      assert.equal((await post(event)).status, 401);
      const told = (text: string) => comms.told<{ msg: string }>("debug", ({ msg }) => msg === text);
      const first =
        "My company: a request was refused (wrong token). If it came from Radaro, an event is missing.";
      await told(first);
      assert.equal((await post({ token: 5 })).status, 401);
      const second =
        "My company: a request was refused (no token). If it came from Radaro, an event is missing.";
      await told(second);
      const { msg } = await comms.told<{ msg: string }>("debug", ({ msg }) => msg.includes("answered"));
      assert.equal(msg, "The chat or SMS service answered 500");
      assert.deepEqual(asked, [{ text: first }, { text: second }]);
    } finally {
      service.close();
    }
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
