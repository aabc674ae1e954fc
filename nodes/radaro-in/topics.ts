import type { EditorRED } from "node-red";
import { readTopics } from "../../src/receiving/properties";
import { topics } from "../../src/event/catalog";
import { idsOf, nameOf } from "../editor/names";
import { warning, type Validated } from "../editor/validation";
import type { InNode } from "./properties";

declare const RED: EditorRED;

/** What is wrong with topics, in the user's words. A node without any lets everything through. */
export function findTopicsProblem(node: Validated, value: unknown): string | undefined {
  return readTopics(value).problem === "topics-not-list" ? node._("radaro-in.invalid.topics") : undefined;
}

/**
 * What is let through: everything, or the topics that are chosen from a list with search.
 *
 * @returns to be called in `oneditsave`
 */
export function prepareTopics(node: InNode): () => void {
  const { topics } = node;
  const chosen = Array.isArray(topics) ? topics.map(String) : [];
  const list = $("#radaro-in-topics").append(groupsOf(chosen));
  $("#radaro-in-search").on("input", function () {
    search(list, String($(this).val()));
  });

  const choices = $("input[name=radaro-in-let-through]");
  const read = () => ({
    which: choices.filter(":checked").val() as "all" | "chosen" | undefined,
    checked: list
      .find("input:checked")
      .toArray()
      .map((input) => (input as HTMLInputElement).value),
  });
  let isTouched = false;
  const show = () => {
    const { which, checked } = read();
    $("#radaro-in-chosen").toggle(which === "chosen");
    const isNothing = which === "chosen" && checked.length === 0;
    const isBroken = which === undefined || (!isTouched && findTopicsProblem(node, topics) !== undefined);
    const problem = isNothing ? "no-topic" : isBroken ? "topics" : undefined;
    $("#radaro-in-topics-problem").empty();
    if (problem)
      $("#radaro-in-topics-problem")
        .text(node._(`radaro-in.invalid.${problem}`))
        .prepend(warning());
    list.toggleClass("input-error", isNothing);
  };
  if (chosen.length > 0) choices.val(["chosen"]);
  else if (!readTopics(topics).problem) choices.val(["all"]);
  choices.add(list).on("change", () => {
    isTouched = true;
    show();
  });
  show();

  const opened = JSON.stringify(read());
  return () => {
    const now = read();
    if (JSON.stringify(now) === opened) return;
    if (now.which === "chosen" && now.checked.length === 0) {
      // An empty list would let everything through.
      RED.notify(node._("radaro-in.topics-kept"), { type: "warning", id: "radaro-in-topics", timeout: 6000 });
      return;
    }
    node.topics = now.which === "chosen" ? now.checked : [];
  };
}

/** The catalog's topics in their groups, and those that this version does not know, which stay chosen. */
function groupsOf(chosen: string[]): JQuery[] {
  const unknown = chosen.filter((topic) => !Object.hasOwn(topics, topic)).map((topic) => [topic, "other"]);
  const all = [...Object.entries(topics).map(([topic, { group }]) => [topic, group]), ...unknown];
  return idsOf("topicGroup").map((group) =>
    $("<fieldset>").append(
      $("<legend>").text(nameOf("topicGroup", group)),
      all
        .filter(([, its]) => its === group)
        .map(([topic]) =>
          $("<label>", { class: "radaro-in-choice", title: topic! }).append(
            $("<input>", { type: "checkbox", value: topic }).prop("checked", chosen.includes(topic!)),
            $("<span>").text(nameOf("topic", topic!)),
          ),
        ),
    ),
  );
}

/** Shows those in whose name or topic all words are. */
function search(list: JQuery, text: string): void {
  const words = text.toLowerCase().split(/\s+/);
  list.find("label").each((_, label) => {
    const its = `${label.textContent} ${label.title}`.toLowerCase();
    $(label).toggle(words.every((word) => its.includes(word)));
  });
  list.find("fieldset").each((_, fieldset) => {
    const any = $(fieldset)
      .find("label")
      .toArray()
      .some(({ style }) => style.display !== "none");
    $(fieldset).toggle(any);
  });
}
