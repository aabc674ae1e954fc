/** How a condition compares. */
export const operators = ["eq", "neq", "lt", "lte", "gt", "gte", "has", "empty", "nempty"] as const;
export type Operator = (typeof operators)[number];

/** What a property of the event's job (`order_info`) must be. */
export interface JobCondition {
  /** The way to the property: `rating`, `customer.name`; of a list `completion_codes.0.code`. */
  property: string;
  op: Operator;
  /** Of the type that it is compared as; of `has` a text; `undefined` for `empty` and `nempty`. */
  value: string | number | boolean | undefined;
}

/**
 * Goes to a property of a job by own keys only.
 *
 * @param path the keys on the way, those of a list are its places from 0
 * @returns `undefined` where a part of the way is missing
 */
export function valueAt(job: unknown, path: readonly string[]): unknown {
  let value = job;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

/**
 * Whether a job's value is as a condition wants it. What differs in type is not equal, and is neither
 * lower nor higher. `neq` holds wherever `eq` does not, and `nempty` wherever `empty` does not: of two
 * rules with the one and the other, each job meets exactly one.
 *
 * @param actual what the job has there, `undefined` where it lacks it
 */
export function meets(actual: unknown, { op, value }: Omit<JobCondition, "property">): boolean {
  switch (op) {
    case "eq":
      return actual === value;
    case "neq":
      return actual !== value;
    case "has":
      return hasText(actual, String(value).toLowerCase());
    case "empty":
      return isEmpty(actual);
    case "nempty":
      return !isEmpty(actual);
    default:
      return isOrdered(actual, op, value);
  }
}

function isOrdered(actual: unknown, op: "lt" | "lte" | "gt" | "gte", value: unknown): boolean {
  if (typeof actual !== typeof value || (typeof actual !== "number" && typeof actual !== "string"))
    return false;
  const wanted = value as typeof actual;
  switch (op) {
    case "lt":
      return actual < wanted;
    case "lte":
      return actual <= wanted;
    case "gt":
      return actual > wanted;
    case "gte":
      return actual >= wanted;
  }
}

/**
 * Whether a text or a number contains a text, or anything in a list or an object does. It does not
 * call itself: an event may be nested deeply.
 */
function hasText(actual: unknown, lowerCase: string): boolean {
  const parts = [actual];
  while (parts.length > 0) {
    const part = parts.pop();
    if (typeof part === "object" && part !== null) for (const each of Object.values(part)) parts.push(each);
    else if (typeof part === "string" || typeof part === "number") {
      if (String(part).toLowerCase().includes(lowerCase)) return true;
    }
  }
  return false;
}

/** Missing, `null`, or a text, list or object with nothing in it. 0 and `false` are something. */
function isEmpty(actual: unknown): boolean {
  if (actual === undefined || actual === null || actual === "") return true;
  return typeof actual === "object" && Object.keys(actual).length === 0;
}
