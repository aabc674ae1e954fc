import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { flowWith, InboxNodeRed } from "../system/inboxes";
import { Load } from "./load";
import { randomFrom, seed } from "./random";

/** In events a second. */
const rate = 500;
const times = 20;

/** Events are in the first node for a moment: what ends it there ends them. */
const flow = flowWith(
  {
    id: "next",
    type: "delay",
    pauseType: "delay",
    timeout: "50",
    timeoutUnits: "milliseconds",
    outputs: 1,
    wires: [["got"]],
  },
  { id: "got", type: "recorder", file: "got.txt" },
);

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

  /** Asserts that the flow has got all events that were answered 200, as soon as no other one waits. */
  async function gotAll() {
    await aMoment();
    await load.stop();
    await running.says(({ counts }) => counts.waiting === 0);
    const got = readFileSync(join(running.nodeRed.userDir, "got.txt"), "utf8")
      .trimEnd()
      .split("\n")
      .map(Number);
    const different = new Set(got);
    const lost = [...load.accepted].filter((number) => !different.has(number));
    assert.deepEqual(lost, [], "answered 200, and not delivered");
    console.log(
      `      ${load.accepted.size} events were answered 200 (others: ${JSON.stringify(load.others)}); ` +
        `${got.length - different.size} deliveries were repetitions`,
    );
  }

  it(`gives the flow each event that was answered 200, though the process is killed ${times} times`, async () => {
    for (let i = 0; i < times; i++) {
      await aMoment();
      await running.nodeRed.kill();
      await load.stop();
      running = await running.next();
      load.to(running.nodeRed.url);
    }
    await gotAll();
  });

  it(`gives the flow each event that was answered 200, though there are ${times} full deploys`, async () => {
    for (let i = 0; i < times; i++) {
      await aMoment();
      await running.deploy(flow);
    }
    await gotAll();
  });
});
