import assert from "node:assert/strict";
import fc from "fast-check";
import { earliest, isBelieved, possible, proof, tooOld, type Mark } from "../../src/inbox/age";

const hour = 3_600_000;
const day = 24 * hour;
const at = Date.UTC(2027, 0, 15, 12);

describe("the age of an event", () => {
  describe("is looked at", () => {
    for (const [when, wall, steady, expected] of [
      ["an hour after the inbox was opened", hour, hour, true],
      ["after days, too", 9 * day, 9 * day, true],
      ["not before", hour - 1, hour - 1, false],
      ["where the clock was slowed down a little", hour - 30_000, hour, true],
      ["not where the clock was set ahead", 8 * day, hour, false],
      ["not where it was set back", -8 * day, hour, false],
      ["not where it was set from 1970", at, hour, false],
      ["not where the machine slept", 3 * hour, hour, false],
    ] as const) {
      it(when, () => {
        const before = { wall: when.includes("1970") ? 0 : at, steady: 5000 };
        const now = { wall: before.wall + wall, steady: before.steady + steady };
        assert.equal(isBelieved(now, before), expected);
      });
    }

    for (const [when, wall] of [
      ["in 1970", 60_000],
      ["in 2020", Date.UTC(2020, 5)],
      ["before the first version was made", earliest - 1],
    ] as const) {
      it(`not where the clock says that it is ${when}, however long`, () => {
        assert.equal(isBelieved({ wall, steady: 9 * day }, { wall: wall - 9 * day, steady: 0 }), false);
      });
    }
  });

  for (const [time, receivedAt, expected] of [
    ["1970", 0, false],
    ["2020", Date.UTC(2020, 5), false],
    ["last month", at - 30 * day, true],
    ["now", at, true],
    ["in half a minute", at + 30_000, true],
    ["tomorrow", at + day, false],
    ["in 2038", Date.UTC(2038, 0), false],
  ] as const) {
    it(`${expected ? "can" : "cannot"} be that of one that came ${time}`, () => {
      const { from, to } = possible({ wall: at, steady: 0 });
      assert.equal(receivedAt >= from && receivedAt <= to, expected);
    });
  }

  it("is over after as many days for what was there before, and for what has come since only when so many have passed", () => {
    const mark = (hours: number, seq: string): Mark => ({ wall: at, steady: hours * hour, seq });
    const marks = [mark(0, "10"), mark(1, "20"), mark(23, "30"), mark(25, "40")];
    const seqAt = (hours: number) => tooOld(marks, { wall: at, steady: hours * hour }, 1).seq;
    assert.deepEqual([0, 23, 24, 25, 47, 49].map(seqAt), ["10", "10", "10", "20", "30", "40"]);
    assert.equal(tooOld(marks, { wall: at, steady: 0 }, 1).before, at - day);
    assert.equal(tooOld(marks, { wall: at, steady: 0 }, 1e9).before, 0);
  });

  /** What happens in an hour: how many milliseconds the clock is set by, and whether Node-RED is started anew. */
  const hours = (setBy: fc.Arbitrary<number>) =>
    fc.array(fc.record({ setBy, restart: fc.boolean(), quiet: fc.nat(30) }), { maxLength: 40 });
  const anySet = fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    fc.integer({ min: -20 * day, max: 20 * day }),
    fc.constant(-at),
    fc.constant(Date.UTC(2020, 0) - at),
  );
  const days = 2;

  /** An inbox that gets an event each hour, as `Inbox` applies the rules. All times are in milliseconds. */
  class Simulated {
    time = at;
    offset = 0;
    #startedAt = at;
    #marks: Mark[] = [];
    #seq = 0;
    events: { seq: string; receivedAt: number; cameAt: number; session: number }[] = [];
    deleted: (typeof this.events)[number][] = [];

    get #now() {
      return { wall: this.time + this.offset, steady: this.time - this.#startedAt };
    }
    get session() {
      return this.#startedAt;
    }
    start() {
      this.#startedAt = this.time;
      this.#marks = [{ ...this.#now, seq: String(this.#seq).padStart(15, "0") }];
    }
    accept() {
      const seq = String((this.#seq += 1)).padStart(15, "0");
      const { wall } = this.#now;
      this.events.push({ seq, receivedAt: wall, cameAt: this.time, session: this.session });
    }
    clean() {
      const mark = { ...this.#now, seq: String(this.#seq).padStart(15, "0") };
      const last = this.#marks.at(-1)!;
      this.#marks.push(mark);
      if (!isBelieved(mark, last)) return;
      const { from, to } = possible(mark);
      for (const event of this.events)
        if (event.receivedAt < from || event.receivedAt > to) event.receivedAt = mark.wall;
      const { before, seq } = tooOld(this.#marks, mark, days);
      const isOld = (event: { receivedAt: number; seq: string }) =>
        event.receivedAt < before && event.seq <= seq;
      this.deleted.push(...this.events.filter(isOld));
      this.events = this.events.filter((event) => !isOld(event));
    }
    /** Some hours, in each of which an event comes. */
    pass(count: number) {
      for (let i = 0; i < count; i += 1) {
        this.accept();
        this.time += proof;
        this.clean();
      }
    }
  }

  it("is never over before its days for what came while Node-RED ran, whatever is done to the clock", () => {
    fc.assert(
      fc.property(hours(anySet), (all) => {
        const inbox = new Simulated();
        inbox.start();
        for (const { setBy, restart, quiet } of all) {
          if (restart) inbox.start();
          inbox.offset += setBy;
          const before = inbox.deleted.length;
          inbox.pass(1 + quiet);
          for (const { session, cameAt } of inbox.deleted.slice(before))
            if (session === inbox.session) assert.ok(inbox.time - cameAt >= days * day);
        }
      }),
    );
  });

  it("is over in the end for all, also for what came while the clock was wrong", () => {
    fc.assert(
      fc.property(hours(anySet), (all) => {
        const inbox = new Simulated();
        inbox.start();
        for (const { setBy, restart, quiet } of all) {
          if (restart) inbox.start();
          inbox.offset += setBy;
          inbox.pass(1 + quiet);
        }
        inbox.offset = 0;
        const right = inbox.time;
        inbox.start();
        inbox.pass(days * 24 + 2);
        assert.ok(inbox.events.every(({ cameAt }) => cameAt >= right));
      }),
    );
  });

  it("is over when its days are, where the clock is right", () => {
    fc.assert(
      fc.property(hours(fc.constant(0)), (all) => {
        const inbox = new Simulated();
        inbox.start();
        for (const { quiet } of all) {
          inbox.pass(1 + quiet);
          for (const { cameAt } of inbox.events) assert.ok(inbox.time - cameAt <= days * day + 2 * hour);
        }
        for (const { cameAt } of inbox.deleted) assert.ok(inbox.time - cameAt >= days * day);
      }),
    );
  });
});
