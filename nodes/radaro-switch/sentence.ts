import { meaningOf } from "../../src/meanings";
import { parseRule, type ParsedRule } from "../../src/rules";
import { nameOf } from "../names";

/** Gives a text of `radaro switch` in the editor's language. */
export type Translate = (key: string, values?: Record<string, string>) => string;

/** A rule in words, for the label of its output. */
export function sentence(rule: unknown, t: Translate): string {
  const meaning = meaningOf(rule);
  const parsed = parseRule(rule);
  if (typeof parsed === "string") return t(`meaning.${parsed}`);
  if (meaning === undefined || "problem" in parsed) return t("label.broken");
  if (meaning !== "changed" && meaning !== "event") return t(`meaning.${meaning}`);
  const parts = [
    parsed.topic && nameOf("topic", parsed.topic),
    meaning === "event" && parsed.eventType && nameOf("eventType", parsed.eventType),
    parsed.field && change(parsed, t),
  ];
  const known = parts.filter(Boolean).join(" · ");
  return known || t(meaning === "changed" ? "label.any-change" : "label.any-event");
}

/** What a rule says of its field. */
function change({ field, from, to }: ParsedRule, t: Translate): string {
  const said = {
    field: nameOf("field", field),
    from: valueName(field, from, t),
    to: valueName(field, to, t),
  };
  if (from === "any" && to === "any") return t("change.any", said);
  if (from === "any") return t("change.to", said);
  return t(to === "any" ? "change.from" : "change.from-to", said);
}

function valueName(field: string, wanted: ParsedRule["to"], t: Translate): string {
  if (wanted === "any") return "";
  const { value } = wanted;
  if (typeof value === "boolean") return t(value ? "label.yes" : "label.no");
  return field === "status" ? nameOf("status", String(value)) : String(value);
}
