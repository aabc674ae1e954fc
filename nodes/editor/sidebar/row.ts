import type { EditorRED } from "node-red";
import { topics } from "../../../src/event/catalog";
import { nameOf } from "../names";
import { mayRun, type State, type StoredEvent } from "./inbox";
import { happened, jobOf, meaningName, t, timeOf } from "./words";

declare const RED: EditorRED;

/** One event in the list. */
export interface Row {
  element: HTMLElement;
  event: StoredEvent;
  update(event: StoredEvent): void;
  /** Shows the event itself, once it is there, below what is said of it. */
  open(): void;
  show(content: JQuery): void;
  close(): void;
  focus(): void;
}

const icons: Record<State, string> = {
  waiting: "clock-o",
  failed: "exclamation-circle",
  "handed-over": "share",
  processed: "check",
};

/** @param does what the row's buttons do */
export function createRow(first: StoredEvent, does: { toggle(): void; run(): void }): Row {
  const id = `radaro-sidebar-${first.seq}`;
  const part = (name: string) => $("<div>", { class: `radaro-sidebar-${name}` });
  const time = $("<span>", { class: "radaro-sidebar-time" });
  const state = $("<span>", { class: "radaro-sidebar-state" });
  const title = $("<span>");
  const what = part("what");
  const job = part("job");
  const marks = part("marks");
  const error = part("error");
  const opened = part("opened").attr("id", id).hide();
  const content = part("content");
  const run = button("run", "repeat")
    .attr("title", t("tip.run"))
    .on("click", () => does.run());
  const head = $("<button>", { type: "button", class: "radaro-sidebar-head" })
    .attr({ "aria-expanded": "false", "aria-controls": id })
    .append(part("line").append(time, state), what.append(icon("angle-right"), title), job)
    .on("click", () => does.toggle());
  const element = $("<li>").append(head, marks, error, run, opened.append(content));

  const isOpen = () => head.attr("aria-expanded") === "true";
  const row: Row = {
    element: element[0]!,
    event: first,
    update(event) {
      row.event = event;
      element.attr("class", `radaro-sidebar-event radaro-sidebar-${event.state}`);
      time.text(timeOf(event.receivedAt)).attr("title", event.receivedAt);
      state.text(t(`state.${event.state}`)).prepend(icon(icons[event.state]));
      title.text(happened(event)).attr("title", event.topic);
      job.text(jobOf(event)).attr("title", jobOf(event));
      marks.empty().append(marksOf(event));
      showError(error, event);
      const wasFocused = run.is(":focus");
      const isOffered = event.state === "failed" || (event.state !== "waiting" && isOpen());
      run.toggle(isOffered && mayRun());
      if (wasFocused && !run.is(":focus")) row.focus();
    },
    open() {
      head.attr("aria-expanded", "true");
      content.text(t("loading"));
      opened.show();
      row.update(row.event);
    },
    show(event) {
      content.empty().append(topicOf(row.event), event);
    },
    close() {
      head.attr("aria-expanded", "false");
      content.empty();
      opened.hide();
      row.update(row.event);
    },
    focus() {
      head.trigger("focus");
    },
  };
  row.update(first);
  return row;
}

/** A small button with a text, as the editor has them. */
export function button(key: string, iconName?: string): JQuery {
  return $("<button>", { type: "button", class: "red-ui-button red-ui-button-small" })
    .text(t(`button.${key}`))
    .prepend(iconName ? icon(iconName) : []);
}

function icon(name: string): JQuery {
  return $("<i>", { class: `fa fa-${name}`, "aria-hidden": "true" });
}

function marksOf({ state, path, times, unwanted, nowhere, superseded }: StoredEvent): JQuery[] {
  const said = [
    times > 1 && t("mark.times", { count: times }),
    unwanted && t("mark.unwanted"),
    nowhere && t("mark.nowhere", { path }),
    state === "handed-over" && t("tip.handed-over"),
    superseded && meaningName("superseded"),
  ];
  return said.filter((text) => typeof text === "string").map((text) => $("<div>").text(text));
}

/** What went wrong, and the node that said so. */
function showError(element: JQuery, { error }: StoredEvent): void {
  const same = JSON.stringify(error ?? null);
  if (element.data("shown") === same) return; // the button in it may have the focus
  element.data("shown", same).empty();
  if (!error) return;
  element.append($("<div>").text(error.text));
  if (!error.node) return;
  const { id, name, type } = error.node;
  // A node in a subflow is known by the subflow's own node, whose id its id begins with.
  const known = [id, id.split("-")[0]!].find((each) => RED.nodes.node(each));
  const label = name || type;
  element.append(
    known === undefined
      ? $("<div>").text(label)
      : $("<button>", { type: "button", class: "radaro-sidebar-node" })
          .text(label)
          .attr("title", t("reveal"))
          .on("click", () => RED.view.reveal(known)),
  );
}

function topicOf({ topic, path }: StoredEvent): JQuery {
  return $("<div>").append(
    Object.hasOwn(topics, topic) ? document.createTextNode(`${nameOf("topic", topic)} `) : [],
    topic ? [$("<code>").text(topic), document.createTextNode(" ")] : [],
    $("<code>").text(path),
  );
}
