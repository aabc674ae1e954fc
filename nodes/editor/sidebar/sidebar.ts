import type { EditorRED } from "node-red";
import { addBadge } from "./badge";
import { readLink } from "./link";
import { View } from "./view";
import { openWindow } from "./window";
import { t } from "./words";

declare const RED: EditorRED;

const tabId = "radaro";

/** In the list of actions, where they can be given keys. */
const actions = { show: "radaro:show-sidebar", window: "radaro:show-inbox-window" };

/** What the address names before the editor writes its own into it. */
let linked = readLink(location.hash);

let view: View | undefined;

/** Adds the sidebar tab that shows the inboxes. */
export function addSidebar(): void {
  const mine = (view = new View(showWindow));
  const tab = {
    id: tabId,
    label: "Radaro",
    name: "Radaro",
    iconClass: "fa fa-inbox",
    content: mine.root[0],
    enableOnEdit: true,
    pinned: true, // in Node-RED 4 its icon is seen at all times, as in 5
    action: actions.show,
  };
  RED.sidebar.addTab(tab);
  mine.start();
  addBadge(tabId);
  const label = (name: string) => ({ label: `node-red-contrib-radaro/radaro-config:sidebar.${name}` });
  RED.actions.add(actions.show, () => RED.sidebar.show(tabId), label("action"));
  RED.actions.add(actions.window, showWindow, label("action-window"));
  RED.events.on("flows:loaded", openLinked);
  window.addEventListener("hashchange", onHash);
}

export function removeSidebar(): void {
  RED.events.off("flows:loaded", openLinked);
  window.removeEventListener("hashchange", onHash);
  for (const action of Object.values(actions)) RED.actions.remove(action);
  view?.stop();
  RED.sidebar.removeTab(tabId);
}

/** Shows the inbox of a merchant. */
export function showInboxOf(merchant: string): void {
  RED.sidebar.show(tabId);
  view?.chooseMerchant(merchant);
}

function showWindow(): void {
  if (!openWindow(() => new View())) RED.notify(t("no-window"), "warning");
}

/** Opens the event that a link names. */
function openLinked(): void {
  if (!linked) return;
  RED.sidebar.show(tabId);
  void view?.showEvent(linked);
  linked = undefined;
}

function onHash(): void {
  const named = readLink(location.hash);
  if (!named) return; // the editor names its flows there
  linked = named;
  openLinked();
}
