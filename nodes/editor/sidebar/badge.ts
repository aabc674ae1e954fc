import type { EditorRED } from "node-red";
import { mayRead, type Inbox } from "./inbox";
import { listenToInboxes, readInboxes, sum } from "./summary";
import { paced } from "./watch";
import { t } from "./texts";

declare const RED: EditorRED;

/** The icon of the tab in Node-RED 5, and in 4, where the menu shows the badge while there is no room for it. */
const icons = (tab: string) => {
  const ofNodeRed4 = $(`#red-ui-tab-${tab}-link-button`);
  return ofNodeRed4
    .add(ofNodeRed4.nextAll(".red-ui-tab-link-button-menu"))
    .add(`button[data-tab-id="${tab}"]`);
};

/** Shows on the tab's icon how many events have failed, also while the tab is not chosen. */
export function addBadge(tab: string): void {
  listenToInboxes((inboxes) => show(tab, inboxes));
  const read = () =>
    readInboxes().then(
      () => undefined,
      () => undefined, // who looks into the tab is told why
    );
  const { changed, look } = paced(window, read, () => !document.hidden && mayRead());
  for (const topic of ["radaro-inbox", "notification/runtime-deploy"]) RED.comms.subscribe(topic, changed);
  RED.comms.on("connect", changed);
  RED.events.on("login", changed);
  document.addEventListener("visibilitychange", look);
  changed();
}

function show(tab: string, inboxes: Inbox[]): void {
  const { failed } = sum(inboxes.map(({ counts }) => counts));
  const name = "Radaro";
  for (const icon of icons(tab).get()) {
    const badge = $(icon).children(".radaro-sidebar-badge");
    if (failed === 0) badge.remove();
    else if (badge.length > 0) badge.text(short(failed));
    else
      $(icon).append(
        $("<span>", { class: "radaro-sidebar-badge", "aria-hidden": "true" }).text(short(failed)),
      );
    if (!$(icon).is(".red-ui-tab-link-button-menu"))
      $(icon).attr("aria-label", failed > 0 ? t("merchant-failed", { name, count: failed }) : name);
  }
}

function short(count: number): string {
  return count > 99 ? "99+" : String(count);
}
