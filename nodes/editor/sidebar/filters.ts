import { topics } from "../../../src/event/catalog";
import { meanings } from "../../../src/routing/meanings";
import { idsOf, nameOf } from "../names";
import type { Counted } from "./counts";
import { states, type Cause, type Filter, type State, type StoredEvent } from "./inbox";
import { button, fill, icon, part, press, stateIcons } from "./parts";
import { periodFilter } from "./period";
import { meaningName, t } from "./words";

/** How long somebody who types does not pause, in milliseconds. */
const typing = 300;

/** What narrows the list. */
export class Filters {
  readonly states: ReturnType<typeof stateFilter>;
  readonly topics = topicFilter();
  /** What is searched for, and the button that shows the rest. */
  readonly search = part("search");
  /** The rest, which is hidden at first. */
  readonly more = part("filters").hide();
  readonly #text = $("<input>", {
    type: "search",
    placeholder: t("any-text"),
    "aria-label": t("label.text"),
  });
  readonly #toggle = button("filter", "filter").attr("aria-expanded", "false");
  readonly #number = $("<span>");
  readonly #meaning = meaningFilter();
  readonly #period: ReturnType<typeof periodFilter>;
  readonly #superseded = $("<input>", { type: "checkbox" });
  readonly #caughtUp = $("<input>", { type: "checkbox" });
  readonly #cause = part("cause").hide();
  #causeShown: Cause | undefined;
  #typed: number | undefined;

  /** @param chosen is called when one of them is another */
  constructor(private readonly chosen: () => void) {
    this.states = stateFilter(chosen);
    this.#period = periodFilter(() => this.#choose());
    for (const each of [this.topics.element, this.#meaning, this.#superseded, this.#caughtUp])
      each.on("change", () => this.#choose());
    this.#text.attr("title", t("tip.text")).on("input", () => {
      clearTimeout(this.#typed);
      this.#typed = window.setTimeout(() => this.#chooseTyped(), typing);
    });
    this.#toggle.append(this.#number).on("click", () => {
      this.more.toggle();
      this.#toggle.attr("aria-expanded", String(this.more.css("display") !== "none"));
    });
    const ticked = (["superseded", "caughtUp"] as const).map((name) => {
      const input = name === "superseded" ? this.#superseded : this.#caughtUp;
      return $("<label>").append(input, document.createTextNode(` ${t(`label.${name}`)}`));
    });
    this.search.append(this.#text, this.#toggle);
    this.more.append(this.#meaning, this.topics.element, this.#period.element, ...ticked);
  }

  /** The cause that the list is narrowed to, with a button that takes it away. */
  get cause(): JQuery {
    return this.#cause;
  }

  get value(): Filter {
    const { node, error } = this.#causeShown ?? {};
    const all: Filter = {
      state: this.states.value(),
      text: String(this.#text.val()).trim(),
      topic: String(this.topics.element.val()),
      meaning: String(this.#meaning.val()),
      ...this.#period.value(),
      superseded: this.#superseded.prop("checked") === true ? "true" : "",
      caughtUp: this.#caughtUp.prop("checked") === true ? "true" : "",
      node: node?.id ?? "",
      error: error ?? "",
    };
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ""));
  }

  /** Narrows the list to what failed for a cause, and nothing else. */
  showCause(cause: Cause | undefined): void {
    this.#causeShown = cause;
    fill(this.#cause.toggle(cause !== undefined), cause, () => {
      if (!cause) return [];
      const { node, error } = cause;
      const away = button("all-causes", "times").on("click", () => {
        this.showCause(undefined);
        this.chosen();
      });
      return [$("<span>").text(t("cause.shown", { node: node.name || node.type, error })), away];
    });
    if (cause) this.reset();
    else this.chosen();
  }

  /** Narrows the list by nothing but a cause. */
  reset(): void {
    clearTimeout(this.#typed);
    this.#typed = undefined;
    this.#text.val("");
    this.topics.element.val("");
    this.#meaning.val("");
    for (const input of [this.#superseded, this.#caughtUp]) input.prop("checked", false);
    this.#period.reset();
    this.states.choose("");
    this.#choose();
  }

  /** Waits no more for somebody who types. */
  stop(): void {
    clearTimeout(this.#typed);
    if (this.#typed !== undefined) this.#chooseTyped();
  }

  #chooseTyped(): void {
    this.#typed = undefined;
    this.chosen();
  }

  #choose(): void {
    const { topic, meaning, from, to, superseded, caughtUp } = this.value;
    const set = [topic, meaning, from ?? to, superseded, caughtUp].filter(Boolean).length;
    this.#number.text(set > 0 ? ` (${set})` : "");
    this.chosen();
  }
}

/** The states with how many events each has, one of them chosen, or all. */
function stateFilter(chosen: () => void) {
  let value = "";
  const element = part("states").attr({ role: "group", "aria-label": t("label.state") });
  const choices = new Map(["", ...states].map((state) => [state, choice(state)] as const));
  element.append([...choices.values()]);

  function choice(state: string) {
    const button = $("<button>", { type: "button", class: "radaro-sidebar-choice" }).append(
      state === "" ? [] : icon(stateIcons[state as State]),
      $("<span>", { class: state === "" ? "" : "radaro-sidebar-label" }).text(t(`state.${state || "all"}`)),
      $("<span>", { class: "radaro-sidebar-number" }),
    );
    press(button, state === "");
    return button.attr("title", t(`tip.${state || "all"}`)).on("click", () => {
      choose(state);
      chosen();
    });
  }

  function choose(state: string) {
    value = state;
    for (const [each, button] of choices) press(button, each === value);
  }

  return {
    element,
    choose,
    value: () => value,
    show({ counts, isWhole }: Counted) {
      const all = counts && Object.values(counts).reduce((sum, count) => sum + count, 0);
      for (const [state, choice] of choices) {
        const count = state === "" ? all : counts?.[state as State];
        const more = isWhole ? "" : "+";
        const said = count === undefined ? "–" : t("number", { count }) + more;
        choice.children(".radaro-sidebar-number").text(` ${said}`);
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

/** What has happened, in the words of the rules. */
function meaningFilter(): JQuery {
  const options = Object.keys(meanings).map((meaning) =>
    $("<option>", { value: meaning }).text(meaningName(meaning)),
  );
  return $("<select>", { "aria-label": t("label.meaning") }).append(
    $("<option>", { value: "" }).text(t("any-meaning")),
    options,
  );
}
