import * as z from "zod/mini";
import { isJsonObject, type JsonObject } from "./json";

/** An event whose fields that the nodes rely on have the right types. The rest is as it was sent. */
export interface RadaroEvent extends JsonObject {
  topic?: string | null;
  event_type?: string | null;
  updated_at?: string | null;
  new_values?: JsonObject | null;
  old_values?: JsonObject | null;
  order_info?: JsonObject | null;
}

const text = z.nullish(z.string("must be a text or null"));
// Only the kind of these is looked at: they may hold a whole job, and anything in it is allowed.
const object = z.nullish(z.custom<JsonObject>(isJsonObject, "must be an object or null"));

const schema = z.looseObject({
  topic: text,
  event_type: text,
  updated_at: text,
  new_values: object,
  old_values: object,
  order_info: object,
});

/**
 * Looks for fields that the nodes rely on and that have a wrong type. Missing and unknown fields
 * are no problem: Radaro's older integrations and other topics lack most of them.
 *
 * @param event what arrived
 * @returns one sentence a field, such as `new_values must be an object or null`; empty: a good event
 */
export function findProblems(event: JsonObject): string[] {
  // The parsed copy is not used: the event goes on as it was sent.
  const result = schema.safeParse(event);
  return result.success ? [] : result.error.issues.map(({ path, message }) => `${path.join(".")} ${message}`);
}
