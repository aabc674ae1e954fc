import assert from "node:assert/strict";
import fc from "fast-check";
import { changeOf, keyOf, prepare, sortable } from "../../src/inbox/stored-event";
import { readSamples, sampleNames } from "../events";

const arrival = {
  path: "/radaro",
  body: Buffer.from("{}"),
  receivedAt: new Date(0),
  deliveries: [{ node: "in", state: "waiting" as const, times: 1 }],
  meaning: null,
};

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
      assert.deepEqual([stored.state, stored.deliveries], ["waiting", arrival.deliveries]);
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
    const { text, stored, keys, change } = prepare(event, arrival);
    assert.deepEqual(JSON.parse(text), event);
    assert.ok(JSON.stringify({ stored, keys }).length < 15_000);
    assert.equal(keys.order, keyOf(long));
    assert.notEqual(keys.order, keyOf(`${long}x`));
    assert.equal(change, undefined, "it has more fields than a job");
  });

  it("tells bodies apart by a byte, and paths", () => {
    const digest = (path: string, body: string) =>
      prepare({}, { ...arrival, path, body: Buffer.from(body) }).digest;
    assert.equal(digest("/a", "{}"), digest("/a", "{}"));
    assert.equal(new Set([digest("/a", "{}"), digest("/a", "{} "), digest("/b", "{}")]).size, 3);
  });
});

describe("changeOf", () => {
  const change = (order_id: unknown, new_values: object | null, updated_at = "2026-01-01T00:00:00Z") =>
    changeOf({ topic: "job.changed", order_info: { order_id }, new_values, updated_at });

  it("says which fields of which job were changed", () => {
    assert.deepEqual(change(1, { a: 1, b: 2 }), { job: "1", fields: ["a", "b"] });
    assert.deepEqual(change("A-1", { a: null }), { job: "A-1", fields: ["a"] });
  });

  it("says nothing where that, the job or the time is not known", () => {
    for (const of of [change(1, null), change(1, {}), change(null, { a: 1 }), change(1, { a: 1 }, "soon")])
      assert.equal(of, undefined);
  });
});
