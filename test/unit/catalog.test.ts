import assert from "node:assert/strict";
import { fields, samples, statuses, topics } from "../../src/event/catalog";
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

  it("has samples without a token", () => {
    assert.deepEqual(
      events.filter((event) => "token" in event),
      [],
    );
  });
});
