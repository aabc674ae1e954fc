import assert from "node:assert/strict";
import fc from "fast-check";
import { readBoolean, readText } from "../../src/event/values";

describe("What a node is given", () => {
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
      }),
    );
  });
});
