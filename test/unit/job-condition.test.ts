import assert from "node:assert/strict";
import fc from "fast-check";
import { meets, operators, valueAt, type JobCondition } from "../../src/routing/job-condition";
import type { JsonObject } from "../../src/event/json";

const json = (text: string) => JSON.parse(text) as JsonObject;

describe("a condition on the job", () => {
  it("goes to a property by own keys only, and into lists by place", () => {
    const job = json(`{"rating": 3, "customer": {"name": "Ada"}, "completion_codes": [{"code": 7}], "a.b": 1,
      "title": "Sofa", "driver": null, "": {"": 2}}`);
    const at = (property: string) => valueAt(job, property.split("."));
    assert.equal(at("rating"), 3);
    assert.equal(at("customer.name"), "Ada");
    assert.equal(at("completion_codes.0.code"), 7);
    assert.equal(at("driver"), null);
    assert.equal(at("."), 2);
    for (const missing of [
      ...[
        "missing",
        "customer.missing",
        "missing.name",
        "driver.name",
        "title.length",
        "title.0",
        "rating.0",
      ],
      ...["a.b", "completion_codes.1.code", "completion_codes.0.code.x", "customer.", ".customer"],
      ...["constructor", "__proto__", "customer.toString", "completion_codes.map", "customer.__proto__.name"],
    ]) {
      assert.equal(at(missing), undefined, missing);
    }
    assert.equal(valueAt(json(`{"__proto__": {"x": 1}}`), ["__proto__", "x"]), 1);
    for (const noJob of [undefined, null, "text", 1, true])
      assert.equal(valueAt(noJob, ["rating"]), undefined);
  });

  // What the job has, against the condition in the line's head.
  const odd = [undefined, null, "", " ", "3", "a", 0, 3, 4, -1, true, false, [], {}, [3], { a: 3 }];
  const table: [JobCondition["op"], JobCondition["value"], unknown[]][] = [
    ["eq", 3, [3]],
    ["neq", 3, odd.filter((value) => value !== 3)],
    ["lt", 3, [0, -1]],
    ["lte", 3, [0, 3, -1]],
    ["gt", 3, [4]],
    ["gte", 3, [3, 4]],
    ["has", "3", ["3", 3, [3], { a: 3 }]],
    ["eq", "3", ["3"]],
    ["neq", "3", odd.filter((value) => value !== "3")],
    ["eq", "", [""]],
    ["lt", "3", ["", " "]],
    ["gte", "3", ["3", "a"]],
    ["has", "A", ["a"]],
    ["eq", true, [true]],
    ["neq", true, odd.filter((value) => value !== true)],
    ["eq", false, [false]],
    ["empty", undefined, [undefined, null, "", [], {}]],
    ["nempty", undefined, [" ", "3", "a", 0, 3, 4, -1, true, false, [3], { a: 3 }]],
  ];
  for (const [op, value, meeting] of table) {
    it(`${op} ${JSON.stringify(value) ?? ""} is met by ${JSON.stringify(meeting)} of ${odd.length} values`, () => {
      const met = odd.filter((actual) => meets(actual, { op, value }));
      const same = (values: unknown[]) => values.map((each) => JSON.stringify(each) ?? "missing");
      assert.deepEqual(same(met), same(meeting));
    });
  }

  it("finds a text whether upper or lower case, also within lists and objects", () => {
    const has = (actual: unknown, value: string) => meets(actual, { op: "has", value });
    assert.ok(has("Zu SPÄT geliefert", "spät"));
    assert.ok(has("left in the rain", "RAIN"));
    assert.ok(has("a.c", ".") && !has("abc", "a.c"));
    const codes = [{ id: 1, code: 305, name: "Not at home", type: "unsuccessful" }];
    assert.ok(has(codes, "not at HOME") && has(codes, "305") && !has(codes, "damaged"));
    assert.ok(!has({ home: null }, "home"), "a key is no value");
    assert.ok(!has(true, "true"));
  });

  it("looks at what is nested more deeply than functions can call each other", () => {
    let deep: unknown = "needle";
    for (let i = 0; i < 100_000; i++) deep = [deep];
    assert.ok(meets(deep, { op: "has", value: "needle" }));
    assert.ok(!meets(deep, { op: "empty", value: undefined }));
  });

  it("is met by exactly one of two opposites, whatever the job has, and orders as numbers do", () => {
    const value = fc.oneof(fc.double({ noNaN: true }), fc.string(), fc.boolean());
    fc.assert(
      fc.property(fc.jsonValue(), value, (actual, value) => {
        assert.notEqual(meets(actual, { op: "eq", value }), meets(actual, { op: "neq", value }));
        const nothing = { value: undefined };
        assert.notEqual(
          meets(actual, { op: "empty", ...nothing }),
          meets(actual, { op: "nempty", ...nothing }),
        );
        if (typeof actual !== typeof value || typeof value === "boolean") {
          for (const op of ["lt", "lte", "gt", "gte"] as const)
            assert.equal(meets(actual, { op, value }), false);
        }
      }),
    );
    fc.assert(
      fc.property(fc.integer(), fc.integer(), (actual, value) => {
        const met = operators.filter((op) => !["has", "nempty"].includes(op) && meets(actual, { op, value }));
        if (actual === value) assert.deepEqual(met, ["eq", "lte", "gte"]);
        else assert.deepEqual(met, actual < value ? ["neq", "lt", "lte"] : ["neq", "gt", "gte"]);
      }),
    );
  });
});
