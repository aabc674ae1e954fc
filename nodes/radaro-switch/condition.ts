import { jobFields, type FieldType, type JobField } from "../../src/event/catalog";
import { operators, type Operator } from "../../src/routing/job-condition";
import type { EventRule } from "../../src/routing/rules";
import { idsOf, nameOf } from "../editor/names";
import type { Translate } from "./sentence";
import { comparedOffered, valueInput } from "./value-input";

/** What a rule says of the job; nothing where it does not look at it. */
export type JobParts = Pick<EventRule, "job" | "op" | "value" | "valueType">;

/** What a field of the job is in the catalog. `undefined`: it is not there. */
export function jobField(property: string): JobField | undefined {
  return Object.hasOwn(jobFields, property) ? jobFields[property as keyof typeof jobFields] : undefined;
}

/**
 * The condition "and the job's … is …" at the end of a row, as a button until it is asked for.
 *
 * @param edited called on every change
 * @returns reads it
 */
export function buildCondition(
  line: JQuery,
  rule: EventRule,
  t: Translate,
  edited: () => void,
): () => JobParts {
  let read = (): JobParts => ({});
  const open = (start: JobParts) => {
    const { box, field, ...inputs } = buildInputs(start, t, edited);
    add.hide().after(box);
    inputs.remove.on("click", () => {
      box.remove();
      read = () => ({});
      add.show().trigger("focus");
      edited();
    });
    inputs.begin();
    read = inputs.read;
    return field;
  };
  const add = $("<button>", {
    type: "button",
    class: "red-ui-button red-ui-button-small radaro-switch-add-condition",
  })
    .append($("<i>", { class: "fa fa-plus" }), $("<span>").text(` ${t("label.add-condition")}`))
    .on("click", () => {
      open({}).trigger("focus");
      edited();
    })
    .appendTo(line);
  if (rule.job) open(rule);
  return () => read();
}

/** The inputs, not in the page yet: `begin` makes them work when they are. */
function buildInputs(start: JobParts, t: Translate, edited: () => void) {
  const box = $("<div>", { class: "radaro-switch-condition" });
  const property = start.job ?? "";
  const isKnown = jobField(property) !== undefined;
  const option = (value: string, text: string) => $("<option>", { value }).text(text);
  const field = $("<select>", { "aria-label": t("label.job") })
    .append(option("", t("label.choose-job")))
    .append(idsOf("jobField").map((id) => option(id, nameOf("jobField", id))))
    .append(option(other, t("label.other-job")))
    .val(property === "" || isKnown ? property : other);
  const path = $("<input>", { type: "text", placeholder: "customer.name" })
    .attr("aria-label", t("label.other-job"))
    .val(isKnown ? "" : property);
  const op = $("<select>", { "aria-label": t("label.op") });
  const remove = $("<button>", { type: "button", class: "radaro-switch-remove-condition" })
    .attr({ title: t("label.remove-condition"), "aria-label": t("label.remove-condition") })
    .append($("<i>", { class: "fa fa-times" }));
  const value = $("<div>", { class: "radaro-switch-value" });
  box.append($("<div>").append($("<span>").text(t("label.condition")), field, remove), path);
  const comparison = $("<div>").append(op, value).appendTo(box);

  const named = () => String(field.val() === other ? path.val() : field.val()).trim();
  const typedType = ({ number: "num", boolean: "bool" } as const)[typeof start.value as string];
  const startType = start.valueType ?? typedType ?? "str";
  const make = () => valueInput((input) => value.append(input), comparedOffered(t), start.value, startType);
  let compared: ReturnType<typeof make>;

  /** @param keep what the flow says is shown even where it does not fit the field */
  const fit = (keep: boolean) => {
    const type = jobField(named())?.type;
    path.toggle(field.val() === other);
    comparison.toggle(named() !== "");
    const offered: string[] = operatorsFor(type);
    const wanted = String(op.val() ?? start.op ?? "");
    if (keep && wanted !== "" && !offered.includes(wanted)) offered.push(wanted);
    op.empty().append(offered.map((each) => option(each, isOperator(each) ? t(`op.${each}`) : each)));
    op.val(offered.includes(wanted) ? wanted : offered[0]!);
    compared.fit(type, keep);
    value.toggle(needsValue(String(op.val())));
  };

  return {
    box,
    field,
    remove,
    begin() {
      compared = make();
      value.find(".red-ui-typedInput-input").attr("aria-label", t("label.compared"));
      fit(true);
      const refit = () => {
        fit(false);
        edited();
      };
      field.on("change", refit);
      path.on("input", refit);
      op.on("change", () => {
        value.toggle(needsValue(String(op.val())));
        edited();
      });
      // From here on what changes is the user's doing.
      compared.input.on("change", edited);
    },
    read(): JobParts {
      const chosen = { job: named(), op: String(op.val()) as Operator };
      if (chosen.job === "") return {};
      if (!needsValue(chosen.op)) return chosen;
      return { ...chosen, value: compared.value(), valueType: compared.type() as "str" | "num" | "bool" };
    },
  };
}

/** In the list of fields, for one that is not in it. */
const other = "…";

function isOperator(op: string): op is Operator {
  return (operators as readonly string[]).includes(op);
}

function needsValue(op: string): boolean {
  return op !== "empty" && op !== "nempty";
}

/** What makes sense for a field of some type; all for one that is not known. */
function operatorsFor(type: FieldType | undefined): Operator[] {
  switch (type) {
    case undefined:
      return [...operators];
    case "number":
      return ["eq", "neq", "lte", "gte", "lt", "gt", "empty", "nempty"];
    case "boolean":
      return ["eq"];
    case "list":
    case "object":
      return ["has", "empty", "nempty"];
    default:
      return ["eq", "neq", "has", "empty", "nempty"];
  }
}

/**
 * The limit of a low rating.
 *
 * @param edited called on every change
 * @returns reads it
 */
export function buildLimit(line: JQuery, rule: EventRule, t: Translate, edited: () => void): () => JobParts {
  const limit = $("<input>", { type: "number", min: 1, max: 10, class: "radaro-switch-limit" })
    .val(String(rule.value))
    .on("input", edited);
  $("<div>", { class: "radaro-switch-condition" })
    .append($("<label>").append($("<span>").text(t("label.limit")), limit))
    .appendTo(line);
  return () => ({ job: "rating", op: "lte", value: String(limit.val()), valueType: "num" });
}
