import type { EditorRED } from "node-red";
import type { State } from "./inbox";
import { t } from "./words";

declare const RED: EditorRED;

export const stateIcons: Record<State, string> = {
  waiting: "clock-o",
  failed: "exclamation-circle",
  processed: "check",
};

export function part(name: string): JQuery {
  return $("<div>", { class: `radaro-sidebar-${name}` });
}

export function lines(texts: (string | false | undefined)[]): JQuery[] {
  return texts.filter((text) => typeof text === "string").map((text) => $("<div>").text(text));
}

export function icon(name: string): JQuery {
  return $("<i>", { class: `fa fa-${name}`, "aria-hidden": "true" });
}

/** A small button with a text, as the editor has them. */
export function button(key: string, iconName?: string): JQuery {
  return $("<button>", { type: "button", class: "red-ui-button red-ui-button-small" })
    .text(t(`button.${key}`))
    .prepend(iconName ? icon(iconName) : []);
}

/** A small button with an icon alone. */
export function iconButton(key: string, iconName: string): JQuery {
  const text = t(`button.${key}`);
  return $("<button>", { type: "button", class: "red-ui-button red-ui-button-small radaro-sidebar-icon" })
    .attr({ "aria-label": text, title: text })
    .append(icon(iconName));
}

/** A button that looks like a link. */
export function link(text: string, title: string): JQuery {
  return $("<button>", { type: "button", class: "radaro-sidebar-link", title }).text(text);
}

/** Says that one of two things is so, on a button. */
export function press(button: JQuery, isPressed: boolean): void {
  button.attr("aria-pressed", String(isPressed));
}

export function showState(element: JQuery, state: State): void {
  element.text(t(`state.${state}`)).prepend(icon(stateIcons[state]));
}

/** Fills an element, and only where it shows something else by now: a button in it may have the focus. */
export function fill(element: JQuery, shown: unknown, content: () => JQuery[]): void {
  const same = JSON.stringify(shown ?? null);
  if (element.data("shown") !== same) element.data("shown", same).empty().append(content());
}

/** Whether the focus is in an element, in whichever window that is. */
export function hasFocus(element: HTMLElement): boolean {
  return element.contains(element.ownerDocument.activeElement);
}

/** A node by its name; a click shows it in the flow, where the editor has it. */
export function nodeLink(id: string, name: string): JQuery {
  // A node in a subflow is known by the subflow's own node, whose id its id begins with.
  const known = [id, id.split("-")[0]!].find((each) => RED.nodes.node(each));
  if (known === undefined) return $("<span>").text(name);
  return link(name, t("reveal")).on("click", () => {
    window.focus(); // it may be another window that is in front
    RED.view.reveal(known);
  });
}
