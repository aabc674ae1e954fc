import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AxeResults } from "axe-core";
import type { Locator } from "playwright-core";
import type { SampleName } from "../../src/event/catalog";
import type { JsonObject } from "../../src/event/json";
import { readSamples } from "../events";
import { inEachNodeRed, type Session } from "./versions";

const at = { z: "tab1", wires: [] as string[][] };
const receive = (id: string, config: string, y: number, to?: string) => ({
  ...{ ...at, id, type: "radaro in", x: 150, y, name: "", config, path: `/${id}`, topics: [] as string[] },
  wires: to ? [[to]] : [[]],
});
const bill = (id: string, name: string, y: number) => ({
  ...{ ...at, id, type: "function", x: 400, y, name, outputs: 1 },
  func: 'throw new Error("No price for " + msg.payload.order_info.order_id);',
});
const merchant = (id: string, name: string, inbox = true) => {
  return { id, type: "radaro-config", name, inbox, inboxDays: 7 };
};
const flows = [
  { id: "tab1", type: "tab", label: "Flow 1" },
  { id: "tab2", type: "tab", label: "Flow 2" },
  merchant("acme", "Acme"),
  merchant("beta", "Beta"),
  receive("done", "acme", 100),
  receive("fails", "acme", 160, "bill"),
  bill("bill", "Bill it", 160),
  receive("mended", "acme", 220, "price"),
  bill("price", "Price it", 220),
  receive("waits", "acme", 280, "delay"),
  {
    ...at,
    id: "delay",
    type: "delay",
    x: 400,
    y: 280,
    pauseType: "delay",
    timeout: "1",
    timeoutUnits: "hours",
  },
  { ...receive("other", "beta", 340), topics: ["job.deleted"] },
];
const tokens: Record<string, string> = { acme: "Zk3vQ9cXw1LmT7yHs0RdNA", beta: "Qh8nB2vKp5XsE1wJt6YzLg" };
const credentials = Object.fromEntries(Object.entries(tokens).map(([id, token]) => [id, { token }]));

/** The sidebar, as a person uses it. */
class Sidebar {
  constructor(private readonly session: Session) {}

  $(selector: string): Locator {
    return this.session.editor.page.locator(`.radaro-sidebar ${selector}`);
  }

  get list(): Locator {
    return this.$(".radaro-sidebar-list");
  }

  async open(): Promise<void> {
    await this.session.editor.showSidebar("radaro", "Radaro");
    await this.$(":is(.radaro-sidebar-list, .radaro-sidebar-message):visible").waitFor();
  }

  /** An event in the list, by a text in it. */
  event(text: string | number): Locator {
    return this.$(`.radaro-sidebar-event:has-text("${text}")`);
  }

  head(text: string | number): Locator {
    return this.event(text).locator(".radaro-sidebar-head");
  }

  button(name: string | RegExp): Locator {
    return this.session.editor.page.locator(".radaro-sidebar").getByRole("button", { name });
  }

  /** Answers what the editor asks. */
  async answer(question: RegExp, button: string): Promise<void> {
    const notification = this.session.editor.page.locator(".red-ui-notification", { hasText: question });
    await this.session.editor.click(notification.getByRole("button", { name: button }));
    await notification.waitFor({ state: "detached" });
  }

  async waitForCount(state: string, count: number): Promise<void> {
    await this.button(new RegExp(`^${state} ${count}$`)).waitFor();
  }
}

let lastJob = 410077215;

