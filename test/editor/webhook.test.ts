import assert from "node:assert/strict";
import { Editor } from "./editor";
import { startProxy } from "./proxy";
import { inEachNodeRed } from "./versions";

const token = "Zk3vQ9cXw1LmT7yHs0RdNA";
const env = [{ name: "SHOP", value: "/shops/12", type: "str" }];
const at = { z: "tab1", x: 200, wires: [[]] };
const subflow = { id: "sub", type: "subflow", name: "Receive", info: "", in: [], out: [], env: [] };
const flows = [
  { id: "tab1", type: "tab", label: "Flow 1", disabled: false, info: "", env },
  { ...subflow, category: "", color: "#DDAA99" },
  { id: "acme", type: "radaro-config", name: "Acme" },
  { id: "in1", type: "radaro in", ...at, y: 100, name: "one", config: "acme", path: "/radaro", topics: [] },
  { id: "in2", type: "radaro in", ...at, y: 160, name: "two", config: "acme", path: "/other", topics: [] },
  { id: "in3", type: "radaro in", ...at, y: 220, name: "set", config: "acme", path: "${SHOP}", topics: [] },
  { id: "in4", type: "radaro in", ...at, y: 280, name: "unset", config: "acme", path: "${GONE}", topics: [] },
  { id: "in5", type: "radaro in", ...at, z: "sub", y: 80, name: "inner", config: "acme", path: "${SHOP}" },
];
const settings = { httpAdminRoot: "/admin", httpNodeRoot: "/hooks" };

