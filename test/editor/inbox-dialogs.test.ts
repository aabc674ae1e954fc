import assert from "node:assert/strict";
import { inEachNodeRed } from "./versions";

const at = { z: "tab1", x: 200, wires: [[]] };
const receive = { ...at, type: "radaro in", topics: [], sample: "job-completed" };
const flows = [
  { id: "tab1", type: "tab", label: "Flow 1", disabled: false, info: "", env: [] },
  { id: "kept", type: "radaro-config", name: "Kept", inbox: true, inboxDays: 7 },
  { id: "plain", type: "radaro-config", name: "Plain", inbox: false, inboxDays: 7 },
  { ...receive, id: "old", y: 100, name: "Old", config: "kept", path: "/old" },
  {
    ...{ ...receive, id: "set", y: 160, name: "Set", config: "kept", path: "/set" },
    ...{ inOrder: true, done: "node", limit: 5 },
  },
  { ...receive, id: "none", y: 220, name: "None", config: "plain", path: "/none" },
  { ...at, id: "done", type: "radaro done", y: 280, name: "Billed", wires: [] },
  {
    ...{ ...at, id: "failed", type: "radaro done", y: 340, name: "", wires: [], verdict: "failed" },
    ...{ reason: "No price", reasonType: "str" },
  },
];
const credentials = { kept: { token: "Zk3vQ9cXw1LmT7yHs0RdNA" }, plain: { token: "Qh8nB2vKp5XsE1wJt6YzLg" } };

