import type { EditorRED } from "node-red";
import { topics } from "../../../src/event/catalog";
import { meanings } from "../../../src/routing/meanings";
import { nameOf, nameOfMerchant } from "../names";
import { Failure, type Inbox, type StoredEvent } from "./inbox";
import { pathsOf } from "./receivers";
import { language, t } from "./texts";

export { language, t, type Values } from "./texts";

declare const RED: EditorRED;

const ofSwitch = "node-red-contrib-radaro/radaro-switch:radaro-switch";

/** What an event means, in the words of `radaro switch`. */
export function meaningName(meaning: string): string {
  return RED._(`${ofSwitch}.meaning.${meaning}`, { limit: meanings["job-rated-low"].value });
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
  return [orderId, externalId].filter(isNumber).join(" · ");
}

/** What the events of its job are found by; absent where it has no job. */
export function keyOfJob({ orderId, externalId }: StoredEvent): string | undefined {
  return [orderId, externalId].filter(isNumber).map(String)[0];
}

function isNumber(id: unknown): boolean {
  return typeof id === "number" || (typeof id === "string" && id !== "");
}

/** What the job and its customer are called, `""` where nobody has said. */
export function nameOfJob({ title, customer }: StoredEvent): string {
  return [...new Set([title, customer])].filter(Boolean).join(" · ");
}

/** What a merchant is called: those of one name are told apart by where they receive, too. */
export function titleOf(inbox: Inbox, all: Inbox[]): string {
  const title = nameOfMerchant(inbox, all);
  if (!title.endsWith(`(${inbox.id})`)) return title;
  const paths = pathsOf(inbox.id);
  return paths.length > 0 ? title.replace(`(${inbox.id})`, `(${paths.join(", ")}, ${inbox.id})`) : title;
}

/** Why a request was refused. */
export function refusal(why: string): string {
  return RED._(`node-red-contrib-radaro/radaro-in:radaro-in.refusal.${why}`, { defaultValue: why });
}

/** The time alone today, with the date before, as the texts' language has it. */
export function timeOf(iso: string): string {
  const date = new Date(iso);
  const isToday = date.toDateString() === new Date().toDateString();
  return isToday ? date.toLocaleTimeString(language()) : date.toLocaleString(language());
}

const units = [
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
] as const;

/** How long ago it was, in the greatest unit of which it is at least one. */
export function agoOf(iso: string): string {
  const seconds = Math.max(0, Math.floor((Date.now() - Date.parse(iso)) / 1000));
  const [unit, length] = units.find(([, length]) => seconds >= length) ?? units[3];
  const format = new Intl.RelativeTimeFormat(language(), { style: "short" });
  return format.format(-Math.floor(seconds / length), unit);
}

/** Why something was not done, as far as it is known. */
export function reasonOf(failure: unknown): string {
  if (!(failure instanceof Failure)) throw failure;
  if (failure.problem) return failure.problem.text;
  if (failure.status === 401 || failure.status === 403) return t("failure.not-permitted");
  if (failure.status === 404) return t("failure.gone");
  return failure.status === 0 ? t("failure.no-answer") : t("failure.other", { status: failure.status });
}
