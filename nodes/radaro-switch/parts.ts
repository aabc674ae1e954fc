import type { EditorRED } from "node-red";
import type { EventRule } from "../../src/rules";
import { idsOf, nameOf } from "../names";
import type { Translate } from "./sentence";
import { valueInput } from "./value-input";

declare const RED: EditorRED;

/** The inputs of a rule's parts. What is given back reads them; `edited` is called on every change. */
export function buildParts(
  select: JQuery,
  meaning: "changed" | "event",
  rule: EventRule,
  t: Translate,
  edited: () => void,
): () => EventRule {
  const parts = $("<div>", { class: "radaro-switch-parts" }).insertAfter(select);
  const labelled = (key: string, input: JQuery) =>
    $("<label>")
      .append($("<span>").text(t(`label.${key}`)))
      .append(input)
      .appendTo(parts);

  const choice = (kind: "topic" | "eventType", value: string) => {
    const ids = idsOf(kind);
    const all = value === "" || ids.includes(value) ? ids : [...ids, value];
    return $("<select>")
      .append($("<option>", { value: "" }).text(t(`label.any-${kind}`)))
      .append(all.map((id) => $("<option>", { value: id }).text(nameOf(kind, id))))
      .val(value)
      .on("change", edited);
  };
  const topic = choice("topic", rule.topic ?? "");
  const eventType = choice("eventType", rule.eventType ?? "");
  if (meaning === "event") {
    labelled("topic", topic);
    labelled("eventType", eventType);
  }

  const list = `radaro-switch-fields-${RED.nodes.id()}`;
  const field = $("<input>", { type: "text", list, placeholder: t("label.any-field") }).val(rule.field ?? "");
  const options = idsOf("field").map((id) => $("<option>", { value: id }).text(nameOf("field", id)));
  parts.append($("<datalist>", { id: list }).append(options));
  labelled("field", field);

  const from = valueInput(labelled, "from", rule.from, rule.fromType, t);
  const to = valueInput(labelled, "to", rule.to, rule.toType, t);
  const fit = () => {
    const id = String(field.val()).trim();
    from.fit(id);
    to.fit(id);
    // What a field has changed from and to counts only with a field.
    from.label.add(to.label).toggle(id !== "");
  };
  fit();
  field.on("input change", () => {
    fit();
    edited();
  });
  // From here on what changes is the user's doing.
  from.input.on("change", edited);
  to.input.on("change", edited);

  return () => {
    const named = String(field.val()).trim();
    const value = ({ value, type }: typeof from) =>
      named ? ([value(), type()] as const) : (["", "any"] as const);
    const [[fromValue, fromType], [toValue, toType]] = [value(from), value(to)];
    return {
      kind: "event",
      topic: String(topic.val()),
      eventType: String(eventType.val()),
      field: named,
      from: fromValue,
      fromType,
      to: toValue,
      toType,
    };
  };
}