inEachNodeRed(
  "The webhook URL",
  { flows, credentials: { acme: { token } }, settings, at: "/admin/" },
  (session) => {
    const $ = (selector: string) => session.editor.page.locator(selector);
    const url = () => $("#radaro-in-url").inputValue();
    /** Waits until the dialog knows where Node-RED is. */
    const edit = async (editor: Editor, label: string) => {
      const told = editor.page.waitForResponse((response) => response.url().includes("/radaro-in/address"));
      await editor.edit(label);
      await told;
    };
    /** Leaves the dialog by Done, and waits until the address is kept. */
    const keep = async () => {
      const kept = session.editor.page.waitForResponse(
        (response) => response.request().method() === "PUT" && response.ok(),
      );
      await session.editor.leave("ok");
      await kept;
    };
    const isUnchanged = async () => (await $("#red-ui-header-button-deploy.disabled").count()) === 1;

    it("is where the editor was loaded from, less httpAdminRoot, also below a path of a proxy", async () => {
      const { editor, nodeRed, browser } = session;
      await edit(editor, "one");
      await $(`#radaro-in-url`).waitFor();
      assert.equal(await url(), `${nodeRed.url}/hooks/radaro`);
      await editor.leave("cancel");

      const proxy = await startProxy(nodeRed.url, "/nodered");
      const behind = await Editor.open(browser.context, `${proxy.url}/admin/`);
      await edit(behind, "one");
      const shown = await behind.page.locator("#radaro-in-url").inputValue();
      assert.equal(shown, `${proxy.url}/hooks/radaro`);
      await behind.leave("cancel");
      // What it shows is true: an event comes through the proxy.
      const headers = { "Content-Type": "application/json" };
      const answer = await fetch(shown, { method: "POST", headers, body: JSON.stringify({ token }) });
      assert.equal(answer.status, 200);
      await behind.close();
      await proxy.close();
    });

    it("is at the address that was entered once, for all nodes and browsers, and not in the flow", async () => {
      const { editor, nodeRed, browser } = session;
      await edit(editor, "one");
      await $("#radaro-in-elsewhere[open]").waitFor(); // as this address cannot be reached
      await editor.enter("#radaro-in-address", "https://flows.example.com/hooks/radaro");
      await editor.press("Tab");
      assert.equal(await $("#radaro-in-address").inputValue(), "https://flows.example.com");
      assert.equal(await url(), "https://flows.example.com/hooks/radaro");
      assert.equal(await $("#radaro-in-url-problems").innerText(), "");
      await keep();
      assert.ok(await isUnchanged());
      await edit(editor, "two");
      assert.equal(await url(), "https://flows.example.com/hooks/other");
      await editor.leave("ok");
      assert.ok(await isUnchanged());

      const other = await Editor.open(browser.context, `${nodeRed.url}/admin/`);
      await edit(other, "one");
      assert.equal(await other.page.locator("#radaro-in-address").inputValue(), "https://flows.example.com");
      await other.leave("cancel");
      const nodes = await other.page.evaluate("JSON.stringify(RED.nodes.createCompleteNodeSet())");
      assert.ok(!String(nodes).includes("flows.example.com"));
      await other.close();

      await edit(editor, "one");
      await editor.enter("#radaro-in-address", "");
      await keep();
      await edit(editor, "two");
      assert.equal(await url(), `${nodeRed.url}/hooks/other`);
      await editor.leave("cancel");
    });

    it("is not kept at an address that Radaro cannot be given, which is said", async () => {
      const { editor, nodeRed } = session;
      await edit(editor, "one");
      for (const wrong of [
        "http://x.example",
        "flows.example.com",
        "https://x.example/?a",
        "https://u:p@x.example",
      ]) {
        await editor.enter("#radaro-in-address", wrong);
        await $("#radaro-in-address.input-error").waitFor();
        assert.match(await $("#radaro-in-address-problem").innerText(), /^Enter an address such as https/);
      }
      await editor.leave("ok");
      await $(".red-ui-notification:has-text('The address was not kept')").waitFor();
      await edit(editor, "one");
      assert.equal(await url(), `${nodeRed.url}/hooks/radaro`);
      assert.equal(await $("#radaro-in-address").inputValue(), "");
      await editor.leave("cancel");
    });

    it("that was entered as the path is taken apart", async () => {
      const { editor, nodeRed } = session;
      await edit(editor, "one");
      await editor.enter("#node-input-path", `${nodeRed.url}/hooks/new`);
      await editor.press("Tab");
      assert.equal(await $("#node-input-path").inputValue(), "/new");
      assert.equal(await $("#radaro-in-address").inputValue(), "");
      await editor.enter("#node-input-path", "https://flows.example.com/hooks/radaro");
      await editor.press("Tab");
      assert.equal(await $("#node-input-path").inputValue(), "/radaro");
      assert.equal(await $("#radaro-in-address").inputValue(), "https://flows.example.com");
      assert.equal(await url(), "https://flows.example.com/hooks/radaro");
      await editor.leave("cancel");
      // Also where the dialog is left by keys, while the cursor is in the field.
      await edit(editor, "one");
      await editor.enter("#node-input-path", "http://x.example/hooks/keyed");
      await editor.press("Control+Enter");
      await $("#node-dialog-ok").waitFor({ state: "detached" });
      assert.equal(await editor.page.evaluate("RED.nodes.node('in1').path"), "/keyed");
    });

    it("that was entered as the path or the address is taken apart at an address with a path of its own", async () => {
      const { editor, nodeRed } = session;
      const enter = async (input: string, text: string) => {
        await editor.enter(input, text);
        await editor.press("Tab");
      };
      const shown = async () => [
        await $("#node-input-path").inputValue(),
        await $("#radaro-in-address").inputValue(),
      ];
      await edit(editor, "two");
      await enter("#radaro-in-address", "https://flows.example.com/base/hooks/other");
      assert.deepEqual(await shown(), ["/other", "https://flows.example.com/base"]);
      await enter("#node-input-path", "https://flows.example.com/base/hooks/ok");
      assert.deepEqual(await shown(), ["/ok", "https://flows.example.com/base"]);
      assert.equal(await url(), "https://flows.example.com/base/hooks/ok");
      await enter("#node-input-path", "flows.example.com/base/hooks/\u200bshort");
      assert.deepEqual(await shown(), ["/short", "https://flows.example.com/base"]);
      await enter("#node-input-path", "https://flows.example.com");
      assert.deepEqual(await shown(), ["/other", "https://flows.example.com"]);
      await editor.leave("cancel");

      // One that was kept is nobody's mistake, though a path of this name follows it.
      await edit(editor, "one");
      await editor.enter("#radaro-in-address", "https://flows.example.com/hooks/other");
      await keep();
      await edit(editor, "two");
      assert.equal(await url(), "https://flows.example.com/hooks/other/hooks/other");
      await editor.leave("ok");
      await edit(editor, "two");
      assert.equal(await $("#radaro-in-address").inputValue(), "https://flows.example.com/hooks/other");
      await editor.enter("#radaro-in-address", "");
      await keep();
      await edit(editor, "two");
      assert.equal(await url(), `${nodeRed.url}/hooks/other`);
      await editor.leave("cancel");
    });

    it("is neither copied nor to be pasted into Radaro where nothing could arrive, which is said", async () => {
      const { editor } = session;
      const note = $("#radaro-in-path-note");
      const tip = $("#radaro-in-url-tip");
      await edit(editor, "one");
      assert.equal(await tip.isVisible(), false); // as this address cannot be reached
      await editor.enter("#radaro-in-address", "https://flows.example.com");
      await tip.waitFor();
      const wrong: [path: string, says: RegExp][] = [
        ["https://user:secret@flows.example.com/ok", /^Enter the path alone/],
        ["wss://flows.example.com/ok", /^Enter the path alone/],
        ["/https://flows.example.com/ok", /^Enter the path alone/],
        ["/..", /^Enter the path that Radaro sends to/],
        ["", /^Enter the path that Radaro sends to/],
        [`/${"x".repeat(500)}`, /^Choose a shorter path/],
      ];
      for (const [path, says] of wrong) {
        await editor.enter("#node-input-path", path);
        await editor.press("Tab");
        assert.equal(await $("#node-input-path").inputValue(), path);
        await $("#node-input-path.input-error").waitFor();
        assert.match(await note.innerText(), says, path);
        assert.ok(await $("#radaro-in-copy").isDisabled());
        assert.equal(await tip.isVisible(), false);
        assert.equal(await $("#radaro-in-url-problems").innerText(), "");
      }
      await editor.enter("#node-input-path", "/ok");
      assert.equal(await note.innerText(), "");
      assert.ok(await $("#radaro-in-copy").isEnabled());
      await editor.leave("cancel");
    });

    it("follows a variable in the path where its value is known, and says what it depends on", async () => {
      const { editor, nodeRed } = session;
      const note = () => $("#radaro-in-path-note").innerText();
      await edit(editor, "set");
      assert.equal(await url(), `${nodeRed.url}/hooks/shops/12`);
      assert.equal(await note(), "The path is the value of the variable SHOP, now /shops/12.");
      await editor.enter("#node-input-path", "${OTHER}");
      assert.match(await note(), /OTHER.*after a deploy/);
      assert.ok(await $("#radaro-in-copy").isDisabled());
      await editor.enter("#node-input-path", "/fixed");
      assert.equal(await note(), "");
      await editor.leave("cancel");
      await edit(editor, "unset");
      assert.equal(await note(), "The variable GONE is not set. Nothing can arrive until it is.");
      assert.ok(await $("#radaro-in-copy").isDisabled());
      await editor.leave("cancel");
      await editor.page.evaluate("RED.workspaces.show('sub')");
      await edit(editor, "inner");
      assert.match(await note(), /in each instance of this subflow its own/);
      await editor.leave("cancel");
      await editor.page.evaluate("RED.workspaces.show('tab1')");
      assert.ok(await isUnchanged());
    });

    it("is copied, and the dialog says what was copied", async () => {
      const { editor, nodeRed } = session;
      await edit(editor, "one");
      await editor.click("#radaro-in-copy");
      assert.equal(await $("#radaro-in-copied").innerText(), `Copied ${nodeRed.url}/hooks/radaro`);
      await editor.click("#node-input-name");
      await editor.press("Control+a", "Control+v");
      assert.equal(await $("#node-input-name").inputValue(), `${nodeRed.url}/hooks/radaro`);
      await editor.enter("#node-input-path", "/other");
      assert.equal(await $("#radaro-in-copied").innerText(), "");
      await editor.leave("cancel");
    });
  },
);
