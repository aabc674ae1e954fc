import assert from "node:assert/strict";
import { always } from "../../src/inbox/watch-hours";
import { readSettings, type Given, type Wrong } from "../../src/inbox/watch-settings";

const defaults = { failed: true, store: true, refused: true, waiting: 0, silence: 0, hours: always };

describe("the settings of radaro watch", () => {
  it("have the contract's defaults", () => {
    assert.deepEqual(readSettings({}), { settings: defaults, wrong: [] });
    const empty = { waiting: "", silence: null, from: "", to: "", days: [] };
    assert.deepEqual(readSettings(empty), { settings: defaults, wrong: [] });
  });

  it("are read as the editor keeps them", () => {
    const given = {
      ...{ failed: false, store: "false", refused: "true", waiting: "30", silence: 2.5 },
      ...{ from: "08:00", to: "18:30", days: [1, "2", 0] },
    };
    const hours = { from: 480, to: 1110, days: [1, 2, 0] };
    const settings = { failed: false, store: false, refused: true, waiting: 30, silence: 2.5, hours };
    assert.deepEqual(readSettings(given), { settings, wrong: [] });
  });

  const wrong: [Given, Wrong][] = [
    [{ waiting: -1 }, "waiting"],
    [{ waiting: "soon" }, "waiting"],
    [{ waiting: Infinity }, "waiting"],
    [{ silence: {} }, "silence"],
    [{ from: "8 am" }, "from"],
    [{ to: "25:00" }, "to"],
    [{ to: true }, "to"],
    [{ days: "1,2" }, "days"],
    [{ days: [7] }, "days"],
    [{ days: [""] }, "days"],
  ];
  for (const [given, property] of wrong) {
    it(`are as if they were not set where they are wrong: ${JSON.stringify(given)}`, () => {
      assert.deepEqual(readSettings(given), { settings: defaults, wrong: [property] });
    });
  }
});
