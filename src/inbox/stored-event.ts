import { createHash } from "node:crypto";
import { describeJob, summarise, type EventSummary } from "../event/summary";
import { stateOf, type Delivery, type State } from "./deliveries";
import { saidBy, tellsOf, type Known } from "./known-job";
import { isJsonObject, type JsonObject } from "../event/json";

/** What the inbox keeps of an event, besides the event: little, of whatever is in there. */
export interface StoredEvent extends EventSummary {
  /** Its place in the order of arrival: a number, as text of the same length for all. */
  seq: string;
  /** The same each time that it comes, also in another Node-RED: a digest of its body and path. */
  eventId: string;
  /** Where it was sent to. */
  path: string;
  topic: string;
  /** ISO-8601, UTC. */
  receivedAt: string;
  /** When what it tells of happened, as text that sorts by time. */
  changedAt: string;
  /** What it changed the field of this name to. */
  status?: string;
  /** What it means to people, see `Arrival`; `null`: nothing that has a name. */
  meaning: string | null;
  /** What people call its job: `null`, where it has no such name. */
  title: string | null;
  customer: string | null;
  /** Of the event, in bytes. */
  size: number;
  /** The worst of its deliveries'. */
  state: State;
  /** One for each `radaro in` that it is for; `undefined`: that is not known yet, as the nodes are not there. */
  deliveries?: Delivery[];
  /** How many times Node-RED ended while the flow had this event and no other. */
  ended?: number;
  /** Each field that it changed was changed again by a later event that was accepted before. */
  superseded?: true;
  /** How many words others have said of it, as this knows: see `Store.change`. Absent: none. */
  words?: number;
  /** It has not come: it was made of what Radaro's jobs API says. */
  caughtUp?: true;
  /** It has come when events that were made had told all of it: no flow gets it. */
  cameAfter?: true;
}

/** What has become of an event. */
export type Became = Pick<StoredEvent, "seq" | "deliveries" | "superseded" | "ended" | "words">;

/** Fields of a job that an event has changed. */
export interface Change {
  job: string;
  fields: string[];
}

/** An event that was verified, on its way to the store. */
export interface AcceptedEvent {
  stored: StoredEvent;
  /** The event, as it is kept. */
  text: string;
  /** Of its body and path: the same for what was sent twice. */
  digest: string;
  /** Absent: nothing can supersede it. */
  change?: Change;
  /** Whether it says itself when what it tells of happened. */
  isDated: boolean;
  /** What its job is found by, however long the ids are. */
  keys: { order: string | null; external: string | null };
  /** What it tells of its job, where it is kept what is known of jobs. */
  news?: Known;
  /** Whether a node that it is for wants the events of its job one after the other. */
  isInOrder?: boolean;
}

/** How an event came. */
export interface Arrival {
  /** Where it was sent to. */
  path: string;
  /** As it came, with the token: only a digest of it is kept. */
  body: Buffer;
  receivedAt: Date;
  /** What it is given as, see `StoredEvent`. */
  deliveries: Delivery[] | undefined;
  /** What it means to people, for lists: the name of something that the receiver of the lists knows. */
  meaning: string | null;
  /** It was made, of what Radaro's jobs API said at this time, as `sortable` gives it. */
  by?: string | undefined;
  /** Whether it is kept what is known of jobs. */
  isLearned?: boolean;
}

/**
 * Prepares a verified event for the store.
 *
 * @param event without its token
 * @throws RangeError where it is nested so deeply that it has no text
 */
