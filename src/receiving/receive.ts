import { findProblems } from "../event/event";
import { copyJson, isJsonObject, type JsonObject } from "../event/json";
import type { Merchant } from "./merchant";
import { toMessage, type EventMessage, type MessageOptions } from "../event/message";

/**
 * Why a request was refused, with what is answered. Radaro keeps the text of each answer, for its own
 * staff (observed), so it says what to do.
 */
export const refusals = {
  "not-post": { status: 405, error: "Only POST is accepted here." },
  redirected: {
    status: 405,
    error: "This came as a GET: the webhook URL in Radaro redirects. Enter the final https address there.",
  },
  "not-declared": { status: 415, error: "The body must be sent as application/json." },
  "not-readable": { status: 415, error: "The body's encoding or charset is not supported." },
  "too-large": { status: 413, error: "The body is larger than this Node-RED accepts." },
  "not-json": { status: 400, error: "The body is not complete, valid JSON." },
  "not-object": { status: 400, error: "The body is not a JSON object." },
  taken: {
    status: 400,
    error:
      "The body was read before Node-RED's nodes could: see httpNodeMiddleware in settings.js, or the application in which Node-RED is embedded.",
  },
  "no-token": { status: 401, error: "The event carries no token." },
  "wrong-token": { status: 401, error: "The event's token is not the one set in Node-RED." },
  "wrong-type": { status: 400, error: "The event has a field of a wrong type" },
  deploying: { status: 503, error: "Node-RED is deploying its flows and could not take the event in time." },
  "not-stored": { status: 503, error: "Node-RED could not store the event in its inbox." },
} as const satisfies Record<string, { status: number; error: string }>;

export type Refusal = keyof typeof refusals;

/** What the sender is told. */
export interface Answer {
  status: number;
  body: { ok: true; duplicate?: true } | { ok: false; error: string };
}

/** What keeps a merchant's events until the flow has dealt with them, and gives them to it. */
export interface Keeper {
  /**
   * @param event without its token; the keeper's own from here on
   * @param body as it came
   * @param problem the fields of a wrong type, where it has any: it is kept as failed
   * @returns `closed`: another one comes in its place
   */
  accept(
    event: JsonObject,
    arrival: { path: string; body: Buffer; receivedAt: Date },
    problem?: string,
  ): Promise<"stored" | "duplicate" | "not-stored" | "closed">;
  /** Is told of a request that was refused. */
  refused(why: Refusal): void;
}

/** Who wants the events of a path: a `radaro in` node. */
export interface Receiver {
  /** Whose events; `undefined` while no merchant is chosen. */
  merchant: Merchant | undefined;
  /** Topics to let through; empty: all, and those not known yet. */
  topics: ReadonlySet<unknown>;
  /** Where its events come from, if not from the request: an inbox. */
  keeper?: Keeper | undefined;
  /** Takes a message of its own, for the flow. */
  deliver(message: EventMessage): void;
  /** Takes a verified event that has problems, with a message of its own, for a Catch node. */
  fail(problem: string, message: EventMessage): void;
  /** Is told of a request that was refused. */
  refused(why: Refusal): void;
  /** Is told that the flows were deployed: what it receives for may be another. */
  deployed?(): void;
  /**
   * Is told of an answer, where somebody measures.
   *
   * @param message that it has got from the request; without an id where an inbox gives it one later
   */
  answered?(message: { _msgid?: string }, answer: { milliseconds: number; bytes: number }): void;
}

/** Refuses a request and tells all receivers of its path. */
export function refuse(why: Refusal, receivers: Iterable<Receiver>, detail?: string): Answer {
  for (const receiver of receivers) receiver.refused(why);
  for (const keeper of keepersOf(receivers)) keeper.refused(why);
  const { status, error } = refusals[why];
  return { status, body: { ok: false, error: detail === undefined ? error : `${error}: ${detail}.` } };
}

export function keepersOf(receivers: Iterable<Receiver>): Set<Keeper> {
  return new Set([...receivers].flatMap(({ keeper }) => keeper ?? []));
}

/** A verified event. */
export interface Verified {
  /** Without its token. */
  event: JsonObject;
  /** Those whose merchant it is from. */
  verified: Receiver[];
  /** Those of them that let its topic through. */
  letThrough: Receiver[];
  /** The fields of a wrong type, where it has any. */
  problem?: string;
}

/** When an event arrived, and whether it was sent by a node's button. */
interface Arrival {
  receivedAt?: Date;
  test?: boolean;
}

/**
 * Verifies an event and looks at its fields.
 *
 * @param body what was parsed from the request's JSON
 * @param receivers all that share the path: they hear of what is refused
 * @returns the answer, where it is refused
 */
export function verify(body: unknown, receivers: Iterable<Receiver>): Verified | Answer {
  if (!isJsonObject(body)) return refuse("not-object", receivers);

  const { token, ...event } = body;
  if (typeof token !== "string") return refuse("no-token", receivers);
  const verified = [...receivers].filter(({ merchant }) => merchant?.accepts(token));
  if (verified.length === 0) return refuse("wrong-token", receivers);

  const letThrough = verified.filter((receiver) => wants(receiver, event));
  const problem = findProblems(event).join(", ");
  return { event, verified, letThrough, ...(problem !== "" && { problem }) };
}

/** Refuses an event with fields of a wrong type. Somebody has to hear of it: it is not sent again. */
export function refuseWrongType(
  { event, verified, letThrough, problem = "" }: Verified,
  { receivedAt = new Date(), test = false }: Arrival = {},
): Answer {
  const hearers = letThrough.length > 0 ? letThrough : verified.slice(0, 1);
  const messages = messagesFor(hearers, event, { receivedAt, test });
  hearers.forEach((receiver, i) => receiver.fail(problem, messages[i]!));
  for (const keeper of keepersOf(verified)) keeper.refused("wrong-type");
  return refuse("wrong-type", [], problem);
}

/**
 * Takes one event: verifies it, checks it and hands it to every receiver that it is for.
 *
 * @returns the answer for the sender, and the messages that receivers got
 */
export function receive(
  body: unknown,
  receivers: Iterable<Receiver>,
  arrival?: Arrival,
): { answer: Answer; delivered: EventMessage[] } {
  const verified = verify(body, receivers);
  if ("status" in verified) return { answer: verified, delivered: [] };
  if (verified.problem !== undefined) return { answer: refuseWrongType(verified, arrival), delivered: [] };
  const delivered = deliver(verified.event, verified.letThrough, arrival);
  return { answer: { status: 200, body: { ok: true } }, delivered };
}

/** Whether a receiver lets an event's topic through. */
export function wants({ topics }: Receiver, event: JsonObject): boolean {
  return topics.size === 0 || topics.has(event.topic);
}

/**
 * Hands an event to receivers.
 *
 * @param event is theirs from here on
 * @returns the messages that they got
 */
export function deliver(
  event: JsonObject,
  receivers: Receiver[],
  { receivedAt = new Date(), test = false }: Arrival = {},
): EventMessage[] {
  const messages = messagesFor(receivers, event, { receivedAt, test });
  receivers.forEach((receiver, i) => receiver.deliver(messages[i]!));
  return messages;
}

/** A message for each receiver, that no other receiver's flow can change. */
export function messagesFor(
  receivers: Receiver[],
  event: JsonObject,
  about: Omit<MessageOptions, "merchant">,
): EventMessage[] {
  return receivers.map(({ merchant }, i) =>
    toMessage(i === 0 ? event : copyJson(event), { ...about, merchant: merchant!.name }),
  );
}
