import assert from "node:assert/strict";
import type { Locator } from "playwright-core";
import { inEachNodeRed } from "./versions";

const failed = { kind: "event", eventType: "updated", field: "status", to: "failed", toType: "str" };
const rated = {
  ...{ kind: "event", eventType: "updated", field: "is_confirmed_by_customer", to: true, toType: "bool" },
};
const rules = [
  { ...failed, job: "merchant", op: "eq", value: 124, valueType: "num" },
  { ...rated, job: "rating", op: "lte", value: "3", valueType: "num" },
  { kind: "event", job: "deliver_address.state", op: "gte", value: "3000", valueType: "str" },
  { kind: "event", job: "rating", op: "below", value: "3", valueType: "num" },
  { kind: "event", job: "rating", op: ["lt"], value: 3 },
  { kind: "event", job: "title", op: "has", value: 5 },
];

/** Nodes as a script or an assistant writes them, by their names. */
const odd: Record<string, object> = {
  "all left out": {},
  "no checkall": { property: "payload", rules: [failed], outputs: 1 },
  "checkall false": { property: "payload", rules: [failed], outputs: 1, checkall: false },
  "checkall as a text": { property: "payload", rules: [failed], outputs: 1, checkall: "false" },
  "checkall null": { property: "payload", rules: [failed], outputs: 1, checkall: null },
  "no property": { rules: [failed], outputs: 1, checkall: true },
  "property empty": { property: "", rules: [failed], outputs: 1, checkall: true },
  "property null": { property: null, rules: [failed], outputs: 1, checkall: true },
  "no outputs": { property: "payload", rules: [failed, { kind: "otherwise" }], checkall: true },
  "too many outputs": { property: "payload", rules: [failed], outputs: 3, checkall: true },
  "no rules": { property: "payload", outputs: 1, checkall: true },
  "rules null": { property: "payload", rules: null, outputs: 1, checkall: true },
  "rules a text": { property: "payload", rules: "otherwise", outputs: 1, checkall: true },
  "rules an object": { property: "payload", rules: { kind: "otherwise" }, outputs: 1, checkall: true },
  "sparse rules": {
    rules: [
      { kind: "event" },
      { ...failed, extra: 1 },
      { kind: "event", to: 3, toType: "num", field: "driver" },
    ],
    outputs: 3,
  },
  "broken rules": {
    rules: [
      null,
      "otherwise",
      { kind: "event", field: 3 },
      { kind: "event", field: null, job: null },
      ...rules,
    ],
    outputs: 10,
  },
};

/** A rule of each kind, with all that its row can show. */
const everyKind = [
  failed,
  { ...failed, job: "merchant", op: "eq", value: 124, valueType: "num" },
  { ...rated, job: "rating", op: "lte", value: "3", valueType: "num" },
  { kind: "event", eventType: "updated", field: "driver", from: "5", fromType: "num" },
  { kind: "event", topic: "job.changed", field: "status", to: "way_back", toType: "str" },
  {
    kind: "event",
    topic: "job.barcodes_scanned_upon_delivery",
    job: "deadline_passed",
    op: "eq",
    value: true,
  },
  { kind: "event", job: "deliver_address.state", op: "neq", value: "VIC", valueType: "str" },
  { kind: "event", field: "rating", to: "x", toType: "num" },
  { kind: "later", of: "another version" },
  { kind: "superseded" },
  { kind: "otherwise" },
];

const switches = Object.entries(odd).map(([label, properties], i) => ({
  ...{
    id: `odd${i}`,
    type: "radaro switch",
    z: "tab2",
    x: 150 + 350 * (i % 3),
    y: 40 + 90 * Math.floor(i / 3),
  },
  ...{ name: label, ...properties, wires: [] },
}));
const flows = [
  { id: "tab1", type: "tab", label: "Flow 1", disabled: false, info: "", env: [] },
  { id: "tab2", type: "tab", label: "Flow 2", disabled: false, info: "", env: [] },
  {
    ...{
      id: "switch1",
      type: "radaro switch",
      z: "tab1",
      x: 200,
      y: 160,
      name: "",
      property: "payload",
      rules,
    },
    ...{ checkall: true, outputs: rules.length, wires: rules.map(() => []) },
  },
  { id: "nameless", type: "radaro switch", z: "tab1", x: 500, y: 160, wires: [] },
  {
    ...{
      id: "kinds",
      type: "radaro switch",
      z: "tab1",
      x: 200,
      y: 320,
      name: "every kind",
      property: "payload",
    },
    ...{ rules: everyKind, checkall: true, outputs: everyKind.length, wires: [] },
  },
  {
    ...{ id: "short", type: "radaro switch", z: "tab1", x: 500, y: 320, name: "short", property: "payload" },
    ...{ rules: [everyKind[4]], checkall: true, outputs: 1, wires: [] },
  },
  ...switches,
];

