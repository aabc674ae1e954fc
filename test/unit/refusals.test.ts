import assert from "node:assert/strict";
import { Refusals } from "../../src/inbox/refusals";
import type { Reopening } from "../../src/inbox/reopening";
import type { Settings } from "../../src/inbox/store";

const hour = 3_600_000;
const start = Date.UTC(2026, 2, 5, 12);
const at = (hours: number) => new Date(start + hours * hour).toISOString();

describe("refused requests", () => {
  const settings = (refused: Settings["refused"]) => ({ isPaused: false, ends: 0, refused });
  const none = { alone: () => Promise.resolve(), now: Date.now() } as unknown as Reopening;
  let refusals: Refusals;
  beforeEach(() => (refusals = new Refusals(none, 7)));
  afterEach(() => refusals.close());

  it("are counted by why, with the first and the last time, and the first of an hour is told", () => {
    const told = [0, 0.5, 1.4, 2.5].map((hours) => refusals.add("wrong-token", start + hours * hour));
    assert.deepEqual(told, [true, false, false, true]);
    assert.equal(refusals.add("not-json", start + hour), true);
    assert.deepEqual(refusals.list(start + 3 * hour), [
      { why: "wrong-token", count: 4, first: at(0), last: at(2.5) },
      { why: "not-json", count: 1, first: at(1), last: at(1) },
    ]);
  });

  it("are forgotten when the days of the inbox are over", () => {
    refusals.add("no-token", start);
    assert.equal(refusals.list(start + 7 * 24 * hour - 1).length, 1);
    assert.deepEqual(refusals.list(start + 7 * 24 * hour), []);
    refusals.add("no-token", start + 8 * 24 * hour);
    assert.deepEqual(refusals.list(start + 8 * 24 * hour), [
      { why: "no-token", count: 1, first: at(192), last: at(192) },
    ]);
  });

  it("count with those that the store knows, which may be opened later, and once", () => {
    refusals.add("no-token", start + hour);
    const known = settings([{ why: "no-token", count: 5, first: at(-2), last: at(-1) }]);
    refusals.known(known);
    refusals.known(known);
    assert.deepEqual(refusals.list(start + hour), [
      { why: "no-token", count: 6, first: at(-2), last: at(1) },
    ]);
  });

  it("are saved when it is closed, and not where nothing was refused", () => {
    assert.equal(refusals.close(), undefined);
    refusals.add("no-token", Date.now());
    assert.equal(refusals.close()?.[0]?.count, 1);
  });
});
