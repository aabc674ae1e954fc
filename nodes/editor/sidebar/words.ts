import type { EditorRED } from "node-red";
import { topics } from "../../../src/event/catalog";
import { nameOf } from "../names";
import { Failure, type StoredEvent } from "./inbox";

declare const RED: EditorRED;

type Values = Record<string, string | number>;

const ofSwitch = "node-red-contrib-radaro/radaro-switch:radaro-switch";

/** A text of the sidebar. */
export function t(key: string, values: Values = {}): string {
  return RED._(`node-red-contrib-radaro/radaro-config:sidebar.${key}`, said(values));
}

/** What an event means, in the words of `radaro switch`. */
export function meaningName(meaning: string): string {
  return RED._(`${ofSwitch}.meaning.${meaning}`);
}

/** What has happened, as people say it. */
export function happened({ meaning, changed, status, topic, eventType }: StoredEvent): string {
  if (meaning !== null) return meaningName(meaning);
  if (changed.length > 0) {
    const field = changed.map((each) => nameOf("field", each)).join(", ");
    if (changed.length === 1 && status !== undefined)
      return RED._(`${ofSwitch}.change.to`, { field, to: nameOf("status", status) });
    return RED._(`${ofSwitch}.change.any`, { field });
  }
  if (Object.hasOwn(topics, topic)) return nameOf("topic", topic);
  return topic || (eventType !== null && nameOf("eventType", eventType)) || t("no-topic");
}

/** The job's numbers, `""` where the event has none. */
export function jobOf({ orderId, externalId }: StoredEvent): string {
  return [orderId, externalId]
    .filter((id) => typeof id === "number" || (typeof id === "string" && id !== ""))
    .join(" · ");
}

/** Why a request was refused. */
export function refusal(why: string): string {
  return RED._(`node-red-contrib-radaro/radaro-in:radaro-in.refusal.${why}`, { defaultValue: why });
}

/** The time alone today, with the date before, as the editor's language has it. */
export function timeOf(iso: string): string {
  const date = new Date(iso);
  const isToday = date.toDateString() === new Date().toDateString();
  const language = RED.i18n.lang();
  return isToday ? date.toLocaleTimeString(language) : date.toLocaleString(language);
}

/** Why something was not done, as far as it is known. */
export function reasonOf(failure: unknown): string {
  if (!(failure instanceof Failure)) throw failure;
  if (failure.problem) return failure.problem.text;
  if (failure.status === 401 || failure.status === 403) return t("failure.not-permitted");
  if (failure.status === 404) return t("failure.gone");
  return failure.status === 0 ? t("failure.no-answer") : t("failure.other", { status: failure.status });
}

/** Numbers as they are written in the editor's language. */
function said(values: Values): Record<string, string> {
  const entries = Object.entries(values).map(([name, value]) => [
    name,
    value.toLocaleString(RED.i18n.lang()),
  ]);
  return Object.fromEntries(entries) as Record<string, string>;
}
