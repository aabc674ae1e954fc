import { meaningOf, meanings, ruleOf, type Meaning } from "../../src/routing/meanings";
import {
  findRuleProblem,
  parseRule,
  type EventRule,
  type Rule,
  type ValueType,
} from "../../src/routing/rules";
import { nameOf } from "../editor/names";
import { buildCondition, buildLimit, type JobParts } from "./condition";
import { buildParts } from "./parts";
import { findProblem } from "./problem";
import type { Translate } from "./sentence";

/** A row of the list: the rule in it, and the output that it had before. */
export interface Row {
  rule?: unknown;
  output?: number;
  /** Reads the rule as the row shows it; one that was not touched is what it was. */
  read?: () => unknown;
  /** Shows where the row stands, counted from 0, among how many, and what that means for its rule. */
  stand?: (place: number, count: number, checkall: boolean) => void;
}

/** Whether a row was added in the dialog. */
export function isNew(row: Row): boolean {
  return !("rule" in row);
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
  const [up, down] = [mover("up"), mover("down")];
  const output = $("<span>", { class: "radaro-switch-output" }).appendTo(container);

  const rule = isNew(row) ? ruleOf("job-created") : row.rule;
  const inputs = $("<div>", { class: "radaro-switch-inputs" }).appendTo(line);
  const problem = $("<div>", { class: "radaro-switch-problem", role: "alert" }).appendTo(line);
  const tip = $("<div>", { class: "radaro-switch-tip", role: "status" }).appendTo(line);
  const canBeMended = isEditable(rule);
  const showProblem = () => {
    const found = findProblem(row.read?.(), t);
    problem.text(found ? t(canBeMended ? "problem.mend" : "problem.kept", { problem: found }) : "");
  };
  if (canBeMended) {
    row.read = buildSentence(inputs, rule, t, () => {
      showProblem();
      changed();
    });
  } else {
    $("<code>", { class: "radaro-switch-broken" }).text(JSON.stringify(rule)).appendTo(inputs);
    row.read = () => rule;
  }
  showProblem();

  row.stand = (place, count, checkall) => {
    output.text(`→ ${place + 1}`);
    up.prop("disabled", place === 0);
    down.prop("disabled", place === count - 1);
    const goesElsewhereToo = parseRule(row.read?.()) === "superseded" && (place > 0 || checkall);
    tip.text(goesElsewhereToo ? t("label.superseded-tip") : "");
  };
}

/** Whether the inputs can show all that a rule says, be it right or wrong. */
function isEditable(rule: unknown): rule is EventRule {
  if (findRuleProblem(rule) === undefined) return true;
  const { kind, topic, eventType, field, from, to, fromType, toType, job, op, value, valueType } = (rule ??
    {}) as Record<string, unknown>;
  const isText = (value: unknown) => value === undefined || typeof value === "string";
  return (
    kind === "event" &&
    [topic, eventType, field, from, to, job, op].every(isText) &&
    [fromType, toType].every((type) => changeTypes.includes((type ?? "any") as ValueType)) &&
    (!job || (typeof value !== "object" && comparedTypes.includes(valueType)))
  );
}

const changeTypes: ValueType[] = ["any", "str", "num", "bool", "null"];
const comparedTypes: unknown[] = ["str", "num", "bool", undefined];

/**
 * The choice of what is meant, with the rule's parts where the choice does not say them all.
 *
 * @param edited called on every change
 * @returns reads the rule
 */
function buildSentence(line: JQuery, rule: EventRule, t: Translate, edited: () => void): () => unknown {
  let read = (): unknown => rule;
  const select = buildChoice(t).appendTo(line);
  const sayLimit = (limit: unknown) =>
    select.find("[value=job-rated-low]").text(t("meaning.job-rated-low", { limit: String(limit) || "…" }));

  const show = (meaning: Meaning, from: EventRule) => {
    select.nextAll().remove();
    if (meaning === "superseded" || meaning === "otherwise") return;
    let readEvent = () => withoutJob(from);
    let readJob = (): JobParts => from;
    const touched = () => {
      read = () => ({ ...readEvent(), ...readJob() });
      if (meaning === "job-rated-low") sayLimit(readJob().value);
      edited();
    };
    if (meaning === "changed" || meaning === "event") {
      readEvent = buildParts(line, meaning, from, t, touched);
    }
    const build = meaning === "job-rated-low" ? buildLimit : buildCondition;
    readJob = build(line, from, t, touched);
  };
  // One with a wrong value shows all its parts, to be mended.
  const meaning = meaningOf(rule) ?? "event";
  sayLimit(meaning === "job-rated-low" ? rule.value : meanings["job-rated-low"].value);
  select.val(meaning);
  show(meaning, rule);

  select.on("change", () => {
    const chosen = select.val() as Meaning;
    const next = adapted(read() as EventRule, chosen);
    read = () => next;
    show(chosen, next as EventRule);
    edited();
  });
  return () => read();
}

/** The rule that says another meaning, with what it can keep of the rule that was there. */
function adapted(rule: EventRule, meaning: Meaning): Rule {
  // As any other event, a rule keeps its parts, to be adapted.
  if (meaning === "event" && rule.kind === "event") return rule;
  const next = ruleOf(meaning);
  const { job, op, value, valueType } = rule;
  const keepsJob = job && next.kind === "event" && !next.job && meaningOf(rule) !== "job-rated-low";
  return keepsJob ? { ...next, job, op, ...(value !== undefined && { value, valueType }) } : next;
}

function withoutJob(rule: EventRule): EventRule {
  const { kind, ...parts } = rule;
  const ofEvent = Object.entries(parts).filter(([key]) => !["job", "op", "value", "valueType"].includes(key));
  return { kind, ...Object.fromEntries(ofEvent) };
}

/** All that can be meant, in groups. */
function buildChoice(t: Translate): JQuery {
  const select = $("<select>", { "aria-label": t("label.meaning") });
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
  return select;
}
