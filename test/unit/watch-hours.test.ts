import assert from "node:assert/strict";
import { always, passedAt, readTime, type Hours } from "../../src/inbox/watch-hours";

const office: Hours = { from: 8 * 60, to: 18 * 60, days: [1, 2, 3, 4, 5] };
const night: Hours = { from: 22 * 60, to: 6 * 60, days: [5, 6] };

/** 2026-11-27 is a Friday. In Berlin clocks go ahead on 2026-03-29 at 2, and back on 2026-10-25 at 3. */
const table: [what: string, hours: Hours, since: string, count: number, at: string][] = [
  ["all hours", always, "2026-11-27T10:00", 5, "2026-11-27T15:00"],
  ["parts of an hour", always, "2026-11-27T10:00", 0.5, "2026-11-27T10:30"],
  ["hours of one day", office, "2026-11-27T10:00", 4, "2026-11-27T14:00"],
  ["the last hour of a day", office, "2026-11-27T10:00", 8, "2026-11-27T18:00"],
  ["no night and no weekend", office, "2026-11-27T17:00", 4, "2026-11-30T11:00"],
  ["from the morning on, where nothing came at night", office, "2026-11-26T23:00", 4, "2026-11-27T12:00"],
  ["several days", office, "2026-11-27T17:00", 25, "2026-12-02T12:00"],
  ["over midnight", night, "2026-11-27T23:00", 3, "2026-11-28T02:00"],
  ["over midnight, since after midnight", night, "2026-11-28T01:00", 2, "2026-11-28T03:00"],
  ["no hours of a night that begins on another day", night, "2026-11-27T01:00", 2, "2026-11-28T00:00"],
  ["the night of the last day", night, "2026-11-29T05:00", 2, "2026-12-04T23:00"],
  ["a day from noon to noon", { from: 720, to: 720, days: [1] }, "2026-11-27T10:00", 13, "2026-12-01T01:00"],
  ["from a time to midnight", { from: 720, to: 1440, days: [] }, "2026-11-27T23:00", 2, "2026-11-28T13:00"],
  ["from midnight to a time", { from: 0, to: 60, days: [] }, "2026-11-27T10:00", 2, "2026-11-29T01:00"],
  [
    "an hour less where clocks go ahead",
    { ...always, days: [0] },
    "2026-03-28T20:00",
    20,
    "2026-03-29T21:00",
  ],
  ["an hour more where they go back", { ...always, days: [0] }, "2026-10-24T20:00", 20, "2026-10-25T19:00"],
  ["times of day around that", office, "2026-03-27T17:00", 2, "2026-03-30T09:00"],
  ["nights around that", { from: 1320, to: 360, days: [] }, "2026-03-28T22:00", 7, "2026-03-29T06:00"],
];

describe("hours that count as silence", () => {
  let zone: string | undefined;
  before(() => {
    zone = process.env.TZ;
    process.env.TZ = "Europe/Berlin";
  });
  after(() => {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  });

  for (const [what, hours, since, count, at] of table) {
    it(`are ${what}`, () => {
      const passed = passedAt(new Date(since).getTime(), count, hours);
      assert.equal(new Date(passed).toString(), new Date(at).toString());
    });
  }

  it("do not come where there are not so many", () => {
    assert.equal(passedAt(Date.now(), 1e9, office), Infinity);
  });

  it("are read from times of day", () => {
    const read = ["08:00", "8:05", "00:00", "23:59", "08:00:00"].map(readTime);
    assert.deepEqual(read, [480, 485, 0, 1439, 480]);
    for (const wrong of ["", "8", "24:00", "08:60", "8 am", "-1:00"])
      assert.equal(readTime(wrong), undefined);
  });
});
