import { meaningOf } from "../../src/routing/meanings";
import { findRuleProblem, type EventRule } from "../../src/routing/rules";
import { nameOf } from "../editor/names";
import { jobField } from "./condition";
import type { Translate } from "./sentence";

/**
 * What keeps a rule from ever matching, as the end of a sentence about it: also that it waits for a
 * change of what never is among what has changed. `undefined`: nothing.
 */
export function findProblem(rule: unknown, t: Translate): string | undefined {
  const found = findRuleProblem(rule);
  if (found) return t(`problem.${found}`);
  const { field, eventType } = rule as { field?: string | null; eventType?: string | null };
  const id = (field ?? "").trim().toLowerCase();
  if (jobField(id)?.neverChanges) return t("problem.never-changes", { field: nameOf("jobField", id) });
  if (id !== "" && (eventType === "created" || eventType === "deleted")) return t("problem.never-told");
  const limit = meaningOf(rule) === "job-rated-low" ? Number((rule as EventRule).value) : 1;
  return limit >= 1 && limit <= 10 ? undefined : t("problem.no-rating");
}
