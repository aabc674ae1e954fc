import { readText, unsetVariable } from "../event/values";
import { findPathMistake } from "./webhook-url";

/** Where a `radaro in` receives by default. */
const defaultPath = "/radaro";

/** What is wrong with a path or with topics: nothing can arrive. */
export type PropertyProblem =
  | "no-path"
  | "path-not-text"
  | "path-variable"
  | "part-variable"
  | "path-url"
  | "path-wrong"
  | "topics-not-list"
  | "topics-variable";

/**
 * A `radaro in`'s path, as its user wrote it.
 *
 * @param value as it is when Node-RED has put in the variables
 * @returns with what is wrong, where nothing can arrive; `name` of the variable that is not set
 */
export function readPath(
  value: unknown,
): { path: string; problem?: undefined } | { path?: undefined; problem: PropertyProblem; name?: string } {
  if (value === undefined || value === null) return { path: defaultPath };
  if (typeof value === "object" || typeof value === "boolean") return { problem: "path-not-text" };
  const path = readText(value);
  if (path === "") return { problem: "no-path" };
  const name = unsetVariable(path);
  if (name !== undefined) return { problem: "path-variable", name };
  // Node-RED puts in a variable only where it is all there is.
  if (/\$\{[^}]*\}/.test(path)) return { problem: "part-variable" };
  const mistake = findPathMistake(path);
  if (mistake) return { problem: mistake === "url" ? "path-url" : "path-wrong" };
  return { path };
}

/** In place of topics, where none can come through. */
const noTopic = Symbol("no topic");

/**
 * The topics that a `radaro in` lets through; empty: all.
 *
 * @param value as it is when Node-RED has put in the variables
 * @returns with what is wrong with one of them, or with all: those that are right hold; `isNone`: there
 *   are none, so that nothing can come through
 */
export function readTopics(value: unknown): {
  topics: ReadonlySet<string | symbol>;
  problem?: PropertyProblem;
  name?: string;
  isNone?: boolean;
} {
  if (value === undefined || value === null || value === "") return { topics: new Set() };
  const entries: unknown[] = Array.isArray(value) ? value : [value];
  const unset = entries.flatMap((entry) => (typeof entry === "string" ? (unsetVariable(entry) ?? []) : []));
  const isRight = (entry: unknown) =>
    typeof entry === "string" && entry.trim() !== "" && unsetVariable(entry) === undefined;
  const right = Array.isArray(value) ? entries.filter(isRight).map(readText) : [];
  if (right.length === entries.length) return { topics: new Set(right) };
  const isNone = right.length === 0;
  const topics = new Set<string | symbol>(isNone ? [noTopic] : right);
  if (unset.length > 0) return { topics, isNone, problem: "topics-variable", name: unset[0]! };
  return { topics, isNone, problem: "topics-not-list" };
}
