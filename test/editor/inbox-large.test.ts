import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installNodeRed, programIn, startNodeRed } from "../../scripts/node-red";
import { readSamples } from "../events";
import { fillInbox } from "../inbox/filled";
import { openBrowser } from "./browser";
import { Editor } from "./editor";
import { credentials, flows, send, Sidebar } from "./sidebar";
import { editorSettings, nodeRed5, prepareEditor, type Session } from "./versions";

const total = 199_000;
const sample = readSamples()["job-failed"];

/** One job each; the first is somebody's whom no other event names. */
function bodyOf(i: number): string {
  const { customer, ...info } = sample.order_info as { customer: object };
  const named = { ...customer, ...(i === 0 && { name: "Zoë Quist" }) };
  return JSON.stringify({
    ...sample,
    updated_at: new Date(Date.UTC(2026, 0) + i).toISOString(),
    order_info: { ...info, customer: named, order_id: 10_000_000 + i },
  });
}

describe("The inbox with 199,000 events", function () {
  this.timeout(300_000);
  const session = {} as Session;
  const sidebar = new Sidebar(session);
  const dir = mkdtempSync(join(tmpdir(), "radaro-inbox-"));

  before(async () => {
    await fillInbox(dir, {
      ...{ total, path: "/done", node: "done", bodyOf },
      stateOf: (i) => (i % 10 === 0 ? "failed" : "processed"),
    });
    session.nodeRed = await startNodeRed({
      ...{ flows, credentials, settings: editorSettings },
      prepare: (userDir) => {
        prepareEditor(userDir);
        cpSync(dir, join(userDir, "radaro-inbox", "acme"), { recursive: true });
      },
      program: programIn(installNodeRed(...nodeRed5)),
    });
    session.browser = await openBrowser();
    session.editor = await Editor.open(session.browser.context, session.nodeRed.url);
  });
  after(async () => {
    await session.editor.close();
    await session.browser.close();
    await session.nodeRed.stop();
    rmSync(dir, { recursive: true });
  });

  it("is scrolled from the newest to older ones and back, while events arrive", async () => {
    await sidebar.open();
    await sidebar.waitForCount("All", "199,000");
    const lastShown = sidebar.$(".radaro-sidebar-list > ul > li").last();
    for (const oldest of [10_198_950, 10_198_900, 10_198_850, 10_198_800, 10_198_750]) {
      await sidebar.event(oldest).waitFor({ state: "attached" });
      await lastShown.scrollIntoViewIfNeeded();
    }
    const job = await send(session, "done");
    await session.editor.click(sidebar.button("Back to the newest"));
    await sidebar.event(job).waitFor();
  });

  it("says how far back was looked for a text, and finds the oldest that has it", async () => {
    const { editor } = session;
    await editor.enter(sidebar.$("input[type=search]"), "zoë quist");
    await sidebar
      .$(".radaro-sidebar-status")
      .getByText(/^Looking further back than .+ …$/)
      .waitFor();
    await sidebar.event("Zoë Quist").waitFor();
    await sidebar.shows(1);
    await sidebar.waitForCount("Failed", 1);
    await editor.enter(sidebar.$("input[type=search]"), "");
    await editor.click(sidebar.button(/^Failed/));
    await sidebar.waitForCount("Failed", "19,900");
    await sidebar.event(10_198_990).waitFor();
  });
});
