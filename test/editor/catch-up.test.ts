import assert from "node:assert/strict";
import { JobsApi, MadeUpRadaro } from "../../scripts/made-up-radaro";
import type { JsonObject } from "../../src/event/json";
import { credentials, flows, send, Sidebar, tokens } from "./sidebar";
import { inEachNodeRed } from "./versions";

const apiKey = "7c1f0a52-3d7e-4b0e-9a86-5e2f4c9d1b30";

inEachNodeRed(
  "The inbox that catches up",
  { flows, credentials: { ...credentials, acme: { token: tokens.acme!, apiKey } } },
  (session) => {
    const sidebar = new Sidebar(session);
    let radaro: MadeUpRadaro;
    let api: JobsApi;

    before(async () => {
      radaro = new MadeUpRadaro();
      api = await JobsApi.start(radaro, apiKey);
      const { url } = session.nodeRed;
      const all = (await (await fetch(`${url}/flows`)).json()) as JsonObject[];
      // Every 3 seconds: what differs is looked at again after these too.
      const catchUp = { catchUp: 0.05, server: api.url };
      const response = await fetch(`${url}/flows`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(all.map((node) => (node.id === "acme" ? { ...node, ...catchUp } : node))),
      });
      assert.equal(response.status, 204);
    });
    after(() => api.stop());

    const asked = () => sidebar.$(".radaro-sidebar-asked");

    it("says when Radaro was asked and what was found, and marks that, in the list and where it is open", async () => {
      const { editor } = session;
      await sidebar.open();
      await asked()
        .getByText(/^Asked Radaro .+ ago, caught up then: 0$/)
        .waitFor();
      const job = radaro.create();
      await editor.click(sidebar.button("Ask now"));
      await sidebar.event(job).getByText("Caught up: it never arrived").first().waitFor();
      await editor.click(sidebar.head(job).first());
      const other = await send(session, "done");
      await sidebar.event(other).waitFor();
      await editor.click(sidebar.button(/^Filter/));
      await editor.click(sidebar.page.getByLabel("Only caught up ones"));
      await sidebar.event(other).waitFor({ state: "detached" });
      await sidebar.event(job).first().waitFor();
      assert.deepEqual(await sidebar.findings(), []);
    });

    it("says in words why Radaro cannot be asked, until it can, and nothing of a merchant that does not", async () => {
      await sidebar.open();
      api.between = (_, response) => Boolean(response.writeHead(401).end());
      await asked().getByText("does not take the API key").waitFor();
      assert.deepEqual(await sidebar.findings(), []);
      api.between = () => false;
      await asked().getByText("does not take the API key").waitFor({ state: "detached" });
      await sidebar.choose("beta");
      await asked().waitFor({ state: "hidden" });
    });
  },
);
