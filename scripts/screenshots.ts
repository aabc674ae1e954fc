// Takes the pictures of README from the running editor, in both themes: `npm run screenshots`, or a part
// of them: `npm run screenshots -- nodes`, `-- inbox`.
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
  const [part] = process.argv.slice(2);
  if (part !== "inbox") await takeNodes();
  if (part !== "nodes") await takeInbox();
}

async function takeNodes(): Promise<void> {
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
}

/** The inbox of two merchants, with events that failed: in the sidebar, and in its window. */
async function takeInbox(): Promise<void> {
  const tokens = { south: "a-token-that-nobody-has", north: "another-token-that-nobody-has" };
  const receive = (id: keyof typeof tokens, y: number) => ({
    ...{ id: `in-${id}`, type: "radaro in", z: "tab", x: 150, y, config: id, path: `/${id}` },
    ...{ topics: [], wires: [["bill"]] },
  });
  const merchant = (id: keyof typeof tokens, name: string) => {
    return { id, type: "radaro-config", name, inbox: true, inboxDays: 7, inboxRetries: "60" };
  };
  const nodeRed = await startNodeRed({
    flows: [
      { id: "tab", type: "tab", label: "Billing" },
      merchant("south", "South Couriers"),
      merchant("north", "North Removals"),
      receive("south", 100),
      receive("north", 160),
      {
        ...{ id: "bill", type: "function", z: "tab", x: 400, y: 100, name: "Bill it", outputs: 1, wires: [] },
        func: 'if (msg.payload.new_values?.status === "delivered") throw new Error("The bookkeeping is down");',
      },
    ],
    credentials: Object.fromEntries(Object.entries(tokens).map(([id, token]) => [id, { token }])),
    settings: editorSettings,
    prepare: prepareEditor,
    program: programIn(installNodeRed(...nodeRed5)),
  });
  try {
    for (const [id, token] of Object.entries(tokens)) await sendJobs(`${nodeRed.url}/${id}`, token);
    for (const theme of ["light", "dark"]) await takeInboxIn(nodeRed.url, theme);
  } finally {
    await nodeRed.stop();
  }
}

/** Some events of two jobs. */
async function sendJobs(url: string, token: string): Promise<void> {
  const samples = ["job-created", "job-deadline-changed", "job-completed", "job-confirmed"] as const;
  const customers = ["Anna Schmidt", "Priya Ryan"];
  for (const name of samples) {
    for (const [i, customer] of customers.entries()) {
      const event = readSamples()[name];
      const number = 410077215 + 2 * token.length + i;
      const job = { order_id: number, external_id: `SO-${number % 10_000}`, customer: { name: customer } };
      await fetch(url, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ ...event, order_info: { ...(event.order_info as object), ...job }, token }),
      });
    }
  }
}

async function takeInboxIn(url: string, theme: string): Promise<void> {
  const { browser, editor, take } = await open(url, theme);
  const { page } = editor;
  await editor.showSidebar("radaro", "Radaro");
  const other = page.locator("button[data-tab-id=debug].selected");
  if (await other.count()) await editor.click(other); // it goes, and makes room
  await page.locator(".radaro-sidebar-event").nth(7).waitFor();
  await editor.click(".radaro-sidebar-choice:has-text('Failed')");
  await page.locator(".radaro-sidebar-event").nth(3).waitFor();
  await page.mouse.move(10, 10);
  await take("sidebar", page.locator(".radaro-sidebar"));
  const opened = browser.context.waitForEvent("page");
  await editor.click(page.getByRole("button", { name: "In a window of its own" }));
  const window = await opened;
  await window.setViewportSize({ width: 1100, height: 640 });
  await window.locator(".radaro-sidebar-failed .radaro-sidebar-head").first().click();
  await window.locator(".radaro-sidebar-pane .radaro-sidebar-tree").waitFor();
  await window.mouse.move(800, 600);
  await take("inbox-window", window.locator(".radaro-window"));
  await editor.close();
  await browser.close();
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
  await page.setViewportSize({ width: 1440, height: 1020 });
  await editor.click("#node-config-input-inbox");
  await page.locator("#node-config-input-inboxStore").selectOption("postgres");
  await editor.enter("#node-config-input-inboxUrl", "${RADARO_DATABASE}");
  await editor.press("Tab");
  await take("radaro-config-database", dialog);
  await editor.leave("cancel", true);
  await editor.leave("cancel");
  await editor.edit("3 routes");
  await take("radaro-switch", dialog);
  await editor.leave("cancel");
  await editor.close();
  await browser.close();
}
