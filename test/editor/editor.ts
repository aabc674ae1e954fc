import assert from "node:assert/strict";
import type { BrowserContext, Locator, Page } from "playwright-core";

export interface User {
  username: string;
  password: string;
}

/** The editor, used as a person uses it: by clicks and keys. Each method counts what it took. */
export class Editor {
  /** Clicks, drags, and texts entered. */
  interactions = 0;
  /** Errors in the browser's console. */
  readonly errors: string[] = [];

  private constructor(readonly page: Page) {
    page.on("pageerror", (error) => this.errors.push(error.stack ?? String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") this.errors.push(`${message.text()} ${message.location().url}`);
    });
  }

  static async open(context: BrowserContext, url: string, user?: User): Promise<Editor> {
    const editor = new Editor(await context.newPage());
    await editor.page.goto(url);
    if (user) await editor.logIn(user);
    await editor.loaded();
    return editor;
  }

  async reload(): Promise<void> {
    await this.page.reload();
    await this.loaded();
  }

  private async loaded(): Promise<void> {
    await this.palette("inject").waitFor({ state: "attached" });
    await this.page.locator("#red-ui-loading-progress").waitFor({ state: "hidden" });
  }

  private async logIn({ username, password }: User): Promise<void> {
    await this.page.evaluate("localStorage.clear()"); // where somebody has been logged in before
    await this.page.reload();
    await this.enter("#node-dialog-login-username", username);
    await this.enter("#node-dialog-login-password", password);
    this.errors.length = 0; // the browser says that something was answered 401 before
    await this.click("#node-dialog-login-submit");
  }

  async close(): Promise<void> {
    await this.page.close();
    assert.deepEqual(this.errors, []);
  }

  async click(target: string | Locator): Promise<void> {
    this.interactions += 1;
    await this.find(target).click();
  }

  async enter(target: string | Locator, text: string): Promise<void> {
    this.interactions += 1;
    await this.find(target).fill(text);
  }

  async choose(target: string | Locator, label: string): Promise<void> {
    this.interactions += 1;
    await this.find(target).selectOption({ label });
  }

  async press(...keys: string[]): Promise<void> {
    this.interactions += 1;
    for (const key of keys) await this.page.keyboard.press(key);
  }

  /** Drags from the middle of one thing to a place or to the middle of another. */
  async drag(from: Locator, to: Locator | { x: number; y: number }): Promise<void> {
    this.interactions += 1;
    const start = await middle(from);
    const end = "x" in to ? to : await middle(to);
    const { mouse } = this.page;
    await mouse.move(start.x, start.y);
    await mouse.down();
    await mouse.move((start.x + end.x) / 2, (start.y + end.y) / 2, { steps: 5 });
    await mouse.move(end.x, end.y, { steps: 5 });
    await mouse.up();
  }

  /** A node type in the palette. */
  palette(type: string): Locator {
    return this.page.locator(`.red-ui-palette-node[data-palette-type="${type}"]`);
  }

  /** Finds a type by the palette's search, and drags it into the flow. */
  async add(type: string, x: number, y: number): Promise<void> {
    await this.enter("#red-ui-palette-search input", type);
    const before = await this.page.locator(".red-ui-flow-node-group").count();
    await this.drag(this.palette(type), { x, y });
    await this.page.locator(".red-ui-flow-node-group").nth(before).waitFor();
  }

  /** A node in the flow, by the text on it. */
  node(label: string): Locator {
    return this.page.locator(".red-ui-flow-node-group", { hasText: label });
  }

  async wire(from: string, output: number, to: string): Promise<void> {
    const port = this.node(from)
      .locator(".red-ui-flow-port-output .red-ui-flow-port")
      .nth(output - 1);
    await this.drag(port, this.node(to).locator(".red-ui-flow-port-input .red-ui-flow-port"));
  }

  /** Clicks on something that may still be moving, until what that brings is there. */
  async clickFor(target: Locator, brings: Locator): Promise<void> {
    for (let isThere = false; !isThere;) {
      await this.click(target);
      isThere = await brings.waitFor({ timeout: 5000 }).then(
        () => true,
        () => false,
      );
    }
  }

  /** Chooses the tab of a flow. */
  async showFlow(name: string): Promise<void> {
    const tab = this.page.locator("#red-ui-workspace-tabs .red-ui-tab", { hasText: name });
    await this.clickFor(tab.locator(".red-ui-tab-label"), tab.and(this.page.locator(".active")));
  }

  /** Chooses a tab of the sidebar. */
  async showSidebar(id: string, name: string): Promise<void> {
    const ofNodeRed5 = this.page.locator(`button[data-tab-id="${id}"]`);
    if (await ofNodeRed5.count()) {
      // A click on the one that is chosen hides it.
      if ((await ofNodeRed5.and(this.page.locator(".selected")).count()) === 0) await this.click(ofNodeRed5);
      return;
    }
    await this.click("#red-ui-sidebar .red-ui-tab-link-button-menu");
    await this.click(this.page.locator(".red-ui-menu-dropdown a:visible", { hasText: name }));
  }

  /** Opens a node's dialog by a double click on it. */
  async edit(label: string): Promise<void> {
    this.interactions += 1;
    await this.node(label).locator(".red-ui-flow-node").first().dblclick();
    await this.dialogOpen();
  }

  async dialogOpen(): Promise<void> {
    await this.page.locator("#node-dialog-ok, #node-config-dialog-ok").last().waitFor();
    await this.still();
  }

  /** Presses a button of the topmost dialog, and waits until it is gone. */
  async leave(button: "ok" | "cancel", config = false): Promise<void> {
    const locator = this.page.locator(`#node-${config ? "config-" : ""}dialog-${button}`);
    await this.click(locator);
    await locator.waitFor({ state: "detached" });
    await this.still();
  }

  /** @param options `confirm`: although the editor says that something is wrong with it */
  async deploy(options: { confirm: boolean } = { confirm: false }): Promise<void> {
    const answered = this.page.waitForResponse((response) => response.url().endsWith("/flows"));
    await this.click("#red-ui-header-button-deploy");
    if (options.confirm) await this.click(".red-ui-notification button:has-text('Confirm deploy')");
    const response = await answered;
    assert.ok(response.ok());
    await this.page.locator("#red-ui-header-button-deploy.disabled").waitFor();
  }

  /** Waits until nothing on the page is moving. */
  async still(): Promise<void> {
    await this.page.waitForFunction(
      "jQuery(':animated').length === 0 && !document.querySelector('.ui-effects-wrapper')",
    );
    await this.page.evaluate(
      "Promise.all(document.getAnimations().map((a) => a.effect?.getTiming().iterations === Infinity ? 0 : a.finished.catch(() => 0)))",
    );
  }

  find(target: string | Locator): Locator {
    return typeof target === "string" ? this.page.locator(target) : target;
  }
}

async function middle(target: Locator): Promise<{ x: number; y: number }> {
  await target.scrollIntoViewIfNeeded();
  const box = await target.boundingBox();
  assert.ok(box);
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}
