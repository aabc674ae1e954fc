import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Locator } from "playwright-core";
import type { Editor } from "./editor";
import { inEachNodeRed } from "./versions";

const token = "Zk3vQ9cXw1LmT7yHs0RdNA";
const completed = { kind: "event", eventType: "updated", field: "status", to: "delivered", toType: "str" };
const rules = [
  completed,
  {
    kind: "event",
    eventType: "updated",
    field: "is_confirmed_by_customer",
    to: true,
    toType: "bool",
    extra: 1,
  },
  { kind: "event", topic: "later.topic", eventType: "later", field: "driver", from: "5", fromType: "num" },
  { kind: "later", of: "another version" },
  { kind: "event", field: "x", to: "no number", toType: "num" },
  { kind: "otherwise" },
];
const at = { z: "tab1", x: 200 };
const flows = [
  { id: "tab1", type: "tab", label: "Flow 1", disabled: false, info: "", env: [] },
  { id: "acme", type: "radaro-config", name: "Acme" },
  {
    ...{ id: "in1", type: "radaro in", ...at, y: 100, name: "", config: "acme", path: "/radaro" },
    ...{ topics: ["job.deleted", "later.topic"], sample: "job-failed", wires: [["switch1"]] },
  },
  {
    ...{ id: "switch1", type: "radaro switch", ...at, x: 450, y: 200, name: "", property: "payload", rules },
    ...{ checkall: true, outputs: rules.length, wires: rules.map((_, i) => [`debug${i + 1}`]) },
  },
  ...rules.map((_, i) => ({
    ...{
      id: `debug${i + 1}`,
      type: "debug",
      ...at,
      x: 700,
      y: 100 + 60 * i,
      name: `out ${i + 1}`,
      active: true,
    },
    ...{
      tosidebar: true,
      console: false,
      tostatus: false,
      complete: "payload",
      targetType: "msg",
      wires: [],
    },
  })),
];

interface SwitchNode {
  rules: unknown[];
  wires: string[][];
  checkall: boolean;
  property: string;
}

