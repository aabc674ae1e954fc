import { isJsonObject, type JsonObject } from "./json";

/** How to read a rule's `from` and `to`. */
export type ValueType = "any" | "str" | "num" | "bool" | "null";

/** A rule of `radaro switch`, as it is kept in a flow. All parts given must hold. */
export interface EventRule {
  kind: "event";
  /** `""` or absent: any. */
  topic?: string;
  /** `""` or absent: any. */
  eventType?: string;
  /** A key that `new_values` must have; `""` or absent: any, also none. */
  field?: string;
  /** The field's value in `old_values`. Also as text, which `fromType` says how to read. */
  from?: unknown;
  fromType?: ValueType;
  /** The field's value in `new_values`. Also as text, which `toType` says how to read. */
  to?: unknown;
  toType?: ValueType;
}

export type Rule = EventRule | { kind: "otherwise" };

type Test = (event: JsonObject) => boolean;

/** Rules, made ready to run once an event. */
export interface CompiledRules {
  /**
   * @param event what the message's property holds
   * @returns for each rule, in their order, whether the event goes to its output
   */
  route(event: JsonObject): boolean[];
  /** What is wrong with which rule (counted from 1). Such a rule never matches; the others work. */
  problems: { rule: number; problem: RuleProblem }[];
}

export type RuleProblem = "not-a-rule" | "wrong-part" | "wrong-from" | "wrong-to";

/**
 * @param rules as the flow has them: anything may stand there
 * @param checkall true: to every rule that matches; false: to the first only
 */
export function compileRules(rules: readonly unknown[], checkall: boolean): CompiledRules {
  const problems: CompiledRules["problems"] = [];
  const tests = rules.map((rule, i): Test | "otherwise" => {
    const compiled = compileRule(rule);
    if (typeof compiled === "function" || compiled === "otherwise") return compiled;
    problems.push({ rule: i + 1, problem: compiled.problem });
    return () => false;
  });
  return {
    problems,
    route(event) {
      let matched = false;
      return tests.map((test) => {
        if (matched && !checkall) return false;
        const matches = test === "otherwise" ? !matched : test(event);
        matched ||= matches;
        return matches;
      });
    },
  };
}

/** Finds what is wrong with one rule. `undefined`: nothing. */
export function findRuleProblem(rule: unknown): RuleProblem | undefined {
  const compiled = compileRule(rule);
  return typeof compiled === "object" ? compiled.problem : undefined;
}

/** A rule about events with all its parts, read: what it means, however it is written. */
export interface ParsedRule {
  topic: string;
  eventType: string;
  field: string;
  from: Wanted;
  to: Wanted;
}

function compileRule(rule: unknown): Test | "otherwise" | { problem: RuleProblem } {
  const parsed = parseRule(rule);
  if (parsed === "otherwise" || "problem" in parsed) return parsed;
  const { topic, eventType, field, from, to } = parsed;
  return (event) =>
    (topic === "" || event.topic === topic) &&
    (eventType === "" || event.event_type === eventType) &&
    (field === "" ||
      (hasValue(event.new_values, field, to) && (from === "any" || hasValue(event.old_values, field, from))));
}

/** Reads a rule, or says what is wrong with it. */
export function parseRule(rule: unknown): ParsedRule | "otherwise" | { problem: RuleProblem } {
  if (!isJsonObject(rule)) return { problem: "not-a-rule" };
  if (rule.kind === "otherwise") return "otherwise";
  if (rule.kind !== "event") return { problem: "not-a-rule" };

  const parts = [rule.topic ?? "", rule.eventType ?? "", rule.field ?? ""];
  if (!parts.every((part) => typeof part === "string")) return { problem: "wrong-part" };
  const [topic, eventType, field] = parts as [string, string, string];
  const from = readValue(rule.from, rule.fromType);
  if (from === "unreadable") return { problem: "wrong-from" };
  const to = readValue(rule.to, rule.toType);
  if (to === "unreadable") return { problem: "wrong-to" };

  return { topic, eventType, field, from, to };
}

/** The value that a field must have. */
export type Wanted = "any" | { value: string | number | boolean | null };

function hasValue(values: unknown, field: string, wanted: Wanted): boolean {
  return (
    isJsonObject(values) &&
    Object.hasOwn(values, field) &&
    (wanted === "any" || values[field] === wanted.value)
  );
}

function readValue(value: unknown, type: unknown): Wanted | "unreadable" {
  switch (type ?? "any") {
    case "any":
      return "any";
    case "null":
      return { value: null };
    case "str":
      if (typeof value === "string") return { value };
      return typeof value === "number" || typeof value === "boolean"
        ? { value: String(value) }
        : "unreadable";
    case "num": {
      const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
      return typeof number === "number" && Number.isFinite(number) ? { value: number } : "unreadable";
    }
    case "bool":
      if (value === true || value === "true") return { value: true };
      if (value === false || value === "false") return { value: false };
      return "unreadable";
    default:
      return "unreadable";
  }
}
