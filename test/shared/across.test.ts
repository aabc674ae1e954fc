import assert from "node:assert/strict";
import type { JsonObject } from "../../src/event/json";
import { now } from "../inbox/load";
import { again, hour, SetClock } from "../inbox/set-clock";
import { postTo } from "../system/inboxes";
import { sharedFlow, SharedInbox, type Entry } from "./shared-inbox";

/** Does something for each number below a count, so many at a time. */
async function forEach(count: number, together: number, deed: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const some = async () => {
    while (next < count) await deed(next++);
  };
  await Promise.all(Array.from({ length: together }, some));
}

/** What is true of the job, as Radaro sends it; the number is the event's own. */
const change = (number: number, job: number, status: string, at: number): JsonObject => ({
  number,
  topic: "job.status_changed",
  event_type: "updated",
  updated_at: new Date(Date.UTC(2026, 0, 1) + at * 1000).toISOString(),
  new_values: { status },
  order_info: { order_id: job },
});

const journal = { id: "next", type: "journal", takes: 5 };
/** On a path of its own: a node that does not want them in order. */
const plain = [
  { id: "plain", type: "radaro in", config: "acme", path: "/plain", topics: [], wires: [["quick"]] },
  { id: "quick", type: "journal", takes: 0 },
];

describe("Three Node-REDs on one database", function () {
  this.timeout(300_000);
  let shared: SharedInbox;
  before(async () => {
    shared = await SharedInbox.start(sharedFlow({ inOrder: true }, journal, ...plain), [{}, {}, {}]);
  });
  after(() => shared.stop());

  /** The numbers of a test's events begin there, in its jobs too: all tests are in one journal. */
  const of = (first: number) => ({
    entries: () => shared.journal().filter(({ number }) => number >= first && number < first + 100_000),
    begun() {
      return this.entries().filter(({ what }) => what === "begun");
    },
  });

  it("give an event once that comes to two of them at the same moment", async () => {
    const { nodeReds } = shared;
    await forEach(1000, 32, async (number) => {
      const two = [nodeReds[number % 3]!, nodeReds[(number + 1) % 3]!];
      const answers = await Promise.all(two.map((each) => each.post({ number }, "/plain")));
      const bodies = answers.map(({ status, body }) => JSON.stringify([status, body])).sort();
      assert.deepEqual(bodies, ['[200,{"ok":true,"duplicate":true}]', '[200,{"ok":true}]']);
    });
    await shared.isDone();
    const given = of(0)
      .begun()
      .map(({ number }) => number);
    assert.deepEqual(
      given.sort((a, b) => a - b),
      Array.from({ length: 1000 }, (_, i) => i),
    );
  });

  it("mark what comes out of order to another of them as superseded, in 10,000 pairs of events", async () => {
    const { nodeReds } = shared;
    const first = 100_000;
    await forEach(10_000, 64, async (pair) => {
      const job = first + pair;
      const number = first + 2 * pair;
      const [one, other] = [nodeReds[pair % 3]!, nodeReds[(pair + 1 + (pair % 2)) % 3]!];
      const later = await one.post(change(number, job, "delivered", 1), "/plain");
      const earlier = await other.post(change(number + 1, job, "in_progress", 0), "/plain");
      assert.deepEqual([later.status, earlier.status], [200, 200]);
    });
    await shared.isDone();
    const given = of(first).begun();
    assert.equal(given.length, 20_000);
    assert.equal(new Set(given.map(({ number }) => number)).size, 20_000);
    const wrong = given.filter(({ number, superseded }) => superseded !== (number % 2 === 1));
    assert.deepEqual(wrong, []);
  });

  const jobs = 200;
  const each = 20;
  /** Sends the events of all jobs through nginx, those of one in the order of their changes. */
  const sendAll = (first: number) =>
    forEach(jobs, jobs, async (job) => {
      for (let i = 0; i < each; i++) {
        const number = first + each * job + i;
        const { status } = await postTo(shared.url, change(number, first + job, "assigned", i));
        assert.equal(status, 200);
      }
    });

  /** Asserts that the events of a job came one after the other, and in order. @param ends when a Node-RED was killed */
  function inOrder(first: number, ends = new Map<number, number>()): void {
    const entries = of(first).entries();
    for (let job = 0; job < jobs; job++) {
      const from = first + each * job;
      const its = entries.filter(({ number }) => number >= from && number < from + each);
      const order = [...new Set(its.map(({ number }) => number))];
      const sent = Array.from({ length: each }, (_, i) => from + i);
      assert.deepEqual(order, sent);
      let open: Entry | undefined;
      for (const entry of its) {
        if (open && entry.at > (ends.get(open.by) ?? Infinity)) open = undefined; // it ended with its Node-RED
        if (entry.what === "done") assert.equal(entry.number, open?.number);
        else assert.equal(open, undefined, `${entry.number} came beside ${open?.number}`);
        open = entry.what === "begun" ? entry : undefined;
      }
    }
  }

  it(`give the events of a job one after the other and in order, ${each} of each of ${jobs} jobs`, async () => {
    const first = 200_000;
    await sendAll(first);
    await shared.isDone();
    assert.equal(of(first).begun().length, jobs * each);
    inOrder(first);
  });

  it("never give two events of a job at once, where those of a job come to all of them at the same moment", async () => {
    const first = 300_000;
    const burst = 12;
    await forEach(50, 5, async (job) => {
      const numbers = Array.from({ length: burst }, (_, i) => first + each * job + i);
      const post = (number: number, i: number) =>
        shared.nodeReds[i % 3]!.post(change(number, first + job, "assigned", i));
      for (const { status } of await Promise.all(numbers.map(post))) assert.equal(status, 200);
    });
    await shared.isDone();
    const entries = of(first).entries();
    assert.equal(entries.length, 2 * 50 * burst);
    const open = new Set<number>();
    for (const { what, number } of entries) {
      const job = Math.floor(number / each);
      if (what === "begun") assert.ok(!open.has(job), `two of job ${job} at once`);
      if (what === "begun") open.add(job);
      else open.delete(job);
    }
  });

  it("give the events of a job one after the other and in order, though one of them is killed and stays away", async () => {
    const first = 400_000;
    const sent = sendAll(first);
    while (of(first).entries().length < jobs * each)
      await Promise.race([sent, shared.nodeReds[0]!.says(() => true)]);
    const end = await shared.kill(1);
    await sent;
    await shared.isDone();
    inOrder(first, new Map([[1, end]]));
    console.log(`      all was done ${((now() - end) / 1000).toFixed(1)} s after its end`);
  });
});

