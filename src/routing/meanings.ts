import type { JobCondition } from "./job-condition";
import { parseRule, type EventRule, type ParsedRule, type Rule } from "./rules";

/**
 * What people mean, with the rule that says it: what the editor offers instead of a rule's parts.
 *
 * None of them names a topic where something else tells enough, so that they hold for the older
 * integrations too, whose events have none.
 */
export const meanings = {
  "job-created": { eventType: "created" },
  "job-assigned": status("assigned"),
  "driver-on-the-way": status("in_progress"),
  "job-completed": status("delivered"),
  "job-rated": rated(),
  "job-rated-low": { ...rated(), job: "rating", op: "lte", value: "5", valueType: "num" },
  "job-failed": status("failed"),
  "job-deleted": { eventType: "deleted" },
  "deadline-changed": changed("deliver_before"),
  "codes-given": changed("completion_codes"),
  "barcodes-scanned": changed("barcodes"),
  "start-of-day-checklist": { topic: "checklist.start_of_day_checklist_passed" },
  "end-of-day-checklist": { topic: "checklist.end_of_day_checklist_passed" },
  "job-checklist": { topic: "checklist.job_checklist_passed" },
  "job-checklist-confirmed": { topic: "checklist.job_checklist_confirmation" },
} as const satisfies Record<string, Omit<EventRule, "kind">>;

/**
 * Besides: any other change of a field, any other event, what came after a later change, and what no
 * rule before it matched.
 */
export type Meaning = keyof typeof meanings | "changed" | "event" | "superseded" | "otherwise";

const noParts = {
  topic: "",
  eventType: "",
  field: "",
  from: "",
  fromType: "any",
  to: "",
  toType: "any",
} as const;

/** The rule that says what is meant, with all its parts. */
export function ruleOf(meaning: Meaning): Rule {
  switch (meaning) {
    case "superseded":
    case "otherwise":
      return { kind: meaning };
    case "changed":
      return { kind: "event", ...noParts, eventType: "updated" };
    case "event":
      return { kind: "event", ...noParts };
    default:
      return { kind: "event", ...noParts, ...meanings[meaning] };
  }
}

/**
 * What a rule means, however it is written. What it asks of the job besides does not count, but for the
 * rating of `job-rated-low`, which may be any.
 *
 * @returns `undefined`: it is no rule
 */
export function meaningOf(rule: unknown): Meaning | undefined {
  const parsed = parseRule(rule);
  if (typeof parsed === "string") return parsed;
  if ("problem" in parsed) return undefined;
  const withoutJob = (rule: ParsedRule) => JSON.stringify({ ...rule, job: undefined });
  const same = (meaning: Meaning) =>
    withoutJob(parseRule(ruleOf(meaning)) as ParsedRule) === withoutJob(parsed);
  const known = (Object.keys(meanings) as Meaning[]).find(same);
  if (known === "job-rated" && isLowRating(parsed.job)) return "job-rated-low";
  if (known) return known;
  return parsed.topic === "" && parsed.eventType === "updated" ? "changed" : "event";
}

function isLowRating(job: JobCondition | undefined): boolean {
  return job?.property === "rating" && job.op === "lte" && typeof job.value === "number";
}

function status(to: string) {
  return { ...changed("status"), to, toType: "str" } as const;
}

function rated() {
  return { ...changed("is_confirmed_by_customer"), to: "true", toType: "bool" } as const;
}

function changed(field: string) {
  return { eventType: "updated", field } as const;
}
