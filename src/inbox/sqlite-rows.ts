import type { SQLOutputValue } from "node:sqlite";
import { crc32 } from "node:zlib";
import { Unusable } from "./store";
import { againAt, isOpen, stateOf, type Delivery, type State } from "./deliveries";
import type { AcceptedEvent, Became, StoredEvent } from "./stored-event";

/** A row, as SQLite gives it. */
export type Row = Record<string, SQLOutputValue>;

/** What lists show: all of `events` but what only searches need. */
export const columns =
  "seq, digest, path, received_at, changed_at, topic, event_type, changed, status, meaning, title, customer, order_id, external_id," +
  " size, state, deliveries, superseded, caught_up, ended";

/** How much of the files an event takes at most, with its row and its place in the indexes: in bytes, as `size` is. */
export const spaceOf = (size: number) => size + 16_384;

/** A place in the order of arrival, as text of the same length for all. */
export const toSeq = (place: number | bigint) => String(place).padStart(15, "0");

const fromJson = (text: SQLOutputValue | undefined): unknown =>
  typeof text === "string" ? JSON.parse(text) : null;
const toJson = (value: unknown) => (value === null || value === undefined ? null : JSON.stringify(value));

/** @param row with all of `columns` */
export function readRow(row: Row): StoredEvent {
  return {
    seq: toSeq(row.seq as number),
    eventId: row.digest as string,
    path: row.path as string,
    topic: row.topic as string,
    eventType: row.event_type as string | null,
    changed: fromJson(row.changed) as string[],
    ...(row.status !== null && { status: row.status as string }),
    meaning: row.meaning as string | null,
    title: row.title as string | null,
    customer: row.customer as string | null,
    orderId: fromJson(row.order_id),
    externalId: fromJson(row.external_id),
    receivedAt: row.received_at as string,
    changedAt: row.changed_at as string,
    size: row.size as number,
    state: row.state as State,
    ...(row.deliveries !== null && { deliveries: fromJson(row.deliveries) as Delivery[] }),
    ...(row.superseded === 1 && { superseded: true }),
    ...(row.caught_up === 1 && { caughtUp: true }),
    ...(row.caught_up === 2 && { cameAfter: true }),
    ...(row.ended !== 0 && { ended: row.ended as number }),
  };
}

/** What becomes a row of `events`. */
export function toRow(seq: number, { stored, digest, keys, isDated }: AcceptedEvent): Row {
  const row: Row = {
    seq,
    path: stored.path,
    digest,
    received_at: stored.receivedAt,
    changed_at: stored.changedAt,
    is_dated: isDated ? 1 : 0,
    topic: stored.topic,
    event_type: stored.eventType,
    changed: JSON.stringify(stored.changed),
    status: stored.status ?? null,
    meaning: stored.meaning,
    title: stored.title,
    customer: stored.customer,
    order_id: toJson(stored.orderId),
    external_id: toJson(stored.externalId),
    order_key: keys.order,
    external_key: keys.external,
    size: stored.size,
    caught_up: stored.caughtUp ? 1 : stored.cameAfter ? 2 : 0,
    ...changing(stored),
  };
  return { ...row, crc: crcOf(row), state_crc: stateCrcOf(row) };
}

/** What changes in a row of `events`, by column. */
function changing({ deliveries, superseded, ended }: Omit<Became, "seq">) {
  return {
    deliveries: toJson(deliveries),
    state: stateOf(deliveries),
    is_open: isOpen(deliveries) ? 1 : 0,
    again_at: againAt(deliveries) ?? null,
    superseded: superseded ? 1 : 0,
    ended: ended ?? 0,
  };
}

/**
 * What a row of `events` becomes with what has become of its event.
 *
 * @param row with its `seq` and `received_at` at least
 */
export function toChanged(row: Row, stored: Omit<Became, "seq">): Row {
  const changed = { ...row, ...changing(stored) };
  return { ...changed, state_crc: stateCrcOf(changed) };
}

/** The columns of a row of `events` that stay as they were written, and those that change: each has a checksum. */
const staying =
  "seq path digest changed_at is_dated topic event_type changed status meaning title customer order_id external_id order_key" +
  " external_key size caught_up";
const mayChange = "seq received_at deliveries state is_open again_at superseded ended";

// Not as JSON: that tells half a character from what a database makes of it.
const checksum = (names: string) => {
  const all = names.split(" ");
  return (row: Row) => crc32(all.map((name) => row[name]).join("\0"));
};

/** The checksum of the columns of a row of `events` that stay. */
export const crcOf = checksum(staying);

/** The checksum of those that change. */
export const stateCrcOf = checksum(mayChange);

const all = [...new Set(`${staying} ${mayChange}`.split(" ")), "crc", "state_crc"];
const becoming = [
  ...["deliveries", "state", "is_open", "again_at", "superseded", "ended", "state_crc"],
  "seq",
];

const pick = (names: string[]) => (row: Row) => names.map((name) => row[name] as string | number | null);

/** Inserts a row of `events`; its values are what `insertedOf` gives. */
export const insertion = `INSERT INTO events (${all.join(", ")}) VALUES (${all.map(() => "?").join(", ")})`;
export const insertedOf = pick(all);

/** Writes what has become of an event; its values are what `changedOf` gives. */
export const update =
  "UPDATE events SET deliveries = ?, state = ?, is_open = ?, again_at = ?, superseded = ?, ended = ?," +
  " state_crc = ? WHERE seq = ?";
export const changedOf = pick(becoming);

/** @throws Unusable where a row of `events` is another than the one that was written */
export function checkRow(row: Row): void {
  if (crcOf(row) !== row.crc || stateCrcOf(row) !== row.state_crc) throw wrongBytes();
}

/** @throws Unusable where a row of `bodies` is another than the one that was written */
export function readBody({ body, crc }: Row): string {
  if (crc32(body as string) !== crc) throw wrongBytes();
  return body as string;
}

const wrongBytes = () => new Unusable("damaged", new Error("an event has wrong bytes"));
