import assert from "node:assert/strict";
import { clear, credentials, flows, hourLong, receive, send, Sidebar } from "./sidebar";
import { inEachNodeRed } from "./versions";

/** A service that is down until somebody sends an event to /mended; two nodes fail, each in its way. */
const service = (id: string, name: string, error: string) => ({
  ...{ id, type: "function", z: "tab1", x: 400, y: 400, name, outputs: 1, wires: [["wait"]] },
  func: `msg.at = "${name}"; if (global.get("up") || msg.radaro.test) return msg; throw new Error("${error}");`,
});
const kept = flows.filter(({ id }) => !["bill", "price"].includes(id));
const serviceFlows = [
  ...kept.map((node) => (node.id === "acme" ? { ...node, inboxRetries: "60" } : node)),
  service("bill", "Bill it", "The bookkeeping is down"),
  service("price", "Price it", "No price"),
  { id: "wait", z: "tab1", x: 600, y: 400, wires: [["log"]], ...hourLong, type: "delay", timeout: "0" },
  {
    ...{ id: "log", type: "function", z: "tab1", x: 800, y: 400, name: "Log", outputs: 0, wires: [] },
    func: 'if (msg.radaro.test) global.set("tested", { ...msg.radaro, at: msg.at });',
  },
  { ...receive("first", "acme", 460, "bill"), name: "First", path: "/both" },
  { ...receive("second", "acme", 520, "price"), name: "Second", path: "/both" },
  { id: "up", type: "http in", z: "tab1", x: 100, y: 500, url: "/up", method: "get", wires: [["setUp"]] },
  {
    ...{
      id: "setUp",
      type: "function",
      z: "tab1",
      x: 300,
      y: 500,
      name: "",
      outputs: 1,
      wires: [["answer"]],
    },
    func: 'global.set("up", msg.req.query.is === "up"); msg.payload = global.get("tested") ?? {}; return msg;',
  },
  { id: "answer", type: "http response", z: "tab1", x: 500, y: 500, wires: [] },
];

inEachNodeRed("What failed in the inbox", { flows: serviceFlows, credentials }, (session) => {
  const sidebar = new Sidebar(session);
  const set = async (is: "up" | "down") =>
    (await fetch(`${session.nodeRed.url}/up?is=${is}`)).json() as Promise<Record<string, unknown>>;

  beforeEach(async () => {
    await set("down");
    await clear(session);
  });

  it("is shown by its cause, and run again by it: those and no others, with their number before", async () => {
    const { editor } = session;
    for (let i = 0; i < 3; i += 1) await send(session, "fails");
    const other = await send(session, "mended");
    await sidebar.open();
    await sidebar.waitForCount("Failed", 4);
    await editor.click(sidebar.button("By cause"));
    const cause = sidebar.$(".radaro-sidebar-causes li:has-text('The bookkeeping is down')");
    for (const text of ["Failed: 3", "Bill it", "Come again by themselves: 3"])
      await cause.getByText(text).waitFor();
    await sidebar.$(".radaro-sidebar-causes li:has-text('No price')").getByText("Failed: 1").waitFor();
    assert.deepEqual(await sidebar.findings(), []);

    await editor.click(cause.getByRole("button", { name: "Show them" }));
    await sidebar.shows(3);
    await sidebar.$(".radaro-sidebar-cause:has-text('The bookkeeping is down')").waitFor();
    await sidebar.waitForCount("Failed", 3);
    await editor.click(sidebar.button("All causes"));
    await sidebar.shows(4);

    await set("up");
    await editor.click(sidebar.button("By cause"));
    await editor.click(cause.getByRole("button", { name: "Run these again (3)" }));
    await sidebar.answer(/“Bill it” with “.+down” \(3\), and nothing else/, "Run again");
    await sidebar.told("Events that are run again: 3");
    await sidebar.$(".radaro-sidebar-progress:has-text('Run again: all 3 are done')").waitFor();
    await cause.waitFor({ state: "detached" });
    await editor.click(sidebar.button("By cause"));
    await sidebar.waitForCount("Failed", 1);
    await sidebar.event(other).getByText("No price").waitFor();
  });

  it("has its tries, and comes again at once by a button", async () => {
    const { editor } = session;
    const job = await send(session, "fails");
    await sidebar.open();
    await editor.click(sidebar.head(job));
    const event = sidebar.event(job);
    await editor.click(event.getByRole("button", { name: "Now", exact: true }));
    await event.getByText("Times given to the flow: 2").waitFor();
    await event.locator("ol li", { hasText: "failed: The bookkeeping is down" }).first().waitFor();
    await set("up");
    await editor.click(event.getByRole("button", { name: "Now", exact: true }));
    await event.locator(".radaro-sidebar-state:has-text('Processed')").waitFor();
  });

  it("can be sent as a test event to a radaro in, with no delivery", async () => {
    const { editor } = session;
    const job = await send(session, "fails");
    await sidebar.open();
    await editor.click(sidebar.head(job));
    await editor.click(sidebar.button("Send as a test event"));
    await sidebar.answer(/as a test event.+no delivery/, "Send");
    await sidebar.told(/^Sent as a test event to \/fails/);
    assert.equal((await set("down")).test, true);
    assert.equal((await set("down")).delivery, undefined);
    await sidebar.waitForCount("Failed", 1);
  });

  it("can be sent as a test event to one of several on its path, and to no other", async () => {
    const { editor } = session;
    const job = await send(session, "both");
    await sidebar.open();
    await editor.click(sidebar.head(job));
    await editor.click(sidebar.button("Send as a test event"));
    const choice = sidebar.page.getByRole("dialog").locator("select");
    assert.deepEqual(await choice.locator("option").allInnerTexts(), ["First", "Second"]);
    await choice.selectOption("Second");
    await sidebar.answer(/Which radaro in gets it\?/, "Send");
    await sidebar.told(/^Sent as a test event to Second/);
    assert.equal((await set("down")).at, "Price it");
  });
});
