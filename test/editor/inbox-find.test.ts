import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { clear, credentials, flows, send, Sidebar } from "./sidebar";
import { inEachNodeRed } from "./versions";

/** A job of this customer. */
const of = (order_id: number, name: string) => ({
  order_info: {
    ...{ order_id, external_id: `SO-${order_id}`, title: "Two boxes" },
    ...{ customer: { name, phone: "+61370104455" }, deliver_address: { address: "12 Acland St" } },
  },
});

inEachNodeRed("Finding events of the inbox", { flows, credentials }, (session) => {
  const sidebar = new Sidebar(session);
  const search = sidebar.$.bind(sidebar);

  beforeEach(() => clear(session));

  it("finds any text, and counts what is found; rows say whose job it is", async () => {
    const { editor } = session;
    await send(session, "done", { change: of(410071001, "Jörg Müller") });
    await send(session, "fails", { change: of(410071002, "JÖRG MÜLLER") });
    await send(session, "done", { change: of(410071003, "Anna Schmidt") });
    await sidebar.open();
    await sidebar.waitForCount("All", 3);
    await sidebar.event("Two boxes · Anna Schmidt").waitFor();
    await editor.enter(search("input[type=search]"), "müller");
    await sidebar.shows(2);
    await sidebar.waitForCount("All", 2);
    await sidebar.waitForCount("Failed", 1);
    await editor.click(sidebar.button(/^Failed/));
    await sidebar.shows(1);
    await sidebar.waitForCount("All", 2);
    await editor.click(sidebar.button("Run the failed ones shown again (1)"));
    await sidebar.answer(/that the filter lets through \(1\), and no others/, "Run again");
    await sidebar.told("Events that are run again: 1");
    await editor.enter(search("input[type=search]"), "71003");
    await editor.click(sidebar.button(/^All/));
    await sidebar.shows(1);
    await sidebar.event("Anna Schmidt").waitFor();
    await editor.enter(search("input[type=search]"), "(0370) 10 44-55");
    await sidebar.shows(3);
    await editor.click(sidebar.head(410071003));
    const contact = sidebar.event(410071003).locator(".radaro-sidebar-contact");
    assert.equal((await contact.innerText()).replace(/\s+/g, " ").trim(), "+61370104455 12 Acland St");
    assert.equal(await contact.locator("a").getAttribute("href"), "tel:+61370104455");
  });

  it("finds what happened, when it came, and what was superseded", async () => {
    const { editor } = session;
    const job = of(410072001, "Anna Schmidt");
    await send(session, "done", { change: { ...job, updated_at: "2026-03-02T10:00:00Z" } });
    await send(session, "done", { change: { ...job, updated_at: "2026-03-02T09:00:00Z" } });
    await send(session, "done", { sample: "job-failed" });
    await sidebar.open();
    await sidebar.shows(3);
    await editor.click(sidebar.button("Filter"));
    await editor.choose(search("select[aria-label='What happened']"), "Job failed");
    await sidebar.shows(1);
    await sidebar.button("Filter (1)").waitFor();
    const offered = await search("select[aria-label='What happened']").innerText();
    assert.match(offered, /rated 5 or lower/);
    assert.doesNotMatch(offered, /__/);
    await editor.choose(search("select[aria-label='What happened']"), "Any event");
    await editor.click(search(".radaro-sidebar-filters label:has-text('superseded')"));
    await sidebar.shows(1);
    await sidebar.waitForCount("All", 1);
    await editor.click(search(".radaro-sidebar-filters label:has-text('superseded')"));
    for (const [period, count] of [
      ["Yesterday", 0],
      ["Last 7 days", 3],
    ] as const) {
      await editor.choose(search("select[aria-label=Time]"), period);
      await sidebar.waitForCount("All", count);
      await sidebar.shows(count);
    }
    await editor.choose(search("select[aria-label=Time]"), "From … to …");
    await editor.enter(search("input[aria-label=From]"), "2099-01-01T00:00");
    await sidebar.waitForCount("All", 0);
    await editor.enter(search("input[aria-label=From]"), "2020-01-01T00:00");
    await sidebar.waitForCount("All", 3);
    await editor.enter(search("input[aria-label=To]"), "2020-01-02T00:00");
    await sidebar.waitForCount("All", 0);
    await editor.enter(search("input[aria-label=To]"), "2099-01-01T00:00");
    await sidebar.waitForCount("All", 3);
  });

  it("tells a job's story by one click on its number, the oldest first, and comes back", async () => {
    const { editor } = session;
    const job = of(410073001, "Anna Schmidt");
    for (const sample of ["job-created", "job-completed", "job-confirmed"] as const)
      await send(session, "done", { sample, change: job });
    await send(session, "done", { change: of(410073002, "Jörg Müller") });
    await sidebar.open();
    await sidebar.shows(4);
    await editor.click(sidebar.button("410073001 · SO-410073001").first());
    await search("h2:has-text('Job 410073001')").waitFor();
    await sidebar.shows(3);
    const told = await search(".radaro-sidebar-what").allInnerTexts();
    assert.deepEqual(
      told.map((each) => each.trim()),
      ["Job created", "Completed by the driver", "Confirmed or rated by the customer"],
    );
    await editor.click(sidebar.button("Back"));
    await sidebar.shows(4);
  });

  it("shows the events of all merchants in one list, and of which each is", async () => {
    await send(session, "done", { change: of(410074001, "Anna Schmidt") });
    await send(session, "other", { change: of(410074002, "Jörg Müller") });
    await send(session, "done", { change: of(410074003, "Ms Lee") });
    await sidebar.open("*");
    await sidebar.event("Ms Lee · Acme").waitFor();
    const jobs = await search(".radaro-sidebar-job").allInnerTexts();
    assert.deepEqual(
      jobs.slice(0, 3).map((each) => Number.parseInt(each)),
      [410074003, 410074002, 410074001],
    );
    await sidebar.event("Jörg Müller · Beta").waitFor();
    await clear(session, "beta");
    await sidebar.open("beta");
    await sidebar.shows(0);
    assert.equal(await search(".radaro-sidebar-name").count(), 0);
  });

  it("opens an event by the link that it has copied", async () => {
    const { editor, browser } = session;
    const job = await send(session, "done");
    await send(session, "done");
    await browser.context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await sidebar.open();
    await editor.click(sidebar.head(job));
    await editor.click(sidebar.button("Copy link"));
    await sidebar.told(/The link is copied/);
    const link = await editor.page.evaluate<string>("navigator.clipboard.readText()");
    assert.match(link, /^http:.+#radaro-inbox\/acme\/\d+$/);
    await editor.page.goto("about:blank");
    await editor.page.goto(link);
    await sidebar.event(job).locator(".radaro-sidebar-tree").waitFor();
    assert.equal(await sidebar.head(job).getAttribute("aria-expanded"), "true");
    // A link to what is not there any more says so.
    await clear(session);
    await editor.page.goto("about:blank");
    await editor.page.goto(link);
    await sidebar.told("It is no longer there.");
    editor.errors.length = 0; // the browser says it too
  });

  it("saves what is shown as lines of JSON, and says that it is personal data", async () => {
    const { editor } = session;
    const job = await send(session, "fails");
    await send(session, "done");
    await sidebar.open();
    await sidebar.waitForCount("All", 2);
    await sidebar.waitForCount("Failed", 1);
    await editor.click(sidebar.button(/^Failed/));
    await sidebar.shows(1);
    const saved = editor.page.waitForEvent("download");
    await sidebar.menu("Export what is shown …");
    await sidebar.answer(/events of Acme .+\(1\).+personal data/, "Save");
    const file = await saved;
    assert.match(file.suggestedFilename(), /^radaro-.+\.jsonl$/);
    const lines = readFileSync(await file.path(), "utf8")
      .trim()
      .split("\n");
    const [event] = lines.map((line) => JSON.parse(line) as { orderId: number; event: object });
    assert.equal(lines.length, 1);
    assert.equal(event!.orderId, job);
    assert.ok("order_info" in event!.event);
  });
});
