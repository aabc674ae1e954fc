import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readSamples } from "../events";
import { root } from "../system/package";
import type { Editor } from "./editor";
import { inEachNodeRed } from "./versions";

const samples = readSamples();
const token = "Zk3vQ9cXw1LmT7yHs0RdNA";
const empty = { flows: [{ id: "tab1", type: "tab", label: "Flow 1" }] };

/** How many interactions README says that something takes. */
function said(pattern: RegExp): number {
  return Number(pattern.exec(readFileSync(join(root, "README.md"), "utf8"))?.[1]);
}

/** Gives the node that receives a merchant, which there is not yet. */
async function enterMerchant(editor: Editor): Promise<void> {
  await editor.edit("/radaro");
  await editor.click("#node-input-btn-config-add");
  await editor.page.locator("#node-config-input-token").waitFor();
  await editor.enter("#node-config-input-name", "My company");
  await editor.enter("#node-config-input-token", `  ${token}==\n`);
  await editor.leave("ok", true);
  await editor.leave("ok");
}

inEachNodeRed("A newcomer", empty, (session) => {
  it("gets from the palette to the first routed event, in as many interactions as README says", async () => {
    const { editor, nodeRed } = session;
    await editor.add("radaro in", 400, 300);
    await editor.add("radaro switch", 600, 300);
    await editor.add("debug", 850, 250);
    await editor.add("debug", 850, 350);

    await enterMerchant(editor);

    await editor.edit("1 route");
    const rule = (number: number) => editor.page.locator(".radaro-switch-rule select").nth(number - 1);
    await editor.choose(rule(1), "Completed by the driver");
    await editor.click(".red-ui-editableList-addButton");
    await editor.choose(rule(2), "Confirmed or rated by the customer");
    await editor.leave("ok");

    await editor.wire("/radaro", 1, "2 routes");
    await editor.wire("2 routes", 1, "debug 1");
    await editor.wire("2 routes", 2, "debug 2");
    await editor.deploy();
    await editor.press("Control+g", "d");
    await editor.click(editor.node("/radaro").locator(".red-ui-flow-node-button-button"));
    const message = editor.page.locator(".red-ui-debug-msg");
    await message.first().waitFor();
    assert.match(await message.first().innerText(), /debug 1/);
    assert.equal(editor.interactions, said(/in (\d+) clicks, drags and texts/));

    // The other of the two delivered events leaves by the other output.
    await editor.edit("/radaro");
    await editor.choose("#node-input-sample", "Confirmed or rated by the customer");
    await editor.click("#radaro-in-send");
    await editor.page.locator("#radaro-in-sent", { hasText: "Sent" }).waitFor();
    await editor.leave("cancel");
    await message.nth(1).waitFor();
    assert.match(await message.nth(1).innerText(), /debug 2/);
    assert.equal(await message.count(), 2);

    const saved = (file: string) => readFileSync(join(nodeRed.userDir, file), "utf8");
    assert.ok(!saved("flows.json").includes(token));
    assert.match(saved("flows_cred.json"), new RegExp(`"${token}=="`));
  });
});

inEachNodeRed("A newcomer who wants to be rung", empty, (session) => {
  it("when a job failed or was rated 3 or lower needs no core switch, and as many interactions as README says", async () => {
    const { editor, nodeRed } = session;
    await editor.add("radaro in", 400, 300);
    await editor.add("radaro switch", 600, 300);
    await editor.add("debug", 850, 300);
    await enterMerchant(editor);

    await editor.edit("1 route");
    const rule = (number: number) => editor.page.locator(".radaro-switch-rule").nth(number - 1);
    await editor.choose(rule(1).locator("select").first(), "Job failed");
    await editor.click(".red-ui-editableList-addButton");
    await editor.choose(
      rule(2).locator("select").first(),
      "Confirmed or rated by the customer, rated 5 or lower",
    );
    await editor.enter(rule(2).locator("input[type=number]"), "3");
    await editor.leave("ok");

    await editor.wire("/radaro", 1, "2 routes");
    await editor.wire("2 routes", 1, "debug 1");
    await editor.wire("2 routes", 2, "debug 1");
    await editor.deploy();
    assert.equal(editor.interactions, said(/rated 3 or lower takes (\d+)/));

    await editor.press("Control+g", "d");
    const message = editor.page.locator(".red-ui-debug-msg");
    const rating = (value: number | null) => ({
      ...(samples["job-confirmed"].order_info as object),
      rating: value,
    });
    const confirmed = [10, 4, null, 3].map((value) => ({
      ...samples["job-confirmed"],
      order_info: rating(value),
    }));
    for (const event of [samples["job-completed"], ...confirmed, samples["job-failed"]]) {
      const response = await fetch(`${nodeRed.url}/radaro`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ ...event, token }),
      });
      assert.equal(response.status, 200);
    }
    // What comes last is there, and so is all before it.
    await message.nth(1).waitFor();
    assert.equal(await message.count(), 2);
  });
});
