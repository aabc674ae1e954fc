import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { StoredEvent } from "../../src/inbox/stored-event";
import { at, credentials, merchant, receive, send, Sidebar } from "./sidebar";
import { inEachNodeRed } from "./versions";

/** A bookkeeping server: while it is down, it takes no request. */
const bookkeeping = {
  isUp: false,
  /** The jobs that it has billed. */
  billed: [] as number[],
  server: createServer((req, res) => {
    if (!bookkeeping.isUp) {
      req.socket.destroy();
      return;
    }
    let body = "";
    req.on("data", (data) => (body += String(data)));
    req.on("end", () => {
      bookkeeping.billed.push((JSON.parse(body) as { order_info: { order_id: number } }).order_info.order_id);
      res.end();
    });
  }),
};

/** What `radaro watch` sends. */
interface Told {
  topic: string;
  payload: string;
  radaro: { state: string; count: number };
}

const bill = { ...at, id: "bill", type: "http request", x: 400, y: 100, name: "Bill it" };
const watch = { ...at, id: "watch", type: "radaro watch", x: 150, y: 200, name: "", config: "acme" };
const flows = [
  { id: "tab1", type: "tab", label: "Flow 1" },
  { ...merchant("acme", "Acme"), inboxRetries: "0.1" },
  receive("in", "acme", 100, "bill"),
  { ...watch, failed: true, store: true, refused: true, waiting: 0, silence: 0, wires: [["told"]] },
  { ...at, id: "told", type: "probe", x: 400, y: 200 },
];

describe("An operator's evening with the inbox", () => {
  before(async () => {
    await once(bookkeeping.server.listen(0, "127.0.0.1"), "listening");
    const { port } = bookkeeping.server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}/`;
    flows.push({
      ...bill,
      method: "POST",
      ret: "txt",
      url,
      tls: "",
      persist: false,
      senderr: false,
    } as never);
  });
  after(async () => {
    bookkeeping.server.closeAllConnections();
    bookkeeping.server.close();
    await once(bookkeeping.server, "close");
  });

  inEachNodeRed("is quiet", { flows, credentials }, (session) => {
    /** What `radaro watch` tells next. */
    const told = async () => {
      const response = await fetch(`${session.nodeRed.url}/probe/told/1`);
      const [message, ...others] = (await response.json()) as [Told, ...Told[]];
      assert.deepEqual(others, []);
      return message;
    };
    /** Resolves when a job's event is in that state. */
    const becomes = async (job: number, fits: (event: StoredEvent) => boolean) => {
      for (;;) {
        const response = await fetch(`${session.nodeRed.url}/radaro-inbox/acme/events?job=${job}`);
        const { events } = (await response.json()) as { events: StoredEvent[] };
        if (events[0] && fits(events[0])) return;
      }
    };
    /** How many clicks something takes. */
    const clicks = async (most: number, run: () => Promise<void>) => {
      const before = session.editor.interactions;
      await run();
      assert.ok(
        session.editor.interactions - before <= most,
        `${session.editor.interactions - before} clicks`,
      );
    };

    it("for the person who is told, finds the cause, and settles it", async () => {
      Object.assign(bookkeeping, { isUp: false, billed: [] });
      const sidebar = new Sidebar(session);
      const { editor } = session;
      const badge = editor.page.locator(".radaro-sidebar-badge:visible").first();
      const jobs: number[] = [];
      for (let i = 0; i < 3; i += 1) jobs.push(await send(session, "in"));
      const [byHand, ...others] = jobs as [number, ...number[]];

      // She is told, by whatever she has wired, and the editor shows it to who looks.
      const begun = await told();
      assert.deepEqual([begun.topic, begun.radaro.state], ["failed", "begun"]);
      assert.match(begun.payload, /^Acme: .*“Bill it”/);
      await editor.page.locator(".radaro-sidebar-badge:visible:has-text('3')").first().waitFor();

      // What fails just before the server comes back heals by itself.
      const late = await send(session, "in");
      await becomes(late, ({ deliveries }) => deliveries?.[0]?.againAt !== undefined);
      bookkeeping.isUp = true;
      await becomes(late, ({ state }) => state === "processed");

      const cause = sidebar.$(".radaro-sidebar-causes li:has-text('Bill it')");
      await clicks(3, async () => {
        await sidebar.open();
        await editor.click(sidebar.button("By cause"));
        await cause.getByText("Failed: 3").waitFor();
      });
      await clicks(1, () => editor.click(cause.getByRole("button", { name: "Show them" })));
      await clicks(3, async () => {
        await editor.click(sidebar.head(byHand));
        await editor.click(sidebar.event(byHand).getByRole("button", { name: "Dealt with by hand" }));
        await sidebar.answer(/by hand/, "Dealt with");
      });
      await sidebar.waitForCount("Failed", 2);
      await clicks(3, async () => {
        await editor.click(sidebar.button("By cause"));
        await editor.click(cause.getByRole("button", { name: "Run these again (2)" }));
        await sidebar.answer(/“Bill it”/, "Run again");
      });
      const over = await told();
      assert.deepEqual([over.topic, over.radaro.state], ["failed", "over"]);
      await badge.waitFor({ state: "detached" });
      assert.deepEqual(bookkeeping.billed.sort(), [...others, late].sort());
      for (const { payload } of [begun, over]) assert.ok(!/\+\d{6}|@/.test(payload), payload);
    });
  });
});
