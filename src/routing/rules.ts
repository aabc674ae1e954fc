import { meets, operators, valueAt, type JobCondition, type Operator } from "./job-condition";
import { isJsonObject, type JsonObject } from "../event/json";

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
  /** The way to a property of the job in `order_info`; `""` or absent: does not look at the job. */
  job?: string;
  op?: Operator;
  /** What the property is compared with. Also as text, which `valueType` says how to read. */
  value?: unknown;
  /** Absent: the type that the value has. */
  valueType?: "str" | "num" | "bool";
}

/** `superseded`: a later change came before the event, which the message says, and not the event. */
export type Rule = EventRule | { kind: "superseded" } | { kind: "otherwise" };

/** Rules, made ready to run once an event. */
export interface CompiledRules {
  /**
   * @param event what the message's property holds
   * @param superseded whether the message says that a later change came before it
   * @returns to which outputs the event goes: the places of the rules that match, counted from 0, rising
   */
  route(event: JsonObject, superseded?: boolean): number[];
  /** What is wrong with which rule (counted from 1). Such a rule never matches; the others work. */
  problems: { rule: number; problem: RuleProblem }[];
}

export type RuleProblem =
  "not-a-rule" | "wrong-part" | "wrong-from" | "wrong-to" | "wrong-job" | "wrong-op" | "wrong-value";

/**
 * @param rules as the flow has them: anything may stand there
 * @param checkall true: to every rule that matches; false: to the first only
 */
export function compileRules(rules: readonly unknown[], checkall: boolean): CompiledRules {
  const problems: CompiledRules["problems"] = [];
  const ofSuperseded: number[] = [];
  const withoutField = new RuleGroup();
  // An event has few fields, each with one value: of however many rules, only those about them are
  // looked at.
  const byField = new Map<string, Map<unknown, RuleGroup>>();
  let otherwise = Infinity;
  rules.forEach((rule, place) => {
    const parsed = parseRule(rule);
    if (parsed === "otherwise") {
      // Behind the first, another can never match.
      otherwise = Math.min(otherwise, place);
    } else if (parsed === "superseded") {
      ofSuperseded.push(place);
    } else if ("problem" in parsed) {
      problems.push({ rule: place + 1, problem: parsed.problem });
    } else if (parsed.field === "") {
      withoutField.add({ ...parsed, place });
    } else {
      const { field, to } = parsed;
      const byValue = entry(byField, field, () => new Map<unknown, RuleGroup>());
      entry(byValue, to === "any" ? anyValue : to.value, () => new RuleGroup()).add({ ...parsed, place });
    }
  });

  function route(event: JsonObject, superseded = false): number[] {
    const places = superseded ? [...ofSuperseded] : [];
    withoutField.match(event, places);
    if (byField.size > 0 && isJsonObject(event.new_values)) {
      for (const [field, value] of Object.entries(event.new_values)) {
        const byValue = byField.get(field);
        byValue?.get(anyValue)?.match(event, places);
        byValue?.get(value)?.match(event, places);
      }
    }
    places.sort((a, b) => a - b);
    if (otherwise < (places[0] ?? Infinity)) places.unshift(otherwise);
    return checkall ? places : places.slice(0, 1);
  }
  return { route, problems };
}

/** In place of a value, for the rules that do not look at it. */
const anyValue = Symbol("any value");

/** A rule about events, and where it stands among all rules. */
interface PlacedRule extends ParsedRule {
  place: number;
}

/** Rules that want the same value of the same field, or no field at all. */
class RuleGroup {
  private readonly withoutJob: PlacedRule[] = [];
  /** A job has one value in each property: it is read once, and finds the rules that want it. */
  private readonly byProperty = new Map<
    string,
    { path: string[]; equal: Map<unknown, PlacedRule[]>; others: (PlacedRule & { job: JobCondition })[] }
  >();

  add(rule: PlacedRule): void {
    const { job } = rule;
    if (!job) {
      this.withoutJob.push(rule);
      return;
    }
    const { equal, others } = entry(this.byProperty, job.property, () => ({
      path: job.property.split("."),
      equal: new Map<unknown, PlacedRule[]>(),
      others: [],
    }));
    if (job.op === "eq") entry(equal, job.value, () => []).push(rule);
    else others.push({ ...rule, job });
  }

