import assert from "node:assert/strict";
import { clear, credentials, flows, send, Sidebar } from "./sidebar";
import { inEachNodeRed } from "./versions";

inEachNodeRed("The window of the inbox", { flows, credentials }, (session) => {
  const sidebar = new Sidebar(session);

  beforeEach(() => clear(session));

  it("has the list at the left and the event at the right, and asks and says what is done in it", async () => {
    const { editor } = session;
    const first = await send(session, "fails");
    await send(session, "done");
    await sidebar.open();
    const window = await sidebar.openWindow();
    await editor.click(window.head(first));
    const pane = window.$(".radaro-sidebar-pane");
    await pane.locator(".radaro-sidebar-tree").waitFor();
    const [list, event] = [await window.list.boundingBox(), await pane.boundingBox()];
    assert.ok(event!.x >= list!.x + list!.width);
    await pane.getByRole("heading", { name: "Completed by the driver" }).waitFor();

    await editor.click(pane.getByRole("button", { name: "Dealt with by hand" }));
    await window.answer(/Have you dealt with .+cannot be undone/, "Dealt with");
    await pane.getByText("Dealt with by hand", { exact: true }).last().waitFor();
    assert.equal(await editor.page.locator("dialog, .red-ui-notification").count(), 0);

    await send(session, "done");
    await window.waitForCount("All", 3);
    await editor.page.evaluate("RED.workspaces.show('tab2')");
    await editor.click(pane.getByRole("button", { name: "/fails · Acme" }));
    await editor.node("/fails · Acme").waitFor();
    const closed = window.page.waitForEvent("close");
    await editor.reload();
    await closed;
  });

  it("follows the theme, and is used by keys", async () => {
    const { editor } = session;
    const older = await send(session, "done");
    const newer = await send(session, "done");
    await sidebar.open();
    const window = await sidebar.openWindow();
    await window.head(newer).focus();
    await window.page.keyboard.press("Enter");
    await window.$(`.radaro-sidebar-pane:has-text("${newer}")`).waitFor();
    await window.page.keyboard.press("ArrowDown");
    await window.$(`.radaro-sidebar-pane:has-text("order_info")`).waitFor();
    await window.$(`.radaro-sidebar-subheading:has-text("${older}")`).waitFor();
    await window.$(".radaro-sidebar-menu > summary").focus();
    await window.page.keyboard.press("Enter");
    await window.button("Clear …").waitFor();
    await window.page.keyboard.press("Escape");
    await window.button("Clear …").waitFor({ state: "hidden" });
    await editor.page.evaluate("document.documentElement.classList.add('nr-theme-dark')");
    await window.page.locator("html.nr-theme-dark").waitFor({ state: "attached" });
    await window.page.close();
  });

  for (const width of [320, 800, 2500])
    it(`has no serious finding of accessibility at ${width} pixels, and does not scroll sideways`, async () => {
      const { editor } = session;
      const job = await send(session, "fails");
      await sidebar.open();
      const window = await sidebar.openWindow();
      await window.page.setViewportSize({ width, height: 700 });
      await editor.click(window.head(job));
      await window.$(".radaro-sidebar-tree").waitFor();
      await editor.click(window.button("Filter"));
      assert.deepEqual(await window.findings(), []);
      const [inner, whole] = await window.page.evaluate<[number, number]>(
        "[innerWidth, Math.max(...[...document.querySelectorAll('.radaro-sidebar *')].filter((each) => each.checkVisibility() && !each.closest('.radaro-sidebar-tree')).map((each) => each.getBoundingClientRect().right))]",
      );
      assert.ok(whole <= inner + 1, `${whole} of ${inner}`);
      await window.page.close();
    });
});
