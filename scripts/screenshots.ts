// Takes the pictures of README from the running editor, in both themes: `npm run screenshots`.
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator } from "playwright-core";
import { openBrowser } from "../test/editor/browser";
import { Editor } from "../test/editor/editor";
import { editorSettings, nodeRed5 } from "../test/editor/versions";
import { install, root } from "../test/system/package";
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
    prepare: install,
    program: programIn(installNodeRed(...nodeRed5)),
  });
  try {
    for (const theme of ["light", "dark"]) await takeAll(nodeRed.url, theme);
  } finally {
    await nodeRed.stop();
  }
}

async function takeAll(url: string, theme: string): Promise<void> {
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
  await editor.edit("/radaro");
  await take("radaro-in", dialog);
  await editor.click("#node-input-btn-config-edit");
  await page.locator("#node-config-input-token").waitFor();
  await take("radaro-config", dialog);
  await editor.leave("cancel", true);
  await editor.leave("cancel");
  await editor.edit("2 routes");
  await take("radaro-switch", dialog);
  await editor.leave("cancel");
  await editor.close();
  await browser.close();
}
