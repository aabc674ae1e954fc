import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { AxeResults } from "axe-core";
import { inEachNodeRed } from "./versions";

const at = { z: "tab1", x: 200, wires: [[]] };
const confirmed = {
  kind: "event",
  eventType: "updated",
  field: "is_confirmed_by_customer",
  to: true,
  toType: "bool",
};
const rules = [
  { kind: "event", eventType: "updated", field: "status", from: "assigned", fromType: "str" },
  { kind: "event", topic: "job.changed", field: "driver", job: "merchant", op: "eq", value: 124 },
  { ...confirmed, job: "rating", op: "lte", value: 5 },
  { kind: "event", job: "customer.address", op: "has", value: "street" },
  { kind: "later" },
  { kind: "superseded" },
  { kind: "otherwise" },
];
const broker = { id: "broker", type: "mqtt-broker", name: "Broker", broker: "localhost", port: "1883" };
const flows = [
  { id: "tab1", type: "tab", label: "Flow 1" },
  { id: "acme", type: "radaro-config", name: "Acme", inbox: true, inboxDays: 7 },
  {
    id: "in1",
    type: "radaro in",
    ...at,
    y: 100,
    name: "ours in",
    config: "acme",
    path: "/radaro",
    topics: ["job.deleted"],
  },
  {
    id: "switch1",
    type: "radaro switch",
    ...at,
    y: 160,
    name: "ours switch",
    property: "payload",
    rules,
    outputs: rules.length,
  },
  { id: "watch1", type: "radaro watch", ...at, y: 400, name: "ours watch", config: "acme", silence: 4 },
  { id: "core1", type: "http in", ...at, y: 220, name: "core in", url: "/x", method: "post" },
  {
    id: "core2",
    type: "switch",
    ...at,
    y: 280,
    name: "core switch",
    property: "payload",
    rules: [{ t: "eq", v: "1", vt: "str" }],
    outputs: 1,
  },
  { id: "core3", type: "mqtt in", ...at, y: 340, name: "core mqtt", topic: "a", broker: "broker" },
  broker,
];

inEachNodeRed("Accessibility", { flows }, (session) => {
  it("is no worse than that of the core nodes: no serious finding that they do not have too", async () => {
    const { editor } = session;
    const { page } = editor;
    await page.evaluate(readFileSync(require.resolve("axe-core/axe.min.js"), "utf8"));

    /** The serious findings in the topmost dialog, by rule, with what they are about. */
    const findings = async () => {
      const results = await page.evaluate<AxeResults>(
        "axe.run([...document.querySelectorAll('.red-ui-tray')].at(-1))",
      );
      return results.violations
        .filter(({ impact }) => impact === "serious" || impact === "critical")
        .map(({ id, nodes }) => ({ id, where: nodes.map(({ html }) => html) }));
    };
    const inDialogOf = async (label: string, config = false) => {
      await editor.edit(label);
      if (config) {
        await editor.click("#node-input-btn-config-edit, #node-input-btn-broker-edit");
        await page.locator("#node-config-dialog-ok").waitFor();
        await editor.still();
        if (await page.locator("#radaro-config-previous").count())
          await editor.click("#radaro-config-previous summary");
      }
      const found = await findings();
      if (config) await editor.leave("cancel", true);
      await editor.leave("cancel");
      return found;
    };

    const core = [
      ...(await inDialogOf("core in")),
      ...(await inDialogOf("core switch")),
      ...(await inDialogOf("core mqtt", true)),
    ].map(({ id }) => id);
    const ours = [
      ...(await inDialogOf("ours in")),
      ...(await inDialogOf("ours switch")),
      ...(await inDialogOf("ours watch")),
      ...(await inDialogOf("ours in", true)),
    ];
    assert.deepEqual(
      ours.filter(({ id }) => !core.includes(id)),
      [],
    );
  });
});
