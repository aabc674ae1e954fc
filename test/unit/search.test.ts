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
    ["0370104455", true],
    ["(0370) 10 44-55", true],
    ["+61370104455", true],
    ["0370104456", false],
    ["10445", false],
    ["0370104455 Müller", false],
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
    const digits = fc.stringMatching(/^[1-9]\d{5,14}$/);
    const between = fc.infiniteStream(fc.constantFrom("", "", " ", "-", "/", ".", "(", ")"));
    const written = (number: string, gaps: Iterator<string>) =>
      [...number].map((digit, i) => (i === 0 ? "" : gaps.next().value) + digit).join("");
    fc.assert(
      fc.property(digits, fc.nat({ max: 9 }), between, between, (number, from, some, others) => {
        const value = { phone: `+${written(number, some)}` };
        const wanted = `0${written(number.slice(Math.min(from, number.length - 6)), others)}`;
        if (!/[1-9]\d{5}/.test(wanted.replace(/\D/g, "").replace(/^0+/, ""))) return; // too short without its zeros
        assert.ok(hasText(value, wanted), JSON.stringify([value, wanted]));
        assert.equal(like.get(JSON.stringify(value), patternFor(wanted))?.fits, 1);
      }),
    );
    db.close();
  });
});
