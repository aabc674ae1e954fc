import assert from "node:assert/strict";
import type { JsonObject } from "../../src/event/json";
import { readSamples } from "../events";
import { clear, credentials, flows, hourLong, receive, send, Sidebar, tokens } from "./sidebar";
import { inEachNodeRed } from "./versions";

/** An event that stays a while at one node, and then at another. */
const moving = [
  ...flows,
  receive("moves", "acme", 400, "here"),
  {
    id: "here",
    z: "tab1",
    x: 400,
    y: 400,
    ...hourLong,
    name: "Here",
    timeout: "2",
    timeoutUnits: "seconds",
    wires: [["there"]],
  },
  { id: "there", z: "tab1", x: 600, y: 400, ...hourLong, name: "There", wires: [[]] },
];

/** All texts somewhere in a value. */
const textsOf = (value: unknown): string[] =>
  typeof value === "object" && value !== null
    ? Object.values(value).flatMap(textsOf)
    : typeof value === "string"
      ? [value]
      : [];

inEachNodeRed("The inbox at a glance", { flows: moving, credentials }, (session) => {
  const sidebar = new Sidebar(session);

  beforeEach(async () => {
    await clear(session);
    await clear(session, "beta");
  });

  it("has a badge with how many events failed, while the tab is not chosen, and none where none did", async () => {
    const { editor } = session;
    await editor.showSidebar("info", "Information");
    const badge = editor.page.locator(".radaro-sidebar-badge:visible");
    await send(session, "fails");
    await badge.getByText("1", { exact: true }).waitFor();
    await send(session, "fails");
    await badge.getByText("2", { exact: true }).waitFor();
    await editor.page.locator("[aria-label='Radaro · 2 failed']").waitFor({ state: "attached" });
    await editor.reload();
    await badge.getByText("2", { exact: true }).waitFor();
    await clear(session);
    await badge.waitFor({ state: "detached" });
  });

  it("counts what failed beside each merchant, and says when the last event came and the oldest waits", async () => {
    await send(session, "fails");
    await sidebar.open();
    await sidebar.merchants.locator("option:has-text('Acme · 1 failed')").waitFor({ state: "attached" });
    await sidebar.merchants
      .locator("option:has-text('All merchants · 1 failed')")
      .waitFor({ state: "attached" });
    assert.deepEqual((await sidebar.merchants.locator("option").allInnerTexts()).at(-1), "Beta");
    await send(session, "waits");
    await sidebar
      .$(".radaro-sidebar-glance")
      .getByText(/^Last event \d+ sec\. ago$/)
      .waitFor();
    await sidebar
      .$(".radaro-sidebar-glance")
      .getByText(/^oldest waiting \d+ (sec|min)\. ago$/)
      .waitFor();
  });

  it("leads from the merchant's dialog to its inbox", async () => {
    const { editor } = session;
    await sidebar.open("beta");
    await editor.edit("/done · Acme");
    await editor.click("#node-input-btn-config-edit");
    await editor.page.locator("#node-config-input-token").waitFor();
    await editor.click(editor.page.getByRole("button", { name: "Open the inbox" }));
    await sidebar.$("select[aria-label=Merchant]:has(option:checked[value=acme])").waitFor();
    await editor.leave("cancel", true);
    await editor.leave("cancel");
  });

  it("says which node has an event now, while it stays open", async () => {
    const { editor } = session;
    const job = await send(session, "moves");
    await sidebar.open();
    await editor.click(sidebar.head(job));
    for (const node of ["Here", "There"])
      await sidebar.event(job).locator(`div:has-text("Now at:") > button:has-text("${node}")`).waitFor();
  });

  it("can be read with the filter that was just clicked, in either theme: text and ground differ", async () => {
    const { editor } = session;
    await send(session, "done");
    await sidebar.open();
    await editor.click(sidebar.button(/^Processed/));
    assert.deepEqual(await sidebar.findings(), []);
    await sidebar.$(".radaro-sidebar-choice:focus[aria-pressed=true]").waitFor();
  });

  it("shows nothing of a person, and no token, in the badge, a node's status and the link of an event", async () => {
    const { editor, browser } = session;
    const job = await send(session, "fails");
    await editor.page.locator(".radaro-sidebar-badge:visible").getByText("1", { exact: true }).waitFor();
    const status = editor.page.locator(".red-ui-flow-node-status-label", { hasText: "failed: 1" });
    await browser.context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await sidebar.open();
    await editor.click(sidebar.head(job));
    await editor.click(sidebar.button("Copy link"));
    await sidebar.told(/The link is copied/);
    const shown = [
      await editor.page.evaluate<string>("navigator.clipboard.readText()"),
      (await status.textContent())!,
      await editor.page.title(),
      ...(await editor.page
        .locator(":has(> .radaro-sidebar-badge)")
        .evaluateAll((icons) => icons.map(({ outerHTML }) => outerHTML))),
    ];
    assert.ok(shown.every((text) => text !== ""));
    const { customer, deliver_address, comment } = readSamples()["job-completed"].order_info as JsonObject;
    const personal = textsOf({ customer, deliver_address, comment }).filter((text) => text.length > 5);
    assert.ok(personal.length > 3);
    for (const secret of [...personal, ...Object.values(tokens)])
      for (const text of shown) assert.ok(!text.includes(secret), `${secret} in ${text}`);
  });
});
