import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  at,
  bill,
  clear,
  credentials,
  flows,
  hourLong,
  merchant,
  receive,
  send,
  Sidebar,
  tokens,
} from "./sidebar";
import { inEachNodeRed } from "./versions";

inEachNodeRed("The sidebar", { flows, credentials }, (session) => {
  const sidebar = new Sidebar(session);
  const $ = (selector: string) => sidebar.$(selector);

  beforeEach(async () => {
    await clear(session);
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
    assert.equal(await event.locator(".radaro-sidebar-error").count(), 0);
    await event.getByText(`failed: No price for ${job}`).waitFor();
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
    await editor.click(sidebar.button("Filter"));
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
    await sidebar.open();
    const order_info = { order_id: 410070001 };
    await send(session, "done", { change: { order_info, updated_at: "2026-03-02T10:00:00Z" } });
    await send(session, "done", { change: { order_info, updated_at: "2026-03-02T09:00:00Z" } });
    await sidebar.event("Superseded by a later change").waitFor();
    await sidebar.event(await send(session, "done", { sample: "job-picked-up" })).waitFor();
    await sidebar.event("Status changed to Picked up").waitFor();
    await sidebar.choose("beta");
    const job = await send(session, "other");
    await sidebar.event(job).waitFor();
    await sidebar.event(job).filter({ hasText: "No radaro in lets its topic through" }).waitFor();
  });

  it("shows the merchant that was chosen last", async () => {
    const { editor } = session;
    await sidebar.open("beta");
    await editor.reload();
    await editor.showSidebar("radaro", "Radaro");
    await $("select[aria-label=Merchant]:has(option:checked[value=beta])").waitFor();
  });

  it("runs all that failed again, and deletes what does not wait, when it has asked", async () => {
    const { editor } = session;
    const failed = await send(session, "fails");
    await send(session, "fails");
    const done = await send(session, "done");
    await send(session, "waits");
    await sidebar.open();
    await sidebar.waitForCount("Failed", 2);

    await editor.click(sidebar.button("Run all failed again (2)"));
    await sidebar.answer(/Run all failed events of Acme again \(2\).+whose flow failed/, "Cancel");
    await editor.click(sidebar.head(failed));
    await sidebar.event(failed).getByText("Times given to the flow: 1").waitFor();
    await editor.click(sidebar.button("Run all failed again (2)"));
    await sidebar.answer(/Run all failed events of Acme again \(2\).+whose flow failed/, "Run again");
    await sidebar.told("Events that are run again: 2");
    await sidebar.event(failed).getByText("Times given to the flow: 2").waitFor();
    await sidebar.waitForCount("Failed", 2);
    await editor.click(sidebar.head(failed));

    await sidebar.menu("Clear");
    await sidebar.answer(/Delete 3 of the events of Acme for good/, "Cancel");
    await sidebar.event(done).waitFor();
    await sidebar.menu("Clear");
    await sidebar.answer(/Delete 3 of the events of Acme for good/, "Delete");
    await sidebar.event(done).waitFor({ state: "detached" });
    await sidebar.waitForCount("Failed", 0);
    await sidebar.event("Waiting").first().waitFor();
    await editor.click($(".radaro-sidebar-menu > summary"));
    await sidebar.button("Pause").waitFor();
    assert.equal(await sidebar.button("Clear").count(), 0);
    assert.equal(await sidebar.button(/Run all failed again/).count(), 0);
  });

  it("says that the merchant is paused and how many wait, until it is resumed", async () => {
    const { editor } = session;
    await sidebar.open();
    await sidebar.menu("Pause");
    const paused = $(".radaro-sidebar-paused");
    await paused.getByText(/^Paused: .+ Waiting: \d+$/).waitFor();
    const job = await send(session, "done");
    await sidebar.event(job).getByText("Waiting").waitFor();
    await editor.reload();
    await sidebar.open();
    await paused.waitFor();
    await sidebar.menu("Resume");
    await paused.waitFor({ state: "hidden" });
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
    const refused = $(".radaro-sidebar-refused");
    await refused.getByText(/^Refused requests$/).waitFor();
    await editor.click(refused.locator("summary"));
    assert.match(await refused.innerText(), /wrong token: 2, the first at \d.+, the last at \d/);
    assert.doesNotMatch(await refused.innerText(), /secret/);
  });

  it("leaves what somebody reads where it is, while others come in", async () => {
    const { editor } = session;
    for (let i = 0; i < 15; i += 1) await send(session, "done");
    const job = await send(session, "done");
    await sidebar.open();
    await editor.click(sidebar.head(job));
    await sidebar.event(job).locator(".radaro-sidebar-tree").waitFor();
    await editor.page.mouse.move(10, 10);
    const place = async () => (await sidebar.head(job).boundingBox())!.y;
    const before = await place();
    let last = job;
    for (let i = 0; i < 5; i += 1) last = await send(session, "done");
    await sidebar.event(last).waitFor({ state: "attached" });
    assert.ok(Math.abs((await place()) - before) < 2, `${before} → ${await place()}`); // pixels are whole
    assert.equal(await sidebar.head(job).getAttribute("aria-expanded"), "true");
    assert.ok(await sidebar.head(job).evaluate((head) => head === document.activeElement));

    await editor.click(sidebar.button("Back to the newest"));
    assert.equal(
      await editor.page.evaluate("document.querySelector('.radaro-sidebar-scroller').scrollTop"),
      0,
    );
  });

  it("asks for nothing but the numbers while it is not shown", async () => {
    const { editor } = session;
    await sidebar.open();
    await editor.showSidebar("info", "Information");
    await sidebar.list.waitFor({ state: "hidden" });
    await editor.page.waitForLoadState("networkidle"); // what it has asked before is answered
    const asked: string[] = [];
    editor.page.on("request", (request) => {
      if (request.url().includes("radaro-inbox/")) asked.push(request.url());
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
    await editor.press("Tab", "Tab");
    assert.equal(await editor.page.evaluate("document.activeElement.innerText.trim()"), "Run again");
    await sidebar.head(job).focus();
    await editor.press("Enter");
    await tree.waitFor({ state: "detached" });
  });

  it("has no serious finding of accessibility, in either theme", async () => {
    const { editor } = session;
    const job = await send(session, "fails");
    await send(session, "done");
    await fetch(`${session.nodeRed.url}/done`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: "{}",
    });
    await sidebar.open();
    await sidebar.menu("Pause");
    await $(".radaro-sidebar-paused").waitFor();
    await editor.click(sidebar.head(job));
    await sidebar.event(job).locator(".radaro-sidebar-tree").waitFor();
    await editor.click(sidebar.button("Filter"));
    await editor.click($(".radaro-sidebar-menu > summary"));
    assert.deepEqual(await sidebar.findings(), []);
    await editor.click(sidebar.button("Resume"));
    await $(".radaro-sidebar-paused").waitFor({ state: "hidden" });
  });

  it("finds a job behind 10,000 other events, and holds 200 of them at most", async function () {
    this.timeout(300_000);
    const { editor } = session;
    const job = await send(session, "done");
    let last = job;
    for (let i = 0; i < 10_100; i += 100) {
      last = Math.max(...(await Promise.all(Array.from({ length: 100 }, () => send(session, "done")))));
    }
    await sidebar.open();
    await sidebar.event(last).waitFor(); // the list is up to date, and grows by what is asked for only
    const rows = $(".radaro-sidebar-event");
    await sidebar.shows(50);
    for (let oldest = last; oldest > last - 300;) {
      const before = await rows.last().locator(".radaro-sidebar-job").innerText();
      await rows.last().hover(); // scrolls to it
      await $(`.radaro-sidebar-event:last-child:not(:has-text("${before}"))`).waitFor();
      assert.ok((await rows.count()) <= 200);
      oldest = Number.parseInt(await rows.last().locator(".radaro-sidebar-job").innerText());
    }
    await editor.click(sidebar.button("Back to the newest"));
    await sidebar.event(last).waitFor();
    await editor.enter($("input[type=search]"), String(job));
    await sidebar.event(job).waitFor();
    assert.equal(await rows.count(), 1);
  });
});

const receiveOrders = (id: string, name: string, y: number, to?: string) => {
  return { ...receive(id, "acme", y, to), name, path: "/orders", topics: ["job.status_changed"] };
};
const manyFlows = [
  ...flows.slice(0, 2),
  { ...merchant("acme", "Acme"), inboxRetries: "60" },
  receiveOrders("billing", "Billing", 100, "bill"),
  bill("bill", "Bill it", 100),
  receiveOrders("warehouse", "Warehouse", 160, "delay"),
  { ...at, ...hourLong, id: "delay", x: 400, y: 160, name: "Wait for stock" },
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
    await sidebar.told(/nodes that they are for are not there/);

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
      await sidebar.open("*");
      await sidebar.$("[role=alert]:has-text('cannot be written to')").waitFor();
      await sidebar.waitForCount("Failed", "–");
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
      await options.nth(3).waitFor({ state: "attached" });
      assert.deepEqual((await options.allInnerTexts()).sort(), [
        "Acme (/done, acme)",
        "Acme (beta)",
        "Alle Händler",
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
      await editor.click(sidebar.$(".radaro-sidebar-menu > summary"));
      const ofEvent = ["Run again", "Dealt with by hand", "Send as a test event", "Delete"];
      for (const name of [...ofEvent, "Run all failed again", "Pause", "Clear"]) {
        assert.ok(!(await sidebar.button(name).first().isVisible()), name);
      }
      for (const name of ["All of this job", "Copy link", "Export what is shown …"])
        await sidebar.button(name).waitFor();
      await editor.press("Escape");
      await editor.click(sidebar.button("By cause"));
      await sidebar.button("Show them").waitFor();
      assert.equal(await sidebar.button(/^Run these again/).count(), 0);
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
