import assert from "node:assert/strict";
import type { StoredEvent } from "../../src/inbox/stored-event";
import { flowWith, InboxNodeRed } from "../system/inboxes";
import { Load } from "./load";
import { randomFrom, seed } from "./random";

/** In events a second. */
const rate = 500;
const times = 20;

/** Events are in the first node for a moment: what ends it there ends them. */
const flowThat = (func: string) =>
  flowWith(
    {
      id: "next",
      type: "delay",
      pauseType: "delay",
      timeout: "50",
      timeoutUnits: "milliseconds",
      outputs: 1,
      wires: [["bill"]],
    },
    { id: "bill", type: "function", name: "Bill", outputs: 1, func, wires: [["got"]] },
    { id: "got", type: "recorder", file: "got.txt" },
  );
const flow = flowThat("return msg;");
const failing = flowThat('if (msg.payload.number % 10 === 0) throw new Error("no price"); return msg;');

describe(`An inbox that gets ${rate} events a second (SEED=${seed})`, function () {
  this.timeout(900_000);
  const random = randomFrom(seed);
  let running: InboxNodeRed;
  let load: Load;
  beforeEach(async () => {
    running = await InboxNodeRed.start({ flows: flow });
    load = new Load(rate);
    load.to(running.nodeRed.url);
  });
  afterEach(async () => {
    await load.stop();
    await running.nodeRed.stop();
  });

  /** At any moment of the second or two after the last one. */
  const aMoment = () => load.accepts(Math.ceil(random() * 2 * rate));

  async function kill() {
    for (let i = 0; i < times; i++) {
      await aMoment();
      await running.nodeRed.kill();
      await load.stop();
      running = await running.next();
      load.to(running.nodeRed.url);
    }
  }

  it(`gives the flow each event that was answered 200, though the process is killed ${times} times`, async () => {
    await kill();
    await aMoment();
    await load.isDelivered(running);
  });

  it(`lists each tenth, which the flow fails on, though the process is killed ${times} times, until they are run again`, async () => {
    await running.deploy(failing);
    await kill();
    await aMoment();
    await load.stop();
    const tenths = [...load.accepted].filter((number) => number % 10 === 0);
    let events: StoredEvent[];
    do {
      await running.says(({ counts }) => counts.waiting === 0);
      ({ events } = await running.list("failed"));
      // What failed right after a start comes once more after a minute, also while it is listed.
    } while (!events.every(({ deliveries }) => deliveries![0]!.error));
    const listed = new Set<number>();
    for (const { seq, deliveries } of events) {
      assert.match(deliveries![0]!.error!.text, /no price/);
      const path = `/radaro-inbox/acme/events/${seq}`;
      const { event } = await running.api<{ event: { number: number } }>("GET", path);
      assert.equal(event.number % 10, 0);
      listed.add(event.number);
    }
    assert.deepEqual(
      tenths.filter((number) => !listed.has(number)),
      [],
      "answered 200, and not listed as failed",
    );
    await running.deploy(flow);
    await running.api("POST", "/radaro-inbox/acme/run");
    await running.says(({ counts: { waiting, failed } }) => waiting + failed === 0);
    assert.deepEqual((await running.list("failed")).events, []);
    console.log(`      ${tenths.length} events were answered 200 and failed, ${events.length} were listed`);
    await load.isDelivered(running);
  });

  it(`gives the flow each event that was answered 200, though there are ${times} full deploys`, async () => {
    for (let i = 0; i < times; i++) {
      await aMoment();
      await running.deploy(flow);
    }
    await aMoment();
    await load.isDelivered(running);
  });
});
