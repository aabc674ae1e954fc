import assert from "node:assert/strict";
import { Editor } from "./editor";
import { inEachNodeRed } from "./versions";

const token = "Zk3vQ9cXw1LmT7yHs0RdNA";
const at = { z: "tab1", x: 200 };
const receive = (id: string, y: number, to: string[]) => ({
  ...{ ...at, id, type: "radaro in", y, name: id, config: "acme", path: "/radaro" },
  ...{ topics: [], sample: "job-failed", wires: [to] },
});
const route = (id: string, y: number, eventType: string) => ({
  ...{ ...at, id, type: "radaro switch", x: 450, y, name: id, property: "payload" },
  ...{ rules: [{ kind: "event", eventType }], checkall: true, outputs: 1, wires: [[]] },
});
const flows = [
  { id: "tab1", type: "tab", label: "Flow 1", disabled: false, info: "", env: [] },
  { id: "tab2", type: "tab", label: "Off", disabled: true, info: "", env: [] },
  {
    ...{ id: "sub", type: "subflow", name: "Receive", info: "", category: "", in: [], out: [] },
    ...{ env: [], color: "#DDAA99" },
  },
  { id: "acme", type: "radaro-config", name: "Acme" },
  receive("both", 100, ["takes", "leaves"]),
  route("takes", 100, "updated"),
  route("leaves", 160, "created"),
  receive("fits", 220, ["takes too"]),
  { ...route("takes too", 220, "updated"), id: "takes too" },
  { ...receive("disabled", 280, []), d: true },
  { ...receive("on a tab that is off", 100, []), z: "tab2" },
  { ...receive("in a subflow", 100, []), z: "sub" },
];

inEachNodeRed("Test events", { flows, credentials: { acme: { token } } }, (session) => {
  const $ = (selector: string) => session.editor.page.locator(selector);
  const sent = (text: string) => $("#radaro-in-sent").filter({ hasText: text }).waitFor();
  const button = (label: string) => session.editor.node(label).locator(".red-ui-flow-node-button-button");
  const notice = (text: string) => $(`.red-ui-notification:has-text("${text}")`);
  const noRule = "Sent: Job failed. No rule of 'leaves' took it.";

  it("say in the dialog and at the button which radaro switch had no rule for them", async () => {
    const { editor } = session;
    await editor.edit("both");
    await editor.click("#radaro-in-send");
    await sent(noRule);
    await editor.choose("#node-input-sample", "Job created");
    assert.equal(await $("#radaro-in-sent").innerText(), "");
    await editor.click("#radaro-in-send");
    await sent("Sent: Job created. No rule of 'takes' took it.");
    await editor.leave("cancel");
    await editor.click(button("both"));
    await notice(noRule).waitFor();
    await editor.node("leaves").filter({ hasText: "test: no rule matched" }).waitFor();
    await editor.edit("fits");
    await editor.click("#radaro-in-send");
    await sent("Sent: Job failed");
    assert.equal(await $("#radaro-in-sent").innerText(), "Sent: Job failed");
    await editor.leave("cancel");
  });

  it("say it whichever comes first, the answer or the word of the radaro switch", async () => {
    const { page } = session.editor;
    await session.editor.edit("both");
    // The answer comes when the switch has spoken: what it says has come over the WebSocket by then.
    let spoken!: () => void;
    const isSpoken = new Promise<void>((resolve) => (spoken = resolve));
    await page.exposeFunction("spoken", spoken);
    await page.evaluate("RED.comms.subscribe('radaro-test', () => window.spoken())");
    await page.route("**/test", async (route) => {
      const answer = await route.fetch();
      await isSpoken;
      await route.fulfill({ response: answer });
    });
    await session.editor.click("#radaro-in-send");
    await sent(noRule);
    await page.unroute("**/test");
    await session.editor.leave("cancel");
  });

  it("tell only the editor that has sent them", async () => {
    const { browser, nodeRed, editor } = session;
    const other = await Editor.open(browser.context, nodeRed.url);
    await other.edit("fits");
    await other.click("#radaro-in-send");
    const said = other.page.locator("#radaro-in-sent");
    await said.filter({ hasText: "Sent" }).waitFor();
    const told = other.page.evaluate("new Promise((done) => RED.comms.subscribe('radaro-test', done))");
    await editor.edit("both");
    await editor.click("#radaro-in-send");
    await sent(noRule);
    await told;
    assert.equal(await said.innerText(), "Sent: Job failed");
    await editor.leave("cancel");
    await other.leave("cancel");
    await other.close();
  });

  it("say why they cannot be sent where a node does not run", async () => {
    const { editor } = session;
    const cases: [tab: string, label: string, why: RegExp][] = [
      ["tab1", "disabled", /^Not sent: this node is disabled\.$/],
      ["tab2", "on a tab that is off", /^Not sent: the tab that this node is on is disabled\.$/],
      ["sub", "in a subflow", /^Not sent: a subflow's template does not run, only its instances do\.$/],
    ];
    for (const [tab, label, why] of cases) {
      await editor.page.evaluate(`RED.workspaces.show("${tab}")`);
      await editor.edit(label);
      await editor.click("#radaro-in-send");
      await sent("Not sent");
      assert.match((await $("#radaro-in-sent").innerText()).trim(), why);
      await editor.leave("cancel");
    }
    await editor.page.evaluate("RED.workspaces.show('tab1')");
  });
});
