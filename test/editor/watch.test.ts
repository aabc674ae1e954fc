import assert from "node:assert/strict";
import { inEachNodeRed } from "./versions";

/** What a script, an assistant or another version may have written. */
const odd: object[] = [
  {},
  { name: null, config: null, failed: null, store: null, refused: null, waiting: null, days: null },
  { config: "kept", failed: "false", store: "true", refused: 1, waiting: "5", silence: "2", from: "8:00" },
  { config: "gone", waiting: "soon", silence: -1, from: "8 am", to: 18, days: "1,2" },
  { config: {}, name: {}, failed: {}, waiting: {}, from: {}, days: {} },
  { config: "${MERCHANT}", waiting: "${MINUTES}", from: "${FROM}", days: [7, "x"] },
];

const flows = [
  { id: "tab1", type: "tab", label: "Flow 1", disabled: false, info: "", env: [] },
  { id: "kept", type: "radaro-config", name: "Kept", inbox: true, inboxDays: 7 },
  { id: "plain", type: "radaro-config", name: "Plain", inbox: false, inboxDays: 7 },
  ...odd.map((each, i) => ({
    ...{ id: `odd${i}`, type: "radaro watch", z: "tab1", x: 200, y: 60 + 50 * i, wires: [[]] },
    ...each,
  })),
];
const credentials = { kept: { token: "Zk3vQ9cXw1LmT7yHs0RdNA" }, plain: { token: "Qh8nB2vKp5XsE1wJt6YzLg" } };

inEachNodeRed("The dialog of radaro watch", { flows, credentials }, (session) => {
  const $ = (selector: string) => session.editor.page.locator(selector);
  const all = () => session.editor.page.evaluate<string>("JSON.stringify(RED.nodes.createCompleteNodeSet())");
  /** The node that was added, as it would be deployed. */
  const added = () =>
    session.editor.page.evaluate<Record<string, unknown>>(
      `RED.nodes.createCompleteNodeSet().findLast(({ type }) => type === "radaro watch")`,
    );
  const openById = async (id: string) => {
    await session.editor.page.evaluate(`RED.editor.edit(RED.nodes.node(${JSON.stringify(id)}))`);
    await session.editor.dialogOpen();
  };

  it("begins with the contract's defaults, watches all merchants, and keeps what is entered", async () => {
    const { editor } = session;
    await editor.add("radaro watch", 500, 420);
    const before = await added();
    const defaults = {
      ...{ name: "", config: "", failed: true, store: true, refused: true },
      ...{ waiting: 0, silence: 0, from: "", to: "", days: [] },
    };
    for (const [property, value] of Object.entries(defaults))
      assert.deepEqual(before[property], value, property);
    await openById(String(before.id));
    const chosen = $("#node-input-config option:checked");
    await editor.page.waitForFunction(
      `$("#node-input-config option:checked").text() === "all merchants with an inbox"`,
    );
    assert.equal(await $("#radaro-watch-hours").isVisible(), false);
    await editor.choose("#node-input-config", "Kept");
    await editor.click("#node-input-refused");
    await editor.enter("#node-input-waiting", "30");
    await editor.enter("#node-input-silence", "2.5");
    await $("#radaro-watch-hours").waitFor();
    await editor.enter("#node-input-from", "08:00");
    await editor.enter("#node-input-to", "18:00");
    for (const day of ["Fri", "Mon"])
      await editor.click($("#radaro-watch-days label").filter({ hasText: day }));
    await editor.leave("ok");
    const { config, failed, refused, waiting, silence, from, to, days } = await added();
    assert.deepEqual(
      [config, failed, refused, waiting, silence, from, to, days],
      ["kept", true, false, "30", "2.5", "08:00", "18:00", [1, 5]],
    );
    await openById(String(before.id));
    assert.equal(await chosen.innerText(), "Kept");
    await editor.choose("#node-input-config", "all merchants with an inbox");
    await editor.leave("ok");
    assert.equal((await added()).config, "");
  });

  it("leaves what was not touched as it was, whatever that is", async () => {
    const before = await all();
    for (const i of odd.keys()) {
      await openById(`odd${i}`);
      if (i < 2) assert.equal(await $("#node-input-failed").isChecked(), true);
      if (i === 2) assert.equal(await $("#node-input-failed").isChecked(), false);
      await session.editor.leave("ok");
    }
    assert.equal(await all(), before);
    assert.equal(await $("#red-ui-header-button-deploy.disabled").count(), 1);
  });

  it("marks what cannot work, and says what to do", async () => {
    const { editor } = session;
    const wrong = await editor.page.evaluate<string[][]>(
      `${JSON.stringify([...odd.keys()])}.map((i) => RED.nodes.node("odd" + i).validationErrors ?? [])`,
    );
    assert.deepEqual(
      [0, 1, 2].flatMap((i) => wrong[i]!),
      [],
    );
    assert.ok(
      wrong[3]!.some((text) => text.includes("not there any more")),
      wrong[3]!.join(),
    );
    assert.equal(wrong[3]!.length, 6, wrong[3]!.join());
    await openById("odd0");
    for (const tick of ["failed", "store", "refused"]) await editor.click(`#node-input-${tick}`);
    await editor.choose("#node-input-config", "Plain");
    for (const [input, value] of [
      ["waiting", "-1"],
      ["silence", "-1"],
      ["from", "8 am"],
      ["to", "25:00"],
    ] as const) {
      await editor.enter(`#node-input-${input}`, value);
      await editor.press("Tab");
      await $(`#node-input-${input}.input-error`).waitFor();
    }
    for (const input of ["waiting", "silence"]) await editor.enter(`#node-input-${input}`, "");
    await editor.leave("ok");
    const marks = await editor.page.evaluate<string[]>(`RED.nodes.node("odd0").validationErrors`);
    assert.ok(
      marks.some((text) => text.includes("at least one thing")),
      marks.join(),
    );
    assert.ok(
      marks.some((text) => text.includes("has no inbox")),
      marks.join(),
    );
  });
});
