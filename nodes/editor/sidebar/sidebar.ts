import type { EditorRED } from "node-red";
import { topics } from "../../../src/event/catalog";
import { idsOf, nameOf, nameOfMerchant } from "../names";
import { ask, mayRun, states, type Failure, type Inbox, type State, type StoredEvent } from "./inbox";
import { createList } from "./list";
import { button } from "./row";
import { reasonOf, refusal, t, timeOf } from "./words";

declare const RED: EditorRED;

const tabId = "radaro";

/** In the list of actions, where it can be given a key. */
const action = "radaro:show-sidebar";
const rememberedMerchant = "radaro-inbox-merchant";

/** How long nothing is asked after what is shown was asked for, at least, in milliseconds. */
const pause = 1000;

/** The states whose events can be run again together. */
const runnable = ["failed", "handed-over"] as const;

/** How long somebody who types does not pause, in milliseconds. */
const typing = 300;

/** Adds the sidebar tab that shows the inboxes. */
export function addSidebar(): void {
  const sidebar = createSidebar();
  RED.sidebar.addTab({
    id: tabId,
    label: "Radaro",
    name: "Radaro",
    iconClass: "fa fa-inbox",
    content: sidebar[0],
    enableOnEdit: true,
    action,
  });
  RED.actions.add(action, () => RED.sidebar.show(tabId), {
    label: "node-red-contrib-radaro/radaro-config:sidebar.action",
  });
}

export function removeSidebar(): void {
  RED.actions.remove(action);
  RED.sidebar.removeTab(tabId);
}