interface SwitchNode {
  rules: unknown[];
  outputs: number;
  wires: unknown[];
}

inEachNodeRed("The dialog of radaro switch", { flows }, (session) => {
  const $ = (selector: string) => session.editor.page.locator(selector);
  const rule = (number: number) => $(".radaro-switch-rule").nth(number - 1);
  const meaning = (number: number) => rule(number).locator(".radaro-switch-inputs > select");
  const ask = (target: Locator) => target.locator(".radaro-switch-add-condition");
  /** The fields of the job, and how they are compared. */
  const selects = (target: Locator) => target.locator(".radaro-switch-condition select");
  const value = (target: Locator) => target.locator(".radaro-switch-value input.red-ui-typedInput-input");
  const problem = (target: Locator) => target.locator(".radaro-switch-problem");

  /** A node as it would be deployed. */
  const current = async <T>(id: string) =>
    (await session.editor.page.evaluate(
      `RED.nodes.createCompleteNodeSet().find((node) => node.id === ${JSON.stringify(id)})`,
    )) as T;
  /** The same, but for where it stands: the editor moves what gets another width. */
  const withoutPlace = async (id: string) => ({ ...(await current<SwitchNode>(id)), x: 0 });
  const savedRules = async () => (await current<SwitchNode>("switch1")).rules;
  const all = () => session.editor.page.evaluate("JSON.stringify(RED.nodes.createCompleteNodeSet())");
  const labels = (id: string) =>
    session.editor.page.evaluate(
      `RED.nodes.node("${id}").rules.map((_, i) => RED.nodes.node("${id}")._def.outputLabels.call(RED.nodes.node("${id}"), i))`,
    );

  it("says what a rule asks of the job, and keeps it as it is", async () => {
    const { editor } = session;
    const before = await all();
    await editor.edit("6 routes");
    assert.equal(await meaning(1).inputValue(), "job-failed");
    assert.equal(await selects(rule(1)).nth(0).inputValue(), "merchant");
    assert.equal(await value(rule(1)).inputValue(), "124");
    assert.equal(await meaning(2).inputValue(), "job-rated-low");
    assert.equal(await $(".radaro-switch-limit").inputValue(), "3");
    assert.equal(
      await rule(3).locator(".radaro-switch-condition > input").inputValue(),
      "deliver_address.state",
    );
    assert.match(await problem(rule(4)).innerText(), /compares the job in a way that does not exist/);
    assert.match(await problem(rule(5)).innerText(), /is kept as it is/);
    await editor.leave("ok");
    assert.equal(await all(), before);
    assert.deepEqual(await labels("switch1"), [
      "Job failed · Merchant's number is 124",
      "Confirmed or rated by the customer, rated 3 or lower",
      "Any event · deliver_address.state is at least 3000",
      "A rule that is not understood",
      "A rule that is not understood",
      "Any event · Title contains 5",
    ]);
  });

  it("adds a condition on the job to any rule, by the fields' names, and takes it away again", async () => {
    const { editor } = session;
    await editor.edit("6 routes");
    await editor.choose(meaning(1), "Job deleted");
    await editor.choose(selects(rule(1)).nth(0), "Customer's name");
    await editor.choose(selects(rule(1)).nth(1), "contains");
    await editor.enter(value(rule(1)), "ikea");

    await editor.click(".red-ui-editableList-addButton");
    assert.equal(await selects(rule(7)).count(), 0);
    await editor.click(ask(rule(7)));
    assert.equal(await problem(rule(7)).innerText(), "");
    await editor.choose(selects(rule(7)).nth(0), "Deadline passed");
    assert.match(await rule(7).locator(".radaro-switch-value").innerText(), /yes or no/);
    await editor.choose(selects(rule(7)).nth(0), "Rating");
    assert.match(await problem(rule(7)).innerText(), /has no value to compare the job with/);
    await editor.choose(selects(rule(7)).nth(1), "is empty");
    assert.equal(await rule(7).locator(".radaro-switch-value").isVisible(), false);
    assert.equal(await problem(rule(7)).innerText(), "");

    await editor.click(rule(3).locator(".radaro-switch-remove-condition"));
    assert.ok(await ask(rule(3)).isVisible());
    await editor.click(ask(rule(3)));
    await editor.choose(selects(rule(3)).nth(0), "Another field …");
    await editor.enter(rule(3).locator(".radaro-switch-condition > input"), "cargoes.skids");
    await editor.choose(selects(rule(3)).nth(1), "is not empty");
    await editor.choose(selects(rule(4)).nth(1), "is lower than");
    assert.equal(await problem(rule(4)).innerText(), "");
    await editor.leave("ok");

    const event = { from: "", fromType: "any", to: "", toType: "any" };
    assert.deepEqual(await savedRules(), [
      {
        ...{ kind: "event", topic: "", eventType: "deleted", field: "", ...event },
        ...{ job: "customer.name", op: "has", value: "ikea", valueType: "str" },
      },
      rules[1],
      { kind: "event", topic: "", eventType: "", field: "", ...event, job: "cargoes.skids", op: "nempty" },
      {
        ...{ kind: "event", topic: "", eventType: "", field: "", ...event },
        ...{ job: "rating", op: "lt", value: "3", valueType: "num" },
      },
      ...rules.slice(4),
      { kind: "event", topic: "", eventType: "created", field: "", ...event, job: "rating", op: "empty" },
    ]);
  });

  it("has low ratings as a sentence of their own, with the limit in the row", async () => {
    const { editor } = session;
    await editor.edit("6 routes");
    await editor.choose(meaning(1), "Confirmed or rated by the customer, rated 5 or lower");
    assert.equal(await ask(rule(1)).count(), 0);
    const limit = rule(1).locator(".radaro-switch-limit");
    await editor.enter(limit, "2");
    const chosen = () =>
      meaning(1).evaluate((select) => (select as HTMLSelectElement).selectedOptions[0]!.text);
    assert.equal(await chosen(), "Confirmed or rated by the customer, rated 2 or lower");
    await editor.enter(limit, "");
    assert.match(await problem(rule(1)).innerText(), /has no value to compare the job with/);
    await editor.enter(limit, "4");
    assert.equal(await problem(rule(1)).innerText(), "");
    // Without the limit it is another meaning, which asks nothing of the job.
    await editor.choose(meaning(2), "Confirmed or rated by the customer");
    assert.ok(await ask(rule(2)).isVisible());
    await editor.leave("ok");
    const [first, second] = await savedRules();
    assert.deepEqual(first, {
      ...{ kind: "event", topic: "", eventType: "updated", field: "is_confirmed_by_customer" },
      ...{ from: "", fromType: "any", to: "true", toType: "bool" },
      ...{ job: "rating", op: "lte", value: "4", valueType: "num" },
    });
    assert.ok(!("job" in (second as object)));
  });

  it("suggests the job's fields as what may change, and says of those that never do where they are", async () => {
    const { editor } = session;
    await editor.edit("6 routes");
    await editor.choose(meaning(1), "Anything else that changed …");
    const suggested = await rule(1)
      .locator("datalist option")
      .evaluateAll((options) => options.map((option) => (option as HTMLOptionElement).value));
    for (const field of ["driver", "description", "title"]) assert.ok(suggested.includes(field), field);
    for (const field of ["rating", "customer_comment"]) assert.ok(!suggested.includes(field), field);
    const field = rule(1).locator("input[list]");
    await editor.enter(field, "rating");
    assert.match(
      await problem(rule(1)).innerText(),
      /This rule waits for a change of 'Rating', which Radaro never tells .* it never matches/,
    );
    await editor.leave("ok");
    const errors = () => editor.page.evaluate("RED.nodes.node('switch1').validationErrors.join()");
    assert.match(String(await errors()), /^Rule 1: waits for a change of 'Rating', which Radaro never tells/);
    await editor.edit("6 routes");
    await editor.enter(field, "driver");
    assert.equal(await problem(rule(1)).innerText(), "");
    await editor.leave("ok");
    assert.doesNotMatch(String(await errors()), /Rule 1/);
  });

  for (const language of ["en-US", "de"]) {
    it(`lays no input of a row on another or on its buttons, in ${language}`, async () => {
      const { editor } = session;
      const { page } = editor;
      await page.evaluate(`localStorage.setItem("editor-language", "${language}")`);
      try {
        await editor.reload();
        for (const width of [1400, 520]) {
          await page.setViewportSize({ width, height: 900 });
          for (const [id, count] of Object.entries({ kinds: everyKind.length, short: 1 })) {
            await page.evaluate(`RED.editor.edit(RED.nodes.node("${id}"))`); // it may be out of sight
            await editor.dialogOpen();
            assert.equal(await $(".radaro-switch-rule").count(), count);
            assert.deepEqual(await page.evaluate(overlaps), [], `${id} at ${width} pixels`);
            await editor.leave("cancel");
          }
        }
      } finally {
        await page.evaluate("localStorage.removeItem('editor-language')");
      }
    });
  }

  it("changes nothing that was not touched, whatever a flow leaves out or says instead", async () => {
    const { editor } = session;
    await editor.click(editor.page.locator(".red-ui-tab-label", { hasText: "Flow 2" }));
    const before = await all();
    for (const label of Object.keys(odd)) {
      await editor.edit(label);
      await editor.leave("ok");
      assert.equal(await all(), before, label);
    }
    assert.equal(await $("#red-ui-header-button-deploy.disabled").count(), 1);
    // What a flow leaves out is shown as what the node does.
    const checked: Record<string, boolean> = {};
    for (const label of Object.keys(odd).filter((label) => label.includes("checkall"))) {
      await editor.edit(label);
      checked[label] = await $("#node-input-checkall").isChecked();
      await editor.leave("cancel");
    }
    assert.deepEqual(checked, {
      ...{ "no checkall": true, "checkall false": false, "checkall as a text": false, "checkall null": true },
    });
    await editor.edit("no property");
    assert.equal(await $("#node-input-property").inputValue(), "payload");
    await editor.leave("cancel");
  });

  it("changes a name only, whatever else a flow leaves out or says instead", async () => {
    const { editor } = session;
    await editor.click(editor.page.locator(".red-ui-tab-label", { hasText: "Flow 2" }));
    for (const [i, label] of Object.keys(odd).entries()) {
      const before = await withoutPlace(`odd${i}`);
      await editor.edit(label);
      await editor.enter("#node-input-name", `named ${i}`);
      await editor.leave("ok");
      assert.deepEqual(await withoutPlace(`odd${i}`), { ...before, name: `named ${i}` }, label);
    }
  });

  it("changes what was touched, and nothing else", async () => {
    const { editor } = session;
    await editor.click(editor.page.locator(".red-ui-tab-label", { hasText: "Flow 2" }));
    const change = async (label: string, touch: () => Promise<void>) => {
      const id = `odd${Object.keys(odd).indexOf(label)}`;
      const before = await withoutPlace(id);
      await editor.edit(label);
      await touch();
      await editor.leave("ok");
      return { before, after: await withoutPlace(id) };
    };
    const unticked = await change("no checkall", () => editor.click("#node-input-checkall"));
    assert.deepEqual(unticked.after, { ...unticked.before, checkall: false });
    const ticked = await change("checkall as a text", () => editor.click("#node-input-checkall"));
    assert.deepEqual(ticked.after, { ...ticked.before, checkall: true });
    const added = await change("no outputs", () => editor.click(".red-ui-editableList-addButton"));
    const { outputs, wires, rules } = added.after;
    assert.deepEqual([outputs, wires.length, rules.length], [3, 3, 3]);
    assert.deepEqual(rules.slice(0, 2), added.before.rules);
    const first = await change("rules null", () => editor.click(".red-ui-editableList-addButton"));
    assert.equal(first.after.rules.length, 1);
  });

  it("is marked where its rules are no list, and not where they are left out", async () => {
    const marked = await session.editor.page.evaluate(
      `${JSON.stringify(switches.map(({ id }) => id))}.filter((id) => !RED.nodes.node(id).valid).map((id) => RED.nodes.node(id).name)`,
    );
    assert.deepEqual(marked, ["rules null", "rules a text", "rules an object", "broken rules"]);
    assert.equal(await session.editor.node("0 routes").count(), 1);
    const { editor } = session;
    for (const [name, isSaid] of [
      ["rules a text", true],
      ["broken rules", false],
    ] as const) {
      const { id } = switches.find((each) => each.name === name)!;
      await editor.page.evaluate(`RED.editor.edit(RED.nodes.node("${id}"))`); // it is on another tab
      await editor.dialogOpen();
      const text = await $("#radaro-switch-no-list").innerText();
      assert.equal(text.includes("is not a list: no message is routed"), isSaid, name);
      await editor.leave("cancel");
    }
  });
});

/** In the browser: what is laid on something else in one row, by their HTML. */
function overlaps(): string[] {
  const controls = "select, button, input, .red-ui-typedInput-container, .radaro-switch-output, code";
  const found: string[] = [];
  for (const row of document.querySelectorAll(".radaro-switch-rule")) {
    const shown = [...row.querySelectorAll(controls)].filter((each) => each.getClientRects().length > 0);
    for (const [i, one] of shown.entries()) {
      for (const other of shown.slice(i + 1)) {
        if (one.contains(other) || one.closest(".red-ui-typedInput-container")?.contains(other)) continue;
        const [a, b] = [one.getBoundingClientRect(), other.getBoundingClientRect()];
        const isBeside =
          a.right <= b.left + 1 || b.right <= a.left + 1 || a.bottom <= b.top + 1 || b.bottom <= a.top + 1;
        if (!isBeside) found.push(`${one.outerHTML.slice(0, 80)} on ${other.outerHTML.slice(0, 80)}`);
      }
    }
  }
  return found;
}
