import type { EditorRED } from "node-red";
import { nameOfMerchant } from "../names";
import { Actions } from "./actions";
import { act, doWith } from "./deeds";
import { Filters } from "./filters";
import { ask, type Asking, type Failure, type Inbox } from "./inbox";
import { EventList } from "./list";
import { fill } from "./parts";
import { watchWhileShown } from "./watch";
import { reasonOf, refusal, t, timeOf } from "./words";

declare const RED: EditorRED;

const tabId = "radaro";

/** In the list of actions, where it can be given a key. */
const action = "radaro:show-sidebar";
const rememberedMerchant = "radaro-inbox-merchant";

/** Adds the sidebar tab that shows the inboxes. */
export function addSidebar(): void {
  const sidebar = new Sidebar();
  RED.sidebar.addTab({
    id: tabId,
    label: "Radaro",
    name: "Radaro",
    iconClass: "fa fa-inbox",
    content: sidebar.content[0],
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

/** The tab: the inbox of one merchant, and which. */
class Sidebar {
  readonly content = $("<div>", { class: "radaro-sidebar" });
  readonly #message = $("<div>", { class: "radaro-sidebar-message", role: "status" });
  readonly #inbox = $("<div>", { class: "radaro-sidebar-inbox" }).hide();
  readonly #merchant = $("<select>", { "aria-label": t("label.merchant") });
  readonly #filters: Filters;
  readonly #actions = new Actions((path) => void this.#act(path));
  readonly #problem = $("<div>", { class: "radaro-sidebar-problem", role: "alert" }).hide();
  readonly #refused = $("<details>", { class: "radaro-sidebar-refused" });
  readonly #list: EventList;
  readonly #watch: ReturnType<typeof watchWhileShown>;
  #inboxes: Inbox[] = [];
  #chosen: Inbox | undefined;

  constructor() {
    this.#filters = new Filters(() => this.#choose());
    this.#list = new EventList(this.content[0]!, {
      act: (...what) => doWith(...what, (path, asking) => void this.#act(path, asking)),
      seen: (events) => this.#filters.topics.offer(events),
      failed: (failure) => this.#showProblem(failure),
    });
    this.#build();
    this.#merchant.on("change", () => this.#chooseMerchant());
    this.#watch = watchWhileShown(
      this.content[0]!,
      () => this.#refresh(),
      () => {
        this.#filters.stop(); // what was typed is asked for when the tab is shown again
        this.#list.stop();
      },
    );
    this.#listen();
  }

  #build(): void {
    const { topics, job, states } = this.#filters;
    this.#inbox.append(
      $("<div>", { class: "radaro-sidebar-filters" }).append(this.#merchant, topics.element, job),
      states.element,
      this.#actions.element,
      this.#actions.paused,
      this.#problem,
      this.#refused,
      this.#list.element,
    );
    this.content.append(this.#message, this.#inbox);
  }

  #listen(): void {
    const { changed } = this.#watch;
    RED.comms.subscribe("radaro-inbox", (_, { id }: { id: string }) => {
      if (id === this.#chosen?.id || !this.#inboxes.some((each) => each.id === id)) changed();
    });
    // What is deployed may have an inbox or none, and an answer may have been missed while there was no connection.
    RED.comms.subscribe("notification/runtime-deploy", changed);
    RED.comms.on("connect", changed);
    RED.events.on("login", changed);
  }

  #title(merchant: Inbox): string {
    return nameOfMerchant(merchant, this.#inboxes);
  }

  /** Begins anew with what is chosen. */
  #choose(): void {
    if (this.#chosen) void this.#list.show(this.#chosen.id, this.#filters.value);
  }

  #chooseMerchant(): void {
    this.#chosen = this.#inboxes.find(({ id }) => id === this.#merchant.val());
    RED.settings.setLocal(rememberedMerchant, String(this.#merchant.val()));
    this.#showInboxes();
    this.#choose();
  }

  /** Asks for what is shown. */
  async #refresh(): Promise<void> {
    try {
      ({ merchants: this.#inboxes } = await ask<{ merchants: Inbox[] }>(""));
    } catch (failure) {
      this.#say(reasonOf(failure));
      return;
    }
    const before = this.#chosen?.id;
    const wanted = before ?? RED.settings.getLocal(rememberedMerchant);
    this.#chosen = this.#inboxes.find(({ id }) => id === wanted) ?? this.#inboxes[0];
    this.#showInboxes();
    if (!this.#chosen) this.#say(t("no-inbox"));
    else if (this.#chosen.id === before) await this.#list.refresh();
    else this.#choose();
  }

  /** Says something instead of showing an inbox. */
  #say(text: string): void {
    this.#message.text(text).show();
    this.#inbox.hide();
    this.#list.clear();
    this.#chosen = undefined;
  }

  #showInboxes(): void {
    if (!this.#chosen) return;
    this.#message.empty().hide();
    this.#inbox.show();
    const names = JSON.stringify(this.#inboxes.map(({ id, name }) => [id, name]));
    if (this.#merchant.data("names") !== names) {
      const options = this.#inboxes.map((each) => $("<option>", { value: each.id }).text(this.#title(each)));
      this.#merchant.data("names", names).empty().append(options);
    }
    this.#merchant.val(this.#chosen.id);
    this.#filters.states.show(this.#chosen.counts);
    this.#actions.show(this.#chosen, this.#title(this.#chosen));
    showRefused(this.#refused, this.#chosen.refused);
    this.#showProblem(undefined);
  }

  #showProblem(failure: Failure | undefined): void {
    const text = (failure?.problem ?? this.#chosen?.problem)?.text ?? "";
    if (this.#problem.text() !== text) this.#problem.text(text);
    this.#problem.toggle(text !== "");
  }

  /** Has something done with the chosen merchant's inbox. */
  async #act(path: string, asking: Asking = {}): Promise<void> {
    if (!this.#chosen) return;
    await act(`/${this.#chosen.id}/${path}`, asking);
    this.#watch.changed();
  }
}

/** How many requests were refused, why, and when the last was. */
function showRefused(element: JQuery, refused: Inbox["refused"]): void {
  const all = refused.reduce((sum, { count }) => sum + count, 0);
  fill(element.toggle(all > 0), refused, () => {
    const list = refused.map(({ why, count, last }) =>
      $("<li>").text(t("refused", { reason: refusal(why), count, last: timeOf(last) })),
    );
    return [$("<summary>").text(t("label.refused", { count: all })), $("<ul>").append(list)];
  });
}