  /** @param places to which the places of the rules that match the event are added */
  match(event: JsonObject, places: number[]): void {
    const add = (rule: PlacedRule) => {
      if (matchesRest(event, rule)) places.push(rule.place);
    };
    this.withoutJob.forEach(add);
    if (this.byProperty.size === 0 || !isJsonObject(event.order_info)) return;
    for (const { path, equal, others } of this.byProperty.values()) {
      const value = valueAt(event.order_info, path);
      equal.get(value)?.forEach(add);
      for (const rule of others) if (meets(value, rule.job)) add(rule);
    }
  }
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}

/** @param event in which the rule's field and the job are as the rule wants them */
function matchesRest(event: JsonObject, { topic, eventType, field, from }: PlacedRule): boolean {
  return (
    (topic === "" || event.topic === topic) &&
    (eventType === "" || event.event_type === eventType) &&
    (field === "" || from === "any" || hasValue(event.old_values, field, from.value))
  );
}

/** Finds what is wrong with one rule. `undefined`: nothing. */
export function findRuleProblem(rule: unknown): RuleProblem | undefined {
  const parsed = parseRule(rule);
  return typeof parsed === "object" && "problem" in parsed ? parsed.problem : undefined;
}

/** A rule about events with all its parts, read: what it means, however it is written. */
export interface ParsedRule {
  topic: string;
  eventType: string;
  field: string;
  from: Wanted;
  to: Wanted;
  /** `undefined`: does not look at the job. */
  job: JobCondition | undefined;
}

/** Reads a rule, or says what is wrong with it. */
export function parseRule(rule: unknown): ParsedRule | "superseded" | "otherwise" | { problem: RuleProblem } {
  if (!isJsonObject(rule)) return { problem: "not-a-rule" };
  if (rule.kind === "superseded" || rule.kind === "otherwise") return rule.kind;
  if (rule.kind !== "event") return { problem: "not-a-rule" };

  const parts = [rule.topic ?? "", rule.eventType ?? "", rule.field ?? "", rule.job ?? ""];
  if (!parts.every((part) => typeof part === "string")) return { problem: "wrong-part" };
  const [topic, eventType, field, job] = parts as [string, string, string, string];
  const from = readValue(rule.from, rule.fromType);
  if (from === "unreadable") return { problem: "wrong-from" };
  const to = readValue(rule.to, rule.toType);
  if (to === "unreadable") return { problem: "wrong-to" };

  const property = job.trim().replace(/^(msg\.)?(payload\.)?order_info\./, "");
  if (property === "") return { topic, eventType, field, from, to, job: undefined };
  if (property.split(".").includes("")) return { problem: "wrong-job" };
  const condition = readCondition(rule);
  if ("problem" in condition) return condition;
  return { topic, eventType, field, from, to, job: { property, ...condition } };
}

function readCondition(rule: JsonObject): Omit<JobCondition, "property"> | { problem: RuleProblem } {
  const op = operators.find((each) => each === rule.op);
  if (op === undefined) return { problem: "wrong-op" };
  if (op === "empty" || op === "nempty") return { op, value: undefined };

  const typeOfValue = { string: "str", number: "num", boolean: "bool" }[typeof rule.value as string];
  const wanted = readValue(rule.value, rule.valueType ?? typeOfValue);
  if (wanted === "any" || wanted === "unreadable" || wanted.value === null) return { problem: "wrong-value" };
  const { value } = wanted;
  if (op === "has") return value === "" ? { problem: "wrong-value" } : { op, value: String(value) };
  // Of yes and no, neither is the lower.
  if (op !== "eq" && op !== "neq" && typeof value === "boolean") return { problem: "wrong-op" };
  return { op, value };
}

/** The value that a field must have. */
export type Wanted = "any" | { value: string | number | boolean | null };

function hasValue(values: unknown, field: string, value: unknown): boolean {
  return isJsonObject(values) && Object.hasOwn(values, field) && values[field] === value;
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
