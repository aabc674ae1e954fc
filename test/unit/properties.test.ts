import assert from "node:assert/strict";
import fc from "fast-check";
import { readPath, readTopics } from "../../src/receiving/properties";

describe("A path or topics", () => {
  it("that are anything at all never make reading throw", () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withBigInt: true, withMap: true }), (value) => {
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
    ["https://x.example/radaro", { problem: "path-url" }],
    ["/radaro?a=1", { problem: "path-wrong" }],
    ["/a/../b", { problem: "path-wrong" }],
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
    ["job.deleted", { topics: ["none"], isNone: true, problem: "topics-not-list" }],
    [{ a: 1 }, { topics: ["none"], isNone: true, problem: "topics-not-list" }],
    [42, { topics: ["none"], isNone: true, problem: "topics-not-list" }],
    ["${TOPICS}", { topics: ["none"], isNone: true, problem: "topics-variable", name: "TOPICS" }],
    [["${TOPIC}"], { topics: ["none"], isNone: true, problem: "topics-variable", name: "TOPIC" }],
    [["a", "${TOPIC}"], { topics: ["a"], isNone: false, problem: "topics-variable", name: "TOPIC" }],
    [[null, 42], { topics: ["none"], isNone: true, problem: "topics-not-list" }],
    [[""], { topics: ["none"], isNone: true, problem: "topics-not-list" }],
    [[" a "], { topics: ["a"] }],
    [["a", null], { topics: ["a"], isNone: false, problem: "topics-not-list" }],
  ];
  for (const [value, expected] of cases) {
    it(`${JSON.stringify(value)} are ${JSON.stringify(expected)}`, () =>
      assert.deepEqual(read(value), expected));
  }
});