function createSidebar(): JQuery {
  let inboxes: Inbox[] = [];
  let chosen: Inbox | undefined;

  const content = $("<div>", { class: "radaro-sidebar" });
  const message = $("<div>", { class: "radaro-sidebar-message", role: "status" });
  const problem = $("<div>", { class: "radaro-sidebar-problem", role: "alert" }).hide();
  const merchant = $("<select>", { "aria-label": t("label.merchant") });
  const state = stateFilter(() => {
    showRunAll();
    choose();
  });
  const topic = topicFilter();
  const job = $("<input>", { type: "search", placeholder: t("any-job"), "aria-label": t("label.job") });
  job.attr("title", t("tip.job"));
  const runAll = runnable.map((state) => ({ state, button: button(`run-${state}`, "repeat") }));
  const clear = button("clear", "trash");
  const refused = $("<details>", { class: "radaro-sidebar-refused" });
  const list = createList(content[0]!, {
    run: (seq) => void act(`events/${seq}/run`),
    seen: (events) => topic.offer(events),
    failed: (failure) => showProblem(failure),
  });
  const filters = $("<div>", { class: "radaro-sidebar-filters" }).append(merchant, topic.element, job);
  const actions = $("<div>", { class: "radaro-sidebar-actions" }).append(
    runAll.map(({ button }) => button),
    clear,
  );
  const inbox = $("<div>", { class: "radaro-sidebar-inbox" })
    .append(filters, state.element, actions, problem, refused, list.element)
    .hide();
  content.append(message, inbox);

  const title = (merchant: Inbox) => nameOfMerchant(merchant, inboxes);

  /** How many events of the chosen merchant can be run again together. */
  const countOf = (state: (typeof runnable)[number]) =>
    (state === "failed" ? chosen?.counts.failed : chosen?.counts.handedOver) ?? 0;

  /** Those that failed are offered to be run again, where the others are not chosen. */
  const showRunAll = () => {
    const offered = state.value() === "handed-over" ? "handed-over" : "failed";
    for (const each of runAll) {
      each.button.toggle(each.state === offered).prop("disabled", countOf(each.state) === 0);
    }
  };

  /** Begins anew with what is chosen. */
  const choose = () => {
    if (!chosen) return;
    const filter = {
      state: state.value(),
      topic: String(topic.element.val()),
      job: String(job.val()).trim(),
    };
    void list.show(chosen.id, filter);
  };

  /** Asks for what is shown. */
  const refresh = async () => {
    try {
      ({ merchants: inboxes } = await ask<{ merchants: Inbox[] }>(""));
    } catch (failure) {
      say(reasonOf(failure));
      return;
    }
    const before = chosen?.id;
    const wanted = before ?? RED.settings.getLocal(rememberedMerchant);
    chosen = inboxes.find(({ id }) => id === wanted) ?? inboxes[0];
    showInboxes();
    if (!chosen) say(t("no-inbox"));
    else if (chosen.id === before) await list.refresh();
    else choose();
  };

  /** Says something instead of showing an inbox. */
  const say = (text: string) => {
    message.text(text).show();
    inbox.hide();
    list.clear();
    chosen = undefined;
  };

  const showInboxes = () => {
    if (!chosen) return;
    message.empty().hide();
    inbox.show();
    const names = JSON.stringify(inboxes.map(({ id, name }) => [id, name]));
    if (merchant.data("names") !== names) {
      const options = inboxes.map((each) => $("<option>", { value: each.id }).text(title(each)));
      merchant.data("names", names).empty().append(options);
    }
    merchant.val(chosen.id);
    const { waiting, failed, handedOver, processed } = chosen.counts;
    state.show({ waiting, failed, "handed-over": handedOver, processed });
    actions.toggle(mayRun());
    showRunAll();
    clear.prop("disabled", failed + handedOver + processed === 0);
    showRefused(refused, chosen.refused);
    showProblem(undefined);
  };

  const showProblem = (failure: Failure | undefined) => {
    const text = (failure?.problem ?? chosen?.problem)?.text ?? "";
    if (problem.text() !== text) problem.text(text);
    problem.toggle(text !== "");
  };

  /** Has something done, and says with how many events it was. */
  const act = async (path: string) => {
    if (!chosen) return;
    try {
      const done = await ask<Record<string, number>>(`/${chosen.id}/${path}`, "POST");
      const said = Object.entries(done).filter(([what, count]) => count > 0 || what !== "nowhere");
      notify(
        said.map(([what, count]) => t(`done.${what}`, { count })),
        done.nowhere ? "warning" : "success",
      );
    } catch (failure) {
      notify([reasonOf(failure)], "error");
    }
    watch.changed();
  };

  merchant.on("change", () => {
    chosen = inboxes.find(({ id }) => id === merchant.val());
    RED.settings.setLocal(rememberedMerchant, String(merchant.val()));
    showInboxes();
    choose();
  });
  topic.element.on("change", choose);
  let typed: number | undefined;
  const chooseTyped = () => {
    typed = undefined;
    choose();
  };
  job.on("input", () => {
    clearTimeout(typed);
    typed = window.setTimeout(chooseTyped, typing);
  });
  for (const { state, button } of runAll) {
    button.on("click", () => {
      if (!chosen) return;
      const values = { count: countOf(state), name: title(chosen) };
      confirm(button, `run-${state}`, values, () => void act(`run-${state}`));
    });
  }
  clear.on("click", () => {
    if (!chosen) return;
    const { counts } = chosen;
    const count = counts.failed + counts.handedOver + counts.processed;
    const values = { count, waiting: counts.waiting, name: title(chosen) };
    confirm(clear, "clear", values, () => void act("clear"));
  });

  const watch = watchWhileShown(content[0]!, refresh, () => {
    clearTimeout(typed);
    if (typed !== undefined) chooseTyped(); // it is asked for when the tab is shown again
    list.stop();
  });
  RED.comms.subscribe("radaro-inbox", (_, { id }: { id: string }) => {
    if (id === chosen?.id || !inboxes.some((each) => each.id === id)) watch.changed();
  });
  // What is deployed may have an inbox or none, and an answer may have been missed while there was no connection.
  RED.comms.subscribe("notification/runtime-deploy", watch.changed);
  RED.comms.on("connect", watch.changed);
  RED.events.on("login", watch.changed);
  return content;
}

/**
 * Calls `refresh` while an element is shown: as it comes into view, and when something has changed
 * since; never twice at once, and with a pause between that is as long as it took. Whether the tab is
 * chosen and its sidebar open, each version of Node-RED says in its own way; the browser knows it of
 * the element itself.
 */
