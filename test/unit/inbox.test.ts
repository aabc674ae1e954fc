import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mock } from "node:test";
import {
  cleanEvery,
  Closed,
  Inbox,
  maxAgain,
  type Flow,
  type Given,
  type Outcome,
} from "../../src/inbox/inbox";
import type { JsonObject } from "../../src/event/json";
import { SqliteStore } from "../../src/inbox/sqlite-store";
import { bounds, step, type Finding, Unusable } from "../../src/inbox/store";
import type { StoredEvent } from "../../src/inbox/stored-event";

/** A flow that takes what it is given, and is done with it when the test says so. */
class TestFlow implements Flow {
  running = true;
  answer: Given = "given";
  given: { stored: StoredEvent; event: JsonObject; settled: (outcome: Outcome) => void }[] = [];
  #wake: () => void = () => undefined;

  receives(): boolean {
    return this.answer !== "nobody";
  }

  give(stored: StoredEvent, event: JsonObject, settled: (outcome: Outcome) => void): Given {
    if (!this.running) return "nobody";
    if (this.answer !== "given") return this.answer;
    this.given.push({ stored: { ...stored }, event, settled });
    this.#wake();
    return "given";
  }

  /** Resolves when it has been given so many. */
  async got(count: number): Promise<void> {
    while (this.given.length < count) await new Promise<void>((resolve) => (this.#wake = resolve));
  }
}

const done: Outcome = { state: "processed" };
const error = { text: "down", node: { id: "n", type: "function" } };

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
  const open = ({ days = 7, max = bounds } = {}) => {
    inbox = new Inbox((options) => SqliteStore.open(dir, options), flow, {
      days,
      max,
      changed: () => onChange(),
      found: (finding) => findings.push(finding),
    });
  };
  const reopen = async (options?: Parameters<typeof open>[0]) => {
    await inbox.close();
    flow.given = [];
    open(options);
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
    await flow.got(4);
    assert.deepEqual(
      flow.given.map(({ stored }) => [stored.changedAt.slice(17, 19), Number(stored.seq), stored.times]),
      [
        ["01", 2, 2],
        ["01", 4, 2],
        ["02", 3, 2],
        ["03", 1, 2],
      ],
    );
    await reopen();
    await flow.got(4);
    assert.deepEqual(
      flow.given.map(({ stored }) => stored.times),
      [3, 3, 3, 3],
    );
  });

  it("does not give again what is settled", async () => {
    for (let i = 0; i < 4; i += 1) await accept();
    flow.given[0]!.settled(done);
    flow.given[1]!.settled({ state: "handed-over" });
    flow.given[2]!.settled({ state: "failed", error });
    await reopen();
    await flow.got(1);
    assert.equal(flow.given[0]!.stored.seq.at(-1), "4");
    await counted("waiting", 1);
    assert.deepEqual(inbox.counts, { waiting: 1, processed: 1, "handed-over": 1, failed: 1 });
  });

  it(`lets no more than ${maxAgain} of them be with the flow at a time`, async () => {
    flow.running = false;
    await Promise.all(Array.from({ length: 3 * maxAgain }, () => accept()));
    flow.running = true;
    void inbox.giveAgain();
    for (let settled = 0; settled < 2 * maxAgain; settled += 1) {
      await flow.got(maxAgain + settled);
      await inbox.list({}, ""); // time to give more
      assert.equal(flow.given.length, maxAgain + settled);
      flow.given[settled]!.settled(done);
    }
    await flow.got(3 * maxAgain);
    assert.ok(flow.given.every(({ stored }) => stored.times === 1));
  });

  it("counts those whose time with the flow is not over, also when it begins to give again", async () => {
    flow.running = false;
    await Promise.all(Array.from({ length: 2 * maxAgain }, () => accept()));
    flow.running = true;
    void inbox.giveAgain();
    await flow.got(maxAgain);
    for (const { settled } of [...flow.given]) settled({ state: "interrupted" });
    await flow.got(2 * maxAgain);
    for (let i = 0; i < maxAgain; i += 1) await inbox.list({}, ""); // time to give more
    assert.equal(flow.given.length, 2 * maxAgain);
  });

