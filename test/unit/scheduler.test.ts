import assert from "node:assert/strict";
import fc from "fast-check";
import { againAtMost, maxAgain, Pace, turnAtMost, Turns, watchFor } from "../../src/inbox/scheduler";

describe("the turns of events that come one after the other", () => {
  const wait = (turns: Turns, seq: string, now = 0, order = seq) => turns.wait("k", { seq, order }, now);

  it("are one's at a time, of each key, and free again when it ends", () => {
    const turns = new Turns();
    assert.ok(turns.isFree("k", "1"));
    assert.equal(turns.begin("k", "1", 0), false);
    assert.deepEqual(
      [turns.isFree("k", "1"), turns.isFree("k", "2"), turns.isFree("other", "2")],
      [true, false, true],
    );
    assert.equal(turns.end("k", "2", 1), undefined);
    assert.ok(!turns.isFree("k", "2"));
    assert.equal(turns.end("k", "1", 1), undefined);
    assert.ok(turns.isFree("k", "2"));
  });

  it("go to those that wait by their order, and to each once", () => {
    const turns = new Turns();
    turns.begin("k", "1", 0);
    for (const seq of ["4", "2", "3", "2", "4"]) wait(turns, seq);
    wait(turns, "5", 0, "0");
    for (const [over, next] of [
      ["1", "5"],
      ["5", "2"],
      ["2", "3"],
      ["3", "4"],
      ["4", undefined],
    ] as const)
      assert.equal(turns.end("k", over, 0), next);
  });

  it("do not go to one that is dealt with while it waits", () => {
    const turns = new Turns();
    turns.begin("k", "1", 0);
    for (const seq of ["2", "3"]) wait(turns, seq);
    assert.equal(turns.end("k", "2", 0), undefined);
    assert.equal(turns.end("k", "1", 0), "3");
  });

  it("say how long they last at most, and whether somebody waits for them", () => {
    const turns = new Turns();
    turns.begin("k", "1", 1000);
    assert.equal(wait(turns, "2", 1000), turnAtMost);
    assert.equal(wait(turns, "3", 11_000), turnAtMost - 10_000);
    assert.equal(wait(turns, "3", 99_000), 0);
    turns.end("k", "1", 99_000);
    assert.equal(turns.begin("k", "2", 99_000), true);
    turns.end("k", "2", 99_000);
    assert.equal(turns.begin("k", "3", 99_000), false);
  });

  it("go on after so long, and what is late ends no other's turn", () => {
    const turns = new Turns();
    turns.begin("k", "1", 0);
    turns.begin("alone", "9", 0);
    wait(turns, "2");
    wait(turns, "3");
    assert.deepEqual(turns.late(turnAtMost - 1), []);
    assert.deepEqual(turns.late(turnAtMost), ["2"]);
    assert.deepEqual(turns.late(turnAtMost), []);
    assert.equal(turns.end("k", "1", turnAtMost), undefined);
    assert.ok(turns.isFree("k", "2") && !turns.isFree("k", "3"));
  });

  it("that are not taken pass, and others do not", () => {
    const turns = new Turns();
    turns.begin("k", "1", 0);
    wait(turns, "2");
    wait(turns, "3");
    const none = { over: [], next: [] };
    assert.deepEqual(turns.pass("1", ["k"], 0), none, "it was given");
    assert.equal(turns.end("k", "1", 0), "2");
    assert.deepEqual(turns.pass("3", ["k"], 0), none, "it is not its turn");
    assert.deepEqual(turns.pass("2", ["k", "other"], 0), { over: ["k"], next: ["3"] });
    assert.deepEqual(turns.pass("3", ["k"], 0), { over: ["k"], next: [] });
    assert.ok(turns.isFree("k", "4"));
  });

  it("that cannot be taken now are nobody's, with all that waited for them", () => {
    const turns = new Turns();
    turns.begin("k", "1", 0);
    wait(turns, "3");
    wait(turns, "2");
    assert.deepEqual(turns.scatter("k", "1"), [], "it was given");
    assert.deepEqual(turns.scatter("k", "2"), [], "it is not its turn");
    assert.equal(turns.end("k", "1", 0), "2");
    assert.deepEqual(turns.scatter("k", "2"), ["2", "3"]);
    assert.deepEqual(turns.scatter("k", "2"), []);
    assert.ok(turns.isFree("k", "4"));
  });

  it("let no two of a key be given at once within the time, keep the order, and let nobody wait for ever", () => {
    const key = fc.integer({ min: 0, max: 2 }).map((n) => `k${n}`);
    const step = fc.oneof(
      // An event comes, of this key and with a change at this time.
      { weight: 5, arbitrary: fc.record({ key, order: fc.integer({ min: 0, max: 9 }) }) },
      // The flow is done with one of those that it has; time goes by; one that comes next is gone.
      { weight: 3, arbitrary: fc.record({ over: fc.nat(99) }) },
      { weight: 2, arbitrary: fc.record({ after: fc.integer({ min: 1, max: 2 * turnAtMost }) }) },
      { weight: 1, arbitrary: fc.record({ gone: fc.nat(99) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const model = new Model();
        for (const each of steps) {
          if ("key" in each) model.comes(each.key, String(each.order));
          else if ("over" in each) model.over(each.over);
          else if ("after" in each) model.passes(each.after);
          else model.goes(each.gone);
        }
        model.end();
      }),
      { numRuns: 500 },
    );
  });
});

interface Event {
  seq: string;
  key: string;
  order: string;
  since?: number;
}

/** Gives events as `InOrder` does, and asserts what has to hold. */
class Model {
  readonly #turns = new Turns();
  #now = 0;
  readonly #events = new Map<string, Event>();
  readonly #waiting = new Set<Event>();
  readonly #withFlow = new Set<Event>();
  readonly #gone = new Set<Event>();

  comes(key: string, order: string): void {
    const seq = String(this.#events.size + 1).padStart(3, "0");
    const event = { seq, key, order };
    this.#events.set(seq, event);
    this.#begin(event);
  }

  #begin(event: Event): void {
    const { seq, key, order } = event;
    if (!this.#turns.isFree(key, seq)) {
      this.#waiting.add(event);
      const wait = this.#turns.wait(key, { seq, order }, this.#now);
      assert.ok(wait >= 0 && wait <= turnAtMost);
      return;
    }
    for (const other of this.#withFlow)
      assert.ok(other.key !== key || this.#now - other.since! >= turnAtMost, "two at once");
    const isBehind = (other: Event) => `${other.order} ${other.seq}` < `${order} ${seq}`;
    for (const other of this.#waiting)
      assert.ok(other === event || other.key !== key || !isBehind(other), "out of order");
    this.#waiting.delete(event);
    this.#withFlow.add(Object.assign(event, { since: this.#now }));
    this.#turns.begin(key, seq, this.#now);
  }

  #have(seqs: string[]): void {
    for (const seq of seqs) {
      const event = this.#events.get(seq)!;
      if (!this.#gone.delete(event)) this.#begin(event);
      this.#have(this.#turns.pass(seq, [event.key], this.#now).next);
    }
  }

  over(which: number): void {
    const all = [...this.#withFlow];
    const event = all[which % all.length];
    if (!event) return;
    this.#withFlow.delete(event);
    const next = this.#turns.end(event.key, event.seq, this.#now);
    this.#have(next === undefined ? [] : [next]);
  }

  passes(time: number): void {
    this.#now += time;
    this.#have(this.#turns.late(this.#now));
  }

  /** One that waits is not there any more when its turn comes. */
  goes(which: number): void {
    const all = [...this.#waiting];
    const event = all[which % all.length];
    if (!event) return;
    this.#waiting.delete(event);
    this.#gone.add(event);
  }

  /** Even where the flow is done with none, each gets its turn. */
  end(): void {
    for (let left = this.#waiting.size; left > 0; left -= 1) this.passes(turnAtMost);
    assert.equal(this.#waiting.size, 0, "some wait for ever");
  }
}

describe("the pace of what is given again", () => {
  /** Gives as many as may be, and names them by number. */
  const fill = (pace: Pace, now: number, given: string[]) => {
    const free = pace.free(now);
    for (let i = 0; i < free; i += 1) {
      given.push(String(given.length));
      pace.give(given.at(-1)!, now);
    }
    return free;
  };

  it("begins with one, and goes on as that succeeds, up to its most", () => {
    const pace = new Pace();
    const given: string[] = [];
    const widths: number[] = [];
    for (let over = 0; over < 8; over += 1) {
      fill(pace, 0, given);
      widths.push(given.length - over);
      assert.equal(pace.over(String(over), true, 0), true);
    }
    assert.deepEqual(widths, [1, 2, 4, 8, 16, maxAgain, maxAgain, maxAgain]);
  });

  it("knows only what was given by it, and each once", () => {
    const pace = new Pace();
    assert.equal(pace.over("0", true, 0), false);
    fill(pace, 0, []);
    assert.deepEqual([pace.over("0", true, 0), pace.over("0", true, 0)], [true, false]);
    assert.equal(pace.free(0), 2);
  });

  it("does not wait longer than so long for one", () => {
    const pace = new Pace();
    fill(pace, 5, []);
    assert.equal(pace.free(5 + againAtMost - 1), 0);
    assert.equal(pace.wait(5 + againAtMost - 1), 1);
    assert.equal(pace.free(5 + againAtMost), 2);
  });

  it("does not change with a failure when nodes are ready", () => {
    const pace = new Pace();
    const given: string[] = [];
    fill(pace, 0, given);
    pace.over("0", true, 0);
    fill(pace, 0, given);
    pace.over("1", false, 0);
    assert.equal(pace.free(0), 1);
  });

  for (const [what, isReady, at] of [
    ["rests a second after a failure while nodes may not be ready, and begins with one again", false, 59_999],
    ["does not rest when they have had a minute", true, 60_000],
  ] as const) {
    it(what, () => {
      const pace = new Pace();
      pace.begin(0);
      const given: string[] = [];
      for (let over = 0; over < 3; over += 1) {
        fill(pace, at, given);
        pace.over(String(over), true, at);
      }
      fill(pace, at, given);
      pace.over("3", false, at);
      if (!isReady) {
        assert.deepEqual([pace.free(at), pace.wait(at), pace.free(at + 999)], [0, 1000, 0]);
        for (let over = 4; over < given.length; over += 1) pace.over(String(over), false, at);
        assert.equal(pace.free(at + 1000), 1);
      } else assert.equal(pace.free(at), 1);
    });
  }

  it("begins with one again when the flows start, and counts those that the flow has", () => {
    const pace = new Pace();
    const given: string[] = [];
    for (let over = 0; over < 3; over += 1) {
      fill(pace, 0, given);
      pace.over(String(over), true, 0);
    }
    fill(pace, 0, given);
    pace.begin(0);
    assert.equal(pace.free(0), 0);
    for (let over = 3; over < given.length; over += 1) pace.over(String(over), false, 0);
    assert.equal(pace.free(1000), 1);
  });
});

describe("watchFor", () => {
  for (const [ends, expected] of [
    [0, 2000],
    [1, 2000],
    [2, 10_000],
    [3, 30_000],
    [9, 30_000],
  ] as const) {
    it(`is ${expected} ms after ${ends} ends in a row`, () => assert.equal(watchFor(ends, 1), expected));
  }

  it("is no more than five minutes for all of them, however many", () => {
    for (const [ends, count] of [
      [1, 1000],
      [2, 300],
      [9, 50],
    ] as const)
      assert.ok(watchFor(ends, count) * count <= 300_000);
  });
});
