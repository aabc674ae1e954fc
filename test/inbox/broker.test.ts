import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { connectAsync, type MqttClient } from "mqtt";
import type { JsonObject } from "../../src/event/json";
import { InboxNodeRed, token } from "../system/inboxes";
import { root } from "../system/package";
import { Broker, Line } from "./broker";
import { again, SetClock } from "./set-clock";

/** How many events wait. */
const count = 300;

describe("An inbox before an mqtt out", function () {
  this.timeout(150_000);
  let clock: SetClock;
  let broker: Broker;
  let line: Line;
  let subscriber: MqttClient;
  /** The numbers of the events that the subscriber has got. */
  let got: number[];
  let running: InboxNodeRed;
  before(() => (clock = new SetClock()));
  beforeEach(() => {
    clock.set(0);
    broker = new Broker();
    got = [];
  });
  afterEach(async () => {
    await running.nodeRed.stop();
    await subscriber.endAsync(true);
    await line.close();
    await broker.remove();
  });
  after(() => clock.remove());

  /** A broker that far away, in milliseconds there and back, and somebody who gets all from it. */
  const startBroker = async (roundTrip: number) => {
    line = await Line.open(roundTrip);
    line.to = await broker.start();
    const url = `mqtt://127.0.0.1:${line.port}`;
    subscriber = await connectAsync(url, { clientId: "subscriber", clean: false, reconnectPeriod: 100 });
    subscriber.on("message", (_topic, payload) => {
      const { number } = JSON.parse(payload.toString()) as { number?: number };
      if (number !== undefined) got.push(number);
    });
    await subscriber.subscribeAsync("radaro/#", { qos: 1 });
  };

  /** Example 5 as it is, with this broker and the inbox on, and once it is connected. */
  const start = async (change: (node: JsonObject) => JsonObject = (node) => node) => {
    const file = readdirSync(join(root, "examples")).find((name) => name.startsWith("5"))!;
    const nodes = JSON.parse(readFileSync(join(root, "examples", file), "utf8")) as JsonObject[];
    const [{ id }] = nodes.filter(({ type }) => type === "radaro-config") as [{ id: string }];
    const flows = nodes.map(change).map((node) => {
      if (node.id === id) return { ...node, inbox: true };
      return node.type === "mqtt-broker" ? { ...node, broker: "127.0.0.1", port: String(line.port) } : node;
    });
    running = await InboxNodeRed.start({ flows, credentials: { [id]: { token } }, env: clock.env });
    await running.nodeRed.printed("Connected to broker");
  };

  /** Events come that `mqtt out` drops, as its broker is stopped. */
  const postWhileStopped = async () => {
    await broker.stop();
    await running.nodeRed.printed("Disconnected from broker");
    for (let number = 0; number < count; number += 1)
      assert.equal((await running.post({ number })).status, 200);
    line.to = await broker.start();
  };

  const restart = async (how: "end" | "kill") => {
    await running.nodeRed[how]();
    running = await running.next({ env: clock.env });
  };

  /** Resolves as soon as the inbox says what fits. Time goes by, 15 seconds in one. */
  const says = async (fits: (counts: Record<string, number>, passed: number) => boolean) => {
    let passed = 0;
    const timer = setInterval(() => {
      clock.pass(15);
      passed += 15;
    }, 1000);
    const saying = again(() => running.says(({ counts }) => fits({ ...counts }, passed)));
    const { counts } = await saying.finally(() => clearInterval(timer));
    return { counts, passed };
  };

  const allCome = async () => {
    const { passed } = await says(({ processed }) => processed === count);
    // They are acknowledged before they are with the subscriber.
    while (new Set(got).size < count) await new Promise((resolve) => subscriber.once("message", resolve));
    console.log(`      ${count} came in about ${passed} seconds, ${got.length - count} of them twice`);
  };

  for (const roundTrip of [60, 300])
    it(`brings it all that waited over a restart, where the broker is ${roundTrip} ms away`, async () => {
      await startBroker(roundTrip);
      await start();
      await postWhileStopped();
      await restart("end");
      await allCome();
    });

  it("brings it all that it had when Node-RED was killed", async () => {
    await startBroker(60);
    await start();
    await postWhileStopped();
    await restart("kill");
    await allCome();
  });

  it("brings it all that came while the broker was stopped", async () => {
    await startBroker(60);
    await start();
    await postWhileStopped();
    await allCome();
  });

  it("waits without a limit for what it drops, where none is set", async () => {
    await startBroker(300);
    const without = ["limit", "inboxRetries"];
    await start((node) =>
      Object.fromEntries(Object.entries(node).filter(([property]) => !without.includes(property))),
    );
    await postWhileStopped();
    // The broker is there again: what comes now comes to it, and nothing of what came before.
    await running.nodeRed.printed("Connected to broker");
    const came = new Promise((resolve) => subscriber.once("message", resolve));
    assert.equal((await running.post({ number: count })).status, 200);
    await came;
    const { counts: stopped } = await says(({ processed }) => processed === 1);
    assert.equal(stopped.waiting, count);
    await restart("end");
    const { counts: restarted } = await says((_counts, passed) => passed > 150);
    console.log(`      ${stopped.waiting} did not come, and ${restarted.waiting} after a restart`);
    assert.ok(restarted.waiting >= 1);
  });
});
