import { againAt, isOpen, stateOf, takenBack, type Delivery, type State } from "./deliveries";
import type { Row } from "./postgres-connection";
import type { AcceptedEvent, Became, StoredEvent } from "./stored-event";

/** What lists show: all of `events` but what only searches need. */
export const columns =
  "seq, digest, path, received_at, changed_at, topic, event_type, to_json(changed) AS changed, status, meaning, title, customer," +
  " order_id, external_id, size, state, deliveries, superseded, caught_up, ended, radaro_inbox.count_of(words) AS words";

/** How much of the database an event takes at most, with its row and its place in the indexes: in bytes, as `size` is. */
export const spaceOf = (size: number) => size + 4096;

/** A place in the order of arrival, as text of the same length for all. */
export const toSeq = (place: unknown) => String(place).padStart(15, "0");

/** Seqs that are given as JSON, as an array of SQL. @param value as `$1` */
export const fromArray = (value: string) =>
  `ARRAY(SELECT json_array_elements_text(${value}::text::json)::bigint)`;

/** What stands for a NUL, which a text of PostgreSQL cannot hold: no character, and in no text that means something. */
const nul = "\uffff";

/** A text as PostgreSQL can hold it. */
export const toText = (text: string) => Buffer.from(text).toString().replaceAll("\0", nul);

/** And as it was. */
export const fromText = (text: unknown) => (typeof text === "string" ? text.replaceAll(nul, "\0") : null);

/** JSON that PostgreSQL can read: it has no NUL and no half characters. */
export function toJson(value: unknown): string {
  const json = JSON.stringify(value);
  if (!/\\u(0000|d[89a-f])/i.test(json)) return json;
  return JSON.stringify(value, (_key, each: unknown) => (typeof each === "string" ? toText(each) : each));
}

const orNull = (value: unknown) => (value === null || value === undefined ? null : toJson(value));
const fromJson = (text: unknown): unknown => (typeof text === "string" ? JSON.parse(text) : null);

/** @param row with all of `columns` */
export function readRow(row: Row): StoredEvent {
  return {
    seq: toSeq(row.seq),
    eventId: row.digest as string,
    path: fromText(row.path)!,
    topic: fromText(row.topic)!,
    eventType: fromText(row.event_type),
    changed: (row.changed as string[]).map((name) => fromText(name)!),
    ...(row.status !== null && { status: fromText(row.status)! }),
    meaning: row.meaning as string | null,
    title: fromText(row.title),
    customer: fromText(row.customer),
    orderId: fromJson(row.order_id),
    externalId: fromJson(row.external_id),
    receivedAt: row.received_at as string,
    changedAt: row.changed_at as string,
    size: row.size as number,
    state: row.state as State,
    ...(row.deliveries !== null && { deliveries: fromJson(row.deliveries) as Delivery[] }),
    ...(row.superseded === true && { superseded: true }),
    ...(row.caught_up === 1 && { caughtUp: true }),
    ...(row.caught_up === 2 && { cameAfter: true }),
    ...(row.ended !== 0 && { ended: row.ended as number }),
    ...(row.words !== 0 && { words: row.words as number }),
  };
}

/** What changes in a row of `events`, by column. */
export function changing({ deliveries, superseded, ended }: Omit<Became, "seq">) {
  return {
    deliveries: orNull(deliveries),
    state: stateOf(deliveries),
    is_open: isOpen(deliveries),
    is_given: deliveries?.some(({ state, since }) => state === "waiting" && since !== undefined) ?? false,
    again_at: againAt(deliveries) ?? null,
    superseded: superseded ?? false,
    ended: ended ?? 0,
  };
}

/** What becomes a row of `events` and one of `bodies`. @param place in what arrives together */
export function arriving(
  { stored, digest, keys, isDated, isInOrder, change, text }: AcceptedEvent,
  place: number,
) {
  return {
    place,
    path: stored.path,
    digest,
    received_at: stored.receivedAt,
    changed_at: stored.changedAt,
    is_dated: isDated,
    topic: stored.topic,
    event_type: stored.eventType,
    changed: stored.changed,
    status: stored.status ?? null,
    meaning: stored.meaning,
    title: stored.title,
    customer: stored.customer,
    order_id: orNull(stored.orderId),
    external_id: orNull(stored.externalId),
    order_key: keys.order,
    external_key: keys.external,
    size: stored.size,
    ...changing(stored),
    caught_up: stored.caughtUp ? 1 : stored.cameAfter ? 2 : 0,
    in_order: isInOrder === true && keys.order !== null,
    // Where another gives it, this one has not.
    elsewhere: orNull(stored.deliveries?.map((each) => (each.since === undefined ? each : takenBack(each)))),
    fields: change?.fields ?? null,
    body: text,
  };
}
