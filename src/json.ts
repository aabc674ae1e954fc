/** An object of JSON, as `JSON.parse` gives it. */
export type JsonObject = Record<string, unknown>;

/** Whether a value is an object of JSON: not `null`, a list or a plain value. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
