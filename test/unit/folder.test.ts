import assert from "node:assert/strict";
import { fateOf, folderName, isOwn, parseLabel } from "../../src/inbox/folder";

const day = 86_400_000;
const now = { wall: Date.UTC(2027, 0, 15), steady: 0 };
const label = { merchant: "acme", days: 3, used: "2027-01-10T00:00:00.000Z" };

describe("the folder of an inbox", () => {
  it("says whose it is, in the place that it was made for", () => {
    assert.deepEqual(parseLabel(JSON.stringify(label), "acme"), label);
    const inSubflow = { ...label, merchant: "sub.flow-a/1*" };
    assert.deepEqual(parseLabel(JSON.stringify(inSubflow), folderName("sub.flow-a/1*")), inSubflow);
    assert.match(folderName("../a"), /^[\w%-]+$/);
  });

  for (const [what, text, name] of [
    ["a copy of one", JSON.stringify(label), "acme (copy)"],
    ["one that was renamed", JSON.stringify(label), "acme-damaged"],
    ["one without a label", "", "acme"],
    ["one whose label has wrong bytes", '{"merchant":"acm', "acme"],
    ["one whose label is something else", '["acme"]', "acme"],
    ["one whose label is null", "null", "acme"],
    ["one whose days are no number", JSON.stringify({ ...label, days: "3" }), "acme"],
    ["one whose days cannot be", JSON.stringify({ ...label, days: 0 }), "acme"],
    ["one whose time is none", JSON.stringify({ ...label, used: "yesterday" }), "acme"],
  ] as const) {
    it(`is not ${what}`, () => assert.equal(parseLabel(text, name), undefined));
  }

  for (const [fate, used] of [
    ["kept", now.wall],
    ["kept", now.wall - 3 * day + 1],
    ["over", now.wall - 3 * day],
    ["over", now.wall - 300 * day],
    ["renewed", 0],
    ["renewed", Date.UTC(2020, 5)],
    ["renewed", now.wall + day],
  ] as const) {
    const at = new Date(used).toISOString();
    it(`is ${fate} where it is kept for 3 days and was used at ${at}, on the 15th of January 2027`, () => {
      assert.equal(fateOf({ ...label, used: at }, now), fate);
    });
  }

  it("has files of its own, and others are not", () => {
    const own = ["inbox.sqlite", "inbox.sqlite-wal", "inbox.last", "damaged-2027-01-10T08-00-00-000Z"];
    const others = ["CURRENT", "000003.log", "notes.txt", "inbox.sqlite.bak", "damaged-old", ".gitignore"];
    assert.deepEqual([...own, ...others].filter(isOwn), own);
  });
});
