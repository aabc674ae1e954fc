import assert from "node:assert/strict";
import { statusLine, statusTime, untilTomorrow } from "../../src/receiving/status-line";

describe("The time in a status", () => {
  const at = new Date(2026, 2, 2, 14, 5, 7);

  it("is the time of day today, and has its date from the next day on", () => {
    assert.equal(statusTime(at, at), "14:05:07");
    assert.equal(statusTime(at, new Date(2026, 2, 2, 23, 59, 59, 999)), "14:05:07");
    assert.equal(statusTime(at, new Date(2026, 2, 3)), "2026-03-02 14:05:07");
    assert.equal(statusTime(at, new Date(2027, 2, 2, 14, 5, 7)), "2026-03-02 14:05:07");
    // A clock that was ahead.
    assert.equal(statusTime(at, new Date(2026, 2, 1)), "2026-03-02 14:05:07");
  });

  it("is said anew as the day ends, however long the day is", () => {
    for (let month = 0; month < 24; month++) {
      for (const hour of [0, 2, 12, 23]) {
        const now = new Date(2026, month, 29, hour, 59, 59, 999);
        const then = new Date(now.getTime() + untilTomorrow(now));
        assert.notEqual(then.toDateString(), now.toDateString());
        assert.equal(new Date(then.getTime() - 1).toDateString(), now.toDateString());
      }
    }
  });
});

describe("A line about an event", () => {
  it("has the time first, then the topic and the job", () => {
    assert.equal(
      statusLine(["14:05:07"], "job.status_changed", "410077215"),
      "14:05:07 · job.status_changed · 410077215",
    );
    assert.equal(statusLine(["14:05:07", "test"], "job.deleted", ""), "14:05:07 · test · job.deleted");
  });

  it("fits below the node, whatever is in the event", () => {
    const topic = "checklist.start_of_day_checklist_passed";
    assert.equal(statusLine(["14:05:07"], topic, "7"), "14:05:07 · checklist.start_of_day_checklist… · 7");
    for (const length of [1, 10, 40, 5000]) {
      const line = statusLine(["2026-03-02 14:05:07", "test"], "t".repeat(length), "j".repeat(length));
      assert.ok(line.length <= 68, line);
    }
  });
});
