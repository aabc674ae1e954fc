import assert from "node:assert/strict";
import { inEachNodeRed } from "./versions";

const token = "Zk3vQ9cXw1LmT7yHs0RdNA";
const at = { z: "tab1", x: 200, wires: [[]], topics: [] };
const flows = [
  { id: "tab1", type: "tab", label: "Flow 1", disabled: false, info: "", env: [] },
  { id: "acme", type: "radaro-config", name: "Acme" },
  { id: "twin", type: "radaro-config", name: "Twin" },
  { id: "bare", type: "radaro-config", name: "Bare" },
  { id: "unset", type: "radaro-config", name: "Unset" },
  { id: "own", type: "radaro-config", name: "Own" },
  { id: "in1", type: "radaro in", ...at, y: 100, name: "", config: "acme", path: "/radaro" },
  { id: "in2", type: "radaro in", ...at, y: 160, name: "", config: "bare", path: "/radaro" },
  { id: "in3", type: "radaro in", ...at, y: 220, name: "of unset", config: "unset", path: "/radaro" },
  { id: "in4", type: "radaro in", ...at, y: 280, name: "of own", config: "own", path: "/radaro" },
  { id: "in5", type: "radaro in", ...at, y: 340, name: "of twin", config: "twin", path: "/radaro" },
];
const credentials = {
  acme: { token },
  twin: { token: "another", previousToken: `${token}==` },
  unset: { token: "${NO_SUCH_TOKEN}" },
  own: { token: "its own" },
};

