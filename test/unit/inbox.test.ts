import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mock } from "node:test";
import type { Delivery } from "../../src/inbox/deliveries";
import { cleanEvery, Closed, Inbox, type Outcome } from "../../src/inbox/inbox";
import type { JsonObject } from "../../src/event/json";
import { maxAgain } from "../../src/inbox/scheduler";
import type { Operating } from "../../src/inbox/operating";
import { SqliteStore } from "../../src/inbox/sqlite-store";
import { bounds, step, type Finding, Unusable } from "../../src/inbox/store";
import type { StoredEvent } from "../../src/inbox/stored-event";
import { TestFlow, type Given } from "./test-flow";

const done: Outcome = { state: "processed" };
const error = { text: "down", node: { id: "n", type: "function" } };
const down: Outcome = { state: "failed", error };
const setAside = (node: string) => ({ text: "set aside", node: { id: node, type: "radaro in" } });

/** What is known of a delivery now. */
const withoutTries = (delivery: Delivery) => {
  const rest = { ...delivery };
  delete rest.tries;
  return rest;
};

describe("an inbox", () => {
  let dir: string;
  let flow: TestFlow;
  let inbox: Inbox;
  let onChange: () => void;
  let findings: Finding[];
  beforeEach(() => {
    dir = join(mkdtempSync(join(tmpdir(), "radaro-")), "inbox");
    flow = new TestFlow();
    onChange = () => undefined;
    findings = [];
    open();
  });
  afterEach(async () => {
    await inbox.close();
    rmSync(join(dir, ".."), { recursive: true });
  });
  interface Options {
    days?: number;
    max?: typeof bounds;
    retries?: number[];
    isFirst?: boolean;
  }
  const open = ({ days = 7, ...options }: Options = {}) => {
    const changed = () => onChange();
    const found = (finding: Finding) => findings.push(finding);
    inbox = new Inbox((options) => SqliteStore.open(dir, options), flow, {
      ...{ days, changed, found, setAside, ...options },
    });
    flow.inbox = inbox;
  };
  const reopen = async (options?: Options) => {
    await inbox.close();
    flow.given = [];
    open(options);
  };
  /** Resolves when what was begun before has had time to give more: it asks the store less often. */
  const timeToGive = async () => {
    for (let i = 0; i < 9; i += 1) await inbox.events.list({}, "");
  };
  let count = 0;
  const accept = (event: JsonObject = {}, receivedAt = new Date()) => {
    const body = Buffer.from(`{"n":${(count += 1)}}`);
    return inbox.accept(event, { path: "/radaro", body, receivedAt });
  };
  /** Resolves when there are so many in a state. */
  const counted = async (state: StoredEvent["state"], wanted: number) => {
    while (inbox.counts?.[state] !== wanted) await new Promise<void>((resolve) => (onChange = resolve));
  };
  const updated = (at: number) => ({ updated_at: new Date(at).toISOString() });
  const changeOf = (job: number, at: number) => ({
    ...updated(at),
    order_info: { order_id: job },
    new_values: { status: "delivered" },
  });

  it("gives what waits again in the order of the changes, then of arrival, and says how many times before", async () => {
    for (const at of [3000, 1000, 2000, 1000]) await accept(updated(at));
    await reopen();
    await flow.got(1);
    await reopen();
    for (let given = 1; given <= 4; given += 1) {
      await flow.got(given);
      flow.given[given - 1]!.becomes(done);
    }
    assert.deepEqual(
      flow.given.map(({ stored, times }) => [stored.changedAt.slice(17, 19), Number(stored.seq), times]),
      [
        ["01", 2, 3],
        ["01", 4, 2],
        ["02", 3, 2],
        ["03", 1, 2],
      ],
    );
  });

  it("does not give again what is settled", async () => {
    for (let i = 0; i < 3; i += 1) await accept();
    flow.given[0]!.becomes(done);
    flow.given[1]!.becomes(down);
    await reopen();
    await flow.got(1);
    assert.equal(flow.given[0]!.stored.seq.at(-1), "3");
    await counted("waiting", 1);
    assert.deepEqual(inbox.counts, { waiting: 1, processed: 1, failed: 1 });
  });

  it(`lets one of them be with the flow at first, then as many as go well, and no more than ${maxAgain}`, async () => {
    flow.running = false;
    await Promise.all(Array.from({ length: 3 * maxAgain }, () => accept()));
    flow.running = true;
    inbox.start();
    for (let settled = 0; settled < 2 * maxAgain; settled += 1) {
      const given = settled + Math.min(2 ** settled, maxAgain);
      await flow.got(given);
      await inbox.events.list({}, ""); // time to give more
      assert.equal(flow.given.length, given);
      flow.given[settled]!.becomes(done);
    }
    await flow.got(3 * maxAgain);
    assert.ok(flow.given.every(({ times }) => times === 1));
  });

  it("counts those that are with the flow, also when it begins to give again", async () => {
    flow.running = false;
    await Promise.all(Array.from({ length: 2 * maxAgain }, () => accept()));
    flow.running = true;
    inbox.start();
    let settled = 0;
    for (; 2 ** settled < maxAgain; settled += 1) {
      await flow.got(settled + 2 ** settled);
      flow.given[settled]!.becomes(done);
    }
    await flow.got(settled + maxAgain);
    for (const { becomes } of flow.given.slice(settled)) becomes({ state: "interrupted" });
    await flow.got(settled + 2 * maxAgain);
    for (let i = 0; i < maxAgain; i += 1) await inbox.events.list({}, ""); // time to give more
    assert.equal(flow.given.length, settled + 2 * maxAgain);
  });

  it("does not give again what the flow was done with while it gave others again", async () => {
    flow.running = false;
    await Promise.all(Array.from({ length: 3 }, () => accept()));
    flow.running = true;
    await accept();
    inbox.start();
    await flow.got(2);
    flow.given[0]!.becomes(done);
    await counted("processed", 1);
    for (let given = 1; given < 4; given += 1) {
      await flow.got(given + 1);
      flow.given[given]!.becomes(done);
    }
    await counted("processed", 4);
    await timeToGive();
    assert.equal(flow.given.length, 4);
    assert.deepEqual(inbox.counts, { waiting: 0, processed: 4, failed: 0 });
  });

  it("does not give again what is on disk and about to be given", async () => {
    await accept();
    let goOn: () => void = () => undefined;
    const { write } = SqliteStore.prototype;
    const onDisk = new Promise<void>((resolve) => {
      mock.method(
        SqliteStore.prototype,
        "write",
        async function (this: SqliteStore, ...args: Parameters<typeof write>) {
          const result = await write.apply(this, args);
          resolve();
          await new Promise<void>((resolve) => (goOn = resolve));
          return result;
        },
      );
    });
    const accepted = accept();
    await onDisk;
    mock.restoreAll();
    inbox.start();
    await timeToGive();
    goOn();
    await accepted;
    assert.deepEqual(
      flow.given.map(({ stored }) => Number(stored.seq)),
      [1, 2],
    );
  });

  it("takes no event for one that was in its directory before that was deleted", async () => {
    await accept({ a: 1 });
    rmSync(dir, { recursive: true });
    await accept({ a: 2 });
    flow.given[0]!.becomes(done);
    await accept({ a: 3 });
    assert.deepEqual(inbox.counts, { waiting: 2, processed: 0, failed: 0 });
    flow.answer = done;
    await reopen();
    await flow.got(2);
    assert.deepEqual(
      flow.given.map(({ event }) => event.a),
      [2, 3],
    );
  });

  it("makes its directory anew where it is deleted before anything is stored since it was opened", async () => {
    await accept({ a: 1 });
    flow.given[0]!.becomes(done);
    await reopen();
    await counted("processed", 1);
    rmSync(dir, { recursive: true });
    assert.equal(await accept({ a: 2 }), "stored");
    await reopen();
    await flow.got(1);
    assert.deepEqual(flow.given[0]!.event, { a: 2 });
  });

  it("says that its directory is deleted while no event comes, and makes it anew", async () => {
    mock.timers.enable({ apis: ["setInterval"] });
    try {
      await reopen();
      await accept();
      rmSync(dir, { recursive: true });
      const problems: unknown[] = [];
      const anew = new Promise<void>((resolve) => {
        onChange = () => {
          problems.push(inbox.problem?.problem);
          if (inbox.counts?.waiting === 0) resolve();
        };
      });
      mock.timers.tick(5000);
      await anew;
      assert.deepEqual(problems, ["gone", undefined]);
    } finally {
      mock.timers.reset();
    }
  });

  it("does not give again what was settled while it closed", async () => {
    await accept();
    const closed = inbox.close();
    flow.given[0]!.becomes(done);
    await closed;
    open();
    await counted("processed", 1);
    assert.equal(inbox.counts?.waiting, 0);
  });

  describe("counts how many times the flow has had an event,", () => {
    for (const [how, again] of [
      ["in the same inbox", async () => Promise.resolve()],
      ["in the one that comes", () => reopen()],
    ] as const) {
      it(`and not that a deploy came while it was written (${how})`, async () => {
        const accepted = accept();
        flow.running = false;
        await accepted;
        flow.running = true;
        await again();
        inbox.start();
        await flow.got(1);
        assert.equal(flow.given[0]!.times, 1);
      });
    }

    it("and not that it was sent and came to no node", async () => {
      await accept();
      flow.given[0]!.becomes({ state: "interrupted", isUnseen: true });
      await flow.got(2);
      assert.equal(flow.given[1]!.times, 1);
    });

    it("also where a deploy ended while it was written", async () => {
      flow.running = false;
      const accepted = accept();
      flow.running = true;
      await accepted;
      await flow.got(1);
      assert.equal(flow.given[0]!.times, 1);
      await reopen();
      await flow.got(1);
      assert.equal(flow.given[0]!.times, 2);
    });
  });

  it("gives again what a deploy has interrupted", async () => {
    await accept();
    flow.given[0]!.becomes({ state: "interrupted" });
    await flow.got(2);
    assert.equal(flow.given[1]!.times, 2);
  });

  it("keeps what nobody takes, until somebody does", async () => {
    flow.nodes = [];
    await accept({ a: 1 });
    await reopen();
    inbox.start();
    await timeToGive();
    assert.equal(inbox.counts?.waiting, 1);
    flow.nodes = ["in"];
    inbox.start();
    await flow.got(1);
    assert.deepEqual(flow.given[0]!.event, { a: 1 });
  });

  it("gives failed events again when it is asked to", async () => {
    for (let i = 0; i < 4; i += 1) await accept();
    flow.given.forEach(({ becomes }, i) => becomes(i === 3 ? done : down));
    await counted("failed", 3);
    assert.equal((await inbox.events.list({ state: "failed" }, "")).events.length, 3);
    flow.nodes = [];
    assert.deepEqual(await inbox.events.runAll({}), { run: 0, nowhere: 3 });
    assert.equal(inbox.counts?.failed, 3);
    flow.nodes = ["in"];
    flow.answer = done;
    assert.deepEqual(await inbox.events.runAll({}), { run: 3, nowhere: 0 });
    await flow.got(7);
    assert.ok(flow.given.slice(4).every(({ stored, times }) => stored.state === "waiting" && times === 2));
    await counted("processed", 4);
    assert.deepEqual(await inbox.events.runAll({}), { run: 0, nowhere: 0 });
    assert.deepEqual((await inbox.events.list({ state: "failed" }, "")).events, []);
  });

  it("gives failed events again also where they come to the disk just before they are read", async () => {
    await accept();
    flow.given[0]!.becomes(down);
    flow.wants = () => false;
    const { get } = SqliteStore.prototype;
    mock.method(SqliteStore.prototype, "get", async function (this: SqliteStore, seqs: string[]) {
      mock.restoreAll();
      await accept(); // it is written with this one
      return get.call(this, seqs);
    });
    assert.deepEqual(await inbox.events.run([flow.given[0]!.stored.seq]), { run: 1, nowhere: 0 });
    await flow.got(2);
  });

  describe("marks what is given again as superseded", () => {
    it("where a later event about the same change was given before", async () => {
      await accept(changeOf(1, 1000));
      await accept(changeOf(1, 2000));
      flow.given[1]!.becomes(done);
      await counted("processed", 1);
      await reopen();
      await flow.got(1);
      assert.equal(flow.given[0]!.stored.superseded, true);
    });

    it("but not where that one waits for its turn", async () => {
      await accept(changeOf(1, 1000));
      await accept(changeOf(1, 2000));
      flow.answer = done;
      await reopen();
      await flow.got(2);
      assert.ok(flow.given.every(({ stored }) => stored.superseded === undefined));
    });
  });

  describe("deletes", () => {
    describe("for their age", () => {
      const day = 86_400_000;
      let time: { wall: number; steady: number };
      beforeEach(() => {
        mock.timers.enable({ apis: ["setInterval"] });
        time = { wall: Date.now(), steady: 0 };
        flow.running = false; // what the flow has is not deleted at all
      });
      afterEach(() => mock.timers.reset());
      const times = async () => {
        const { events } = await inbox.events.list({}, "");
        return events.map(({ receivedAt }) => Date.parse(receivedAt));
      };
      /** Opens it anew, on a clock that the test sets. */
      const begin = async (days: number) => {
        await inbox.close();
        const clock = () => ({ ...time });
        inbox = new Inbox((options) => SqliteStore.open(dir, options), flow, {
          ...{ days, clock, setAside },
          changed: () => onChange(),
        });
        await inbox.events.list({}, ""); // it is open
      };
      /** Lets an hour go by, in which the clock may be set, and resolves when what is too old is deleted. */
      const anHour = async (setBy = 0) => {
        time = { wall: time.wall + cleanEvery + setBy, steady: time.steady + cleanEvery };
        mock.timers.tick(cleanEvery);
        // It asks the store for less than that, one after the other.
        for (let i = 0; i < 9; i += 1) await inbox.events.list({}, "");
      };

      it("what is older than it is kept, and nothing within an hour after it was opened", async () => {
        const [old, young] = [time.wall - 3 * day, time.wall - day];
        for (const receivedAt of [old, young]) await accept({}, new Date(receivedAt));
        await begin(2);
        assert.deepEqual(await times(), [young, old]);
        await anHour();
        assert.deepEqual(await times(), [young]);
      });

      it("nothing, where it is to be kept longer than there is time", async () => {
        await accept();
        await begin(1e9);
        await anHour();
        assert.equal((await times()).length, 1);
      });

      it("nothing of what came a minute ago, where the clock is set ahead", async () => {
        await begin(7);
        await anHour();
        await accept({}, new Date(time.wall));
        for (let i = 0; i < 3; i += 1) await anHour(i === 0 ? 8 * day : 0);
        assert.equal((await times()).length, 1);
      });

      it("nothing of what was there, where the clock is ahead for a while", async () => {
        const receivedAt = time.wall - day;
        await accept({}, new Date(receivedAt));
        await begin(7);
        await anHour();
        await anHour(8 * day);
        await anHour(-8 * day);
        await anHour();
        assert.deepEqual(await times(), [receivedAt]);
      });

      it("nothing while the clock says that it is 1970", async () => {
        await accept();
        time.wall = 0;
        await begin(1);
        for (let i = 0; i < 3; i += 1) await anHour();
        assert.equal((await times()).length, 1);
      });

      for (const [what, wrong] of [
        ["in 1970", 60_000],
        ["in 2020", Date.UTC(2020, 5)],
        ["in eight days", Date.now() + 8 * day],
        ["in 2038", Date.UTC(2038, 0)],
      ] as const) {
        it(`what came ${what}, as the clock said, after its days, as if it had come when that was right`, async () => {
          await accept({}, new Date(wrong));
          await begin(2);
          assert.deepEqual(await times(), [wrong]);
          await anHour();
          const known = time.wall;
          assert.deepEqual(await times(), [known]);
          time.wall = known + 2 * day - 2 * cleanEvery;
          await begin(2);
          await anHour();
          assert.deepEqual(await times(), [known]);
          await anHour();
          await anHour();
          assert.deepEqual(await times(), []);
          await begin(2); // what it kept of them is as it was written
          assert.deepEqual(findings, []);
        });
      }
    });

    it("the oldest that do not wait, where there are as many as there may be", async () => {
      const max = { events: 1000, bytes: 1e9 };
      await reopen({ max });
      await Promise.all(Array.from({ length: 1000 }, () => accept()));
      flow.given.forEach(({ becomes }, i) => i % 2 === 1 && becomes(done));
      await counted("processed", 500);
      await accept();
      assert.deepEqual(inbox.counts, { waiting: 501, processed: 0, failed: 0 });
    });

    it("nothing that waits: it is full then, until some are settled", async () => {
      await reopen({ max: { events: 2, bytes: 1e9 } });
      await accept();
      await accept();
      await assert.rejects(
        accept(),
        (error: unknown) => error instanceof Unusable && error.problem === "crowded",
      );
      assert.equal(inbox.problem?.problem, "crowded");
      flow.given[0]!.becomes(done);
      await counted("processed", 1);
      assert.equal(await accept(), "stored");
      assert.equal(inbox.problem, undefined);
    });

    it("for good, with what the files hold of it", async () => {
      const secret = "0170 5550199";
      const files = () => readdirSync(dir).map((name) => readFileSync(join(dir, name), "latin1"));
      await accept({ phone: secret });
      assert.ok(files().some((text) => text.includes(secret)));
      flow.given[0]!.becomes(done);
      await counted("processed", 1);
      assert.equal(await inbox.events.clear(), 1);
      assert.ok(!files().some((text) => text.includes(secret)));
    });
  });

  it("goes on with the other events where one cannot be read, and says so", async () => {
    const text = randomBytes(3000).toString("base64");
    for (const a of [1, 2, 3]) await accept(a === 2 ? { text } : { a });
    await inbox.close();
    const file = join(dir, "inbox.sqlite");
    const bytes = readFileSync(file);
    const at = bytes.indexOf(text);
    writeFileSync(file, bytes.fill("-", at, at + 9));
    flow.given = [];
    flow.answer = done;
    open();
    await flow.got(2);
    assert.deepEqual(new Set(flow.given.map(({ event }) => event.a)), new Set([1, 3]));
    while (findings.length === 0) await new Promise(setImmediate);
    const [found] = findings;
    assert.ok(found?.what === "damaged" && found.events === 2);
    assert.ok(readFileSync(join(dir, found.aside, "inbox.sqlite")).includes(bytes.subarray(at, at + 99)));
    assert.equal(await accept({ a: 4 }), "stored");
  });

  it("never has more than a step of events in Node-RED's own thread, and no event whole but the one it gives", async () => {
    const filler = "x".repeat(2000);
    /** How many events came with an answer of the store, and how long that was at most. */
    const came: { events: number; characters: number }[] = [];
    const methods = ["open", "some", "someFrom", "list", "get", "due"] as const;
    const note = (method: (typeof methods)[number]) => {
      const real = SqliteStore.prototype[method] as (...args: unknown[]) => Promise<unknown>;
      mock.method(SqliteStore.prototype, method, async function (this: SqliteStore, ...args: unknown[]) {
        const result = await real.apply(this, args);
        const { events = [], seqs = events } = Array.isArray(result)
          ? { events: result }
          : (result as { events?: unknown[]; seqs?: unknown[] });
        const text = JSON.stringify(result);
        assert.ok(!text.includes(filler), `${method} reads no event whole`);
        came.push({ events: seqs.length, characters: text.length });
        return result;
      });
    };
    for (const method of methods) note(method);
    const events = 2 * step + 1;
    try {
      await Promise.all(
        Array.from({ length: events }, (_, i) => accept({ ...changeOf(i, 1000 + i), filler })),
      );
      for (const { becomes } of flow.given) becomes(down);
      await counted("failed", events);
      for (const filter of [{}, { state: "failed" as const }, { topic: "none" }, { job: "7" }])
        for (let before: string | null = ""; before !== null;)
          before = (await inbox.events.list(filter, before)).next;
      flow.running = false;
      await inbox.events.runAll({});
      await counted("waiting", events);
      flow.given = [];
      flow.running = true;
      flow.answer = done;
      await reopen();
      await counted("processed", events);
      assert.equal(await inbox.events.clear(), events);
      assert.ok(came.length > 20);
      assert.ok(
        came.every(({ events }) => events <= step),
        "no more than a step",
      );
      assert.ok(
        came.every(({ characters }) => characters < 1000 * step),
        "and little of each",
      );
    } finally {
      mock.restoreAll();
    }
  });

  it("lists newest first, in pages, narrowed by state, topic and job", async () => {
    const event = (i: number) => ({
      topic: i % 2 ? "odd" : "even",
      order_id: i,
      external_id: `A-${i % 60}`,
    });
    await Promise.all(Array.from({ length: 120 }, (_, i) => accept(event(i + 1))));
    flow.given[99]!.becomes(down);
    await counted("failed", 1);
    const places = async (filter: Parameters<Operating["list"]>[0]) => {
      const found: number[] = [];
      for (let before: string | null = ""; before !== null;) {
        const { events, next }: Awaited<ReturnType<Operating["list"]>> = await inbox.events.list(
          filter,
          before,
        );
        assert.ok(events.length <= 50);
        found.push(...events.map(({ seq }) => Number(seq)));
        before = next;
      }
      return found;
    };
    assert.deepEqual(
      await places({}),
      Array.from({ length: 120 }, (_, i) => 120 - i),
    );
    assert.equal((await places({ topic: "odd" })).length, 60);
    assert.deepEqual(await places({ job: "7" }), [7]);
    assert.deepEqual(await places({ job: "A-7" }), [67, 7]);
    assert.deepEqual(await places({ state: "failed" }), [100]);
    assert.deepEqual(await places({ state: "failed", topic: "odd" }), []);
  });

  it("gives again what failed, was with the flow still, and is interrupted just before it starts anew", async () => {
    await accept();
    await flow.got(1);
    const [{ becomes }] = flow.given as [Given];
    becomes({ state: "failed", error, stays: true });
    await counted("failed", 1);
    becomes({ state: "interrupted" });
    inbox.start();
    await flow.got(2);
  });

  describe("lets the events of a job come one after the other", () => {
    beforeEach(() => (flow.isInOrder = true));
    const numbers = () => flow.given.map(({ stored }) => Number(stored.seq));

    it("and waits for no other job, nor where that is not wanted", async () => {
      for (const job of [1, 1, 2]) await accept(changeOf(job, 1000));
      await timeToGive();
      assert.deepEqual(numbers(), [1, 3]);
      flow.isInOrder = false;
      await accept(changeOf(1, 2000));
      assert.deepEqual(numbers(), [1, 3, 4]);
    });

    for (const outcome of [done, down])
      it(`by their changes, each when the one before is ${outcome.state}`, async () => {
        for (const at of [1000, 3000, 2000]) await accept(changeOf(1, at));
        for (let given = 1; given <= 3; given += 1) {
          await flow.got(given);
          await timeToGive();
          assert.equal(flow.given.length, given);
          flow.given[given - 1]!.becomes(outcome);
        }
        assert.deepEqual(numbers(), [1, 3, 2]);
      });

    it("and keeps nobody waiting who does not want that", async () => {
      flow.nodes = ["a", "b"];
      flow.receiver = (id) => ({ isInOrder: id === "a" });
      for (const at of [1000, 2000, 3000]) await accept(changeOf(1, at));
      await reopen();
      await flow.got(2); // to both the first, and no more until the flow is done with it
      await timeToGive();
      assert.equal(flow.given.length, 2);
      await accept(changeOf(2, 1000));
      const [, , next, ...others] = flow.given;
      assert.deepEqual([next?.node, next?.stored.seq, others], ["b", "000000000000004", []]);
      flow.answer = done;
      for (const { becomes } of flow.given) becomes(done);
      await counted("processed", 4);
      assert.equal(flow.given.length, 8);
    });

    for (const deed of ["settle", "delete"] as const)
      it(`and nothing where somebody wants to ${deed} what waits for its place`, async () => {
        flow.isInOrder = false;
        flow.nodes = [];
        for (const job of [1, 2]) await accept(changeOf(job, 1000));
        flow.nodes = ["in"];
        inbox.start();
        await flow.got(1);
        await timeToGive();
        await inbox.events[deed]("000000000000002");
        flow.given[0]!.becomes(done);
        await timeToGive();
        await accept(changeOf(3, 1000));
        await flow.got(2);
        assert.deepEqual(numbers(), [1, 3]);
      });

    for (const deed of ["settle", "delete"] as const)
      it(`the next but one, where somebody wants to ${deed} the next`, async () => {
        for (const at of [1000, 2000, 3000]) await accept(changeOf(1, at));
        await flow.got(1);
        await inbox.events[deed]("000000000000002");
        flow.given[0]!.becomes(done);
        await flow.got(2); // long before the 30 seconds are over
        assert.deepEqual(numbers(), [1, 3]);
      });

    for (const deed of ["settle", "delete"] as const)
      it(`each when somebody wants to ${deed} the one before`, async () => {
        for (const at of [1000, 2000]) await accept(changeOf(1, at));
        await flow.got(1);
        await inbox.events[deed](flow.given[0]!.stored.seq);
        await flow.got(2); // long before the 30 seconds are over
        assert.deepEqual(numbers(), [1, 2]);
      });

    it("also where the turn of one came while it was paused, and others come before it", async () => {
      for (const at of [1000, 2000]) await accept(changeOf(1, at));
      await flow.got(1);
      await inbox.pause(true);
      flow.given[0]!.becomes(done);
      for (const job of [2, 3]) await accept(changeOf(job, 500));
      await timeToGive();
      await inbox.pause(false);
      await accept(changeOf(1, 3000));
      await flow.got(2);
      await timeToGive();
      assert.deepEqual(numbers(), [1, 3]);
      flow.answer = done;
      flow.given[1]!.becomes(done);
      await flow.got(5);
      assert.deepEqual(numbers(), [1, 3, 4, 2, 5]);
    });

    it("also to one node where it just comes to another", async () => {
      flow.nodes = ["a", "b"];
      for (const at of [1000, 2000, 3000]) await accept(changeOf(1, at));
      await flow.got(2);
      const [toA, toB] = flow.given;
      const give = flow.give.bind(flow);
      flow.give = (stored, nodes, event) => {
        toA!.becomes(done);
        return give(stored, nodes, event);
      };
      toB!.becomes(done);
      await flow.got(4);
      await timeToGive();
      const given = flow.given.map(({ stored, node }) => [Number(stored.seq), node]);
      assert.deepEqual(given.slice(2), [
        [2, "b"],
        [2, "a"],
      ]);
    });

    describe("on a clock that goes as the test says,", () => {
      let time = 0;
      beforeEach(() => {
        time = 0;
        mock.method(performance, "now", () => time);
        mock.timers.enable({ apis: ["setTimeout"] });
      });
      afterEach(() => {
        mock.timers.reset();
        mock.restoreAll();
      });
      const pass = (by: number) => {
        time += by;
        mock.timers.tick(by);
      };

      it("each after 30 seconds at most, however many wait", async () => {
        for (const at of [1000, 2000, 3000]) await accept(changeOf(1, at));
        await timeToGive();
        pass(10_000);
        flow.given[0]!.becomes(done);
        await flow.got(2);
        pass(29_000);
        await timeToGive();
        assert.deepEqual(numbers(), [1, 2]);
        pass(1100);
        await flow.got(3);
        assert.deepEqual(numbers(), [1, 2, 3]);
      });

      it("each after 30 seconds, also where the timer fires a little early", async () => {
        await accept(changeOf(1, 1000));
        time += 0.5;
        await accept(changeOf(1, 2000));
        await timeToGive();
        // A timer of Node.js goes by whole milliseconds: one of 30,000.5 ms may fire 29,999.2 ms after it was set.
        time += 29_999.2;
        mock.timers.tick(30_001);
        await timeToGive();
        pass(60_000);
        await timeToGive();
        assert.deepEqual(numbers(), [1, 2]);
      });

      it("in their order where the disk is full for longer than 30 seconds", async () => {
        /** As timeToGive, where the store may be left alone. */
        const some = async () => {
          for (let i = 0; i < 9; i += 1) await inbox.events.list({}, "").catch(() => undefined);
        };
        for (const at of [1000, 2000, 3000]) await accept(changeOf(1, at));
        await flow.got(1);
        await timeToGive();
        const full = mock.method(SqliteStore.prototype, "write", async function (this: SqliteStore) {
          await this.times(); // its thread does one after the other
          throw new Unusable("full");
        });
        flow.given[0]!.becomes(done);
        await some();
        for (let i = 0; i < 16; i += 1) {
          pass(2000);
          await some();
        }
        full.mock.restore();
        pass(2000);
        await some();
        await accept(changeOf(2, 1000));
        await flow.got(3);
        await timeToGive();
        assert.deepEqual(
          numbers().filter((n) => n !== 4),
          [1, 2],
        );
      });

      it("what a deploy has interrupted before what waits for that, also where that takes longer than 30 seconds", async () => {
        await accept(changeOf(2, 100));
        for (const at of [1000, 2000]) await accept(changeOf(1, at));
        await timeToGive();
        assert.deepEqual(numbers(), [1, 2]);
        pass(29_000);
        flow.running = false;
        flow.given[0]!.becomes({ state: "interrupted" });
        flow.given[1]!.becomes({ state: "interrupted" });
        flow.running = true;
        inbox.start();
        await flow.got(3);
        assert.deepEqual(numbers(), [1, 2, 1]);
        pass(2000);
        await timeToGive();
        assert.ok(!numbers().includes(3)); // 2 comes again first
        flow.answer = done;
        for (const { becomes } of flow.given) becomes(done);
        await flow.got(5);
        assert.deepEqual(numbers().slice(-2), [2, 3]);
      });

      it("in their order where the disk does not answer for longer than 30 seconds", async () => {
        let goOn: () => void = () => undefined;
        const hang = new Promise<void>((resolve) => (goOn = resolve));
        const { read } = SqliteStore.prototype;
        for (const at of [1000, 2000, 3000]) await accept(changeOf(1, at));
        await flow.got(1);
        await timeToGive();
        pass(10_000);
        mock.method(SqliteStore.prototype, "read", async function (this: SqliteStore, seq: string) {
          await hang;
          return read.call(this, seq);
        });
        flow.given[0]!.becomes(done);
        await timeToGive();
        await accept(changeOf(1, 4000)); // looks again in 30 s
        pass(31_000);
        await timeToGive();
        goOn();
        await flow.got(2);
        assert.deepEqual(numbers(), [1, 2]);
      });
    });

    it("also after what its turn has passed by, where the flow has lost that", async () => {
      let late = 0;
      const { now } = performance;
      mock.method(performance, "now", () => now.call(performance) + late);
      try {
        await accept(changeOf(1, 1000));
        late += 30_000;
        await accept(changeOf(1, 2000)); // its turn has come at once
        await flow.got(2);
        flow.given[1]!.becomes(done);
        for (let i = 0; i < 3; i += 1) await accept(changeOf(2, 100 + i));
        await timeToGive();
        assert.deepEqual(numbers(), [1, 2, 3]);
        flow.running = false; // a deploy
        flow.given[0]!.becomes({ state: "interrupted" });
        flow.given[2]!.becomes({ state: "interrupted" });
        flow.running = true;
        inbox.start();
        await flow.got(4);
        await timeToGive();
        assert.deepEqual(numbers(), [1, 2, 3, 3]);
        await accept(changeOf(1, 3000));
        await timeToGive();
        assert.deepEqual(numbers(), [1, 2, 3, 3]);
      } finally {
        mock.restoreAll();
      }
    });

    it("and waits for nothing that was deleted while it waited to be given again", async () => {
      await accept(changeOf(1, 1000));
      await inbox.pause(true);
      flow.given[0]!.becomes({ state: "interrupted" });
      await inbox.events.causes(); // all is on disk
      await timeToGive();
      assert.ok(await inbox.events.delete("000000000000001"));
      await inbox.pause(false);
      await accept(changeOf(1, 2000));
      await timeToGive();
      assert.deepEqual(numbers(), [1, 2]); // long before the 30 seconds are over
    });

    it("also where the store is opened anew before the one that broke is closed", async () => {
      flow.running = false;
      await accept(changeOf(1, 1000));
      flow.running = true;
      let isOver: () => void = () => undefined;
      const over = new Promise<void>((resolve) => (isOver = resolve));
      const fails = () => Promise.reject(new Unusable("failing"));
      const { close } = SqliteStore.prototype;
      const broken = mock.method(SqliteStore.prototype, "open", fails, { times: 1 });
      mock.method(SqliteStore.prototype, "close", async function (this: SqliteStore) {
        await close.call(this);
        await over; // its thread takes its time to end
      });
      try {
        inbox.start();
        while (broken.mock.callCount() === 0) await new Promise(setImmediate);
        await inbox.events.list({}, "");
        isOver();
        await flow.got(1);
      } finally {
        mock.restoreAll();
      }
    });

    it("also what waits from before", async () => {
      for (const at of [1000, 2000]) await accept(changeOf(1, at));
      await reopen();
      await flow.got(1);
      await accept(changeOf(1, 3000));
      await accept(changeOf(1, 500));
      await timeToGive();
      assert.deepEqual(numbers(), [1]);
      flow.answer = done;
      flow.given[0]!.becomes(done);
      await flow.got(4);
      assert.deepEqual(numbers(), [1, 4, 2, 3]);
    });
  });

  describe("gives again by itself what failed,", () => {
    let ahead: number;
    /** The clock goes on. */
    const pass = (minutes: number) => (ahead += minutes * 60_000);
    beforeEach(() => {
      ahead = 0;
      const { now } = Date;
      mock.method(Date, "now", () => now() + ahead);
    });
    afterEach(() => mock.restoreAll());
    /** What is known of the one event. */
    const delivery = async () => (await inbox.events.read("000000000000001"))!.stored.deliveries![0]!;

    it("each after its minutes, also where it was closed meanwhile, and then not any more", async () => {
      const retries = [1, 5];
      await reopen({ retries });
      await accept();
      flow.given[0]!.becomes(down);
      await counted("failed", 1);
      await reopen({ retries });
      await counted("failed", 1);
      for (const [minutes, times] of [
        [1, 2],
        [5, 3],
      ] as const) {
        await timeToGive();
        assert.equal(flow.given.length, 0);
        const { againAt } = await delivery();
        assert.ok(Math.abs(Date.parse(againAt!) - Date.now() - minutes * 60_000) < 30_000);
        pass(minutes);
        await reopen({ retries });
        await flow.got(1);
        assert.equal(flow.given[0]!.times, times);
        flow.given[0]!.becomes(down);
        await counted("failed", 1);
        flow.given = [];
      }
      const { againAt, retries: used, error: why } = await delivery();
      assert.deepEqual([againAt, used, why], [undefined, 2, error]);
    });

    it("without being opened anew", async () => {
      await reopen({ retries: [0.001] });
      await accept();
      flow.given[0]!.becomes(down);
      await flow.got(2);
      assert.equal(flow.given[1]!.times, 2);
    });

    it("also what comes to the disk while it is looked what is due there", async () => {
      await reopen({ retries: [0.001] });
      await accept();
      let goOn: () => void = () => undefined;
      const { due } = SqliteStore.prototype;
      const isRead = new Promise<void>((resolve) => {
        mock.method(
          SqliteStore.prototype,
          "due",
          async function (this: SqliteStore, ...args: Parameters<typeof due>) {
            const result = await due.apply(this, args);
            if (Date.now() < failedAt + 60) return result;
            resolve();
            await new Promise<void>((resolve) => (goOn = resolve));
            return result;
          },
        );
      });
      const failedAt = Date.now();
      flow.given[0]!.becomes(down);
      await isRead;
      mock.restoreAll();
      flow.wants = () => false;
      await accept(); // it is written with this one
      goOn();
      await flow.got(2);
    });

    it("but not what was processed after all, nor what a person has settled", async () => {
      await reopen({ retries: [1] });
      await accept();
      await accept();
      for (const { becomes } of flow.given) becomes(down);
      await counted("failed", 2);
      flow.given[0]!.becomes(done);
      await inbox.events.settle(flow.given[1]!.stored.seq);
      await counted("processed", 2);
      assert.deepEqual(withoutTries(await delivery()), { node: "in", state: "processed", times: 1 });
      pass(2);
      await reopen({ retries: [1] });
      await timeToGive();
      assert.equal(flow.given.length, 0);
    });

    it("also after it was processed: the last word counts", async () => {
      await reopen({ retries: [1] });
      await accept();
      flow.given[0]!.becomes(done);
      await counted("processed", 1);
      flow.given[0]!.becomes(down);
      await counted("failed", 1);
      const { retries, againAt } = await delivery();
      assert.ok(retries === 1 && againAt !== undefined);
      flow.given[0]!.becomes({ state: "reopened" });
      await counted("waiting", 1);
      assert.equal((await delivery()).againAt, undefined);
    });

    it("once more a minute later, where a start gave it again less than a minute before", async () => {
      await accept();
      await reopen();
      await flow.got(1);
      flow.given[0]!.becomes(down);
      await counted("failed", 1);
      const { againAt, retries } = await delivery();
      assert.ok(Math.abs(Date.parse(againAt!) - Date.now() - 60_000) < 30_000);
      assert.equal(retries, undefined);
      pass(1);
      await reopen();
      await flow.got(1);
      assert.equal(flow.given[0]!.times, 3);
      flow.given[0]!.becomes(down);
      await counted("failed", 1);
      assert.equal((await delivery()).againAt, undefined);
    });

    it("and not once more, where that took longer, or nothing gave it again", async () => {
      await accept();
      await accept();
      await reopen();
      await flow.got(1);
      const { now } = performance;
      mock.method(performance, "now", () => now.call(performance) + 61_000);
      flow.given[0]!.becomes(down);
      await counted("failed", 1);
      await flow.got(2);
      flow.given[1]!.becomes(done);
      await accept();
      await flow.got(3);
      flow.given[2]!.becomes(down);
      await counted("failed", 2);
      const { events } = await inbox.events.list({ state: "failed" }, "");
      assert.ok(events.every(({ deliveries }) => deliveries![0]!.againAt === undefined));
    });
  });

  describe("while it is paused", () => {
    it("gives nothing, also when it is opened anew, until it is resumed", async () => {
      await accept();
      flow.given[0]!.becomes(down);
      await counted("failed", 1);
      await inbox.pause(true);
      assert.equal(await accept(), "stored");
      assert.deepEqual(await inbox.events.runAll({}), { run: 1, nowhere: 0 });
      assert.ok(inbox.isPaused);
      await reopen();
      await counted("waiting", 2);
      assert.ok(inbox.isPaused);
      await accept();
      inbox.start();
      await timeToGive();
      assert.equal(flow.given.length, 0);
      flow.answer = done;
      await inbox.pause(false);
      await flow.got(3);
      await counted("processed", 3);
      await reopen();
      await counted("processed", 3);
      assert.ok(!inbox.isPaused);
    });

    it("gives nothing by itself, and then what was due", async () => {
      await reopen({ retries: [0.001] });
      await accept();
      await inbox.pause(true);
      flow.given[0]!.becomes(down);
      await counted("failed", 1);
      await new Promise((resolve) => setTimeout(resolve, 100)); // longer than the retry takes
      await timeToGive();
      assert.equal(flow.given.length, 1);
      await inbox.pause(false);
      await flow.got(2);
    });

    it("gives nothing that waited for its place before", async () => {
      await accept();
      await accept();
      await reopen();
      await flow.got(1);
      await timeToGive();
      await inbox.pause(true);
      flow.given[0]!.becomes(done);
      await counted("processed", 1);
      await timeToGive();
      assert.equal(flow.given.length, 1);
      await inbox.pause(false);
      await flow.got(2);
    });

    it("hears of what the flow has", async () => {
      await accept();
      await inbox.pause(true);
      flow.given[0]!.becomes(done);
      await counted("processed", 1);
    });
  });

  describe("of several nodes", () => {
    beforeEach(() => (flow.nodes = ["a", "b"]));

    it("gives again to those only that are not done, unless all are wanted", async () => {
      await accept();
      const [a, b] = flow.given as [Given, Given];
      a.becomes(done);
      b.becomes(down);
      await counted("failed", 1);
      assert.deepEqual([inbox.failures("a"), inbox.failures("b")], [0, 1]);
      await inbox.events.run([a.stored.seq]);
      await flow.got(3);
      flow.given[2]!.becomes(done);
      await counted("processed", 1);
      assert.equal(inbox.failures("b"), 0);
      assert.deepEqual(await inbox.events.run([a.stored.seq]), { run: 0, nowhere: 0 });
      await inbox.events.run([a.stored.seq], true);
      await flow.got(5);
      assert.deepEqual(
        flow.given.map(({ node, times }) => [node, times]),
        [
          ["a", 1],
          ["b", 1],
          ["b", 2],
          ["a", 2],
          ["b", 3],
        ],
      );
    });

    it("lets what no node is there for wait for that one", async () => {
      await accept();
      flow.given[0]!.becomes(done);
      flow.nodes = ["a"];
      flow.given[1]!.becomes({ state: "interrupted" });
      await timeToGive();
      assert.deepEqual(inbox.counts, { waiting: 1, processed: 0, failed: 0 });
      assert.equal(flow.given.length, 2);
      flow.nodes = ["b"];
      inbox.start();
      await flow.got(3);
      assert.equal(flow.given[2]!.node, "b");
    });

    it("has processed what none of them lets through, and gives it to those that do when it is run", async () => {
      flow.wants = () => false;
      await accept();
      assert.deepEqual(inbox.counts, { waiting: 0, processed: 1, failed: 0 });
      flow.wants = (node) => node === "b";
      await inbox.events.run(["000000000000001"], true);
      await flow.got(1);
      assert.equal(flow.given[0]!.node, "b");
    });

    it("finds them when they are there, for what came while the flows did not run", async () => {
      flow.running = false;
      await accept({ a: 1 });
      await accept({ a: 2 });
      const { events } = await inbox.events.list({}, "");
      assert.deepEqual(
        events.map(({ state, deliveries }) => [state, deliveries]),
        [
          ["waiting", undefined],
          ["waiting", undefined],
        ],
      );
      flow.wants = (node, { a }) => node === "b" && a === 1;
      flow.answer = done;
      flow.running = true;
      inbox.start();
      await counted("processed", 2);
      assert.deepEqual(
        flow.given.map(({ node, event }) => [node, event.a]),
        [["b", 1]],
      );
    });

    it("keeps as failed what has a wrong form, and gives it when it is run", async () => {
      const body = Buffer.from("{}");
      const failures = ["a", "b"].map((id) => ({ text: "wrong", node: { id, type: "radaro in" } }));
      await inbox.accept({}, { path: "/radaro", body, receivedAt: new Date() }, failures);
      assert.equal(flow.given.length, 0);
      assert.equal(inbox.counts?.failed, 1);
      assert.deepEqual([inbox.failures("a"), inbox.failures("b")], [1, 1]);
      await inbox.events.runAll({});
      await flow.got(2);
      assert.ok(flow.given.every(({ times }) => times === 1));
    });

    it("knows which have it", async () => {
      await accept();
      const [a] = flow.given as [Given];
      const has = (node: string, times: number) => inbox.isWithFlow(a.stored.seq, node, times);
      assert.deepEqual([has("a", 1), has("b", 1), has("a", 2), has("c", 1)], [true, true, false, false]);
      a.becomes(done);
      assert.deepEqual([has("a", 1), has("b", 1)], [false, true]);
    });
  });

  describe("lets people", () => {
    it("settle an event, which the flow can reopen", async () => {
      await accept();
      const { seq } = flow.given[0]!.stored;
      flow.given[0]!.becomes(down);
      await counted("failed", 1);
      assert.equal(await inbox.events.settle(seq), true);
      await reopen();
      const { stored } = (await inbox.events.read(seq))!;
      assert.deepEqual(stored.deliveries?.map(withoutTries), [
        { node: "in", state: "processed", times: 1, settled: true },
      ]);
      assert.equal(await inbox.events.settle("000000000000009"), false);
      assert.equal(await inbox.heard(seq, "in", down), true);
      assert.equal(await inbox.heard(seq, "other", down), false);
      assert.equal(await inbox.heard("000000000000009", "in", down), false);
      await counted("failed", 1);
    });

    it("delete an event, also one that the flow has", async () => {
      await accept({ a: 1 });
      await accept({ a: 2 });
      const [first, second] = flow.given as [Given, Given];
      assert.equal(await inbox.events.delete(first.stored.seq), true);
      assert.equal(await inbox.events.delete(first.stored.seq), false);
      first.becomes(down);
      second.becomes(done);
      await counted("processed", 1);
      assert.deepEqual(inbox.counts, { waiting: 0, processed: 1, failed: 0 });
      assert.equal(await inbox.events.read(first.stored.seq), undefined);
    });

    it("see what has failed by cause, those with the most events first", async () => {
      const other = { text: "slow", node: { id: "m", type: "http request", name: "Customer" } };
      const day = (n: number) => new Date(Date.UTC(2026, 2, n));
      for (const n of [2, 1, 3, 4]) await accept({}, day(n));
      flow.given.forEach(({ becomes }, i) => becomes(i === 3 ? { state: "failed", error: other } : down));
      await counted("failed", 4);
      const [first, second, third] = [1, 3, 4].map((n) => day(n).toISOString());
      assert.deepEqual(await inbox.events.causes(), [
        { node: error.node, error: "down", count: 3, again: 0, first, last: second },
        { node: other.node, error: "slow", count: 1, again: 0, first: third, last: third },
      ]);
    });

    for (const [wanted, expected] of [
      [{}, [1, 2, 3]],
      [{ node: "n" }, [1, 3]],
      [{ node: "in" }, [1, 2, 3]],
      [{ node: "none" }, []],
      [{ error: "slow" }, [2]],
      [{ node: "n", error: "slow" }, []],
      [{ topic: "b" }, [2]],
      [{ job: "7" }, [1, 3]],
      [{ job: "A-2" }, [2]],
      [{ from: "2026-03-02T00:00:00.000Z" }, [2, 3]],
      [{ to: "2026-03-02T00:00:00.000Z" }, [1]],
      [{ from: "2026-03-02T00:00:00.000Z", to: "2026-03-03T00:00:00.000Z", topic: "b" }, [2]],
    ] as [Parameters<Operating["runAll"]>[0], number[]][])
      it(`run again what failed of ${JSON.stringify(wanted)}`, async () => {
        const slow = { text: "slow", node: { id: "m", type: "function" } };
        const jobs = [
          { topic: "a", order_id: 7, external_id: "A-1" },
          { topic: "b", order_id: 8, external_id: "A-2" },
          { topic: "a", order_id: 7, external_id: "A-3" },
        ];
        for (const [i, job] of jobs.entries()) await accept(job, new Date(Date.UTC(2026, 2, 1 + i)));
        flow.given.forEach(({ becomes }, i) => becomes({ state: "failed", error: i === 1 ? slow : error }));
        await counted("failed", 3);
        await accept({ topic: "a", order_id: 7 }); // the flow has it
        flow.answer = done;
        assert.deepEqual(await inbox.events.runAll(wanted), { run: expected.length, nowhere: 0 });
        await counted("processed", expected.length);
        const run = flow.given.slice(4).map(({ stored }) => Number(stored.seq));
        assert.deepEqual(
          run.sort((a, b) => a - b),
          expected,
        );
        assert.equal(inbox.counts?.failed, 3 - expected.length);
      });
  });

  describe("where Node-RED ended while the flow had events", () => {
    /** As it is found by the next process, when Node-RED is killed now. */
    const crash = async () => {
      await timeToGive(); // what it has is on disk then
      const copy = join(dir, "..", `crashed-${(crashes += 1)}`);
      cpSync(dir, copy, { recursive: true });
      await inbox.close();
      dir = copy;
      flow.given = [];
      open({ isFirst: true });
    };
    let crashes = 0;

    it("gives them again one by one, in their order, before others", async () => {
      flow.running = false;
      await accept(updated(500));
      flow.running = true;
      for (const at of [3000, 1000, 2000]) await accept(updated(at));
      await counted("waiting", 4);
      flow.given[0]!.becomes(down);
      await counted("failed", 1);
      await accept(updated(4000));
      await crash();
      const order = [3, 4, 5, 1];
      for (let given = 1; given <= 4; given += 1) {
        await flow.got(given);
        await timeToGive();
        assert.equal(flow.given.length, given);
        flow.given[given - 1]!.becomes(done);
      }
      const numbers = flow.given.map(({ stored }) => Number(stored.seq));
      assert.deepEqual([...numbers.slice(0, 3).sort(), ...numbers.slice(3)], order);
      await counted("processed", 4);
    });

    it("counts no more that it had where it ended without that", async () => {
      for (const at of [1000, 2000]) await accept(updated(at));
      await crash();
      await flow.got(1);
      await inbox.close(); // before they have shown that they do no harm
      const { set } = SqliteStore.prototype;
      const ends = new Promise<number>((resolve) => {
        mock.method(
          SqliteStore.prototype,
          "set",
          async function (this: SqliteStore, ...args: Parameters<typeof set>) {
            await set.apply(this, args);
            resolve(args[0].ends);
          },
        );
      });
      open({ isFirst: true });
      assert.equal(await ends, 0);
      mock.restoreAll();
    });

    it("sets the only one aside that the flow had three times, and gives it when it is run", async () => {
      await accept({ a: 1 });
      for (let times = 2; times <= 3; times += 1) {
        await crash();
        await flow.got(1);
        assert.equal(flow.given[0]!.times, times);
      }
      await crash();
      await counted("failed", 1);
      await timeToGive();
      assert.equal(flow.given.length, 0);
      const { stored } = (await inbox.events.read("000000000000001"))!;
      assert.deepEqual(stored.deliveries?.map(withoutTries), [
        { node: "in", state: "failed", times: 3, error: setAside("in") },
      ]);
      assert.equal(await accept({ a: 2 }), "stored");
      await flow.got(1);
      await inbox.events.runAll({});
      await flow.got(2);
      assert.deepEqual(flow.given[1]!.event, { a: 1 });
    });

    it("counts anew where the flow was done with it between", async () => {
      await accept({ a: 1 });
      for (let i = 0; i < 2; i += 1) {
        await crash();
        await flow.got(1);
      }
      flow.given[0]!.becomes(done);
      await counted("processed", 1);
      await inbox.events.run(["000000000000001"], true);
      await flow.got(2);
      await crash();
      await flow.got(1);
    });

    it("lets new ones wait for them only where that has come twice in a row", async () => {
      await accept({ a: 1 });
      await accept({ a: 2 });
      await crash();
      await flow.got(1);
      await accept({ a: 3 });
      assert.equal(flow.given.length, 2);
      await crash();
      await flow.got(1);
      await accept({ a: 4 });
      await timeToGive();
      assert.equal(flow.given.length, 1);
      flow.answer = done;
      flow.given[0]!.becomes(done);
      await counted("processed", 4);
    });

    it("does not give again what it was done with, nor hold what a limit had given up", async () => {
      flow.nodes = ["a", "b"];
      await accept();
      const [a, b] = flow.given as [Given, Given];
      a.becomes({ ...down, stays: true });
      b.becomes(done);
      await counted("failed", 1);
      await crash();
      await counted("failed", 1);
      await timeToGive();
      assert.equal(flow.given.length, 0);
      assert.equal(await inbox.heard(b.stored.seq, "none", done), false);
      assert.ok(!inbox.isWithFlow(b.stored.seq, "a", 1));
      assert.equal(await inbox.events.clear(), 1);
    });
  });

  it("says that it is closed to what it could not store any more, and keeps what it had stored", async () => {
    await accept();
    const accepted = Array.from({ length: 600 }, () => accept().catch((error: unknown) => error));
    await inbox.close();
    const results = await Promise.all(accepted);
    assert.ok(results.every((result) => result === "stored" || result instanceof Closed));
    flow.given = [];
    open();
    const stored = results.filter((result) => result === "stored").length + 1;
    await flow.got(1);
    assert.equal(inbox.counts?.waiting, stored);
  });
});