  it("does not give again what the flow was done with while it gave others again", async () => {
    flow.running = false;
    await Promise.all(Array.from({ length: maxAgain + 1 }, () => accept()));
    flow.running = true;
    await accept();
    const givenAgain = inbox.giveAgain();
    await flow.got(1 + maxAgain);
    flow.given[0]!.settled(done);
    await counted("processed", 1);
    for (const { settled } of [...flow.given]) settled(done);
    await flow.got(2 + maxAgain);
    flow.given[1 + maxAgain]!.settled(done);
    await givenAgain;
    await counted("processed", 2 + maxAgain);
    assert.equal(flow.given.length, 2 + maxAgain);
    assert.deepEqual(inbox.counts, { waiting: 0, processed: 2 + maxAgain, "handed-over": 0, failed: 0 });
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
    await inbox.giveAgain();
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
    flow.given[0]!.settled(done);
    await accept({ a: 3 });
    assert.deepEqual(inbox.counts, { waiting: 2, processed: 0, "handed-over": 0, failed: 0 });
    await reopen();
    await flow.got(2);
    assert.deepEqual(
      flow.given.map(({ event }) => event.a),
      [2, 3],
    );
  });

  it("makes its directory anew where it is deleted before anything is stored since it was opened", async () => {
    await accept({ a: 1 });
    flow.given[0]!.settled(done);
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
    flow.given[0]!.settled(done);
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
        void inbox.giveAgain();
        await flow.got(1);
        assert.equal(flow.given[0]!.stored.times, 1);
      });
    }

    it("and not that it was sent and came to no node", async () => {
      await accept();
      flow.given[0]!.settled({ state: "interrupted", isUnseen: true });
      await flow.got(2);
      assert.equal(flow.given[1]!.stored.times, 1);
    });

    it("also where a deploy ended while it was written", async () => {
      flow.running = false;
      const accepted = accept();
      flow.running = true;
      await accepted;
      await flow.got(1);
      assert.equal(flow.given[0]!.stored.times, 1);
      await reopen();
      await flow.got(1);
      assert.equal(flow.given[0]!.stored.times, 2);
    });
  });

  it("gives again what a deploy has interrupted", async () => {
    await accept();
    flow.given[0]!.settled({ state: "interrupted" });
    await flow.got(2);
    assert.equal(flow.given[1]!.stored.times, 2);
  });

  it("keeps what nobody takes, until somebody does", async () => {
    flow.answer = "nobody";
    await accept({ a: 1 });
    await reopen();
    await inbox.giveAgain();
    flow.answer = "given";
    await inbox.giveAgain();
    assert.deepEqual(flow.given[0]!.event, { a: 1 });
  });

  for (const [state, outcome] of [
    ["failed", { state: "failed", error }],
    ["handed-over", { state: "handed-over" }],
  ] as const) {
    it(`gives ${state} events again when it is asked to`, async () => {
      for (let i = 0; i < 4; i += 1) await accept();
      flow.given.forEach(({ settled }, i) => settled(i === 3 ? done : outcome));
      await counted(state, 3);
      assert.equal((await inbox.list({ state }, "")).events.length, 3);
      flow.answer = "nobody";
      assert.deepEqual(await inbox.runAll(state), { run: 0, nowhere: 3 });
      assert.equal(inbox.counts?.[state], 3);
      flow.answer = "given";
      assert.deepEqual(await inbox.runAll(state), { run: 3, nowhere: 0 });
      await flow.got(7);
      assert.ok(flow.given.slice(4).every(({ stored }) => stored.error === undefined && stored.times === 2));
      flow.given.slice(4).forEach(({ settled }) => settled(done));
      await counted("processed", 4);
      assert.deepEqual(await inbox.runAll(state), { run: 0, nowhere: 0 });
      assert.deepEqual((await inbox.list({ state }, "")).events, []);
    });
  }

  describe("marks what is given again as superseded", () => {
    it("where a later event about the same change was given before", async () => {
      await accept(changeOf(1, 1000));
      await accept(changeOf(1, 2000));
      flow.given[1]!.settled(done);
      await counted("processed", 1);
      await reopen();
      await flow.got(1);
      assert.equal(flow.given[0]!.stored.superseded, true);
    });

    it("but not where that one waits for its turn", async () => {
      await accept(changeOf(1, 1000));
      await accept(changeOf(1, 2000));
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
        flow.answer = "nobody"; // what the flow has is not deleted at all
      });
      afterEach(() => mock.timers.reset());
      const times = async () => {
        const { events } = await inbox.list({}, "");
        return events.map(({ receivedAt }) => Date.parse(receivedAt));
      };
      /** Opens it anew, on a clock that the test sets. */
      const begin = async (days: number) => {
        await inbox.close();
        const clock = () => ({ ...time });
        inbox = new Inbox((options) => SqliteStore.open(dir, options), flow, {
          ...{ days, clock },
          changed: () => onChange(),
        });
        await inbox.list({}, ""); // it is open
      };
      /** Lets an hour go by, in which the clock may be set, and resolves when what is too old is deleted. */
      const anHour = async (setBy = 0) => {
        time = { wall: time.wall + cleanEvery + setBy, steady: time.steady + cleanEvery };
        mock.timers.tick(cleanEvery);
        // It asks the store for less than that, one after the other.
        for (let i = 0; i < 9; i += 1) await inbox.list({}, "");
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
      flow.given.forEach(({ settled }, i) => i % 2 === 1 && settled(done));
      await counted("processed", 500);
      await accept();
      assert.deepEqual(inbox.counts, { waiting: 501, processed: 0, "handed-over": 0, failed: 0 });
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
      flow.given[0]!.settled(done);
      await counted("processed", 1);
      assert.equal(await accept(), "stored");
      assert.equal(inbox.problem, undefined);
    });

    it("for good, with what the files hold of it", async () => {
      const secret = "0170 5550199";
      const files = () => readdirSync(dir).map((name) => readFileSync(join(dir, name), "latin1"));
      await accept({ phone: secret });
      assert.ok(files().some((text) => text.includes(secret)));
      flow.given[0]!.settled(done);
      await counted("processed", 1);
      assert.equal(await inbox.clear(), 1);
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
    const note = (method: "some" | "someFrom" | "list" | "get") => {
      const real = SqliteStore.prototype[method] as (...args: unknown[]) => Promise<unknown>;
      mock.method(SqliteStore.prototype, method, async function (this: SqliteStore, ...args: unknown[]) {
        const result = await real.apply(this, args);
        const { events } = Array.isArray(result) ? { events: result } : (result as { events: unknown[] });
        const text = JSON.stringify(result);
        assert.ok(!text.includes(filler), `${method} reads no event whole`);
        came.push({ events: events.length, characters: text.length });
        return result;
      });
    };
    for (const method of ["some", "someFrom", "list", "get"] as const) note(method);
    const events = 2 * step + 1;
    try {
      await Promise.all(
        Array.from({ length: events }, (_, i) => accept({ ...changeOf(i, 1000 + i), filler })),
      );
      for (const { settled } of flow.given) settled({ state: "failed", error });
      await counted("failed", events);
      for (const filter of [{}, { state: "failed" as const }, { topic: "none" }, { job: "7" }])
        for (let before: string | null = ""; before !== null;)
          before = (await inbox.list(filter, before)).next;
      flow.running = false;
      await inbox.runAll("failed");
      await counted("waiting", events);
      flow.given = [];
      flow.running = true;
      await reopen();
      await flow.got(maxAgain);
      for (let done = 0; done < events; done += 1) {
        await flow.got(done + 1);
        flow.given[done]!.settled({ state: "processed" });
      }
      await counted("processed", events);
      assert.equal(await inbox.clear(), events);
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
    flow.given[99]!.settled({ state: "failed", error });
    await counted("failed", 1);
    const places = async (filter: Parameters<Inbox["list"]>[0]) => {
      const found: number[] = [];
      for (let before: string | null = ""; before !== null;) {
        const { events, next }: Awaited<ReturnType<Inbox["list"]>> = await inbox.list(filter, before);
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

  it("says that it is closed to what it could not store any more, and keeps what it had stored", async () => {
    await accept();
    const accepted = Array.from({ length: 600 }, () => accept().catch((error: unknown) => error));
    await inbox.close();
    const results = await Promise.all(accepted);
    assert.ok(results.every((result) => result === "stored" || result instanceof Closed));
    flow.given = [];
    open();
    const stored = results.filter((result) => result === "stored").length + 1;
    await flow.got(Math.min(stored, maxAgain));
    assert.equal(inbox.counts?.waiting, stored);
  });
});
