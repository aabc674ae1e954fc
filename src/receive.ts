import { findProblems } from "./event";
import { copyJson, isJsonObject, type JsonObject } from "./json";
import type { Merchant } from "./merchant";
import { toMessage, type EventMessage } from "./message";

/**
 * Why a request was refused, with what is answered. The text is for whoever reads the merchant's
 * event log in Radaro, where the answer to each event is kept.
 */
export const refusals = {
  "not-post": { status: 405, error: "Only POST is accepted here." },
  "not-declared": { status: 415, error: "The body must be sent as application/json." },
  "not-readable": { status: 415, error: "The body's encoding or charset is not supported." },
  "too-large": { status: 413, error: "The body is larger than this Node-RED accepts." },
  "not-json": { status: 400, error: "The body is not complete, valid JSON." },
  "not-object": { status: 400, error: "The body is not a JSON object." },
  "no-token": { status: 401, error: "The event carries no token." },
  "wrong-token": { status: 401, error: "The event's token is not the one set in Node-RED." },
  "wrong-type": { status: 400, error: "The event has a field of a wrong type" },
  deploying: { status: 503, error: "Node-RED is deploying its flows and could not take the event in time." },
} as const satisfies Record<string, { status: number; error: string }>;

export type Refusal = keyof typeof refusals;

/** What the sender is told. */
export interface Answer {
  status: number;
  body: { ok: true } | { ok: false; error: string };
}

/** Who wants the events of a path: a `radaro in` node. */
export interface Receiver {
  /** Whose events; `undefined` while no merchant is chosen. */
  merchant: Merchant | undefined;
  /** Topics to let through; empty: all, and those not known yet. */
  topics: ReadonlySet<string>;
  /** Takes a message of its own, for the flow. */
  deliver(message: EventMessage): void;
  /** Takes a verified event that has problems, with a message of its own, for a Catch node. */
  fail(problem: string, message: EventMessage): void;
  /** Is told of a request that was refused. */
  refused(why: Refusal): void;
}

/** Refuses a request and tells all receivers of its path. */
export function refuse(why: Refusal, receivers: Iterable<Receiver>, detail?: string): Answer {
  for (const receiver of receivers) receiver.refused(why);
  const { status, error } = refusals[why];
  return { status, body: { ok: false, error: detail === undefined ? error : `${error}: ${detail}.` } };
}

/**
 * Takes one event: verifies it, checks it and hands it to every receiver that it is for.
 *
 * @param body what was parsed from the request's JSON
 * @param receivers all that share the path
 * @param options `receivedAt`: when the request arrived; `test`: the event was sent by a node's button
 * @returns the answer for the sender, and the messages that receivers got
 */
export function receive(
  body: unknown,
  receivers: Iterable<Receiver>,
  { receivedAt = new Date(), test = false }: { receivedAt?: Date; test?: boolean } = {},
): { answer: Answer; delivered: EventMessage[] } {
  if (!isJsonObject(body)) return { answer: refuse("not-object", receivers), delivered: [] };

  const { token, ...event } = body;
  if (typeof token !== "string") return { answer: refuse("no-token", receivers), delivered: [] };
  const verified = [...receivers].filter(({ merchant }) => merchant?.accepts(token));
  if (verified.length === 0) return { answer: refuse("wrong-token", receivers), delivered: [] };

  const letThrough = verified.filter(({ topics }) => topics.size === 0 || topics.has(event.topic as string));
  const problems = findProblems(event);
  if (problems.length > 0) {
    const detail = problems.join(", ");
    // Somebody has to hear of it: the event is not sent again.
    const hearers = letThrough.length > 0 ? letThrough : verified.slice(0, 1);
    const messages = messagesFor(hearers, event, receivedAt, test);
    hearers.forEach((receiver, i) => receiver.fail(detail, messages[i]!));
    return { answer: refuse("wrong-type", [], detail), delivered: [] };
  }

  const delivered = messagesFor(letThrough, event, receivedAt, test);
  letThrough.forEach((receiver, i) => receiver.deliver(delivered[i]!));
  return { answer: { status: 200, body: { ok: true } }, delivered };
}

/** A message for each receiver, that no other receiver's flow can change. */
function messagesFor(
  receivers: Receiver[],
  event: JsonObject,
  receivedAt: Date,
  test: boolean,
): EventMessage[] {
  return receivers.map(({ merchant }, i) =>
    toMessage(i === 0 ? event : copyJson(event), { merchant: merchant!.name, receivedAt, test }),
  );
}
