import { meaningOf, meanings, ruleOf, type Meaning } from "../../src/meanings";
import { findRuleProblem, type EventRule, type ValueType } from "../../src/rules";
import { nameOf } from "../names";
import { buildParts } from "./parts";
import type { Translate } from "./sentence";

/** A row of the list: the rule in it, and the output that it had before. */
export interface Row {
  rule?: unknown;
  output?: number;
  /** Reads the rule as the row shows it; one that was not touched is what it was. */
  read?: () => unknown;
}

/** Fills a row of the list. */
export function buildRow(container: JQuery, row: Row, t: Translate, changed: () => void): void {
  container.addClass("radaro-switch-rule");
  const line = $("<div>", { class: "radaro-switch-sentence" }).appendTo(container);
  const mover = (direction: "up" | "down") =>
    $("<button>", { type: "button", class: `red-ui-button red-ui-button-small radaro-switch-${direction}` })
      .attr({ title: t(`label.${direction}`), "aria-label": t(`label.${direction}`) })
      .append($("<i>", { class: `fa fa-arrow-${direction}` }))
      .on("click", function () {
        const item = container.closest("li");
        if (direction === "up") item.insertBefore(item.prev());
        else item.insertAfter(item.next());
        changed();
        $(this).trigger("focus");
      })
      .appendTo(container);
  mover("up");
  mover("down");
  $("<span>", { class: "radaro-switch-output" }).appendTo(container);

  const rule = row.rule ?? ruleOf("job-created");
  const problem = $("<div>", { class: "radaro-switch-problem", role: "alert" });
  const showProblem = (text: string) => {
    const found = findRuleProblem(row.read?.());
    problem.text(found === undefined ? "" : t(text, { problem: t(`problem.${found}`) }));
  };
  if (isEditable(rule)) {
    row.read = buildSentence(line, rule, t, () => {
      showProblem("problem.mend");
      changed();
    });
    showProblem("problem.mend");
  } else {
    $("<code>", { class: "radaro-switch-broken" }).text(JSON.stringify(rule)).appendTo(line);
    row.read = () => rule;
    showProblem("problem.kept");
  }
  problem.appendTo(line);
  $("<div>", { class: "radaro-switch-tip", role: "status" }).appendTo(line);
}

/** Whether the inputs can show all that a rule says, be it right or wrong. */
function isEditable(rule: unknown): rule is EventRule {
  if (findRuleProblem(rule) === undefined) return true;
  const { kind, topic, eventType, field, from, to, fromType, toType } = (rule ?? {}) as Record<
    string,
    unknown
  >;
  const isText = (value: unknown) => value === undefined || typeof value === "string";
  return (
    kind === "event" &&
    [topic, eventType, field, from, to].every(isText) &&
    [fromType, toType].every((type) => valueTypes.includes((type ?? "any") as ValueType))
  );
}

const valueTypes: ValueType[] = ["any", "str", "num", "bool", "null"];

/** The choice of what is meant, with the rule's parts where the choice does not say them all. */
function buildSentence(line: JQuery, rule: EventRule, t: Translate, edited: () => void): () => unknown {
  let read = (): unknown => rule;
  const select = $("<select>", { "aria-label": t("label.meaning") }).appendTo(line);
  const option = (meaning: string) => $("<option>", { value: meaning }).text(t(`meaning.${meaning}`));
  const group = (label: string, of: string[]) =>
    $("<optgroup>", { label }).append(of.map(option)).appendTo(select);
  const isChecklist = (meaning: string) => meaning.includes("checklist");
  const known = Object.keys(meanings);
  group(
    nameOf("topicGroup", "job"),
    known.filter((meaning) => !isChecklist(meaning)),
  );
  group(nameOf("topicGroup", "checklist"), known.filter(isChecklist));
  group(nameOf("topicGroup", "other"), ["changed", "event", "superseded", "otherwise"]);

  const showParts = (meaning: Meaning, from: EventRule) => {
    line.children(".radaro-switch-parts").remove();
    if (meaning !== "changed" && meaning !== "event") return;
    const readParts = buildParts(select, meaning, from, t, () => {
      read = readParts;
      edited();
    });
  };
  // One with a wrong value shows all its parts, to be mended.
  const meaning = meaningOf(rule) ?? "event";
  select.val(meaning);
  showParts(meaning, rule);

  select.on("change", () => {
    // As any other event, a rule keeps its parts, to be adapted.
    const chosen = select.val() as Meaning;
    const current = read() as EventRule;
    const next = chosen === "event" && current.kind === "event" ? current : (ruleOf(chosen) as EventRule);
    read = () => next;
    showParts(chosen, next);
    edited();
  });
  return () => read();
}
