import assert from "node:assert/strict";
import type { JsonObject } from "../../src/event/json";
import { compare, make, readJob, type Made } from "../../src/inbox/catch-up";
import { Inbox } from "../../src/inbox/inbox";
import type { OpenStore } from "../../src/inbox/store";
import { sortable } from "../../src/inbox/stored-event";
import { readSamples } from "../events";
import { TestFlow } from "./test-flow";

const since = sortable("2026-03-01T00:00:00Z")!;
const looked = sortable("2026-03-02T12:00:00Z")!;

/**
 * What an inbox does that knows jobs, in any store.
 *
 * @param name of the store's kind
 * @param openStore opens a new one, or with the same `place` one again
 */
export function describeJobs(name: string, openStore: (place: string) => OpenStore): void {
  describe(`an inbox that knows jobs, in ${name}`, () => {
    let place = 0;
    let inbox: Inbox;
    let flow: TestFlow;
    const got = () => flow.given.map(({ stored }) => stored);
    const open = (isAsking = true, forgotten?: () => void) =>
      (flow.inbox = inbox =
        new Inbox(openStore(`jobs-${place}`), flow, {
          ...{ days: 7, isAsking, ...(forgotten && { forgotten }) },
          changed: () => undefined,
          setAside: (node) => ({ text: "set aside", node: { id: node, type: "radaro in" } }),
        }));
    beforeEach(() => {
      place += 1;
      flow = new TestFlow();
      flow.answer = { state: "processed" };
      open();
    });
    afterEach(() => inbox.close());

    const send = (event: JsonObject, path = "/radaro") =>
      inbox.accept(event, { path, body: Buffer.from(JSON.stringify(event)), receivedAt: new Date() });
    const accept = ({ event, body, by }: Made, path = "/radaro") =>
      inbox.accept({ ...event }, { path, body, by, receivedAt: new Date() });
    const job = (changes: JsonObject = {}) =>
      readJob({ ...(readSamples()["job-created"].order_info as JsonObject), ...changes })!;
    const delivered = { status: "delivered", updated_at: "2026-03-02T14:41:37.502210+11:00" };

    /** The events that would be made of a job as it is, with what is known of it. */
    async function madeOf(changes: JsonObject): Promise<Made[]> {
      const now = job(changes);
      const { [now.key]: known } = await inbox.jobs.known([now.key]);
      const { differences } = compare(now, { known, since, at: looked, settled: 600_000 });
      return differences.map((each) => make(each, now.orderId, now.whole));
    }

    it("makes nothing of what it has, also where somebody has deleted the event", async () => {
      await send(readSamples()["job-created"]);
      await send(readSamples()["job-completed"]);
      assert.deepEqual(await madeOf(delivered), []);
      for (const { seq } of got()) assert.ok(await inbox.events.delete(seq));
      assert.deepEqual(await madeOf(delivered), []);
    });

    it("stores no made event where what it tells has come in between", async () => {
      await send(readSamples()["job-created"]);
      const [made] = await madeOf(delivered);
      await send(readSamples()["job-completed"]);
      assert.equal(await accept(made!), "duplicate");
      assert.deepEqual(
        got().map(({ caughtUp }) => caughtUp),
        [undefined, undefined],
      );
    });

    it("gives a made event on each path, and what comes after all on none of these", async () => {
      await send(readSamples()["job-created"]);
      const [made] = await madeOf(delivered);
      for (const path of ["/one", "/two"]) assert.equal(await accept(made!, path), "stored");
      assert.equal(await accept(made!, "/two"), "duplicate");
      for (const path of ["/one", "/two", "/three"])
        assert.equal(await send(readSamples()["job-completed"], path), "stored");
      assert.deepEqual(
        got().map(({ path, caughtUp = false }) => [path, caughtUp]),
        [
          ["/radaro", false],
          ["/one", true],
          ["/two", true],
          ["/three", false],
        ],
      );
      const { events } = await inbox.events.list({}, "");
      assert.equal(events.filter(({ cameAfter }) => cameAfter).length, 2);
      while (inbox.counts!.waiting > 0) await inbox.events.times();
      assert.deepEqual(inbox.counts, { waiting: 0, processed: 6, failed: 0 });
    });

    it("gives what comes after all to none, also where a later event has overtaken what was made of it", async () => {
      await send(readSamples()["job-created"]);
      const [made] = await madeOf(delivered);
      await accept(made!);
      const failed = { new_values: { status: "failed" }, updated_at: "2026-03-02T12:30:00Z" };
      await send({ ...readSamples()["job-failed"], ...failed });
      await send(readSamples()["job-completed"]);
      assert.deepEqual(
        got().map(({ status }) => status),
        [undefined, "delivered", "failed"],
      );
    });

    it("marks what comes after all and is older as superseded, and gives it", async () => {
      const { order_info } = readSamples()["job-created"];
      await send(readSamples()["job-created"]);
      const [made] = await madeOf(delivered);
      await accept(made!);
      await send({ ...readSamples()["job-in-progress"], order_info });
      assert.deepEqual(
        got().map(({ status, superseded = false }) => [status, superseded]),
        [
          [undefined, false],
          ["delivered", false],
          ["in_progress", true],
        ],
      );
    });

    it("marks a made event as superseded that a later one has overtaken while it waited", async () => {
      await send(readSamples()["job-created"]);
      const [made] = await madeOf({ deliver_before: "2026-03-02T20:00:00+11:00" });
      await inbox.pause(true);
      await accept(made!);
      const later = { deliver_before: "2026-03-02T21:00:00" };
      await send({
        ...{ ...readSamples()["job-deadline-changed"], new_values: later },
        updated_at: "2026-03-02T12:30:00Z",
      });
      const all = (await inbox.events.list({}, "")).events.map(({ seq }) => seq);
      for (const seq of all.slice(0, 1)) await inbox.events.settle(seq);
      await inbox.pause(false);
      while (got().length < 2) await inbox.events.times();
      assert.deepEqual([got()[1]!.caughtUp, got()[1]!.superseded], [true, true]);
    });

    it("forgets all where events may have gone past it, once", async () => {
      await send(readSamples()["job-created"]);
      await inbox.jobs.begin(since, "whom");
      await inbox.close();
      let forgotten = 0;
      open(true, () => (forgotten += 1));
      while (forgotten === 0) {
        await inbox.jobs.read(); // opens the store
        await inbox.events.times();
      }
      assert.equal(await inbox.jobs.read(), undefined);
      assert.deepEqual(await inbox.jobs.known(["410077215"]), {});
      assert.equal(forgotten, 1);
    });

    it("shows a job that is gone as it was, and none whose own number is the same", async () => {
      const { order_info } = readSamples()["job-created"] as { order_info: JsonObject };
      await send(readSamples()["job-created"]);
      const other = { ...order_info, order_id: 1, external_id: "410077215" };
      await send({ ...readSamples()["job-created"], order_info: other });
      assert.deepEqual(await inbox.jobs.lastShown("410077215"), order_info);
      assert.equal(await inbox.jobs.lastShown("2"), undefined);
    });

    it("gives what comes after all on a path for which it was not made", async () => {
      await send(readSamples()["job-created"]);
      const [made] = await madeOf(delivered);
      await accept(made!, "/one");
      const [failed] = await madeOf({ status: "failed", updated_at: "2026-03-02T15:00:00+11:00" });
      for (const path of ["/one", "/two"]) await accept(failed!, path);
      for (const path of ["/one", "/two"]) await send(readSamples()["job-completed"], path);
      assert.deepEqual(
        got().map(({ path, status, caughtUp = false }) => [path, status, caughtUp]),
        [
          ["/radaro", undefined, false],
          ["/one", "delivered", true],
          ["/one", "failed", true],
          ["/two", "failed", true],
          ["/two", "delivered", false],
        ],
      );
    });

    it("forgets all where it does not ask any more, as it does not keep up then", async () => {
      await send(readSamples()["job-created"]);
      await inbox.jobs.begin(since, "whom");
      await inbox.close();
      open(false);
      while ((await inbox.jobs.read()) !== undefined) await inbox.events.times();
      await inbox.close();
      open();
      assert.deepEqual(await inbox.jobs.known(["410077215"]), {});
    });

    it("begins anew with another key, and counts what has come since", async () => {
      await send(readSamples()["job-created"]);
      const begun = await inbox.jobs.begin(since, "one key");
      assert.deepEqual(await inbox.jobs.begin(looked, "one key"), begun);
      assert.equal(Object.keys(await inbox.jobs.known(["410077215"])).length, 1);
      await inbox.jobs.begin(looked, "another key");
      assert.deepEqual(await inbox.jobs.known(["410077215"]), {});
    });

    it("finds the jobs that were not seen, in steps, by where their deadlines lie", async () => {
      const deadlines = { near: "2026-03-02T12:00:00Z", far: "2026-04-02T12:00:00Z" };
      const known = (place: keyof typeof deadlines, status: string, seen: string) => ({
        status: { value: status, at: since },
        deadline: { value: deadlines[place], at: since },
        seen,
      });
      const near = Array.from(
        { length: 700 },
        (_, i) => [`1${i}`, known("near", "assigned", since)] as const,
      );
      await inbox.jobs.know({
        ...Object.fromEntries(near),
        ...{ seen: known("near", "assigned", looked), far: known("far", "assigned", since) },
        ...{
          closed: known("near", "delivered", since),
          gone: { deleted: { value: true, at: since }, seen: since },
        },
      });
      const window: [string, string] = ["2026-03-01T00:00:00.000Z", "2026-03-03T00:00:00.000Z"];
      const find = async (closed: [string, string]) => {
        const found: string[] = [];
        for await (const jobs of inbox.jobs.unseen(looked, { open: window, closed }))
          found.push(...jobs.map(({ job }) => job));
        return found;
      };
      assert.deepEqual((await find(["2026-03-05T00:00:00.000Z", "2026-03-06T00:00:00.000Z"])).length, 700);
      assert.ok((await find(window)).includes("closed"));
      assert.equal(await inbox.jobs.forget(looked), looked);
      assert.deepEqual(Object.keys(await inbox.jobs.known(["10", "seen", "far"])), ["seen"]);
    });
  });
}
