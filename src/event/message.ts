import { summarise, type EventSummary } from "./summary";
import type { JsonObject } from "./json";

/** The message that leaves `radaro in`, without what Node-RED adds to it. */
export type EventMessage = {
  /** The event's topic, `""` where it has none. */
  topic: string;
  /** The event as it was sent, without `token`. */
  payload: JsonObject;
  radaro: EventSummary & {
    /** Name of the merchant whose token the event carried. */
    merchant: string;
    /** ISO-8601, UTC. */
    receivedAt: string;
    /** Only on test events. */
    test?: true;
    /** With an inbox: the same each time that this event comes. */
    eventId?: string;
    /** With an inbox: which delivery this is, for `radaro done`. */
    delivery?: string;
    /** With an inbox: how many times this node has sent the event before; absent the first time. */
    redelivery?: number;
    /** With an inbox: a later event about the same change of the same job was accepted before. */
    superseded?: true;
    /** With an inbox: it has not come, and was made of what Radaro's jobs API says. */
    caughtUp?: true;
  };
};

/** What a message says besides the event. */
export interface MessageOptions {
  merchant: string;
  receivedAt: Date;
  test?: boolean;
  superseded?: boolean | undefined;
  caughtUp?: boolean | undefined;
}

/** @param event without its token */
export function toMessage(
  event: JsonObject,
  { merchant, receivedAt, test, superseded, caughtUp }: MessageOptions,
): EventMessage {
  const radaro: EventMessage["radaro"] = Object.assign(summarise(event), {
    merchant,
    receivedAt: receivedAt.toISOString(),
  });
  if (test) radaro.test = true;
  if (superseded) radaro.superseded = true;
  if (caughtUp) radaro.caughtUp = true;
  return { topic: typeof event.topic === "string" ? event.topic : "", payload: event, radaro };
}