inEachNodeRed("Merchants", { flows, credentials }, (session) => {
  const $ = (selector: string) => session.editor.page.locator(selector);
  const ids = ["acme", "twin", "bare", "unset", "own", "in1", "in2", "in3", "in4", "in5"];
  const problems = () =>
    session.editor.page.evaluate<Record<string, string>>(
      `Object.fromEntries(${JSON.stringify(ids)}.map((id) => RED.nodes.node(id)).filter(Boolean)
        .map(({ id, valid, validationErrors }) => [id, valid ? "" : validationErrors.join()]))`,
    );
  /** Waits until a node is marked, or is not any more. */
  const marked = (id: string, isMarked = true) =>
    session.editor.page.waitForFunction(`RED.nodes.node("${id}")?.valid === ${!isMarked}`);
  /** How many nodes in the flow have the red triangle. */
  const triangles = () => $(".red-ui-flow-node-error:visible").count();
  const openMerchant = async () => {
    await session.editor.click("#node-input-btn-config-edit");
    await $("#node-config-input-token").waitFor();
    await session.editor.still();
  };

  it("without a token, with one that is not set, or with the same are marked with a sentence", async () => {
    const { editor } = session;
    const none = /^The merchant has no token: enter the one that Radaro shows/;
    const expected: Record<string, RegExp> = {
      ...{ acme: /^Twin has the same token/, twin: /^Acme has the same token/, bare: none, own: /^$/ },
      ...{ unset: /^The environment variable that the token is taken from is not set/ },
    };
    for (const part of ["at first", "after a reload"]) {
      await marked("bare");
      const found = await problems();
      for (const [id, text] of Object.entries(expected)) assert.match(found[id]!, text, `${id} ${part}`);
      const users = { in1: "acme", in2: "bare", in3: "unset", in4: "own", in5: "twin" };
      for (const [id, merchant] of Object.entries(users)) assert.equal(found[id], found[merchant], id);
      assert.equal(await triangles(), 4);
      await editor.reload();
    }
    await marked("bare");
    await editor.edit("of twin");
    await openMerchant();
    assert.match(await $("#radaro-config-token-problem").innerText(), /Acme has the same token/);
    await editor.enter("#node-config-input-token", "yet another");
    assert.equal(await $("#radaro-config-token-problem").isVisible(), false);
    await editor.leave("cancel", true);
    await editor.leave("cancel");
    assert.equal(await $("#red-ui-header-button-deploy.disabled").count(), 1);
  });

  it("of several are told apart on the nodes, and those of one name in every list", async () => {
    const { editor } = session;
    await editor.node("/radaro · Acme").waitFor();
    await editor.edit("/radaro · Bare");
    await openMerchant();
    await editor.enter("#node-config-input-name", "Acme");
    await editor.enter("#node-config-input-token", "new");
    await editor.leave("ok", true);
    const options = await $("#node-input-config option").allInnerTexts();
    assert.deepEqual(options.slice(0, 2), ["Acme (acme)", "Acme (bare)"]);
    await editor.leave("ok");
    await editor.node("/radaro · Acme (bare)").waitFor();
    await editor.node("/radaro · Acme (acme)").waitFor();
    await editor.edit("/radaro · Acme (bare)");
    await openMerchant();
    await editor.enter("#node-config-input-name", "Acme".repeat(20));
    await editor.leave("ok", true);
    await editor.leave("ok");
    await editor.node(`/radaro · ${"Acme".repeat(7)}A…`).waitFor();
  });

  it("are called so in the dialogs that Node-RED builds", async () => {
    const { editor } = session;
    const titles = () =>
      $(".red-ui-tray-header:visible, .red-ui-tray-breadcrumbs:visible").last().innerText();
    await editor.edit("of own");
    await editor.click("#node-input-btn-config-add");
    await $("#node-config-input-token").waitFor();
    await editor.still();
    assert.match(await titles(), /Add new Merchant config node/);
    await editor.leave("cancel", true);
    await openMerchant();
    assert.match(await titles(), /Edit Merchant node/);
    await editor.leave("cancel", true);
    await $("#node-input-btn-config-add").hover();
    await $(".red-ui-popover:has-text('Add a merchant')").waitFor();
    await editor.leave("cancel");
  });

  it("that are deleted and brought back have no token any more, which a deploy warns of", async () => {
    const { editor } = session;
    await marked("bare");
    await editor.edit("of own");
    await openMerchant();
    await editor.click($(".red-ui-tray-toolbar .leftButton").last());
    await $("#node-config-input-token").waitFor({ state: "detached" });
    await editor.still();
    await editor.choose("#node-input-config", "none");
    await editor.leave("ok");
    assert.equal((await problems()).in4, "Choose a merchant.");
    await editor.deploy({ confirm: true });
    await editor.click($("#red-ui-workspace-chart"));
    await editor.press("Control+z");
    await marked("own");
    assert.match((await problems()).own!, /has no token/);
    assert.equal((await problems()).in4, (await problems()).own);

    await editor.click("#red-ui-header-button-deploy");
    const warning = $(".red-ui-notification:has-text('not properly configured')");
    await warning.waitFor();
    assert.match(await warning.innerText(), /\bOwn \(radaro-config\)/);
    await editor.click(".red-ui-notification button:has-text('Cancel')");

    await editor.edit("of own");
    await openMerchant();
    await editor.enter("#node-config-input-token", "its own");
    await editor.leave("ok", true);
    await editor.leave("ok");
    assert.deepEqual([(await problems()).own, (await problems()).in4], ["", ""]);
    await editor.deploy({ confirm: true });
    await editor.reload();
    await marked("bare");
    assert.deepEqual([(await problems()).own, (await problems()).in4], ["", ""]);
  });

  it("of two with the same token are marked no more when one gets another, also before the deploy", async () => {
    const { editor } = session;
    await marked("acme");
    await editor.edit("of twin");
    await openMerchant();
    await editor.enter("#node-config-input-token", "different");
    // It is open already, as there is one.
    await editor.enter("#node-config-input-previousToken", "");
    await editor.leave("ok", true);
    await editor.leave("ok");
    await marked("acme", false);
    assert.deepEqual([(await problems()).twin, (await problems()).in5], ["", ""]);
    await editor.deploy({ confirm: true });
    await editor.reload();
    await marked("bare");
    const { acme, twin } = await problems();
    assert.deepEqual([acme, twin], ["", ""]);
  });
});
