import { readBoolean, readText } from "../event/values";
import { readTime, type Hours } from "./watch-hours";

/** What a `radaro watch` tells of. */
export interface Settings {
  failed: boolean;
  store: boolean;
  refused: boolean;
  /** Minutes; 0: it does not look. */
  waiting: number;
  /** Hours, of those that count; 0: it does not look. */
  silence: number;
  hours: Hours;
}

/** The properties of which something can be wrong. */
export type Wrong = "waiting" | "silence" | "from" | "to" | "days";

/** As a flow has them: absent, or of any type. */
export type Given = Partial<Record<"failed" | "store" | "refused" | Wrong, unknown>>;

/**
 * Reads what a `radaro watch` is to tell of.
 *
 * @returns `wrong`: the properties that cannot be read; these are as if they were not set
 */
export function readSettings(given: Given): { settings: Settings; wrong: Wrong[] } {
  const wrong: Wrong[] = [];
  const read = <T>(property: Wrong, parse: (value: unknown) => T | undefined, otherwise: T): T => {
    const value = given[property];
    if (value === undefined || value === null || value === "") return otherwise;
    const parsed = parse(value);
    if (parsed === undefined) wrong.push(property);
    return parsed ?? otherwise;
  };
  const settings = {
    failed: readBoolean(given.failed, true),
    store: readBoolean(given.store, true),
    refused: readBoolean(given.refused, true),
    waiting: read("waiting", readAmount, 0),
    silence: read("silence", readAmount, 0),
    hours: {
      from: read("from", (value) => readTime(readText(value)), 0),
      to: read("to", (value) => readTime(readText(value)), 1440),
      days: read("days", readDays, []),
    },
  };
  return { settings, wrong };
}

function readAmount(value: unknown): number | undefined {
  const text = readText(value);
  const amount = Number(text);
  return text !== "" && Number.isFinite(amount) && amount >= 0 ? amount : undefined;
}

function readDays(value: unknown): number[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const days = value.map((day) => (readText(day) === "" ? NaN : Number(day)));
  return days.every((day) => Number.isInteger(day) && day >= 0 && day <= 6) ? days : undefined;
}