/** A function that fails when it gets an event for the first time. */
const failing = 'if (!msg.radaro.redelivery) throw new Error("down"); return msg;';

describe("Three Node-REDs on one database, the clock of one an hour ahead, and of one an hour behind", function () {
  this.timeout(120_000);

  it("do what is due in time, and nothing twice", async () => {
    const [ahead, behind] = [new SetClock(), new SetClock()];
    ahead.set(hour);
    behind.set(-hour);
    const failsOnce = { id: "next", type: "function", outputs: 1, func: failing, wires: [["journal"]] };
    const flows = sharedFlow({}, failsOnce, { ...journal, id: "journal" }).map((node) =>
      node.id === "acme" ? { ...node, inboxRetries: "0.05" } : node,
    );
    const shared = await SharedInbox.start(flows, [{}, { env: ahead.env }, { env: behind.env }]);
    try {
      // Until it has asked the database it does not know its clock.
      for (const [i, one] of shared.nodeReds.entries()) await one.post({ number: -1 - i });
      await forEach(600, 16, async (number) => {
        const { status } = await shared.nodeReds[number % 3]!.post({ number });
        assert.equal(status, 200);
      });
      for (const one of shared.nodeReds)
        await again(() => one.says(({ counts }) => counts.processed === 603));
      const begun = shared.journal().filter(({ what }) => what === "begun");
      assert.equal(begun.length, 603);
      const { events } = await shared.nodeReds[0]!.list("processed");
      for (const { receivedAt } of events.slice(0, 600))
        assert.ok(Math.abs(Date.parse(receivedAt) - Date.now()) < 60_000, receivedAt);
    } finally {
      await shared.stop();
      ahead.remove();
      behind.remove();
    }
  });
});
