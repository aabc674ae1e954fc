import type { EditorRED } from "node-red";
import { fields } from "../../src/event/catalog";
import type { EventRule, ValueType } from "../../src/routing/rules";
import { idsOf, nameOf } from "../editor/names";
import type { Translate } from "./sentence";
import { changesOffered, valueInput } from "./value-input";

declare const RED: EditorRED;

/**
 * The inputs of a rule's parts.
 *
 * @param edited called on every change
 * @returns reads them
 */
export function buildParts(
  line: JQuery,
  meaning: "changed" | "event",
  rule: EventRule,
  t: Translate,
  edited: () => void,
): () => EventRule {
  const parts = $("<div>", { class: "radaro-switch-parts" }).appendTo(line);
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

  const value = (key: "from" | "to", value: unknown, type: ValueType = "any") =>
    valueInput((input) => labelled(key, $("<div>").append(input)), changesOffered(t), value, type);
  const from = value("from", rule.from, rule.fromType);
  const to = value("to", rule.to, rule.toType);
  const fit = () => {
    const id = String(field.val()).trim();
    const type = Object.hasOwn(fields, id) ? fields[id as keyof typeof fields].type : undefined;
    from.fit(type, true);
    to.fit(type, true);
    // What a field has changed from and to counts only with a field.
    from.placed.add(to.placed).toggle(id !== "");
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
    const read = ({ value, type }: typeof from) =>
      named ? ([value(), type()] as const) : (["", "any"] as const);
    const [[fromValue, fromType], [toValue, toType]] = [read(from), read(to)];
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
