/** An object of JSON, as `JSON.parse` gives it. */
export type JsonObject = Record<string, unknown>;

/**
 * Whether a value is an object as JSON has them: not `null`, a list or a plain value, and not a
 * Buffer, a date or an object of another class either, which a message can hold.
 */
export function isJsonObject(value: unknown): value is JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  // A Function node makes its objects in a context of its own, whose `Object` is another one.
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/**
 * A copy of what `JSON.parse` gave, that shares nothing with it. It does not call itself: what is
 * nested deeply can be sent, and ends `structuredClone` with an error.
 */
export function copyJson<T>(value: T): T {
  const begun: [from: JsonObject, to: JsonObject][] = [];
  const copy = (part: unknown) => {
    if (typeof part !== "object" || part === null) return part;
    const to = (Array.isArray(part) ? [] : {}) as JsonObject;
    begun.push([part as JsonObject, to]);
    return to;
  };
  const result = copy(value);
  for (let next = begun.pop(); next; next = begun.pop()) {
    const [from, to] = next;
    for (const key of Object.keys(from)) {
      const value = copy(from[key]);
      // Assigned, this one would become the copy's prototype.
      if (key === "__proto__") {
        Object.defineProperty(to, key, { value, enumerable: true, writable: true, configurable: true });
      } else {
        to[key] = value;
      }
    }
  }
  return result as T;
}
