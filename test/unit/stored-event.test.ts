import assert from "node:assert/strict";
import fc from "fast-check";
import { prepare, sortable } from "../../src/inbox/stored-event";
import { readSamples, sampleNames } from "../events";

const arrival = { path: "/radaro", body: Buffer.from("{}"), receivedAt: new Date(0), times: 1 };

describe("sortable", () => {
  it("sorts as time does, whatever the offset, to the microsecond", () => {
    const time = fc.record({
      ms: fc.integer({ min: 0, max: 4e12 }),
      micros: fc.integer({ min: 0, max: 999 }),
      hours: fc.integer({ min: -12, max: 12 }),
    });
    const write = ({ ms, micros, hours }: { ms: number; micros: number; hours: number }) => {
      const local = new Date(ms + hours * 3_600_000).toISOString().slice(0, -1);
      const offset = `${hours < 0 ? "-" : "+"}${String(Math.abs(hours)).padStart(2, "0")}:00`;
      return `${local}${String(micros).padStart(3, "0")}${offset}`;
    };
    const inMicros = ({ ms, micros }: { ms: number; micros: number }) => BigInt(ms) * 1000n + BigInt(micros);
    fc.assert(
      // Times before 1970 in local time are none that Radaro sends.
      fc.property(time, time, (a, b) => {
        fc.pre(a.ms > 1e9 && b.ms > 1e9);
        const [first, second] = [sortable(write(a))!, sortable(write(b))!];
        assert.equal(first < second, inMicros(a) < inMicros(b));
        assert.equal(first === second, inMicros(a) === inMicros(b));
      }),
    );
  });

  it("reads times with fewer digits or none behind the second", () => {
    assert.equal(sortable("2026-03-05T14:24:31+00:00"), "2026-03-05T14:24:31.000000");
    assert.equal(sortable("2026-03-05T14:24:31.5Z"), "2026-03-05T14:24:31.500000");
  });

  it("knows what is no time", () => {
    for (const other of [
      undefined,
      null,
      5,
      "",
      "soon",
      "-000001-01-01T00:00:00Z",
      "+012026-01-01T00:00:00Z",
    ]) {
      assert.equal(sortable(other), undefined);
    }
  });
});

describe("prepare", () => {
  for (const name of sampleNames) {
    it(`keeps ${name} whole`, () => {
      const event = readSamples()[name];
      const { text, stored } = prepare(event, arrival);
      assert.deepEqual(JSON.parse(text), event);
      assert.equal(stored.size, Buffer.byteLength(text));
      assert.equal(stored.changedAt, sortable(event.updated_at) ?? "1970-01-01T00:00:00.000000");
      assert.deepEqual([stored.state, stored.times], ["waiting", 1]);
    });
  }

  it("keeps little besides the event, whatever is in there", () => {
    const long = "x".repeat(100_000);
    const new_values = Object.fromEntries(
      Array.from({ length: 10_000 }, (_, i) => [`${long.slice(0, 200)}${i}`, i]),
    );
    const updated_at = "2026-01-01T00:00:00Z";
    const event = {
      topic: long,
      event_type: long,
      updated_at,
      new_values,
      order_info: { order_id: long, external_id: [long] },
    };
    const { text, stored } = prepare(event, arrival);
    assert.deepEqual(JSON.parse(text), event);
    assert.ok(JSON.stringify(stored).length < 15_000);
    const other = prepare({ ...event, new_values: { ...new_values, other: 1 } }, arrival);
    assert.notEqual(other.stored.change, stored.change);
  });

  it("tells bodies apart by a byte, and paths", () => {
    const digest = (path: string, body: string) =>
      prepare({}, { ...arrival, path, body: Buffer.from(body) }).stored.digest;
    assert.equal(digest("/a", "{}"), digest("/a", "{}"));
    assert.equal(new Set([digest("/a", "{}"), digest("/a", "{} "), digest("/b", "{}")]).size, 3);
  });

  it("takes the same fields of the same job for the same change, in any order of the fields", () => {
    const change = (order_id: unknown, new_values: object | null, updated_at = "2026-01-01T00:00:00Z") =>
      prepare({ topic: "job.changed", order_info: { order_id }, new_values, updated_at }, arrival).stored
        .change;
    assert.equal(change(1, { a: 1, b: 2 }), change(1, { b: 3, a: 4 }));
    const others = [change(1, { a: 1 }), change(1, { b: 1 }), change(2, { a: 1 }), change(1, null)];
    assert.equal(new Set(others).size, 4);
    assert.equal(change(null, { a: 1 }), undefined);
    assert.equal(change(1, { a: 1 }, "soon"), undefined);
  });
});
