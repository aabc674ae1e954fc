import type { JobCondition } from "../../src/routing/job-condition";
import { meaningOf, type Meaning } from "../../src/routing/meanings";
import { parseRule, type ParsedRule } from "../../src/routing/rules";
import { nameOf } from "../editor/names";

/** Gives a text of `radaro switch` in the editor's language. */
export type Translate = (key: string, values?: Record<string, string>) => string;

/** A rule in words, for the label of its output. */
export function sentence(rule: unknown, t: Translate): string {
  const meaning = meaningOf(rule);
  const parsed = parseRule(rule);
  if (typeof parsed === "string") return t(`meaning.${parsed}`);
  if (meaning === undefined || "problem" in parsed) return t("label.broken");
  if (meaning === "job-rated-low") return t(`meaning.${meaning}`, { limit: String(parsed.job?.value) });
  return [...said(meaning, parsed, t), parsed.job && condition(parsed.job, t)].filter(Boolean).join(" · ");
}

/** What a rule says of the event, part by part. */
function said(meaning: Meaning, parsed: ParsedRule, t: Translate): string[] {
  if (meaning !== "changed" && meaning !== "event") return [t(`meaning.${meaning}`)];
  const parts = [
    parsed.topic && nameOf("topic", parsed.topic),
    meaning === "event" && parsed.eventType && nameOf("eventType", parsed.eventType),
    parsed.field && change(parsed, t),
  ].filter((part) => typeof part === "string" && part !== "");
  return parts.length > 0
    ? (parts as string[])
    : [t(meaning === "changed" ? "label.any-change" : "label.any-event")];
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
  return field === "status" ? nameOf("status", String(value)) : plainly(value, t);
}

/** What a rule says of the job. */
function condition({ property, op, value }: JobCondition, t: Translate): string {
  const compared = value === undefined ? [] : [plainly(value, t)];
  return [nameOf("jobField", property), t(`op.${op}`), ...compared].join(" ");
}

function plainly(value: unknown, t: Translate): string {
  return typeof value === "boolean" ? t(value ? "label.yes" : "label.no") : String(value);
}
