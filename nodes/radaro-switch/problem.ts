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
  const { field } = rule as EventRule;
  const isWaiting = field !== undefined && jobField(field)?.neverChanges;
  return isWaiting ? t("problem.never-changes", { field: nameOf("jobField", field) }) : undefined;
}
