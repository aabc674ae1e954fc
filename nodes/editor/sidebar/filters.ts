import { topics } from "../../../src/event/catalog";
import { idsOf, nameOf } from "../names";
import { states, type State, type StoredEvent } from "./inbox";
import type { Filter } from "./list";
import { t } from "./words";

/** How long somebody who types does not pause, in milliseconds. */
const typing = 300;

/** What narrows the list: the events' state, topic and job. */
export class Filters {
  readonly states: ReturnType<typeof stateFilter>;
  readonly topics = topicFilter();
  readonly job = $("<input>", { type: "search", placeholder: t("any-job"), "aria-label": t("label.job") });
  #typed: number | undefined;

  /** @param chosen is called when one of them is another */
  constructor(private readonly chosen: () => void) {
    this.states = stateFilter(chosen);
    this.topics.element.on("change", chosen);
    this.job.attr("title", t("tip.job")).on("input", () => {
      clearTimeout(this.#typed);
      this.#typed = window.setTimeout(() => this.#chooseTyped(), typing);
    });
  }

  get value(): Filter {
    return {
      state: this.states.value(),
      topic: String(this.topics.element.val()),
      job: String(this.job.val()).trim(),
    };
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
