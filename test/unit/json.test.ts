import assert from "node:assert/strict";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { copyJson, isJsonObject, type JsonObject } from "../../src/event/json";
import { readSamples, sampleNames } from "../events";

describe("isJsonObject", () => {
  it("holds for each object of JSON, wherever it was made", () => {
    fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => isJsonObject(value)));
    assert.ok(isJsonObject(Object.create(null)));
    assert.ok(isJsonObject(JSON.parse('{"__proto__":[]}')));
    // As in a Function node.
    assert.ok(isJsonObject(runInNewContext("({ new_values: {} })")));
  });

  it("does not hold for anything else that a message can have", () => {
    class Event {}
    const others = [Buffer.from("{}"), new Date(), new Map(), new Error("no"), new Event(), () => ({})];
    for (const other of [null, undefined, "{}", 1, true, [], [{}], ...others, runInNewContext("new Date()")])
      assert.equal(isJsonObject(other), false);
  });
});

describe("copyJson", () => {
  it("copies any JSON, keys named __proto__ too", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (text) => {
        const value: unknown = JSON.parse(text);
        assert.deepEqual(copyJson(value), value);
      }),
    );
    const text = '{"__proto__":{"a":[1,{"__proto__":null}]},"constructor":1,"b":[]}';
    const copy = copyJson(JSON.parse(text) as object);
    assert.equal(JSON.stringify(copy), text);
    assert.equal(Object.getPrototypeOf(copy), Object.prototype);
  });

  for (const name of sampleNames) {
    it(`shares nothing with ${name}`, () => {
      const event = readSamples()[name];
      const parts = (value: unknown): object[] =>
        typeof value === "object" && value !== null ? [value, ...Object.values(value).flatMap(parts)] : [];
      const original = new Set(parts(event));
      const copy = copyJson(event);
      assert.deepEqual(copy, event);
      for (const part of parts(copy)) assert.ok(!original.has(part));
    });
  }

  it("copies what is nested as deeply as a body can be", () => {
    const depth = 500_000;
    let copy = copyJson(JSON.parse('{"a":'.repeat(depth) + "1" + "}".repeat(depth)) as JsonObject);
    for (let i = 1; i < depth; i++) copy = copy.a as JsonObject;
    assert.deepEqual(copy, { a: 1 });
  });
});
