import assert from "node:assert/strict";
import fc from "fast-check";
import { hasText, patternFor } from "../../src/inbox/search";

const event = { a: "Müller & Söhne", b: [1, { phone: "+61 370 104 455" }], d: 'says "50%_!\\"', e: null };

describe("what is looked for in an event", () => {
  for (const [text, isThere] of [
    ["müller", true],
    ["MÜLLER", true],
    ["Mu\u0308ller", true],
    ["370 104", true],
    ["1", true],
    ['"50%_!\\"', true],
    ["phone", false],
    ["null", false],
    ["Muller", false],
    ["Mül_er", false],
    ["M%", false],
    ["Söhne&", false],
  ] as [string, boolean][]) {
    it(`${JSON.stringify(text)} is ${isThere ? "" : "not "}in its texts and numbers`, () => {
      assert.equal(hasText(event, text), isThere);
    });
  }

  it("is found by a database too, in whatever letters it is written (inbox)", async () => {
    const { DatabaseSync } = await import("node:sqlite"); // not there in Node.js 20
    const db = new DatabaseSync(":memory:");
    const like = db.prepare("SELECT ? LIKE ? ESCAPE '!' AS fits");
    const text = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.string({ unit: fc.constantFrom("a", "B", "Ä", "ß", "%", "_", "!", '"', "\\", "\n", "é", "\u0301") }),
    );
    fc.assert(
      fc.property(text, text, text, (before, wanted, after) => {
        for (const written of [wanted, wanted.toLowerCase(), wanted.toUpperCase()]) {
          const value = { of: [before + written + after] };
          if (!hasText(value, wanted)) continue; // some letters become two
          assert.equal(like.get(JSON.stringify(value), patternFor(wanted))?.fits, 1);
        }
      }),
    );
    db.close();
  });
});
