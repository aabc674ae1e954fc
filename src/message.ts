import { summarise, type EventSummary } from "./event";
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
  };
};

/** @param event without its token */
export function toMessage(
  event: JsonObject,
  { merchant, receivedAt, test }: { merchant: string; receivedAt: Date; test: boolean },
): EventMessage {
  const radaro: EventMessage["radaro"] = Object.assign(summarise(event), {
    merchant,
    receivedAt: receivedAt.toISOString(),
  });
  if (test) radaro.test = true;
  return { topic: typeof event.topic === "string" ? event.topic : "", payload: event, radaro };
}
