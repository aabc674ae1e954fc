import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { root } from "../system/package";
import { inEachNodeRed } from "./versions";

const examples = readdirSync(join(root, "examples"))
  .map((file) => file.replace(/\.json$/, ""))
  .sort();

/** It watches all merchants that are there. */
const withoutMerchant = "8 - Tell me when something needs me";

inEachNodeRed("Examples", { flows: [] }, (session) => {
  for (const [number, example] of examples.entries()) {
    it(`"${example}" is imported through the menu, has no mark of an error, is changed by no Done, and is deployed`, async () => {
      const { editor } = session;
      const { page } = editor;
      await editor.press("Control+i");
      await editor.click(page.getByRole("link", { name: "Examples", exact: true }));
      const browser = page.locator("#red-ui-clipboard-dialog-import-tab-examples");
      const shown = browser.locator(".red-ui-treeList-label", { hasText: /^\s*node-red-contrib-radaro/ });
      const item = browser.locator(".red-ui-treeList-label", { hasText: example.replace(/^\d+ - /, "") });
      await editor.clickFor(shown, item);
      await editor.clickFor(item, page.locator("#red-ui-clipboard-dialog-ok:not(:disabled)"));
      await editor.click("#red-ui-clipboard-dialog-ok");
      await page.locator("#red-ui-clipboard-dialog").waitFor({ state: "hidden" });
      // The merchant of the first is there already: Node-RED asks, and its copy uses that one.
      if (number > 0 && example !== withoutMerchant)
        await editor.click(page.getByRole("button", { name: "Import copy" }));

      const receiving = examples.slice(0, number + 1).filter((each) => each !== withoutMerchant).length;
      await page.waitForFunction(`RED.nodes.filterNodes({ type: "radaro in" }).length === ${receiving}`);
      await page.waitForFunction(`RED.nodes.filterNodes({ type: "comment" }).length >= ${number + 1}`);
      if (number === 0) {
        // As README says.
        await editor.showFlow("The life of a job");
        await editor.edit("/radaro");
        await editor.click("#node-input-btn-config-edit");
        await page.locator("#node-config-input-token").waitFor();
        await editor.enter("#node-config-input-token", "Zk3vQ9cXw1LmT7yHs0RdNA");
        await editor.leave("ok", true);
        await editor.leave("ok");
      }
      const problems = await page.evaluate(`{
        const wrong = [];
        const look = (node) => {
          if (node.type === "unknown") wrong.push(node.name + " is unknown");
          if (node.valid === false) wrong.push(node.type + ": " + JSON.stringify(node.validationErrors));
        };
        RED.nodes.eachNode(look);
        RED.nodes.eachConfig(look);
        wrong;
      }`);
      assert.deepEqual(problems, []);
      await editor.deploy();

      const ids = await page.evaluate<string[]>(
        `["radaro in", "radaro switch", "radaro done", "radaro watch"].flatMap((type) => RED.nodes.filterNodes({ type }).at(-1)?.id ?? [])`,
      );
      for (const id of ids) {
        await page.evaluate(`RED.editor.edit(RED.nodes.node("${id}"))`);
        await editor.dialogOpen();
        await editor.leave("ok");
      }
      assert.equal(await page.evaluate("RED.nodes.dirty()"), false);
      const { flows } = (await (
        await fetch(`${session.nodeRed.url}/flows`, { headers: { "Node-RED-API-Version": "v2" } })
      ).json()) as { flows: { id: string; type: string; config?: string }[] };
      // All are imported into one Node-RED, one after the other, and have one merchant.
      const nodes = flows.filter(({ type }) => type === "radaro in");
      assert.equal(nodes.length, receiving);
      const merchants = flows.filter(({ type }) => type === "radaro-config");
      assert.deepEqual(
        merchants.map(({ id }) => id),
        [...new Set(nodes.map(({ config }) => config))],
      );
      assert.equal(merchants.length, 1);
    });
  }
});