/** Sends an event as Radaro does. @returns the job's number */
async function send(
  { nodeRed }: Session,
  path: string,
  { sample = "job-completed", change = {} }: { sample?: SampleName; change?: JsonObject } = {},
): Promise<number> {
  const event = readSamples()[sample];
  const job = (lastJob += 1);
  const response = await fetch(`${nodeRed.url}/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      ...event,
      order_info: { ...(event.order_info as object), order_id: job, external_id: `SO-${job}` },
      ...change,
      token: tokens[path === "other" ? "beta" : "acme"],
    }),
  });
  assert.equal(response.status, 200);
  return job;
}

inEachNodeRed("The sidebar", { flows, credentials }, (session) => {
  const sidebar = new Sidebar(session);
  const $ = (selector: string) => sidebar.$(selector);

  beforeEach(async () => {
    await fetch(`${session.nodeRed.url}/radaro-inbox/acme/clear`, { method: "POST" });
  });

  it("shows what failed, why and where, and runs it again when the flow is mended", async () => {
    const { editor } = session;
    await sidebar.open();
    const job = await send(session, "mended");
    const event = sidebar.event(job);
    await event.getByText(`No price for ${job}`).waitFor();
    for (const text of ["Completed by the driver", `${job} · SO-${job}`, "Failed"]) {
      assert.ok((await event.innerText()).includes(text), text);
    }

    await editor.click(sidebar.head(job));
    await event.locator(`.radaro-sidebar-tree:has-text('new_values: object')`).waitFor();
    assert.match(await event.innerText(), /status: "delivered"/);
    assert.ok(!(await event.innerText()).includes(tokens.acme!));

    await editor.page.evaluate("RED.workspaces.show('tab2')");
    await editor.node("Price it").waitFor({ state: "detached" });
    await editor.click(event.getByRole("button", { name: "Price it" }));
    await editor.node("Price it").waitFor();

    await editor.page.evaluate(
      "Object.assign(RED.nodes.node('price'), { func: 'return msg;', changed: true }); RED.nodes.dirty(true)",
    );
    await editor.deploy({ confirm: true });
    await editor.click(event.getByRole("button", { name: "Run again" }));
    await event.locator(".radaro-sidebar-state:has-text('Processed')").waitFor();
    assert.match(await event.innerText(), /Times given to the flow: 2/);
    assert.doesNotMatch(await event.innerText(), /No price/);
    assert.match(await event.innerText(), /status: "delivered"/, "it is still open");
  });

  it("filters by state, topic and job, and counts each state", async () => {
    const { editor } = session;
    await send(session, "fails");
    await send(session, "waits");
    const done = await send(session, "done");
    const deleted = await send(session, "done", { sample: "job-deleted" });
    const later = await send(session, "done", { change: { topic: "later.topic" } });
    await sidebar.open();
    for (const [state, count] of Object.entries({ All: 5, Failed: 1, Waiting: 1, Processed: 3 })) {
      await sidebar.waitForCount(state, count);
    }
    const shown = async (count: number) => {
      await $(`.radaro-sidebar-event:nth-child(${count})`).waitFor({ state: "attached" });
      await $(`.radaro-sidebar-event:nth-child(${count + 1})`).waitFor({ state: "detached" });
    };
    await shown(5);

    for (const [state, text] of Object.entries({ Waiting: "Waiting", Failed: "No price" })) {
      await editor.click(sidebar.button(new RegExp(`^${state}`)));
      await shown(1);
      await sidebar.event(text).waitFor();
    }
    await editor.click(sidebar.button(/^Processed/));
    await shown(3);
    await editor.choose($("select[aria-label=Topic]"), "Job deleted");
    await shown(1);
    await sidebar.event(deleted).waitFor();
    await editor.choose($("select[aria-label=Topic]"), "later.topic");
    await sidebar.event(later).waitFor();
    await editor.choose($("select[aria-label=Topic]"), "All topics");
    for (const job of [String(done), `SO-${done}`]) {
      await editor.enter($("input[type=search]"), "no job");
      await $(".radaro-sidebar-status:has-text('No event matches.')").waitFor();
      await editor.enter($("input[type=search]"), job);
      await shown(1);
      await sidebar.event(done).waitFor();
    }
  });

  it("says what is not as usual: delivered to nobody, or superseded", async () => {
    const { editor } = session;
    await sidebar.open();
    const order_info = { order_id: 410070001 };
    await send(session, "done", { change: { order_info, updated_at: "2026-03-02T10:00:00Z" } });
    await send(session, "done", { change: { order_info, updated_at: "2026-03-02T09:00:00Z" } });
    await sidebar.event("Superseded by a later change").waitFor();
    await sidebar.event(await send(session, "done", { sample: "job-picked-up" })).waitFor();
    await sidebar.event("Status changed to Picked up").waitFor();
    await editor.choose($("select[aria-label=Merchant]"), "Beta");
    const job = await send(session, "other");
    await sidebar.event(job).waitFor();
    await sidebar.event(job).filter({ hasText: "No radaro in lets its topic through" }).waitFor();
  });

  it("shows the merchant that was chosen last", async () => {
    const { editor } = session;
    await sidebar.open();
    await editor.choose($("select[aria-label=Merchant]"), "Beta");
    await editor.reload();
    await sidebar.open();
    assert.equal(await $("select[aria-label=Merchant]").inputValue(), "beta");
    await editor.choose($("select[aria-label=Merchant]"), "Acme");
  });

  it("runs all that failed again, and deletes what does not wait, when it has asked", async () => {
    const { editor } = session;
    const failed = await send(session, "fails");
    await send(session, "fails");
    const done = await send(session, "done");
    await send(session, "waits");
    await sidebar.open();
    await sidebar.waitForCount("Failed", 2);

    await editor.click(sidebar.button("Run all failed again"));
    await sidebar.answer(/Run all failed events of Acme again \(2\), .+whose flow failed/, "Cancel");
    await editor.click(sidebar.head(failed));
    await sidebar.event(failed).getByText("Times given to the flow: 1").waitFor();
    await editor.click(sidebar.button("Run all failed again"));
    await sidebar.answer(/Run all failed events of Acme again \(2\), .+whose flow failed/, "Run again");
    await editor.page.locator(".red-ui-notification:has-text('Events that are run again: 2')").waitFor();
    await sidebar.event(failed).getByText("Times given to the flow: 2").waitFor();
    await sidebar.waitForCount("Failed", 2);
    await editor.click(sidebar.head(failed));

    await editor.click(sidebar.button("Clear"));
    await sidebar.answer(/Delete 3 of the events of Acme for good/, "Cancel");
    await sidebar.event(done).waitFor();
    await editor.click(sidebar.button("Clear"));
    await sidebar.answer(/Delete 3 of the events of Acme for good/, "Delete");
    await sidebar.event(done).waitFor({ state: "detached" });
    await sidebar.waitForCount("Failed", 0);
    await sidebar.event("Waiting").first().waitFor();
    assert.ok(await sidebar.button("Clear").isDisabled());
    assert.ok(await sidebar.button("Run all failed again").isDisabled());
  });

  it("says that the merchant is paused and how many wait, until it is resumed", async () => {
    const { editor } = session;
    await sidebar.open();
    await editor.click(sidebar.button("Pause"));
    const paused = $(".radaro-sidebar-paused");
    await paused.getByText(/^Paused: .+ Waiting: \d+$/).waitFor();
    const job = await send(session, "done");
    await sidebar.event(job).getByText("Waiting").waitFor();
    await editor.reload();
    await sidebar.open();
    await paused.waitFor();
    await editor.click(sidebar.button("Resume"));
    await paused.waitFor({ state: "hidden" });
    await sidebar.button("Pause").waitFor();
    await sidebar.event(job).getByText("Processed").waitFor();
  });

  it("counts the requests that were refused, with the reason and without their content", async () => {
    const { editor, nodeRed } = session;
    await sidebar.open();
    for (const body of ['{"token":"wrong","secret":"x"}', '{"token":"wrong"}', "no JSON"]) {
      await fetch(`${nodeRed.url}/done`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body,
      });
    }
    await $("summary:has-text('Refused requests: 2')")
      .or($("summary:has-text('Refused requests: 3')"))
      .waitFor();
    await editor.click($("summary"));
    assert.match(await $("details").innerText(), /wrong token: 2, the last at \d/);
    assert.doesNotMatch(await $("details").innerText(), /secret/);
  });

  it("leaves what somebody reads where it is, while others come in", async () => {
    const { editor } = session;
    for (let i = 0; i < 15; i += 1) await send(session, "done");
    const job = await send(session, "done");
    await sidebar.open();
    await editor.click(sidebar.head(job));
    await sidebar.event(job).locator(".radaro-sidebar-tree").waitFor();
    await editor.page.mouse.move(10, 10);
    const place = async () => Math.round((await sidebar.head(job).boundingBox())!.y);
    const before = await place();
    let last = job;
    for (let i = 0; i < 5; i += 1) last = await send(session, "done");
    await sidebar.event(last).waitFor({ state: "attached" });
    assert.equal(await place(), before);
    assert.equal(await sidebar.head(job).getAttribute("aria-expanded"), "true");
    assert.ok(await sidebar.head(job).evaluate((head) => head === document.activeElement));

    await editor.click(sidebar.button("Back to the newest"));
    assert.equal(await editor.page.evaluate("document.querySelector('.radaro-sidebar').scrollTop"), 0);
  });

  it("asks nothing while it is not shown", async () => {
    const { editor } = session;
    await sidebar.open();
    await editor.showSidebar("info", "Information");
    await sidebar.list.waitFor({ state: "hidden" });
    await editor.page.waitForLoadState("networkidle"); // what it has asked before is answered
    const asked: string[] = [];
    editor.page.on("request", (request) => {
      if (request.url().includes("radaro-inbox")) asked.push(request.url());
    });
    let job = 0;
    for (let i = 0; i < 2; i += 1) {
      const told = editor.page.evaluate(
        "new Promise((told) => RED.comms.subscribe('radaro-inbox', () => told()))",
      );
      job = await send(session, "done");
      await told;
    }
    assert.deepEqual(asked, []);
    await sidebar.open();
    await sidebar.event(job).waitFor();
    assert.notDeepEqual(asked, []);
  });

  it("is used by keys alone, also what is in an event", async () => {
    const { editor } = session;
    const job = await send(session, "fails");
    await sidebar.open();
    await sidebar.head(job).focus();
    await editor.press("Enter");
    const tree = sidebar.event(job).locator(".radaro-sidebar-tree");
    const part = tree.getByRole("button", { name: "order_info" });
    await part.focus();
    await editor.press("Enter");
    assert.equal(await part.getAttribute("aria-expanded"), "true");
    assert.match(await tree.innerText(), new RegExp(`order_id: ${job}`));
    await editor.press("Enter");
    assert.equal(await part.getAttribute("aria-expanded"), "false");
    await sidebar.head(job).focus();
    await editor.press("Tab");
    assert.equal(await editor.page.evaluate("document.activeElement.innerText.trim()"), "Run again");
    await sidebar.head(job).focus();
    await editor.press("Enter");
    await tree.waitFor({ state: "detached" });
  });

  it("has no serious finding of accessibility, in either theme", async () => {
    const { editor } = session;
    const { page } = editor;
    const job = await send(session, "fails");
    await send(session, "done");
    await fetch(`${session.nodeRed.url}/done`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: "{}",
    });
    await sidebar.open();
    await editor.click(sidebar.button("Pause"));
    await sidebar.button("Resume").waitFor();
    await editor.click(sidebar.head(job));
    await sidebar.event(job).locator(".radaro-sidebar-tree").waitFor();
    await page.evaluate(readFileSync(require.resolve("axe-core/axe.min.js"), "utf8"));
    for (const isDark of [false, true]) {
      await page.evaluate(`document.documentElement.classList.toggle("nr-theme-dark", ${isDark})`);
      const { violations } = await page.evaluate<AxeResults>(
        "axe.run(document.querySelector('.radaro-sidebar'))",
      );
      const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
      assert.deepEqual(
        serious.map(({ id, nodes }) => ({ id, where: nodes.map(({ html }) => html) })),
        [],
      );
    }
    await editor.click(sidebar.button("Resume"));
    await sidebar.button("Pause").waitFor();
  });

  it("finds a job behind 10,000 other events, and holds 200 of them at most", async function () {
    this.timeout(300_000);
    const { editor } = session;
    const job = await send(session, "done");
    for (let i = 0; i < 10_100; i += 100) {
      await Promise.all(Array.from({ length: 100 }, () => send(session, "done")));
    }
    await sidebar.open();
    await sidebar.event(lastJob).waitFor(); // the list is up to date, and grows by what is asked for only
    const rows = $(".radaro-sidebar-event");
    for (const count of [50, 100, 150, 200, 200]) {
      await $(`.radaro-sidebar-event:nth-child(${count})`).waitFor();
      assert.equal(await rows.count(), count);
      const oldest = await rows.last().locator(".radaro-sidebar-job").innerText();
      await editor.click(sidebar.button("Show older"));
      await $(`.radaro-sidebar-event:last-child:not(:has-text("${oldest}"))`).waitFor();
    }
    assert.equal(await rows.count(), 200);
    await editor.click(sidebar.button("Back to the newest"));
    await sidebar.event(lastJob).waitFor();
    await editor.enter($("input[type=search]"), String(job));
    await sidebar.event(job).waitFor();
    assert.equal(await rows.count(), 1);
  });
});

const delay = { pauseType: "delay", timeout: "1", timeoutUnits: "hours" };
const receiveOrders = (id: string, name: string, y: number, to?: string) => {
  return { ...receive(id, "acme", y, to), name, path: "/orders", topics: ["job.status_changed"] };
};
const manyFlows = [
  ...flows.slice(0, 2),
  { ...merchant("acme", "Acme"), inboxRetries: "60" },
  receiveOrders("billing", "Billing", 100, "bill"),
  bill("bill", "Bill it", 100),
  receiveOrders("warehouse", "Warehouse", 160, "delay"),
  { ...at, ...delay, id: "delay", type: "delay", x: 400, y: 160, name: "Wait for stock" },
  receiveOrders("archive", "", 220),
];

inEachNodeRed("The sidebar of events for several nodes", { flows: manyFlows, credentials }, (session) => {
  const sidebar = new Sidebar(session);
  /** A delivery of an event that is open, by the name of its node. */
  const delivery = (job: number, name: string) =>
    sidebar.event(job).locator(".radaro-sidebar-deliveries > li", { hasText: name });

  /** Waits until a delivery says all of this. */
  const says = async (job: number, name: string, texts: string[]) => {
    for (const text of texts) await delivery(job, name).getByText(text).first().waitFor();
  };

  it("shows what matters at once, and of an open one what has become of each delivery", async () => {
    const { editor } = session;
    const job = await send(session, "orders");
    await sidebar.open();
    const event = sidebar.event(job);
    await event.getByText("Comes again by itself: ").waitFor();
    assert.match(await event.innerText(), new RegExp(`Failed[^]+No price for ${job}\\s+Bill it`));
    assert.doesNotMatch(await event.innerText(), /Warehouse/);

    await editor.click(sidebar.head(job));
    await says(job, "Billing", ["Failed", `No price for ${job}`, "Comes again by itself: "]);
    await says(job, "Warehouse", ["Waiting", "Times given to the flow: 1", "With the flow since: "]);
    await says(job, "/orders", ["Processed", "Times given to the flow: 1"]);
    for (const [of, node] of [
      ["Warehouse", "Wait for stock"],
      ["Billing", "Billing"],
      ["Billing", "Bill it"],
    ] as const) {
      await editor.page.evaluate("RED.workspaces.show('tab2')");
      await editor.node(node).waitFor({ state: "detached" });
      await editor.click(delivery(job, of).getByRole("button", { name: node }));
      await editor.node(node).waitFor();
    }
  });

  it("runs what failed, settles, runs all of it again, and deletes, when it has asked", async () => {
    const { editor } = session;
    const job = await send(session, "orders");
    const event = sidebar.event(job);
    const press = (name: string) => editor.click(event.getByRole("button", { name, exact: true }));
    await sidebar.open();
    await editor.click(sidebar.head(job));
    await says(job, "Billing", ["Failed"]);
    assert.ok(!(await event.getByRole("button", { name: "Run all of it again" }).isVisible()));
    await press("Run again");
    await says(job, "Billing", ["Failed", "Times given to the flow: 2"]);
    await says(job, "/orders", ["Times given to the flow: 1"]);

    await press("Dealt with by hand");
    await sidebar.answer(new RegExp(`Have you dealt with .+${job}`), "Cancel");
    await says(job, "Billing", ["Failed"]);
    await press("Dealt with by hand");
    await sidebar.answer(new RegExp(`Have you dealt with .+${job}`), "Dealt with");
    await says(job, "Billing", ["Processed", "Dealt with by hand", "Times given to the flow: 2"]);
    await says(job, "Warehouse", ["Processed", "Dealt with by hand"]);
    assert.doesNotMatch(await delivery(job, "/orders").innerText(), /by hand/);

    await press("Run all of it again");
    await sidebar.answer(/also where its flow has succeeded/, "Cancel");
    await says(job, "/orders", ["Times given to the flow: 1"]);
    await press("Run all of it again");
    await sidebar.answer(/also where its flow has succeeded/, "Run again");
    await says(job, "/orders", ["Processed", "Times given to the flow: 2"]);
    await says(job, "Billing", ["Failed"]);

    await press("Delete");
    await sidebar.answer(new RegExp(`Delete .+${job}.+for good`), "Cancel");
    await says(job, "Billing", ["Failed"]);
    await press("Delete");
    await sidebar.answer(new RegExp(`Delete .+${job}.+for good`), "Delete");
    await event.waitFor({ state: "detached" });
    editor.errors.length = 0; // the browser says that it is not there any more
  });

  it("says for which nodes an event waits that are not there", async () => {
    const { editor } = session;
    const job = await send(session, "orders");
    const unwanted = await send(session, "orders", { sample: "job-deleted" });
    await sidebar.open();
    await editor.click(sidebar.head(job));
    await says(job, "Warehouse", ["With the flow since: "]);
    await editor.page.evaluate("RED.nodes.remove('warehouse'); RED.nodes.dirty(true)");
    await editor.deploy({ confirm: true });
    await says(job, "warehouse", ["Waiting", "This radaro in is not there. The event waits for it."]);
    assert.equal(await delivery(job, "warehouse").getByRole("button").count(), 0);
    await editor.click(sidebar.head(job));
    await sidebar.event(job).getByText("Waits for a radaro in that is not there: warehouse").waitFor();

    await editor.page.evaluate(
      "RED.nodes.remove('billing'); RED.nodes.remove('archive'); RED.nodes.dirty(true)",
    );
    await editor.deploy({ confirm: true });
    await editor.click(sidebar.head(job));
    await says(job, "billing", ["Failed", "This radaro in is not there."]);
    await editor.click(sidebar.event(job).getByRole("button", { name: "Run again" }));
    await editor.page
      .locator(".red-ui-notification:has-text('nodes that they are for are not there')")
      .waitFor();

    await editor.click(sidebar.head(unwanted));
    await editor.click(sidebar.event(unwanted).getByRole("button", { name: "Run all of it again" }));
    await sidebar.answer(/also where its flow has succeeded/, "Run again");
    await sidebar
      .event(unwanted)
      .getByText("Waits for a radaro in of this merchant that receives on /orders")
      .waitFor();
  });
});

inEachNodeRed(
  "The sidebar of an inbox that cannot store",
  {
    flows,
    credentials,
    prepare: (userDir) => {
      mkdirSync(join(userDir, "radaro-inbox"));
      writeFileSync(join(userDir, "radaro-inbox", "acme"), "not a directory");
    },
  },
  (session) => {
    it("says what is wrong and what to do", async () => {
      const sidebar = new Sidebar(session);
      // The browser says it of each request that was not answered 200.
      const said = session.editor.page.waitForEvent("console");
      await sidebar.open();
      await sidebar.$("[role=alert]:has-text('cannot be written to')").waitFor();
      assert.match((await said).text(), /503/);
      session.editor.errors.length = 0;
    });
  },
);

inEachNodeRed(
  "The sidebar without an inbox",
  {
    flows: [flows[0]!, merchant("acme", "Acme", false), receive("done", "acme", 100)],
    credentials,
  },
  (session) => {
    it("says how to switch one on, which the merchant's dialog does", async () => {
      const { editor } = session;
      const sidebar = new Sidebar(session);
      await sidebar.open();
      await sidebar.$(":text('No merchant has an inbox')").waitFor();

      await editor.edit("/done");
      await editor.click("#node-input-btn-config-edit");
      await editor.page.locator("#node-config-input-token").waitFor();
      const days = editor.page.locator("#node-config-input-inboxDays");
      assert.ok(!(await days.isVisible()));
      await editor.click("#node-config-input-inbox");
      assert.equal(await days.inputValue(), "7");
      await editor.enter(days, "0.5");
      await editor.press("Tab");
      await editor.page.locator("#node-config-input-inboxDays.input-error").waitFor();
      await editor.enter(days, "30");
      await editor.press("Tab");
      await editor.page.locator("#node-config-input-inboxDays:not(.input-error)").waitFor();
      await editor.leave("ok", true);
      await editor.leave("ok");
      await editor.deploy();
      await sidebar.$(":text('No events. What')").waitFor();
      await send(session, "done");
      await sidebar.event("Completed by the driver").waitFor();
    });
  },
);

inEachNodeRed(
  "The sidebar in German",
  {
    flows: [
      flows[0]!,
      merchant("acme", "Acme"),
      merchant("beta", "Acme"),
      merchant("none", ""),
      receive("done", "acme", 100),
    ],
    credentials,
  },
  (session) => {
    before(async () => {
      const page = await session.browser.context.newPage();
      await page.goto(session.nodeRed.url);
      await page.evaluate("localStorage.setItem('editor-language', 'de')");
      await page.close();
    });

    it("is among the actions, and writes times as German does, though the browser is English", async () => {
      const { editor } = session;
      const sidebar = new Sidebar(session);
      await send(session, "done");
      await editor.press("Control+Shift+p");
      await editor.page.keyboard.type("Seitenleiste Radaro");
      await editor.page
        .locator(".red-ui-search-result:has-text('Seitenleiste Radaro zeigen')")
        .first()
        .waitFor();
      await editor.press("Enter");
      const event = sidebar.event("Vom Fahrer erledigt");
      await event.waitFor();
      assert.match(await event.innerText(), /\b\d\d:\d\d:\d\d(?! [AP]M)/);
    });

    it("tells merchants of the same name apart", async () => {
      const sidebar = new Sidebar(session);
      await sidebar.open();
      const options = sidebar.$("select[aria-label=Händler] option");
      await options.nth(2).waitFor({ state: "attached" });
      assert.deepEqual((await options.allInnerTexts()).sort(), [
        "Acme (acme)",
        "Acme (beta)",
        "Händler ohne Namen",
      ]);
    });
  },
);

// Their password is "dispatch".
const password = "$2b$08$JjZRB6DuqjLgZOmoKVCpyOq6Q3XdN6E7GrBcIZtgMFbGXWPtxF0Pu";
const users = [
  { username: "reader", password, permissions: "read" },
  { username: "nobody", password, permissions: "flows.read" },
];

inEachNodeRed(
  "The sidebar of a user who may only read",
  {
    flows,
    credentials,
    settings: { adminAuth: { type: "credentials", users } },
    user: { username: "reader", password: "dispatch" },
  },
  (session) => {
    it("shows the events, and offers to change none", async () => {
      const { editor } = session;
      const sidebar = new Sidebar(session);
      const job = await send(session, "fails");
      await sidebar.open();
      await sidebar.event(job).waitFor();
      await editor.click(sidebar.head(job));
      await sidebar.event(job).locator(".radaro-sidebar-tree").waitFor();
      const ofEvent = ["Run again", "Dealt with by hand", "Delete"];
      for (const name of [...ofEvent, "Run all failed again", "Pause", "Clear"]) {
        assert.ok(!(await sidebar.button(name).first().isVisible()), name);
      }
    });

    it("is given nothing by Node-RED that it may not have", async () => {
      const { nodeRed } = session;
      const client = { client_id: "node-red-editor", grant_type: "password", scope: "" };
      const token = async (username: string) => {
        const response = await fetch(`${nodeRed.url}/auth/token`, {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ ...client, username, password: "dispatch" }),
        });
        return ((await response.json()) as { access_token: string }).access_token;
      };
      const status = async (method: string, path: string, accessToken?: string) => {
        const headers = accessToken ? { Authorization: `Bearer ${accessToken}` } : undefined;
        const response = await fetch(`${nodeRed.url}/radaro-inbox${path}`, {
          method,
          ...(headers && { headers }),
        });
        return response.status;
      };
      await send(session, "done");
      const [reader, nobody] = [await token("reader"), await token("nobody")];
      const { events } = (await (
        await fetch(`${nodeRed.url}/radaro-inbox/acme/events`, {
          headers: { Authorization: `Bearer ${reader}` },
        })
      ).json()) as { events: { seq: string }[] };
      const one = `/acme/events/${events[0]!.seq}`;
      for (const path of ["", "/acme/events", one]) {
        assert.equal(await status("GET", path), 401);
        assert.equal(await status("GET", path, nobody), 401);
        assert.equal(await status("GET", path, reader), 200);
      }
      const ofMerchant = ["/acme/run", "/acme/pause", "/acme/resume", "/acme/clear"];
      for (const path of [`${one}/run`, `${one}/settle`, ...ofMerchant]) {
        assert.equal(await status("POST", path), 401);
        assert.equal(await status("POST", path, reader), 401);
      }
      assert.equal(await status("DELETE", one), 401);
      assert.equal(await status("DELETE", one, reader), 401);
    });
  },
);
