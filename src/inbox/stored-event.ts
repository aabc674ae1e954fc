import { createHash } from "node:crypto";
import { summarise, type EventSummary } from "../event/summary";
import type { JsonObject } from "../event/json";

/**
 * - `waiting`: the flow has not dealt with it yet
 * - `processed`: all nodes that it reached have completed it
 * - `handed-over`: the flow has it, and did not say in time that it is done
 * - `failed`: a node reported an error
 */
export type State = "waiting" | "processed" | "handed-over" | "failed";

/** An error that a node reported. */
export interface FlowError {
  text: string;
  node: { id: string; name?: string; type: string };
}

/** What the inbox keeps of an event, besides the event: little, of whatever is in there. */
export interface StoredEvent extends EventSummary {
  /** Its place in the order of arrival: a number, as text of the same length for all. */
  seq: string;
  /** Where it was sent to. */
  path: string;
  topic: string;
  /** ISO-8601, UTC. */
  receivedAt: string;
  /** When what it tells of happened, as text that sorts by time. */
  changedAt: string;
  /** Of its body and path: the same for what was sent twice. */
  digest: string;
  /** What a later event shares that supersedes this one; absent: nothing can. */
  change?: string;
  /** Of the event, in bytes. */
  size: number;
  state: State;
  /** How many times it was given to the flow. */
  times: number;
  /** An event about the same change of the same job was accepted before, and is later. */
  superseded?: true;
  /** Of a processed event: no node lets its topic through. */
  unwanted?: true;
  /** Of a failed one. */
  error?: FlowError;
}

/** An event that was verified, on its way to the store. */
export interface AcceptedEvent {
  stored: StoredEvent;
  /** The event, as it is kept. */
  text: string;
}

/**
 * Prepares a verified event for the store.
 *
 * @param event without its token
 * @param options `path` it was sent to; `body` as it came, with the token, of which only a digest is
 *   kept; `times` it has been given to the flow
 * @throws RangeError where it is nested so deeply that it has no text
 */
export function prepare(
  event: JsonObject,
  { path, body, receivedAt, times }: { path: string; body: Buffer; receivedAt: Date; times: number },
): AcceptedEvent {
  const text = JSON.stringify(event);
  const summary = summarise(event);
  const topic = typeof event.topic === "string" ? event.topic : "";
  const changedAt = sortable(event.updated_at);
  const change = changedAt === undefined ? undefined : changeOf(topic, summary);
  const { eventType, changed, orderId, externalId } = summary;
  return {
    stored: {
      seq: "",
      path,
      topic: topic.slice(0, maxShown),
      eventType: eventType?.slice(0, maxShown) ?? null,
      changed: changed.slice(0, maxShown).map((field) => field.slice(0, maxShown)),
      orderId: shortened(orderId),
      externalId: shortened(externalId),
      receivedAt: receivedAt.toISOString(),
      changedAt: changedAt ?? sortable(receivedAt.toISOString())!,
      digest: createHash("sha256").update(`${path}\n`).update(body).digest("base64"),
      ...(change !== undefined && { change }),
      size: Buffer.byteLength(text),
      state: "waiting",
      times,
    },
    text,
  };
}

/** How much of each field is kept besides the event: characters of a text, and names of changed fields. */
const maxShown = 100;

/** A job's number, that can be anything in an event. */
function shortened(id: unknown): unknown {
  if (typeof id === "string") return id.slice(0, maxShown);
  return typeof id === "object" ? null : id;
}

/** What two events about the same change share: the job and the fields, or where there are none, the kind. */
function changeOf(topic: string, { eventType, changed, orderId }: EventSummary): string | undefined {
  if (orderId === null) return undefined;
  const text = JSON.stringify(
    changed.length > 0 ? [orderId, ...changed.toSorted()] : [orderId, { topic, eventType }],
  );
  return text.length <= maxShown ? text : createHash("sha256").update(text).digest("base64");
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
