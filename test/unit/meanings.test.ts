import assert from "node:assert/strict";
import type { SampleName } from "../../src/event/catalog";
import { meaningOf, meanings, ruleOf, type Meaning } from "../../src/routing/meanings";
import { compileRules, findRuleProblem } from "../../src/routing/rules";
import { readSamples, sampleNames } from "../events";

const all = Object.keys(meanings) as Meaning[];

describe("meanings", () => {
  it("are said by rules that work, and are read from them again", () => {
    for (const meaning of [...all, "changed", "event", "superseded", "otherwise"] as Meaning[]) {
      assert.equal(findRuleProblem(ruleOf(meaning)), undefined);
      assert.equal(meaningOf(ruleOf(meaning)), meaning);
    }
  });

  it("match the samples that they mean, and no other", () => {
    const meant: Partial<Record<SampleName, Meaning | Meaning[]>> = {
      "job-created": "job-created",
      "job-assigned": "job-assigned",
      "job-in-progress": "driver-on-the-way",
      "job-completed": "job-completed",
      "job-confirmed": ["job-rated", "job-rated-low"],
      "job-failed": "job-failed",
      "job-deleted": "job-deleted",
      "job-deadline-changed": "deadline-changed",
      "job-completion-codes": "codes-given",
      "job-barcodes-scanned": "barcodes-scanned",
      "job-barcodes-scanned-upon-delivery": "barcodes-scanned",
      "checklist-start-of-day": "start-of-day-checklist",
      "checklist-end-of-day": "end-of-day-checklist",
      "checklist-job": "job-checklist",
      "checklist-job-confirmation": "job-checklist-confirmed",
    };
    const { route } = compileRules(all.map(ruleOf), true);
    for (const name of sampleNames) {
      const matched = all.filter((_, i) => route(readSamples()[name]).includes(i));
      assert.deepEqual(matched, [meant[name] ?? []].flat(), name);
    }
  });

  it("are read from a rule however it is written", () => {
    const completed = {
      kind: "event",
      eventType: "updated",
      field: "status",
      to: "delivered",
      toType: "str",
    };
    assert.equal(meaningOf(completed), "job-completed");
    assert.equal(meaningOf({ ...completed, topic: "", from: "x", fromType: "any" }), "job-completed");
    const rated = { kind: "event", eventType: "updated", field: "is_confirmed_by_customer", toType: "bool" };
    assert.equal(meaningOf({ ...rated, to: true }), "job-rated");
    assert.equal(meaningOf({ ...rated, to: "true" }), "job-rated");
  });

  it("are the same with a condition on the job, but for the rating, which makes one of its own", () => {
    const merchant = { job: "merchant", op: "eq", value: 124, valueType: "num" };
    for (const meaning of [...all, "changed", "event"] as Meaning[]) {
      const withoutRating = meaning === "job-rated-low" ? "job-rated" : meaning;
      assert.equal(meaningOf({ ...ruleOf(meaning), ...merchant }), withoutRating);
    }
    const rated = { ...ruleOf("job-rated"), job: "rating" };
    for (const [op, value, valueType, meaning] of [
      ["lte", 5, "num", "job-rated-low"],
      ["lte", "3", "num", "job-rated-low"],
      ["lte", "3", "str", "job-rated"],
      ["lt", "3", "num", "job-rated"],
      ["gte", "9", "num", "job-rated"],
      ["empty", "", "str", "job-rated"],
      ["lte", "", "num", undefined],
    ]) {
      assert.equal(meaningOf({ ...rated, op, value, valueType }), meaning);
    }
    assert.equal(meaningOf({ ...ruleOf("job-failed"), job: "rating", op: "lte", value: 5 }), "job-failed");
  });

  it("are a change of a field, or an event, where nothing more special fits", () => {
    assert.equal(meaningOf({ kind: "event", eventType: "updated", field: "driver" }), "changed");
    assert.equal(
      meaningOf({ kind: "event", eventType: "updated", field: "status", to: "x", toType: "str" }),
      "changed",
    );
    assert.equal(meaningOf({ kind: "event", field: "status" }), "event");
    assert.equal(meaningOf({ kind: "event", topic: "job.changed" }), "event");
  });

  it("are none where there is no rule", () => {
    for (const rule of [null, {}, { kind: "later" }, { kind: "event", toType: "x" }]) {
      assert.equal(meaningOf(rule), undefined);
    }
  });
});