inEachNodeRed("The inbox in dialogs", { flows, credentials }, (session) => {
  const $ = (selector: string) => session.editor.page.locator(selector);
  const all = () => session.editor.page.evaluate("JSON.stringify(RED.nodes.createCompleteNodeSet())");
  /** A property of a node as it would be deployed. */
  const current = (id: string, ...properties: string[]) =>
    session.editor.page.evaluate<unknown[]>(
      `((node) => ${JSON.stringify(properties)}.map((each) => node[each] ?? null))(
        RED.nodes.createCompleteNodeSet().find(({ id }) => id === ${JSON.stringify(id)}))`,
    );
  const openMerchant = async () => {
    await session.editor.click("#node-input-btn-config-edit");
    await $("#node-config-input-token").waitFor();
    await session.editor.still();
  };

  it("leave nodes that were saved before it as they were, and unchanged", async () => {
    const { editor } = session;
    const before = await all();
    for (const label of ["Old", "Set", "None", "Billed", "has failed"]) {
      await editor.edit(label);
      await editor.leave("ok");
    }
    await editor.edit("Old");
    assert.equal(await $("#node-input-inOrder").isChecked(), false);
    assert.equal(await $("#node-input-done").inputValue(), "");
    assert.equal(await $("#node-input-limit").inputValue(), "");
    await openMerchant();
    assert.equal(await $("#node-config-input-inboxRetries").inputValue(), "");
    await editor.leave("ok", true);
    await editor.leave("ok");
    assert.equal(await all(), before);
    assert.equal(await $("#red-ui-header-button-deploy.disabled").count(), 1);
  });

  it("show what is for it only where the chosen merchant has it on, as soon as it has", async () => {
    const { editor } = session;
    const inbox = $("#radaro-in-inbox");
    await editor.edit("None");
    assert.equal(await inbox.isVisible(), false);
    await editor.choose("#node-input-config", "Kept");
    await inbox.waitFor();
    await editor.choose("#node-input-config", "Plain");
    await inbox.waitFor({ state: "hidden" });
    await openMerchant();
    assert.equal(await $("#node-config-input-inboxRetries").isVisible(), false);
    await editor.click("#node-config-input-inbox");
    await $("#node-config-input-inboxRetries").waitFor();
    assert.match(await $("#radaro-config-inbox-tip").innerText(), /http request[^]*msg\.statusCode/);
    await editor.leave("ok", true);
    await inbox.waitFor();
    await editor.leave("ok");
    assert.deepEqual(await current("none", "inOrder", "done", "limit"), [null, null, null]);
  });

  it("ask for a database only where events are to be in one, say what is wrong with its URL, and never show it", async () => {
    const { editor } = session;
    const url = $("#node-config-input-inboxUrl");
    const problem = $("#radaro-config-database-problem");
    const openPlain = async () => {
      await editor.edit("None");
      await openMerchant();
    };
    await openPlain();
    if (!(await $("#node-config-input-inbox").isChecked())) await editor.click("#node-config-input-inbox");
    assert.equal(await $("#node-config-input-inboxStore").inputValue(), "");
    assert.equal(await url.isVisible(), false);
    assert.match(await $("#radaro-config-personal").innerText(), /on this machine/);
    await editor.choose("#node-config-input-inboxStore", "in a shared PostgreSQL database");
    await url.waitFor();
    assert.equal(await url.getAttribute("type"), "password");
    assert.match(await $("#radaro-config-personal").innerText(), /in this database/);
    for (const [entered, text] of [
      ["mysql://u:secret@127.0.0.1/inbox", /something else/],
      ["postgres://127.0.0.1/inbox", /no URL of a database/],
      ["${NO_SUCH_DATABASE}", undefined],
      ["postgres://u:secret@127.0.0.1:9/inbox", undefined],
    ] as const) {
      await editor.enter(url, entered);
      await editor.press("Tab");
      await $(`#node-config-input-inboxUrl${text ? ".input-error" : ":not(.input-error)"}`).waitFor();
      if (text) assert.match(await problem.innerText(), text);
      else assert.equal(await problem.isVisible(), false);
    }
    await editor.leave("ok", true);
    await editor.leave("ok");
    await editor.deploy();
    assert.deepEqual(await current("plain", "inboxStore", "inboxUrl"), ["postgres", null]);
    assert.doesNotMatch((await all()) as string, /secret/);
    await editor.reload();
    await openPlain();
    assert.equal(await url.inputValue(), "__PWRD__");
    assert.equal(await problem.isVisible(), false);

    await editor.enter(url, "");
    await editor.leave("ok", true);
    await editor.leave("ok");
    await editor.deploy({ confirm: true });
    await editor.page.waitForFunction(
      `RED.nodes.node("plain").validationErrors.join().startsWith("Enter the URL of the database")`,
    );
    await openPlain();
    assert.match(await problem.innerText(), /Enter the URL of the database/);
    await editor.choose("#node-config-input-inboxStore", "on this machine's disk");
    await url.waitFor({ state: "hidden" });
    await editor.leave("ok", true);
    await editor.leave("ok");
    assert.deepEqual(await current("plain", "inboxStore"), [""]);
  });

  it("ask for the server and the key only where the merchant catches up, and keep them", async () => {
    const { editor } = session;
    await editor.edit("Old");
    await openMerchant();
    const minutes = "#node-config-input-catchUp";
    assert.equal(await $(minutes).inputValue(), "");
    assert.equal(await $("#node-config-input-apiKey").isVisible(), false);
    await editor.enter(minutes, "0.5");
    await editor.press("Tab");
    await $(`${minutes}.input-error`).waitFor();
    await editor.enter(minutes, "15");
    await editor.enter("#node-config-input-server", "2");
    await editor.enter("#node-config-input-apiKey", " 7c1f0a52-3d7e-4b0e-9a86-5e2f4c9d1b30 ");
    assert.match(await $("#radaro-config-catchUp-tip").innerText(), /master key/);
    await editor.leave("ok", true);
    await editor.leave("ok");
    assert.deepEqual(await current("kept", "catchUp", "server", "apiKey"), ["15", "2", null]);
    await editor.edit("Old");
    await openMerchant();
    assert.equal(await $("#node-config-input-server").inputValue(), "2");
    await editor.enter(minutes, "");
    await $("#radaro-config-catchUp").waitFor({ state: "hidden" });
    await editor.leave("ok", true);
    await editor.leave("ok");
    assert.deepEqual(await current("kept", "catchUp"), [""]);
  });

  it("keep what is entered in that of radaro in", async () => {
    const { editor } = session;
    await editor.edit("Old");
    await editor.click("#node-input-inOrder");
    await editor.choose("#node-input-done", "a radaro done node says so");
    await editor.enter("#node-input-limit", "2.5");
    await editor.leave("ok");
    assert.deepEqual(await current("old", "inOrder", "done", "limit"), [true, "node", "2.5"]);
    await editor.edit("Set");
    assert.equal(await $("#node-input-inOrder").isChecked(), true);
    assert.equal(await $("#node-input-done").inputValue(), "node");
    assert.equal(await $("#node-input-limit").inputValue(), "5");
    await editor.enter("#node-input-limit", "-1");
    await editor.press("Tab");
    await $("#node-input-limit.input-error").waitFor();
    await editor.enter("#node-input-limit", "");
    await editor.press("Tab");
    await $("#node-input-limit:not(.input-error)").waitFor();
    await editor.leave("ok");
    assert.deepEqual(await current("set", "inOrder", "done", "limit"), [true, "node", ""]);
  });

  it("begin new nodes in order, and new merchants with retries", async () => {
    const { editor } = session;
    await editor.add("radaro in", 500, 400);
    const added = (type: string, property: string) =>
      editor.page.evaluate(
        `RED.nodes.createCompleteNodeSet().findLast((node) => node.type === "${type}").${property}`,
      );
    assert.equal(await added("radaro in", "inOrder"), true);
    await editor.edit("/radaro");
    await editor.click("#node-input-btn-config-add");
    await $("#node-config-input-token").waitFor();
    await editor.still();
    await editor.enter("#node-config-input-token", "another");
    await editor.click("#node-config-input-inbox");
    assert.equal(await $("#node-config-input-inboxRetries").inputValue(), "1, 5, 30, 120");
    for (const [retries, mark] of [
      ["often", ".input-error"],
      ["0", ".input-error"],
      ["10081", ".input-error"],
      ["", ":not(.input-error)"],
      ["2,4.5", ":not(.input-error)"],
    ] as const) {
      await editor.enter("#node-config-input-inboxRetries", retries);
      await editor.press("Tab");
      await $(`#node-config-input-inboxRetries${mark}`).waitFor();
    }
    await editor.leave("ok", true);
    await $("#radaro-in-inbox").waitFor();
    await editor.leave("ok");
    assert.equal(await added("radaro-config", "inboxRetries"), "2,4.5");
  });

  it("ask radaro done for a reason only where the flow has failed, and keep it", async () => {
    const { editor } = session;
    await editor.edit("Billed");
    const reason = $("#radaro-done-reason");
    assert.equal(await $("#node-input-verdict").inputValue(), "processed");
    assert.equal(await reason.isVisible(), false);
    await editor.choose("#node-input-verdict", "has failed");
    await reason.waitFor();
    assert.equal(await $("#node-input-reason").inputValue(), "error.message");
    await editor.leave("ok");
    assert.deepEqual(await current("done", "verdict", "reason"), ["failed", null]);
    await editor.edit("has failed");
    assert.equal(await $("#node-input-reason").inputValue(), "No price");
    assert.equal(await $("#node-input-reasonType").inputValue(), "str");
    await editor.enter(reason.locator(".red-ui-typedInput-input"), "Not billed");
    await editor.choose("#node-input-verdict", "is done with it");
    await editor.leave("ok");
    const expected = ["processed", "Not billed", "str"];
    assert.deepEqual(await current("failed", "verdict", "reason", "reasonType"), expected);
  });
});