function watchWhileShown(element: HTMLElement, refresh: () => Promise<void>, hidden: () => void) {
  let isShown = false;
  let isBusy = false;
  let hasChanged = false;
  let resting: number | undefined;

  const changed = () => {
    hasChanged = true;
    if (isShown && !isBusy && resting === undefined) void run();
  };
  const run = async () => {
    hasChanged = false;
    isBusy = true;
    const began = Date.now();
    await refresh();
    isBusy = false;
    if (!isShown) return;
    resting = window.setTimeout(rested, Math.max(pause, Date.now() - began));
  };
  const rested = () => {
    resting = undefined;
    if (hasChanged) changed();
  };
  new IntersectionObserver((entries) => {
    const wasShown = isShown;
    isShown = entries.at(-1)!.isIntersecting;
    if (isShown === wasShown) return;
    if (isShown) {
      changed();
    } else {
      clearTimeout(resting);
      resting = undefined;
      hidden();
    }
  }).observe(element);
  return { changed };
}

/** The states with how many events each has, one of them chosen, or all. */
function stateFilter(chosen: () => void) {
  let value = "";
  const element = $("<div>", {
    class: "radaro-sidebar-states",
    role: "group",
    "aria-label": t("label.state"),
  });
  const choices = new Map(["", ...states].map((state) => [state, choice(state)] as const));
  element.append([...choices.values()]);

  function choice(state: string) {
    return $("<button>", { type: "button", class: "red-ui-button red-ui-button-small" })
      .attr({ "aria-pressed": String(state === ""), title: t(`tip.${state || "all"}`) })
      .toggleClass("selected", state === "")
      .on("click", () => {
        value = state;
        for (const [each, choice] of choices) {
          choice.toggleClass("selected", each === value).attr("aria-pressed", String(each === value));
        }
        chosen();
      });
  }

  return {
    element,
    value: () => value,
    show(counts: Record<State, number>) {
      const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
      for (const [state, choice] of choices) {
        const count = state === "" ? all : counts[state as State];
        choice.text(t("count", { state: t(`state.${state || "all"}`), count }));
      }
    },
  };
}

/** The catalog's topics, and those of the events that were shown. */
function topicFilter() {
  const option = (topic: string) => $("<option>", { value: topic }).text(nameOf("topic", topic));
  const known = new Set(idsOf("topic"));
  const groups = new Map(
    idsOf("topicGroup").map((id) => [id, $("<optgroup>", { label: nameOf("topicGroup", id) })] as const),
  );
  for (const [topic, { group }] of Object.entries(topics)) groups.get(group)!.append(option(topic));
  const element = $("<select>", { "aria-label": t("label.topic") }).append(
    $("<option>", { value: "" }).text(t("any-topic")),
    [...groups.values()],
  );
  return {
    element,
    offer(events: StoredEvent[]) {
      for (const { topic } of events) {
        if (topic === "" || known.has(topic)) continue;
        known.add(topic);
        groups.get("other")!.append(option(topic));
      }
    },
  };
}

/** How many requests were refused, why, and when the last was. */
function showRefused(element: JQuery, refused: Inbox["refused"]): void {
  const same = JSON.stringify(refused);
  element.toggle(refused.length > 0);
  if (element.data("shown") === same) return;
  const all = refused.reduce((sum, { count }) => sum + count, 0);
  const list = refused.map(({ why, count, last }) =>
    $("<li>").text(t("refused", { reason: refusal(why), count, last: timeOf(last) })),
  );
  element
    .data("shown", same)
    .empty()
    .append($("<summary>").text(t("label.refused", { count: all })), $("<ul>").append(list));
}

function notify(texts: string[], type: "success" | "warning" | "error"): void {
  const content = $("<div>").append(texts.map((text) => $("<p>").text(text)));
  RED.notify(content, { type, id: "radaro-inbox", timeout: 4000 });
}

/** Asks before something is done, as the editor does. */
function confirm(
  asker: JQuery,
  what: string,
  values: Record<string, string | number>,
  confirmed: () => void,
) {
  const close = () => {
    notification.close();
    asker.trigger("focus");
  };
  const notification = RED.notify($("<p>").text(t(`confirm.${what}`, values)), {
    type: "warning",
    modal: true,
    fixed: true,
    buttons: [
      { text: RED._("common.label.cancel"), click: close },
      {
        text: t(`confirm.button.${what}`),
        class: "primary",
        click: () => {
          close();
          confirmed();
        },
      },
    ],
  }) as unknown as HTMLElement & { close(): void };
  $(notification).find("button").first().trigger("focus");
}
