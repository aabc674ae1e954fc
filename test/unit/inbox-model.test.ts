import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mock } from "node:test";
import fc from "fast-check";
import type { Delivery } from "../../src/inbox/deliveries";
import { Inbox, type Flow, type Outcome } from "../../src/inbox/inbox";
import { turnAtMost } from "../../src/inbox/scheduler";
import { SqliteStore } from "../../src/inbox/sqlite-store";
import type { StoredEvent } from "../../src/inbox/stored-event";

const error = { text: "down", node: { id: "n", type: "function" } };
const outcomes = {
  processed: { state: "processed" },
  failed: { state: "failed", error },
  stays: { state: "failed", error, stays: true },
  interrupted: { state: "interrupted" },
  unseen: { state: "interrupted", isUnseen: true },
  reopened: { state: "reopened" },
} as const satisfies Record<string, Outcome>;

/** How long all that waits may take at the end, in milliseconds: less than what keeps others waiting. */
const endWithin = 20_000;

const which = fc.nat(999);
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ accept: fc.nat(2), at: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ resend: which }) },
  {
    weight: 9,
    arbitrary: fc.record({
      verdict: which,
      outcome: fc.constantFrom("processed", "processed", "failed", "stays", "interrupted", "unseen"),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ late: which, outcome: fc.constantFrom("processed", "failed", "reopened") }),
  },
  { weight: 2, arbitrary: fc.record({ pause: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ running: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ isThere: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ reopen: fc.constantFrom("closed", "crashed") }) },
  { weight: 2, arbitrary: fc.record({ run: which, all: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ settle: which }) },
  { weight: 2, arbitrary: fc.record({ wait: fc.constant(true) }) },
) as fc.Arbitrary<Step>;

type Step =
  | { accept: number; at: number }
  | { resend: number }
  | { verdict: number; outcome: keyof typeof outcomes }
  | { late: number; outcome: keyof typeof outcomes }
  | { pause: boolean }
  | { running: boolean }
  | { isThere: boolean }
  | { reopen: "closed" | "crashed" }
  | { run: number; all: boolean }
  | { settle: number }
  | { wait: true };

interface Given {
  seq: string;
  node: string;
  times: number;
}

interface Sent {
  number: number;
  job: number;
  at: number;
}

const keyFor = ({ seq, node }: { seq: string; node: string }) => `${seq} ${node}`;

/** An inbox, its flow, and what has to hold of them. */
class Model implements Flow {
  running = true;
  #nodes = ["a", "b"];
  /** Whether the flow is done with all that it gets. */
  #isDone = false;
  /** What the flow has, by event and node; and what it has had. */
  readonly #has = new Map<string, Given>();
  readonly #had = new Map<string, Given>();
  /** What is processed, and nobody wants again. */
  readonly #processed = new Set<string>();
  /** By job and node: which of its events the flow was given last, and since when. */
  readonly #turns = new Map<string, { seq: string; since: number }>();
  /** What was accepted for a node that was there, and was not given to it yet. */
  readonly #coming = new Set<string>();
  /** The events that were accepted, by seq. */
  readonly #accepted = new Map<string, Sent>();
  #sent = 0;
  #isPaused = false;
  #copies = 0;
  #dir: string;
  #inbox: Inbox;
  #wrong: unknown;

  constructor(
    private readonly root: string,
    private readonly isInOrder: boolean,
  ) {
    this.#dir = join(root, "inbox");
    this.#inbox = this.#open();
  }

