import { isJsonObject } from "../event/json";
import type { FlowError } from "./deliveries";

/** What a person can be told of. */
export const topics = ["failed", "store", "refused", "waiting", "silence", "catch-up"] as const;

export type Topic = (typeof topics)[number];

/** Something that holds, or did a moment ago. Times are in milliseconds, but for `since`. */
export interface Thing {
  topic: Topic;
  /** Since when: ISO-8601, UTC. */
  since: string;
  count: number;
  /** When it was seen first. */
  seen: number;
  /** Whether it was told. */
  told: boolean;
  /** Since when it does not hold any more. */
  gone?: number;
  /** Of what failed: where. */
  node?: FlowError["node"];
}

/** What is known of a merchant from the looks before. It is kept on disk, and holds nothing personal. */
export interface Watched {
  /** When it was looked at last, in milliseconds. */
  at: number;
  /** When an event came last, or it was looked at first: ISO-8601, UTC. */
  heard?: string;
  /** How many requests were refused, by the reason. */
  refused: Record<string, number>;
  /** When the oldest event that waits came, and since when it has waited: ISO-8601, UTC. */
  waiting?: { oldest: string; since: string };
  /** When the causes were seen that were told within the last hour, in milliseconds. */
  begun: number[];
  /** By their cause. */
  things: Record<string, Thing>;
}

/** Reads what was written. @returns `undefined` where it is something else: then it begins anew */
export function readWatched(value: unknown): Watched | undefined {
  if (!isJsonObject(value)) return undefined;
  const { at, heard, refused, waiting, begun, things } = value;
  const isRight =
    typeof at === "number" &&
    isTime(heard ?? "2026-01-01T00:00:00.000Z") &&
    isJsonObject(refused) &&
    Object.values(refused).every((count) => typeof count === "number") &&
    (waiting === undefined || (isJsonObject(waiting) && isTime(waiting.oldest) && isTime(waiting.since))) &&
    Array.isArray(begun) &&
    begun.every((each) => typeof each === "number") &&
    isJsonObject(things) &&
    Object.values(things).every(isThing);
  return isRight ? (value as unknown as Watched) : undefined;
}

function isThing(value: unknown): boolean {
  if (!isJsonObject(value)) return false;
  const { topic, since, count, seen, told, gone, node } = value;
  return (
    topics.some((each) => each === topic) &&
    isTime(since) &&
    [count, seen, gone ?? 0].every((each) => typeof each === "number") &&
    typeof told === "boolean" &&
    (topic !== "failed" ||
      (isJsonObject(node) && [node.id, node.type].every((each) => typeof each === "string")))
  );
}

function isTime(value: unknown): boolean {
  return typeof value === "string" && !Number.isNaN(Date.parse(value));
}
