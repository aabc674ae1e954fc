import assert from "node:assert/strict";
import { fields, jobFields, samples, statuses, topics } from "../../src/event/catalog";
import { valueAt } from "../../src/routing/job-condition";
import { readSamples } from "../events";

describe("catalog", () => {
  const events = Object.values(readSamples());

  it("names every sample there is, and no other", () => {
    assert.deepEqual(Object.keys(samples).sort(), Object.keys(readSamples()).sort());
  });

  it("has a sample of every topic, and every topic of the samples", () => {
    assert.deepEqual([...new Set(events.map(({ topic }) => topic))].sort(), Object.keys(topics).sort());
  });

  it("has every field and status that the samples change", () => {
    for (const event of events) {
      const changed = (event.new_values ?? {}) as { status?: string };
      for (const field of Object.keys(changed)) assert.ok(field in fields, field);
      if (changed.status !== undefined) assert.ok(changed.status in statuses, changed.status);
    }
  });

  it("has fields of the job that are in a job of the samples, of the type that they have there", () => {
    const jobs = events.map(({ order_info }) => order_info).filter((job) => job !== undefined);
    for (const [field, { type }] of Object.entries(jobFields)) {
      const values = jobs.map((job) => valueAt(job, field.split("."))).filter((value) => value !== undefined);
      const given = values.filter((value) => value !== null);
      const isOfType = (value: unknown) => {
        if (type === "list") return Array.isArray(value);
        return typeof value === (type === "text" ? "string" : type);
      };
      assert.ok(given.every(isOfType), field);
      // Of these, no sample has one.
      if (!["pickup_address.address", "confirmation_signature"].includes(field))
        assert.ok(given.length > 0, field);
    }
  });

  it("has samples without a token", () => {
    assert.deepEqual(
      events.filter((event) => "token" in event),
      [],
    );
  });
});