export function prepare(
  event: JsonObject,
  { path, body, receivedAt, deliveries, meaning, by, isLearned = false }: Arrival,
): AcceptedEvent {
  const text = JSON.stringify(event);
  const summary = summarise(event);
  const { eventType, changed, orderId, externalId } = summary;
  const changedAt = sortable(event.updated_at) ?? by;
  const at = changedAt ?? sortable(receivedAt.toISOString())!;
  const news = isLearned ? tellsOf(event, at, sortable) : undefined;
  const topic = typeof event.topic === "string" ? event.topic : "";
  const { title, customer } = describeJob(event);
  const digest = createHash("sha256").update(`${path}\n`).update(body).digest("base64url");
  const { status } = isJsonObject(event.new_values) ? event.new_values : {};
  return {
    stored: {
      seq: "",
      eventId: digest,
      path,
      topic: shortened(topic),
      eventType: eventType === null ? null : shortened(eventType),
      changed: changed.slice(0, maxShown).map(shortened),
      ...(typeof status === "string" && { status: shortened(status) }),
      meaning,
      title: title === null ? null : shortened(title),
      customer: customer === null ? null : shortened(customer),
      orderId: shortenedId(orderId),
      externalId: shortenedId(externalId),
      receivedAt: receivedAt.toISOString(),
      changedAt: at,
      size: Buffer.byteLength(text),
      state: stateOf(deliveries),
      ...(deliveries && { deliveries }),
      ...(by !== undefined && { caughtUp: true as const }),
    },
    text,
    digest,
    ...aboutChange(event, summary, changedAt),
    ...(news && { news: by === undefined ? news : saidBy(news, by) }),
  };
}

/**
 * Prepares an event for the store that another store has kept.
 *
 * @param text the event, as it was kept
 */
export function prepareAgain(stored: StoredEvent, text: string): AcceptedEvent {
  const event = JSON.parse(text) as JsonObject;
  const changedAt = sortable(event.updated_at) ?? (stored.caughtUp && stored.changedAt);
  return { stored, text, digest: stored.eventId, ...aboutChange(event, summarise(event), changedAt) };
}

/**
 * What is found of an event, and of what it has changed.
 *
 * @param changedAt when that was; `undefined`: it is not known
 */
function aboutChange(event: JsonObject, summary: EventSummary, changedAt: string | undefined) {
  return {
    change: changeOf(event, summary, changedAt),
    isDated: changedAt !== undefined,
    keys: { order: keyOf(summary.orderId), external: keyOf(summary.externalId) },
  };
}

/** How much of each field is kept besides the event: characters of a text, and names of changed fields. */
const maxShown = 100;

const shortened = (text: string) => text.slice(0, maxShown);

/** A job's number, that can be anything in an event. */
function shortenedId(id: unknown): unknown {
  if (typeof id === "string") return shortened(id);
  return typeof id === "object" ? null : id;
}

/** What a text is found by: itself, or where it is long what stands for it. */
export function keyOf(id: unknown): string | null {
  if (typeof id !== "string" && typeof id !== "number") return null;
  const text = String(id);
  return text.length <= maxShown ? text : createHash("sha256").update(text).digest("base64");
}

/**
 * What an event has changed that a later event can change again. `undefined`: nothing, or it is not
 * known of which job or when; or more, or with longer names, than is kept of a later one.
 */
export function changeOf(
  event: JsonObject,
  { changed, orderId } = summarise(event),
  changedAt = sortable(event.updated_at),
): Change | undefined {
  const job = keyOf(orderId);
  if (job === null || changed.length === 0 || changed.length > maxShown) return undefined;
  if (changed.some((field) => field.length >= maxShown)) return undefined;
  return changedAt === undefined ? undefined : { job, fields: changed };
}

/** The year from which a time has more digits. */
const endOfTime = Date.UTC(10_000, 0);

/**
 * A time as text that sorts by time. Radaro's have microseconds, which `Date` leaves out.
 *
 * @param time ISO-8601, with any offset
 * @returns `undefined` where it is no such time
 */
export function sortable(time: unknown): string | undefined {
  if (typeof time !== "string") return undefined;
  const ms = Date.parse(time);
  if (!(ms >= 0 && ms < endOfTime)) return undefined;
  const [, digits = ""] = /:\d\d[.,](\d+)/.exec(time) ?? [];
  return new Date(ms).toISOString().slice(0, -4) + digits.slice(0, 6).padEnd(6, "0");
}
