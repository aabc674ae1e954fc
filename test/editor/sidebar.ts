import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { AxeResults } from "axe-core";
import type { Locator, Page } from "playwright-core";
import type { SampleName } from "../../src/event/catalog";
import type { JsonObject } from "../../src/event/json";
import { readSamples } from "../events";
import type { Session } from "./versions";

export const at = { z: "tab1", wires: [] as string[][] };

export const receive = (id: string, config: string, y: number, to?: string) => ({
  ...{ ...at, id, type: "radaro in", x: 150, y, name: "", config, path: `/${id}`, topics: [] as string[] },
  wires: to ? [[to]] : [[]],
});

/** A node that fails with each event, and says with which job. */
export const bill = (id: string, name: string, y: number) => ({
  ...{ ...at, id, type: "function", x: 400, y, name, outputs: 1 },
  func: 'throw new Error("No price for " + msg.payload.order_info.order_id);',
});

export const merchant = (id: string, name: string, inbox = true) => {
  return { id, type: "radaro-config", name, inbox, inboxDays: 7 };
};

export const hourLong = { type: "delay", pauseType: "delay", timeout: "1", timeoutUnits: "hours" };

export const flows = [
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
  { ...at, ...hourLong, id: "delay", x: 400, y: 280 },
  { ...receive("other", "beta", 340), topics: ["job.deleted"] },
];

export const tokens: Record<string, string> = {
  acme: "Zk3vQ9cXw1LmT7yHs0RdNA",
  beta: "Qh8nB2vKp5XsE1wJt6YzLg",
};

export const credentials = Object.fromEntries(Object.entries(tokens).map(([id, token]) => [id, { token }]));

/** The inbox, as a person uses it: in the sidebar, or in its own window. */
export class Sidebar {
  constructor(
    protected readonly session: Session,
    private readonly window?: Page,
  ) {}

  get page(): Page {
    return this.window ?? this.session.editor.page;
  }

  $(selector: string): Locator {
    return this.page.locator(`.radaro-sidebar ${selector}`);
  }

  get list(): Locator {
    return this.$(".radaro-sidebar-list");
  }

  /** Opens the sidebar, with the inbox of one merchant. */
  async open(merchant = "acme"): Promise<void> {
    await this.session.editor.showSidebar("radaro", "Radaro");
    await this.$(":is(.radaro-sidebar-list, .radaro-sidebar-message:not(:empty)):visible").waitFor();
    const option = this.merchants.locator(`option[value="${merchant}"]`);
    if ((await option.count()) > 0 && (await this.merchants.inputValue()) !== merchant)
      await this.choose(merchant);
  }

  /** Opens the window. */
  async openWindow(): Promise<Sidebar> {
    const opened = this.session.browser.context.waitForEvent("page");
    await this.session.editor.click(this.button("In a window of its own"));
    const page = await opened;
    await page.locator(".radaro-sidebar-list").waitFor();
    return new Sidebar(this.session, page);
  }

  get merchants(): Locator {
    return this.$("select[aria-label=Merchant]");
  }

  async choose(merchant: string): Promise<void> {
    this.session.editor.interactions += 1;
    await this.merchants.selectOption({ value: merchant });
  }

  /** An event in the list, by a text in it. */
  event(text: string | number): Locator {
    return this.$(`.radaro-sidebar-event:has-text("${text}")`);
  }

  head(text: string | number): Locator {
    return this.event(text).locator(".radaro-sidebar-head");
  }

  button(name: string | RegExp): Locator {
    return this.page.locator(".radaro-sidebar").getByRole("button", { name });
  }

  /** Chooses something from the menu. */
  async menu(name: string | RegExp): Promise<void> {
    await this.session.editor.click(this.$(".radaro-sidebar-menu > summary"));
    await this.session.editor.click(this.$(".radaro-sidebar-menu").getByRole("button", { name }));
  }

  /** Answers what is asked. */
  async answer(question: RegExp, button: string): Promise<void> {
    const dialog = this.page.getByRole("dialog", { name: question });
    await this.session.editor.click(dialog.getByRole("button", { name: button, exact: true }));
    await dialog.waitFor({ state: "detached" });
  }

  /** Waits until this is said of what was done. */
  async told(text: string | RegExp): Promise<void> {
    await this.$(".radaro-sidebar-notice").getByText(text).waitFor();
  }

  async waitForCount(state: string, count: number | string): Promise<void> {
    await this.button(new RegExp(`^${state} ${count}$`)).waitFor();
  }

  /** Waits until so many events are in the list. */
  async shows(count: number): Promise<void> {
    if (count > 0)
      await this.$(`.radaro-sidebar-list li:nth-child(${count})`).first().waitFor({ state: "attached" });
    await this.$(`.radaro-sidebar-list > ul > li:nth-child(${count + 1})`).waitFor({ state: "detached" });
  }

  /** The serious findings of accessibility, with what they are about, in either theme. */
  async findings(): Promise<object[]> {
    const found: object[] = [];
    await this.page.evaluate(readFileSync(require.resolve("axe-core/axe.min.js"), "utf8"));
    for (const isDark of [false, true]) {
      const page = this.session.editor.page;
      await page.evaluate(`document.documentElement.classList.toggle("nr-theme-dark", ${isDark})`);
      await this.page.waitForFunction(
        `document.documentElement.classList.contains("nr-theme-dark") === ${isDark}`,
      );
      const { violations } = await this.page.evaluate<AxeResults>(
        "axe.run(document.querySelector('.radaro-sidebar'))",
      );
      const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
      found.push(...serious.map(({ id, nodes }) => ({ id, isDark, where: nodes.map(({ html }) => html) })));
    }
    return found;
  }
}

let lastJob = 410077215;

/** Sends an event as Radaro does. @returns the job's number */
export async function send(
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

/** Deletes a merchant's events that do not wait. */
export async function clear({ nodeRed }: Session, merchant = "acme"): Promise<void> {
  await fetch(`${nodeRed.url}/radaro-inbox/${merchant}/clear`, { method: "POST" });
}
