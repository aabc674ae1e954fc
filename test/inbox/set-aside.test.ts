import assert from "node:assert/strict";
import { flowWith, InboxNodeRed } from "../system/inboxes";
import { recorded } from "./load";
import { randomFrom, seed } from "./random";

const innocent = 50;

describe(`An inbox with an event on which Node-RED ends (SEED=${seed})`, function () {
  this.timeout(300_000);
  const random = randomFrom(seed);
  let running: InboxNodeRed;
  afterEach(() => running.nodeRed.stop());

  /** Starts Node-RED again and again, until all but what is set aside is processed. @returns how many times */
  const startUntilItStays = async () => {
    for (let starts = 1; ; starts += 1) {
      assert.ok(starts <= 10, "Node-RED does not stay up");
      try {
        running = await running.next();
        await running.says(({ counts }) => counts.waiting === 0 && counts.processed === innocent);
        return starts;
      } catch {
        await running.nodeRed.kill(); // it has ended, or is about to
      }
    }
  };

  for (const [how, about] of [
    ["callback", "by an exception in a callback"],
    ["kill", "as the system kills it"],
    ["later", "three seconds after it was given"],
  ] as const)
    it(`sets it aside, ${about}, and gives all others`, async () => {
      const number = Math.floor(random() * (innocent + 1));
      const ender = { id: "next", type: "ender", how, number, wires: [["got"]] };
      running = await InboxNodeRed.start({
        flows: flowWith(ender, { id: "got", type: "recorder", file: "got.txt" }),
      });
      await running.api("POST", "/radaro-inbox/acme/pause");
      for (let i = 0; i <= innocent; i += 1) assert.equal((await running.post({ number: i })).status, 200);
      // It can end before it has answered.
      await running.api("POST", "/radaro-inbox/acme/resume").catch(() => undefined);
      const starts = await startUntilItStays();

      const { events } = await running.list("failed");
      assert.equal(events.length, 1);
      const [{ seq, deliveries }] = events as [(typeof events)[number]];
      const { event } = await running.api<{ event: { number: number } }>(
        "GET",
        `/radaro-inbox/acme/events/${seq}`,
      );
      assert.equal(event.number, number);
      assert.match(deliveries![0]!.error!.text, /^Node-RED ended three times/);
      const got = recorded(running);
      const times = Array.from({ length: innocent + 1 }, (_, i) => got.filter((each) => each === i).length);
      times.splice(number, 1);
      console.log(
        `      it was number ${number}; Node-RED stays up from start ${starts + 1} on; ` +
          `the others were given ${Math.min(...times)} to ${Math.max(...times)} times`,
      );
      assert.ok(Math.min(...times) >= 1 && Math.max(...times) <= 4);
      assert.ok(starts <= 6);
      // New events come as ever.
      assert.equal((await running.post({ number: 1000 })).status, 200);
      await running.says(({ counts }) => counts.processed === innocent + 1);
    });
});
