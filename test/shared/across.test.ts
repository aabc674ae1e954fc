import assert from "node:assert/strict";
import type { JsonObject } from "../../src/event/json";
import { now } from "../inbox/load";
import { again, hour, SetClock } from "../inbox/set-clock";
import { postTo } from "../system/inboxes";
import { sharedFlow, SharedInbox, type Entry } from "./shared-inbox";

/** What is true of the job, as Radaro sends it; the number is the event's own. */
const change = (number: number, job: number, status: string, at: number): JsonObject => ({
  number,
  topic: "job.status_changed",
  event_type: "updated",
  updated_at: new Date(Date.UTC(2026, 0, 1) + at * 1000).toISOString(),
  new_values: { status },
  order_info: { order_id: job },
});

/** Does something for each number below a count, so many at a time. */
async function forEach(count: number, together: number, deed: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const some = async () => {
    while (next < count) await deed(next++);
  };
  await Promise.all(Array.from({ length: together }, some));
}

/** A function that fails when it gets an event for the first time. */
const failing = 'if (!msg.radaro.redelivery) throw new Error("down"); return msg;';

describe("Three Node-REDs on one database", function () {
  this.timeout(300_000);
  let shared: SharedInbox;
  const start = async (receiver: JsonObject, takes: number) =>
    (shared = await SharedInbox.start(sharedFlow(receiver, { id: "next", type: "journal", takes }), [
      {},
      {},
      {},
    ]));
  afterEach(() => shared.stop());
  const begun = () => shared.journal().filter(({ what }) => what === "begun");

  it("give an event once that comes to two of them at the same moment", async () => {
    await start({}, 0);
    const { nodeReds } = shared;
    await forEach(1000, 32, async (i) => {
      const two = [nodeReds[i % 3]!, nodeReds[(i + 1) % 3]!];
      const answers = await Promise.all(two.map((each) => each.post({ number: i })));
      const bodies = answers.map(({ status, body }) => JSON.stringify([status, body])).sort();
      assert.deepEqual(bodies, ['[200,{"ok":true,"duplicate":true}]', '[200,{"ok":true}]']);
    });
    await shared.isDone();
    const given = begun().map(({ number }) => number);
    assert.deepEqual(
      given.sort((a, b) => a - b),
      Array.from({ length: 1000 }, (_, i) => i),
    );
  });

  it("mark what comes out of order to another of them as superseded, in 10,000 pairs of events", async () => {
    await start({}, 0);
    const { nodeReds } = shared;
    await forEach(10_000, 64, async (job) => {
      const later = await nodeReds[job % 3]!.post(change(2 * job, job, "delivered", 1));
      const earlier = await nodeReds[(job + 1 + (job % 2)) % 3]!.post(
        change(2 * job + 1, job, "in_progress", 0),
      );
      assert.deepEqual([later.status, earlier.status], [200, 200]);
    });
    await shared.isDone();
    const given = begun();
    assert.equal(given.length, 20_000);
    assert.equal(new Set(given.map(({ number }) => number)).size, 20_000);
    const wrong = given.filter(({ number, superseded }) => superseded !== (number % 2 === 1));
    assert.deepEqual(wrong, []);
  });

  const jobs = 200;
  const each = 20;
  /** Sends the events of all jobs through nginx, those of one in the order of their changes. */
  const sendAll = () =>
    forEach(jobs, jobs, async (job) => {
      for (let i = 0; i < each; i++) {
        const { status } = await postTo(shared.url, change(each * job + i, job, "assigned", i));
        assert.equal(status, 200);
      }
    });

  /** Asserts that the events of a job came one after the other, and in order. @param ends of the Node-REDs that were killed */
  function inOrder(ends: Map<number, number>): void {
    const journal = shared.journal();
    for (let job = 0; job < jobs; job++) {
      const its = journal.filter(({ number }) => Math.floor(number / each) === job);
      const firsts = new Set(its.map(({ number }) => number));
      const sent = Array.from({ length: each }, (_, i) => each * job + i);
      assert.deepEqual([...firsts], sent, `the order of job ${job}`);
      let open: Entry | undefined;
      for (const entry of its) {
        if (open && entry.at > (ends.get(open.by) ?? Infinity)) open = undefined; // it ended with its Node-RED
        if (entry.what === "done") assert.equal(entry.number, open?.number);
        else assert.equal(open, undefined, `${entry.number} of job ${job} came beside ${open?.number}`);
        open = entry.what === "begun" ? entry : undefined;
      }
    }
  }

  it(`give the events of a job one after the other and in order, ${each} of each of ${jobs} jobs`, async () => {
    await start({ inOrder: true }, 5);
    await sendAll();
    await shared.isDone();
    assert.equal(begun().length, jobs * each);
    inOrder(new Map());
  });

  it("give the events of a job one after the other and in order, though one of them is killed and stays away", async () => {
    await start({ inOrder: true }, 5);
    const sent = sendAll();
    while (shared.journal().length < jobs * each)
      await Promise.race([sent, shared.nodeReds[0]!.says(() => true)]);
    const end = await shared.kill(1);
    await sent;
    await shared.isDone();
    inOrder(new Map([[1, end]]));
    console.log(`      all was done ${((now() - end) / 1000).toFixed(1)} s after its end`);
  });

  it("do what is due in time, and nothing twice, though the clock of one is an hour ahead and of one an hour behind", async () => {
    const [ahead, behind] = [new SetClock(), new SetClock()];
    try {
      ahead.set(hour);
      behind.set(-hour);
      const failsOnce = { id: "next", type: "function", outputs: 1, func: failing, wires: [["journal"]] };
      const flows = sharedFlow({}, failsOnce, { id: "journal", type: "journal", takes: 0 });
      const retried = flows.map((node) => (node.id === "acme" ? { ...node, inboxRetries: "0.05" } : node));
      shared = await SharedInbox.start(retried, [{}, { env: ahead.env }, { env: behind.env }]);
      await forEach(600, 16, async (number) => {
        const { status } = await shared.nodeReds[number % 3]!.post({ number });
        assert.equal(status, 200);
      });
      for (const each of shared.nodeReds)
        await again(() => each.says(({ counts }) => counts.processed === 600));
      assert.equal(begun().length, 600);
      const { events } = await shared.nodeReds[0]!.list("processed");
      for (const { receivedAt } of events)
        assert.ok(Math.abs(Date.parse(receivedAt) - Date.now()) < 120_000, receivedAt);
    } finally {
      ahead.remove();
      behind.remove();
    }
  });

  it("never give two events of a job at once, where those of a job come to all of them at the same moment", async () => {
    await start({ inOrder: true }, 5);
    await forEach(50, 5, async (job) => {
      const events = Array.from({ length: 12 }, (_, i) => change(each * job + i, job, "assigned", i));
      const answers = await Promise.all(events.map((event, i) => shared.nodeReds[i % 3]!.post(event)));
      for (const { status } of answers) assert.equal(status, 200);
    });
    await shared.isDone();
    const open = new Set<number>();
    const journal = shared.journal();
    assert.equal(journal.length, 2 * 50 * 12);
    for (const { what, number } of journal) {
      const job = Math.floor(number / each);
      if (what === "done") open.delete(job);
      else {
        assert.ok(!open.has(job), `two of job ${job} at once`);
        open.add(job);
      }
    }
  });
});
