// Takes the pictures of README from the running editor, in both themes: `npm run screenshots`.
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator } from "playwright-core";
import { readSamples } from "../test/events";
import { openBrowser } from "../test/editor/browser";
import { Editor } from "../test/editor/editor";
import { editorSettings, nodeRed5, prepareEditor } from "../test/editor/versions";
import { root } from "../test/system/package";
import { installNodeRed, programIn, startNodeRed } from "./node-red";

const example = "2 - Completed by the driver or rated by the customer";

void main();

async function main(): Promise<void> {
  const flows = JSON.parse(readFileSync(join(root, "examples", `${example}.json`), "utf8")) as {
    id: string;
    type: string;
  }[];
  const { id } = flows.find(({ type }) => type === "radaro-config")!;
  mkdirSync(join(root, "docs"), { recursive: true });
  const nodeRed = await startNodeRed({
    flows,
    credentials: { [id]: { token: "a-token-that-nobody-has" } },
    settings: editorSettings,
    prepare: prepareEditor,
    program: programIn(installNodeRed(...nodeRed5)),
  });
  try {
    await fetch(`${nodeRed.url}/radaro-in/address`, {
      method: "PUT",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ address: "https://flows.example.com" }),
    });
    for (const theme of ["light", "dark"]) await takeAll(nodeRed.url, theme);
  } finally {
    await nodeRed.stop();
  }
  await takeSidebar();
}

/** The sidebar of an inbox, with an event that failed. */
async function takeSidebar(): Promise<void> {
  const token = "a-token-that-nobody-has";
  const nodeRed = await startNodeRed({
    flows: [
      { id: "tab", type: "tab", label: "Billing" },
      { id: "merchant", type: "radaro-config", name: "My company", inbox: true, inboxDays: 7 },
      {
        ...{ id: "in", type: "radaro in", z: "tab", x: 150, y: 100, config: "merchant" },
        ...{ path: "/radaro", topics: [], wires: [["bill"]] },
      },
      {
        ...{ id: "bill", type: "function", z: "tab", x: 350, y: 100, name: "Bill it", outputs: 1, wires: [] },
        func: 'if (msg.payload.new_values?.status === "delivered") throw new Error("No price for this job");',
      },
    ],
    credentials: { merchant: { token } },
    settings: editorSettings,
    prepare: prepareEditor,
    program: programIn(installNodeRed(...nodeRed5)),
  });
  try {
    const samples = ["job-created", "job-deadline-changed", "job-completed", "job-confirmed"] as const;
    for (const name of samples) {
      await fetch(`${nodeRed.url}/radaro`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ ...readSamples()[name], token }),
      });
    }
    for (const theme of ["light", "dark"]) {
      const { browser, editor, take } = await open(nodeRed.url, theme);
      await editor.showSidebar("radaro", "Radaro");
      const other = editor.page.locator("button[data-tab-id=debug].selected");
      if (await other.count()) await editor.click(other); // it goes, and makes room
      await editor.page
        .locator(".radaro-sidebar-event")
        .nth(samples.length - 1)
        .waitFor();
      await take("sidebar", editor.page.locator(".radaro-sidebar"));
      await editor.close();
      await browser.close();
    }
  } finally {
    await nodeRed.stop();
  }
}

/** Opens the editor in a theme, and says how to take a picture. */
async function open(url: string, theme: string) {
  const browser = await openBrowser();
  const editor = await Editor.open(browser.context, url);
  const { page } = editor;
  await page.setViewportSize({ width: 1440, height: 640 });
  await page.evaluate(`document.documentElement.classList.toggle("nr-theme-dark", ${theme === "dark"})`);
  const take = async (name: string, of?: Locator) => {
    await editor.still();
    const path = join(root, "docs", `${name}-${theme}.png`);
    await (of ?? page).screenshot({ path });
    console.log(`docs/${name}-${theme}.png`);
  };
  return { browser, editor, take };
}

async function takeAll(url: string, theme: string): Promise<void> {
  const { browser, editor, take } = await open(url, theme);
  const { page } = editor;
  const dialog = page.locator(".red-ui-tray").last();

  await editor.press("Control+g", "d");
  for (const sample of ["Completed by the driver", "Confirmed or rated by the customer"]) {
    await editor.edit("/radaro");
    await editor.choose("#node-input-sample", sample);
    await editor.click("#radaro-in-send");
    await page.locator("#radaro-in-sent:has-text('Sent')").waitFor();
    await editor.leave("cancel");
  }
  await page.locator(".red-ui-debug-msg").nth(1).waitFor();
  await take("flow");
  await page.setViewportSize({ width: 1440, height: 800 }); // the dialogs are seen whole
  await editor.edit("/radaro");
  await take("radaro-in", dialog);
  await editor.click("#node-input-btn-config-edit");
  await page.locator("#node-config-input-token").waitFor();
  await take("radaro-config", dialog);
  await editor.leave("cancel", true);
  await editor.leave("cancel");
  await editor.edit("3 routes");
  await take("radaro-switch", dialog);
  await editor.leave("cancel");
  await editor.close();
  await browser.close();
}
