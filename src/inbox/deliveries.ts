/**
 * - `waiting`: not given yet, or with the flow
 * - `processed`: the flow is done with it
 * - `failed`: a node reported an error that stands, or somebody said so
 */
export type State = "waiting" | "processed" | "failed";

/** An error that a node reported, or what else a delivery failed of. */
export interface FlowError {
  text: string;
  node: { id: string; name?: string; type: string };
}

/** An event on its way to one `radaro in`. Times are ISO-8601, UTC. */
export interface Delivery {
  /** The id of the `radaro in`. */
  node: string;
  state: State;
  /** How many times it was given. */
  times: number;
  /** Since when the flow has it, where it does: of a waiting one, or one that a limit has given up. */
  since?: string;
  /** Of a failed one: when it is given again by itself. */
  againAt?: string;
  /** How many of the retries were used since somebody ran it. */
  retries?: number;
  /** Of a failed one. */
  error?: FlowError;
  /** Of a processed one: a person has dealt with it. */
  settled?: true;
}

/** In milliseconds. */
const minute = 60_000;

/** How soon after it was given again a failure counts as one of nodes that were not ready, in milliseconds. */
export const notReady = minute;

/** How long after that it is given once more, in milliseconds. */
const onceMoreAfter = minute;

const iso = (time: number) => new Date(time).toISOString();

/** One that was not given yet. */
export function newDelivery(node: string): Delivery {
  return { node, state: "waiting", times: 0 };
}

/** It is given to the flow. @param now in milliseconds */
export function given({ node, times, retries }: Delivery, now: number): Delivery {
  return { node, state: "waiting", times: times + 1, since: iso(now), ...kept(retries) };
}

/** The flow has not had it after all. */
export function takenBack({ node, times, retries }: Delivery): Delivery {
  return { node, state: "waiting", times: times - 1, ...kept(retries) };
}

/** The flow has lost it: it waits to be given again. */
export function interrupted({ node, times, retries }: Delivery): Delivery {
  return { node, state: "waiting", times, ...kept(retries) };
}

/** As it is where the flows that had it are not there any more: neither is what a limit has given up with them. */
export function left(delivery: Delivery): Delivery {
  if (delivery.since === undefined) return delivery;
  const rest = { ...delivery };
  delete rest.since;
  return rest;
}

/** The flow has it once more, though it had settled it. @param now in milliseconds */
export function reopened({ node, times, retries }: Delivery, now: number): Delivery {
  return { node, state: "waiting", times, since: iso(now), ...kept(retries) };
}

/** The flow is done with it. */
export function processed({ node, times }: Delivery): Delivery {
  return { node, state: "processed", times };
}

/** A person has dealt with it. */
export function settled(delivery: Delivery): Delivery {
  return { ...processed(delivery), settled: true };
}

/**
 * It has failed.
 *
 * @param how `now`: in milliseconds; `after`: the minutes after which it is given again by itself;
 *   `isOnceMore`: its nodes may not have been ready, so it comes once more whatever those say; `stays`: the
 *   flow has it still
 */
export function failed(
  { node, times, retries = 0, since }: Delivery,
  error: FlowError,
  how: { now: number; after?: readonly number[]; isOnceMore?: boolean; stays?: boolean },
): Delivery {
  const { now, after = [], isOnceMore = false, stays = false } = how;
  const wait = isOnceMore ? onceMoreAfter : (after[retries] ?? 0) * minute;
  return {
    ...{ node, state: "failed", times, error },
    ...(stays && since !== undefined && { since }),
    ...kept(isOnceMore || wait === 0 ? retries : retries + 1),
    ...(wait > 0 && { againAt: iso(now + wait) }),
  };
}

/** Its retry is due: it waits to be given. */
export function due(delivery: Delivery): Delivery {
  return interrupted(delivery);
}

/** Somebody runs it again: all retries are before it. */
export function runAgain({ node, times }: Delivery): Delivery {
  return { node, state: "waiting", times };
}

const kept = (retries: number | undefined) => (retries ? { retries } : {});

/**
 * An event's state: the worst of its deliveries'.
 *
 * @param deliveries `undefined`: it is not known yet which there are
 */
export function stateOf(deliveries: readonly Delivery[] | undefined): State {
  if (!deliveries) return "waiting";
  if (deliveries.some(({ state }) => state === "failed")) return "failed";
  return deliveries.some(({ state }) => state === "waiting") ? "waiting" : "processed";
}

/** Whether a delivery waits, or may. */
export function isOpen(deliveries: readonly Delivery[] | undefined): boolean {
  return !deliveries || deliveries.some(({ state }) => state === "waiting");
}

/** When the first of its deliveries is given again by itself; `undefined`: none is. */
export function againAt(deliveries: readonly Delivery[] | undefined): string | undefined {
  return deliveries
    ?.flatMap(({ againAt }) => againAt ?? [])
    .sort()
    .at(0);
}

/** Whether a retry is due: by its time, or because that lies so far ahead that the clock was set. Both in milliseconds. */
export function isDue({ againAt }: Delivery, now: number): boolean {
  if (againAt === undefined) return false;
  const at = Date.parse(againAt);
  return at <= now || at > now + longest;
}

/** How many minutes a retry waits at most (contract). */
export const longestRetry = 10_080;

const longest = longestRetry * minute + minute;

/** How many retries there are at most (contract). */
const maxRetries = 20;

/**
 * Reads the minutes after which a failed delivery is given again.
 *
 * @param text numbers with commas between; `""`: none
 * @returns `undefined` where it is no such list
 */
export function readRetries(text: string): number[] | undefined {
  if (text.trim() === "") return [];
  const parts = text.split(",").map((part) => part.trim());
  const isRight = parts.every((part) => /^\d+(\.\d+)?$/.test(part));
  const numbers = parts.map(Number);
  const isWithin = numbers.every((number) => number > 0 && number <= longestRetry);
  return isRight && isWithin && numbers.length <= maxRetries ? numbers : undefined;
}
