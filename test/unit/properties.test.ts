import assert from "node:assert/strict";
import fc from "fast-check";
import { readBoolean, readPath, readText, readTopics } from "../../src/properties";

describe("A property", () => {
  it("is read as text, also where a variable holds a number", () => {
    assert.deepEqual(["/a ", 42, 0].map(readText), ["/a", "42", "0"]);
    for (const none of [undefined, true, null, [], {}, () => 1, Symbol("a")])
      assert.equal(readText(none), "");
  });

  it("is read as a boolean in both spellings, and as the default otherwise", () => {
    for (const otherwise of [true, false]) {
      const read = (value: unknown) => readBoolean(value, otherwise);
      assert.deepEqual([true, "true"].map(read), [true, true]);
      assert.deepEqual([false, "false"].map(read), [false, false]);
      for (const other of [undefined, null, 0, 1, "", "no", {}, []]) assert.equal(read(other), otherwise);
    }
  });

  it("that is anything at all never makes reading throw", () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withBigInt: true, withMap: true }), (value) => {
        readText(value);
        readBoolean(value, true);
        readPath(value);
        readTopics(value);
      }),
    );
  });
});

describe("A path", () => {
  const cases: [value: unknown, read: ReturnType<typeof readPath>][] = [
    ["/radaro", { path: "/radaro" }],
    [" shop ", { path: "shop" }],
    [undefined, { path: "/radaro" }],
    [null, { path: "/radaro" }],
    [42, { path: "42" }],
    [0, { path: "0" }],
    ["", { problem: "no-path" }],
    ["  ", { problem: "no-path" }],
    [{}, { problem: "path-not-text" }],
    [["/radaro"], { problem: "path-not-text" }],
    [true, { problem: "path-not-text" }],
    ["${SHOP}", { problem: "path-variable", name: "SHOP" }],
    ["$(SHOP)", { problem: "path-variable", name: "SHOP" }],
    ["/radaro/${SHOP}", { problem: "part-variable" }],
    ["/$hop/(a)", { path: "/$hop/(a)" }],
  ];
  for (const [value, read] of cases) {
    it(`${JSON.stringify(value)} is ${JSON.stringify(read)}`, () => assert.deepEqual(readPath(value), read));
  }
});

describe("Topics", () => {
  const read = (value: unknown) => {
    const { topics, ...wrong } = readTopics(value);
    return { topics: [...topics].map((topic) => (typeof topic === "symbol" ? "none" : topic)), ...wrong };
  };
  const cases: [value: unknown, expected: ReturnType<typeof read>][] = [
    [[], { topics: [] }],
    [undefined, { topics: [] }],
    [null, { topics: [] }],
    ["", { topics: [] }],
    [["a", "b", "a"], { topics: ["a", "b"] }],
    ["job.deleted", { topics: ["none"], problem: "topics-not-list" }],
    [{ a: 1 }, { topics: ["none"], problem: "topics-not-list" }],
    [42, { topics: ["none"], problem: "topics-not-list" }],
    ["${TOPICS}", { topics: ["none"], problem: "topics-variable", name: "TOPICS" }],
    [["${TOPIC}"], { topics: ["none"], problem: "topics-variable", name: "TOPIC" }],
    [["a", "${TOPIC}"], { topics: ["a"], problem: "topics-variable", name: "TOPIC" }],
    [[null, 42], { topics: ["none"], problem: "topics-not-list" }],
    [["a", null], { topics: ["a"], problem: "topics-not-list" }],
  ];
  for (const [value, expected] of cases) {
    it(`${JSON.stringify(value)} are ${JSON.stringify(expected)}`, () =>
      assert.deepEqual(read(value), expected));
  }
});