  #open(isFirst = false): Inbox {
    return new Inbox((options) => SqliteStore.open(this.#dir, options), this, {
      ...{ days: 7, retries: [0.002, 0.002], isFirst },
      changed: () => undefined,
      setAside: (node) => ({ text: "set aside", node: { id: node, type: "radaro in" } }),
    });
  }

  receivers(): string[] {
    return [...this.#nodes];
  }

  get nodes(): string[] {
    return this.#nodes;
  }

  receiver(id: string): { isInOrder: boolean } | undefined {
    return this.#nodes.includes(id) ? { isInOrder: this.isInOrder } : undefined;
  }

  give(stored: StoredEvent, nodes: string[]): string[] {
    if (!this.running) return [];
    const got = nodes.filter((node) => this.#nodes.includes(node));
    for (const node of got) {
      const given = { seq: stored.seq, node, times: this.#timesOf(stored, node) };
      try {
        this.#check(stored, node);
      } catch (error) {
        this.#wrong ??= error;
      }
      this.#has.set(keyFor(given), given);
      this.#coming.delete(keyFor(given));
      if (this.#isDone) queueMicrotask(() => void this.#say(given, "processed"));
    }
    return got;
  }

  #timesOf({ deliveries = [] }: StoredEvent, node: string): number {
    return deliveries.find((each) => each.node === node)!.times;
  }

  #check({ seq, orderId, changedAt }: StoredEvent, node: string): void {
    const key = keyFor({ seq, node });
    assert.ok(!this.#processed.has(key), `${key} is processed, and given again`);
    assert.ok(!this.#isPaused, `${key} is given while paused`);
    if (!this.isInOrder) return;
    const job = `${orderId as number} ${node}`;
    const turn = this.#turns.get(job);
    const isTaken = turn && turn.seq !== seq && performance.now() - turn.since < turnAtMost;
    assert.ok(!isTaken, `${key} is given while the flow has ${turn?.seq} of its job`);
    this.#turns.set(job, { seq, since: performance.now() });
    const changed = (Date.parse(`${changedAt}Z`) - 1e12) / 1000;
    for (const [other, { job, at }] of this.#accepted) {
      const isEarlier = orderId === job && other < seq && at <= changed;
      const isOvertaken = isEarlier && this.#coming.has(keyFor({ seq: other, node }));
      assert.ok(!isOvertaken, `${key} is given before ${other} of its job`);
    }
  }

  /** The flow, or somebody, says what has become of a delivery. */
  async #say(given: Given, name: keyof typeof outcomes): Promise<void> {
    const key = keyFor(given);
    const { seq, node, times } = given;
    // Nobody interrupts what the flow does not have any more.
    if (outcomes[name].state === "interrupted" && !this.#inbox.isWithFlow(seq, node, times)) return;
    this.#had.set(key, given);
    if (name === "reopened") this.#has.set(key, given);
    else if (name !== "stays") this.#has.delete(key);
    if (name !== "reopened") this.#endTurns(seq, [node]);
    if (name !== "processed") this.#processed.delete(key);
    assert.ok(await this.#inbox.heard(seq, node, outcomes[name]));
    if (name === "processed") this.#processed.add(key);
  }

  /** The next of its job may come to these. */
  #endTurns(seq: string, nodes: string[]): void {
    for (const [job, turn] of this.#turns)
      if (turn.seq === seq && nodes.some((node) => job.endsWith(` ${node}`))) this.#turns.delete(job);
  }

  async run(steps: Step[]): Promise<void> {
    try {
      for (const each of steps) {
        await this.#do(each);
        if (this.#wrong) throw this.#wrong as Error;
      }
      await this.#end();
    } finally {
      await this.#inbox.close();
    }
  }

  async #do(step: Step): Promise<void> {
    const { events } = this.#inbox;
    const pick = <T>(all: Iterable<T>, n: number): T | undefined => {
      const list = [...all];
      return list[n % list.length];
    };
    if ("accept" in step) await this.#accept(step.accept, step.at);
    else if ("resend" in step) {
      const sent = pick(this.#accepted.values(), step.resend);
      if (sent) assert.equal(await this.#send(sent), "duplicate");
    } else if ("verdict" in step) {
      const given = pick(this.#has.values(), step.verdict);
      if (given) await this.#say(given, step.outcome);
    } else if ("late" in step) {
      const given = pick(this.#had.values(), step.late);
      if (given) await this.#say(given, step.outcome);
    } else if ("pause" in step) await this.#pause(step.pause);
    else if ("running" in step) await this.#deploy(step.running);
    else if ("isThere" in step) {
      this.#nodes = step.isThere ? ["a", "b"] : ["a"];
      await this.#interrupt(({ node }) => !this.#nodes.includes(node));
      this.#inbox.start();
    } else if ("reopen" in step) await this.#reopen(step.reopen);
    else if ("run" in step) {
      const seq = pick(this.#accepted.keys(), step.run);
      if (seq === undefined) return;
      const { deliveries } = (await events.read(seq))!.stored;
      // What was settled before its nodes were known goes to those that want it now.
      if (step.all || deliveries?.length === 0)
        for (const node of ["a", "b"]) this.#processed.delete(keyFor({ seq, node }));
      await events.run([seq], step.all);
    } else if ("settle" in step) {
      const seq = pick(this.#accepted.keys(), step.settle);
      if (seq === undefined) return;
      this.#endTurns(seq, ["a", "b"]);
      assert.ok(await events.settle(seq));
      this.#endTurns(seq, ["a", "b"]); // it may just have been given
      for (const node of ["a", "b"]) this.#processed.add(keyFor({ seq, node }));
      for (const node of ["a", "b"]) this.#coming.delete(keyFor({ seq, node }));
    } else await this.#timeToGive();
  }

  async #accept(job: number, at: number): Promise<void> {
    this.#sent += 1;
    const sent = { number: this.#sent, job, at };
    const nodes = this.running ? this.#nodes : [];
    assert.equal(await this.#send(sent), "stored");
    const [{ seq }] = (await this.#inbox.events.list({}, "")).events as [StoredEvent];
    this.#accepted.set(seq, sent);
    for (const node of nodes) {
      const key = keyFor({ seq, node });
      if (!this.#has.has(key) && !this.#had.has(key) && !this.#processed.has(key)) this.#coming.add(key);
    }
  }

  #send({ number, job, at }: Sent): Promise<"stored" | "duplicate"> {
    const event = { number, order_id: job, updated_at: new Date(1e12 + at * 1000).toISOString() };
    const body = Buffer.from(JSON.stringify(event));
    return this.#inbox.accept(event, { path: "/radaro", body, receivedAt: new Date() });
  }

  /** What was begun before is over then: it asks the store less often. */
  async #timeToGive(): Promise<void> {
    for (let i = 0; i < 9; i += 1) await this.#inbox.events.list({}, "");
  }

  async #pause(isPaused: boolean): Promise<void> {
    if (!isPaused) this.#isPaused = false;
    await this.#inbox.pause(isPaused);
    this.#isPaused = isPaused;
  }

  async #deploy(running: boolean): Promise<void> {
    this.running = running;
    if (running) this.#inbox.start();
    else await this.#interrupt(() => true);
  }

  async #interrupt(isStopped: (given: Given) => boolean): Promise<void> {
    for (const given of [...this.#has.values()].filter(isStopped)) {
      // What somebody has settled meanwhile it was done with before.
      const isWithFlow = this.#inbox.isWithFlow(given.seq, given.node, given.times);
      await this.#say(given, isWithFlow ? "interrupted" : "processed");
    }
  }

  async #reopen(how: "closed" | "crashed"): Promise<void> {
    const isCrash = how === "crashed";
    if (isCrash) {
      this.#copies += 1;
      await this.#inbox.events.list({}, ""); // it is open
      const copy = join(this.root, `crashed-${this.#copies}`);
      cpSync(this.#dir, copy, { recursive: true });
      await this.#inbox.close();
      this.#dir = copy;
      await this.#forget();
    } else await this.#inbox.close();
    this.#has.clear();
    this.#turns.clear();
    this.#inbox = this.#open(isCrash);
  }

  /** What the flow was done with just before a crash may not be on disk. */
  async #forget(): Promise<void> {
    const store = await SqliteStore.open(this.#dir);
    const { events } = await store.list({}, "", 999);
    await store.close();
    for (const { seq, deliveries } of events)
      for (const node of ["a", "b"]) {
        const isProcessed = deliveries && (find(deliveries, node)?.state ?? "processed") === "processed";
        if (!isProcessed) this.#processed.delete(keyFor({ seq, node }));
      }
    this.#isPaused &&= store.settings.isPaused;
  }

  /** All is there, and the flow is done with everything. */
  async #end(): Promise<void> {
    this.#isDone = true;
    this.#nodes = ["a", "b"];
    this.running = true;
    await this.#pause(false);
    for (const given of this.#has.values()) await this.#say(given, "processed");
    await this.#until("nothing waits", (events) => events.every(({ deliveries }) => !isWaiting(deliveries)));
    ahead += 3 * 60_000;
    await this.#reopen("closed");
    const comesAgain = ({ againAt }: Delivery) => againAt !== undefined;
    await this.#until("nothing comes again", (events) =>
      events.every(({ deliveries = [] }) => !isWaiting(deliveries) && !deliveries.some(comesAgain)),
    );
    const failed = (await this.#all()).filter(({ state }) => state === "failed").length;
    assert.deepEqual(await this.#inbox.events.runAll({}), { run: failed, nowhere: 0 });
    await this.#until("all is processed", (events) => events.every(({ state }) => state === "processed"));
    const events = await this.#all();
    const seqs = events.map(({ seq }) => seq).sort();
    assert.deepEqual(seqs, [...this.#accepted.keys()], "all that was accepted is there");
    await this.#reopen("closed");
    await this.#timeToGive();
    assert.deepEqual(this.#inbox.counts, { waiting: 0, processed: events.length, failed: 0 });
    assert.deepEqual([this.#inbox.failures("a"), this.#inbox.failures("b")], [0, 0]);
  }

  async #all(): Promise<StoredEvent[]> {
    const all: StoredEvent[] = [];
    for (let before: string | null = ""; before !== null;) {
      const page: Awaited<ReturnType<SqliteStore["list"]>> = await this.#inbox.events.list({}, before);
      all.push(...page.events);
      before = page.next;
    }
    return all;
  }

  async #until(what: string, holds: (events: StoredEvent[]) => boolean): Promise<void> {
    const end = performance.now() + endWithin;
    for (;;) {
      const events = await this.#all();
      if (this.#wrong) throw this.#wrong as Error;
      if (holds(events)) return;
      const left = events.map(({ seq, deliveries }) => ({ seq, deliveries }));
      assert.ok(performance.now() < end, `${what}: never, with ${JSON.stringify(left)}`);
    }
  }
}

const find = (deliveries: Delivery[], node: string) => deliveries.find((each) => each.node === node);
const isWaiting = (deliveries: Delivery[] | undefined) =>
  deliveries?.some(({ state }) => state === "waiting") ?? true;

/** By how much the clock is ahead, in milliseconds. */
let ahead = 0;

/** `RUNS=…` takes as many. */
const runs = Number(process.env.RUNS ?? 10);

describe("an inbox, whatever happens to it,", function () {
  this.timeout(12_000 * runs);
  beforeEach(() => {
    const { now } = Date;
    mock.method(Date, "now", () => now() + ahead);
  });
  afterEach(() => mock.restoreAll());

  it("loses nothing, gives nothing again that is processed, and lets nothing wait for ever", async () => {
    const steps = fc.array(step, { minLength: 5, maxLength: 50 });
    await fc.assert(
      fc.asyncProperty(steps, fc.boolean(), async (steps, isInOrder) => {
        const root = mkdtempSync(join(tmpdir(), "radaro-model-"));
        ahead = 0;
        try {
          await new Model(root, isInOrder).run(steps);
        } finally {
          rmSync(root, { recursive: true });
        }
      }),
      { numRuns: runs, interruptAfterTimeLimit: 2000 * runs, endOnFailure: true },
    );
  });
});