inEachNodeRed("Dialogs", { flows, credentials: { acme: { token } } }, (session) => {
  const $ = (selector: string) => session.editor.page.locator(selector);
  const rule = (number: number) => $(".radaro-switch-rule").nth(number - 1);
  const typed = (target: Locator) => target.locator(".red-ui-typedInput-container");

  /** A node as it would be deployed. */
  const current = async <T>(id: string) =>
    (await session.editor.page.evaluate(
      `RED.nodes.createCompleteNodeSet().find((node) => node.id === ${JSON.stringify(id)})`,
    )) as T;
  const all = () => session.editor.page.evaluate("JSON.stringify(RED.nodes.createCompleteNodeSet())");
  const isUnchanged = async () => (await $("#red-ui-header-button-deploy.disabled").count()) === 1;

  it("of radaro in keeps what is entered", async () => {
    const { editor } = session;
    await editor.edit("/radaro");
    assert.equal(await $("#radaro-in-url").inputValue(), `${session.nodeRed.url}/radaro`);
    assert.match(await $("#radaro-in-url-problems").innerText(), /cannot reach this address[^]*Use https/);
    await editor.enter("#node-input-path", "hooks/é");
    assert.equal(await $("#radaro-in-url").inputValue(), `${session.nodeRed.url}/hooks/%C3%A9`);
    await editor.enter("#radaro-in-search", "barcodes warehouse");
    assert.equal(await $("#radaro-in-topics label:visible").count(), 1);
    await editor.click("#radaro-in-topics label:visible");
    await editor.enter("#radaro-in-search", "");
    assert.equal(await $("#radaro-in-topics label:visible").count(), 16);
    await editor.choose("#node-input-sample", "Job created");
    await editor.enter("#node-input-name", "Deliveries");
    await editor.leave("ok");

    const expected = ["job.deleted", "job.barcodes_scanned", "later.topic"];
    const { name, path, topics, sample, config } = await current<Record<string, unknown>>("in1");
    assert.deepEqual(
      { name, path, topics, sample, config },
      {
        ...{ name: "Deliveries", path: "hooks/é", topics: expected, sample: "job-created", config: "acme" },
      },
    );
    await editor.edit("Deliveries");
    assert.equal(await $("#node-input-path").inputValue(), "hooks/é");
    assert.equal(await $("#node-input-sample").inputValue(), "job-created");
    assert.equal(await $("#radaro-in-topics input:checked").count(), 3);
    await editor.click("#radaro-in-preview summary");
    await $(`#radaro-in-preview pre:has-text("created")`).waitFor();
    await editor.click("input[value=all]");
    assert.equal(await $("#radaro-in-topics").isVisible(), false);
    await editor.leave("ok");
    assert.deepEqual((await current<{ topics: string[] }>("in1")).topics, []);
  });

  it("of radaro in says that a test event goes through what is deployed", async () => {
    const { editor } = session;
    await editor.edit("/radaro");
    await editor.choose("#node-input-sample", "Job created");
    await editor.click("#radaro-in-send");
    await $("#radaro-in-sent >> text=its topic is not among the chosen topics").waitFor();
    await editor.choose("#node-input-sample", "Job deleted");
    await editor.click("#radaro-in-send");
    await $("#radaro-in-sent >> text=Sent: Job deleted").waitFor();
    await editor.enter("#node-input-name", "Changed");
    await editor.leave("ok");
    await editor.edit("Changed");
    await editor.click("#radaro-in-send");
    await $("#radaro-in-sent >> text=deploy first").waitFor();
    await editor.leave("cancel");
  });

  it("of radaro switch keeps what is entered", async () => {
    const { editor } = session;
    await editor.edit("6 routes");
    assert.deepEqual(
      await $(".radaro-switch-inputs > select").evaluateAll((selects) =>
        selects.map((select) => (select as HTMLSelectElement).selectedOptions[0]?.text),
      ),
      [
        "Completed by the driver",
        "Confirmed or rated by the customer",
        "Any other event …",
        "Any other event …",
        "Otherwise",
      ],
    );
    await editor.choose(rule(1).locator("select").first(), "Anything else that changed …");
    await editor.enter(rule(1).locator("input[list]"), "status");
    await chooseType(editor, typed(rule(1)).nth(0), "Status");
    await chooseOption(editor, typed(rule(1)).nth(0), "In Progress");
    await chooseType(editor, typed(rule(1)).nth(1), "Status");
    await chooseOption(editor, typed(rule(1)).nth(1), "Failed");
    await editor.choose(rule(3).locator("select").nth(2), "Updated");
    await editor.click(".red-ui-editableList-addButton");
    await editor.choose(rule(7).locator("select"), "Deadline changed");
    await editor.click("#node-input-checkall");
    await editor.leave("ok");

    const saved = await current<SwitchNode>("switch1");
    assert.deepEqual(saved.rules[0], {
      ...{ kind: "event", topic: "", eventType: "updated", field: "status" },
      ...{ from: "in_progress", fromType: "str", to: "failed", toType: "str" },
    });
    assert.deepEqual(
      [1, 3, 4, 5].map((i) => saved.rules[i]),
      [1, 3, 4, 5].map((i) => rules[i]),
    );
    assert.deepEqual(saved.rules[2], {
      ...{ kind: "event", topic: "later.topic", eventType: "updated", field: "driver" },
      ...{ from: "5", fromType: "num", to: "", toType: "any" },
    });
    assert.deepEqual([saved.rules.length, saved.checkall, saved.wires.length], [7, false, 7]);

    await editor.edit("7 routes");
    assert.equal(
      await typed(rule(1))
        .nth(0)
        .innerText()
        .then((text) => text.includes("In Progress")),
      true,
    );
    assert.equal(await $(".radaro-switch-problem:not(:empty)").count(), 2);
    await editor.leave("ok");
    assert.deepEqual((await current<SwitchNode>("switch1")).rules, saved.rules);
  });

  it("of radaro switch keeps a rule for superseded events, and says how they leave by its output only", async () => {
    const { editor } = session;
    const tips = () => $(".radaro-switch-tip").allInnerTexts();
    const tip =
      "Superseded events can leave by other outputs too. To keep them from that, move this rule to the top," +
      " and untick 'Send to every rule that matches'.";
    await editor.edit("6 routes");
    assert.deepEqual(await tips(), ["", "", "", "", "", ""]);
    await editor.choose(rule(2).locator("select").first(), "Superseded by a later change");
    assert.deepEqual(await tips(), ["", tip, "", "", "", ""]);
    await editor.click("#node-input-checkall");
    assert.deepEqual(await tips(), ["", tip, "", "", "", ""]);
    await editor.click(rule(2).locator(".radaro-switch-up"));
    assert.deepEqual(await tips(), ["", "", "", "", "", ""]);
    await editor.click("#node-input-checkall");
    assert.deepEqual(await tips(), [tip, "", "", "", "", ""]);
    await editor.choose(rule(1).locator("select").first(), "Job created");
    assert.deepEqual(await tips(), ["", "", "", "", "", ""]);
    await editor.choose(rule(1).locator("select").first(), "Superseded by a later change");
    await editor.leave("ok");
    const saved = await current<SwitchNode>("switch1");
    assert.deepEqual(saved.rules, [{ kind: "superseded" }, completed, ...rules.slice(2)]);

    await editor.edit("6 routes");
    const chosen = rule(1).locator("select").first();
    assert.equal(await chosen.inputValue(), "superseded");
    assert.deepEqual(await tips(), [tip, "", "", "", "", ""]);
    await editor.leave("ok");
    assert.deepEqual(await current<SwitchNode>("switch1"), saved);
    const label = await editor.page.evaluate(
      "RED.nodes.node('switch1')._def.outputLabels.call(RED.nodes.node('switch1'), 0)",
    );
    assert.equal(label, "Superseded by a later change");
  });

  it("of radaro switch lets a wrong value be mended, and asks for a field before its values", async () => {
    const { editor } = session;
    await editor.edit("6 routes");
    const mended = rule(5);
    assert.match(await mended.innerText(), /has a value in 'to' that does not fit its type/);
    await editor.enter(typed(mended).nth(1).locator("input.red-ui-typedInput-input"), "5");
    await editor.press("Tab");
    await mended.locator(".radaro-switch-problem:empty").waitFor({ state: "attached" });
    const fieldless = rule(3);
    assert.equal(await typed(fieldless).first().isVisible(), true);
    await editor.enter(fieldless.locator("input[list]"), "");
    assert.equal(await typed(fieldless).first().isVisible(), false);
    await editor.leave("ok");
    const saved = await current<SwitchNode>("switch1");
    const none = { from: "", fromType: "any", to: "", toType: "any" };
    assert.deepEqual(saved.rules.slice(2, 5), [
      { kind: "event", topic: "later.topic", eventType: "later", field: "", ...none },
      rules[3],
      { kind: "event", topic: "", eventType: "", field: "x", ...none, to: "5", toType: "num" },
    ]);
  });

  it("leave a node as it was, and unchanged, when nothing was touched", async () => {
    const { editor } = session;
    const before = await all();
    for (const label of ["/radaro", "6 routes"]) {
      await editor.edit(label);
      await editor.leave("ok");
    }
    assert.equal(await all(), before);
    assert.ok(await isUnchanged());
  });

  it("change nothing when they are cancelled", async () => {
    const { editor } = session;
    const before = await all();
    await editor.edit("/radaro");
    await editor.enter("#node-input-path", "/other");
    await editor.click("input[value=all]");
    await editor.choose("#node-input-sample", "Job created");
    await editor.leave("cancel");
    await editor.edit("6 routes");
    await editor.choose(rule(1).locator("select").first(), "Job created");
    await editor.click(rule(2).locator(".radaro-switch-down"));
    await editor.click($(".red-ui-editableList-item-remove").first());
    await editor.click(".red-ui-editableList-addButton");
    await editor.leave("cancel");
    assert.equal(await all(), before);
    assert.ok(await isUnchanged());
  });

  it("of radaro switch keeps the wires with their rules: moved by key and by drag, and deleted", async () => {
    const { editor } = session;
    const targets = async () => (await current<SwitchNode>("switch1")).wires.map(([id]) => id);
    await editor.edit("6 routes");
    await rule(1).locator(".radaro-switch-down").focus();
    await editor.press("Enter", "Enter");
    await editor.leave("ok");
    assert.deepEqual(await targets(), ["debug2", "debug3", "debug1", "debug4", "debug5", "debug6"]);
    assert.deepEqual((await current<SwitchNode>("switch1")).rules[2], completed);

    await editor.edit("6 routes");
    await editor.drag(
      $(".red-ui-editableList-item-handle").nth(0),
      $(".red-ui-editableList-item-handle").nth(1),
    );
    await editor.click($(".red-ui-editableList-item-remove").nth(3));
    await $(".radaro-switch-rule").nth(5).waitFor({ state: "detached" });
    await editor.click(".red-ui-editableList-addButton");
    await editor.leave("ok");
    assert.deepEqual(await targets(), ["debug3", "debug2", "debug1", "debug5", "debug6", undefined]);
  });

  it("mark what is wrong, and say what to do", async () => {
    const { editor } = session;
    const marked = async (input: string, says: RegExp) => {
      await $(`${input}.input-error`).waitFor();
      await editor.page.mouse.move(0, 0);
      await $(input).hover();
      assert.match(await $(".red-ui-popover").last().innerText(), says);
    };
    await editor.edit("/radaro");
    for (const path of ["/radaro?merchant=1", "/radaro#1", " "]) {
      await editor.enter("#node-input-path", "/radaro");
      await editor.press("Tab");
      await $("#node-input-path:not(.input-error)").waitFor();
      await editor.enter("#node-input-path", path);
      await editor.press("Tab");
      await marked("#node-input-path", /Enter the path that Radaro sends to/);
    }
    await editor.click("#node-input-btn-config-edit");
    await $("#node-config-input-token").waitFor();
    await editor.still();
    await editor.enter("#node-config-input-token", "");
    await editor.press("Tab");
    await marked("#node-config-input-token", /Enter the token: Radaro shows it in Settings/);
    await editor.leave("cancel", true);
    await editor.leave("ok");
    const problems = await editor.page.evaluate(
      "['in1', 'switch1'].map((id) => RED.nodes.node(id).validationErrors)",
    );
    assert.deepEqual(problems, [
      ["Enter the path that Radaro sends to, such as /radaro, without ? and #."],
      ["Rule 4: is none that this version knows; it never matches"],
    ]);
  });

  it("of radaro switch labels each output by its rule's sentence", async () => {
    const labels = await session.editor.page.evaluate(
      "[...Array(6).keys()].map((i) => RED.nodes.node('switch1')._def.outputLabels.call(RED.nodes.node('switch1'), i))",
    );
    assert.deepEqual(labels, [
      "Completed by the driver",
      "Confirmed or rated by the customer",
      "later.topic · later · Driver changed from 5",
      "A rule that is not understood",
      "A rule that is not understood",
      "Otherwise",
    ]);
  });

  it("of radaro-config keeps the tokens, without blanks, and never shows them", async () => {
    const { editor, nodeRed } = session;
    await editor.edit("/radaro");
    await editor.click("#node-input-btn-config-edit");
    await $("#node-config-input-token").waitFor();
    await editor.still();
    assert.equal(await $("#node-config-input-token").inputValue(), "__PWRD__");
    assert.equal(await $("#node-config-input-previousToken").isVisible(), false);
    await editor.enter("#node-config-input-name", "Acme & Sons");
    await editor.click("#radaro-config-previous summary");
    await editor.enter("#node-config-input-previousToken", " ${OLD_TOKEN} ");
    await editor.leave("ok", true);
    await editor.leave("ok");
    await editor.deploy({ confirm: true }); // for the broken rules in it
    const saved = JSON.parse(readFileSync(`${nodeRed.userDir}/flows_cred.json`, "utf8")) as unknown;
    assert.deepEqual(saved, { acme: { token, previousToken: "${OLD_TOKEN}" } });

    await editor.edit("/radaro");
    await editor.click("#node-input-btn-config-edit");
    await $("#node-config-input-previousToken").waitFor();
    assert.equal(await $("#node-config-input-name").inputValue(), "Acme & Sons");
    await editor.leave("cancel", true);
    await editor.leave("cancel");
  });

  it("let no token out by an export of all flows", async () => {
    const { editor } = session;
    await editor.press("Control+e");
    await editor.click("#red-ui-clipboard-dialog-export-rng-full");
    await editor.click(editor.page.getByRole("link", { name: "JSON", exact: true }));
    const text = await $("#red-ui-clipboard-dialog-export-text").inputValue();
    assert.match(text, /radaro-config/);
    assert.ok(!text.includes(token));
    await editor.press("Escape");
  });
});

async function chooseType(editor: Editor, input: Locator, label: string): Promise<void> {
  await editor.click(input.locator(".red-ui-typedInput-type-select"));
  await editor.click(editor.page.locator(".red-ui-typedInput-options:visible a", { hasText: label }).first());
}

async function chooseOption(editor: Editor, input: Locator, label: string): Promise<void> {
  await editor.click(input.locator(".red-ui-typedInput-option-trigger"));
  await editor.click(editor.page.locator(".red-ui-typedInput-options:visible a", { hasText: label }).first());
}
