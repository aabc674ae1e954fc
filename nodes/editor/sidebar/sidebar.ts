import type { EditorRED } from "node-red";
import { addBadge } from "./badge";
import { readLink } from "./link";
import type * as Main from "./main";
import { readInboxes } from "./summary";
import { t } from "./texts";

declare const RED: EditorRED;

const tabId = "radaro";

/** In the list of actions, where they can be given keys. */
const actions = { show: "radaro:show-sidebar", window: "radaro:show-inbox-window" };

/** What the address names before the editor writes its own into it. */
let linked = readLink(location.hash);

/** What the tab holds, until the view is there. */
let content: JQuery | undefined;
let view: Main.View | undefined;
let loading: Promise<Main.View> | undefined;
let main: typeof Main | undefined;

/** Adds the sidebar tab that shows the inboxes. */
export function addSidebar(): void {
  const mine = (content = $("<div>", { style: "height: 100%" }));
  RED.sidebar.addTab({
    id: tabId,
    label: "Radaro",
    name: "Radaro",
    iconClass: "fa fa-inbox",
    content: mine[0],
    enableOnEdit: true,
    action: actions.show,
  });
  addBadge(tabId);
  const label = (name: string) => ({ label: `node-red-contrib-radaro/radaro-config:sidebar.${name}` });
  RED.actions.add(actions.show, () => RED.sidebar.show(tabId), label("action"));
  RED.actions.add(actions.window, () => void showWindow(), label("action-window"));
  RED.events.on("flows:loaded", openLinked);
  window.addEventListener("hashchange", onHash);
  new IntersectionObserver((entries, observer) => {
    if (!entries.at(-1)!.isIntersecting) return;
    load().then(
      () => observer.disconnect(),
      () => mine.text(t("not-loaded")),
    );
  }).observe(mine[0]!);
}

export function removeSidebar(): void {
  RED.events.off("flows:loaded", openLinked);
  window.removeEventListener("hashchange", onHash);
  for (const action of Object.values(actions)) RED.actions.remove(action);
  view?.stop();
  view = loading = undefined;
  RED.sidebar.removeTab(tabId);
}

/** Loads what the tab shows, once: whoever has no inbox does without. */
function load(): Promise<Main.View> {
  loading ??= begin().catch((failure: unknown) => {
    loading = undefined; // it is tried again
    throw failure;
  });
  return loading;
}

async function begin(): Promise<Main.View> {
  const url = new URL("resources/node-red-contrib-radaro/inbox.mjs", document.baseURI);
  main = (await import(url.href)) as typeof Main;
  view = new main.View(readInboxes, () => void showWindow());
  content!.empty().append(view.root);
  view.start();
  return view;
}

/** Shows the inbox of a merchant. */
export async function showInboxOf(merchant: string): Promise<void> {
  RED.sidebar.show(tabId);
  (await load()).chooseMerchant(merchant);
}

async function showWindow(): Promise<void> {
  await load();
  if (!main!.openWindow(() => new main!.View(readInboxes))) RED.notify(t("no-window"), "warning");
}

/** Opens the event that a link names. */
function openLinked(): void {
  if (!linked) return;
  const event = linked;
  linked = undefined;
  RED.sidebar.show(tabId);
  void load().then((view) => view.showEvent(event));
}

function onHash(): void {
  const named = readLink(location.hash);
  if (!named) return; // the editor names its flows there
  linked = named;
  openLinked();
}
