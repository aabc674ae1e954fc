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

/** What came of a delivery that the flow had, where that was not all well the first time. Times are ISO-8601, UTC. */
export interface Try {
  /** When it was given. */
  since?: string;
  /** When it was settled; absent: it was lost, by a deploy or the end of Node-RED. */
  until?: string;
  outcome: "failed" | "interrupted" | "processed";
  /** What it failed of. */
  text?: string;
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
  /** What came of it until now, the latest: absent where it was well the first time. */
  tries?: Try[];
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
export function given(delivery: Delivery, now: number): Delivery {
  const { node, times } = delivery;
  return { node, state: "waiting", times: times + 1, since: iso(now), ...kept(delivery) };
}

/** The flow has not had it after all. */
export function takenBack(delivery: Delivery): Delivery {
  const { node, times } = delivery;
  return { node, state: "waiting", times: times - 1, ...kept(delivery) };
}

/**
 * What counts of a delivery where an inbox that does not give it any more, or never did, says what has become
 * of it: a later word than the one before, but no failure where the flow was done with it after all, or does
 * not have it and so gets it again.
 *
 * @param there as the inbox has it that gives it
 * @param said as the other has it
 */
export function lastWord(there: Delivery, said: Delivery): Delivery {
  const isNews =
    there.state !== "processed" &&
    (said.state === "processed" ||
      (said.state === "failed" && there.state === "waiting" && there.since !== undefined));
  return isNews ? { ...said, times: Math.max(said.times, there.times) } : there;
}

/**
 * What counts of a delivery for the inbox that gives it, where another one has changed it in the store: that
 * may have known less.
 *
 * @param mine as the inbox has it
 * @param said as it is in the store
 */
export function changedBy(mine: Delivery, said: Delivery): Delivery {
  // As it was before it was given or failed, it was given fewer times.
  const isRunAgain =
    mine.state !== "waiting" &&
    said.state === "waiting" &&
    said.since === undefined &&
    said.times >= mine.times;
  return isRunAgain ? said : lastWord(mine, said);
}

/** The flow has lost it: it waits to be given again. */
export function interrupted(delivery: Delivery): Delivery {
  const { node, times } = delivery;
  return { node, state: "waiting", times, ...kept(lost(delivery)) };
}

/** As it is where the flows that had it are not there any more: neither is what a limit has given up with them. */
export function left(delivery: Delivery): Delivery {
  if (delivery.since === undefined) return delivery;
  const rest = delivery.state === "waiting" ? lost(delivery) : { ...delivery };
  delete rest.since;
  return rest;
}

const lost = (delivery: Delivery) =>
  delivery.since === undefined
    ? delivery
    : tried(delivery, { since: delivery.since, outcome: "interrupted" });

/** The flow has it once more, though it had settled it. @param now in milliseconds */
export function reopened(delivery: Delivery, now: number): Delivery {
  const { node, times } = delivery;
  return { node, state: "waiting", times, since: iso(now), ...kept(delivery) };
}

/** The flow is done with it. @param now in milliseconds */
export function processed(delivery: Delivery, now: number): Delivery {
  const { node, times, tries } = delivery;
  const isFirst = tries === undefined;
  const last: Try = { ...sinceOf(delivery), until: iso(now), outcome: "processed" };
  return { node, state: "processed", times, ...(isFirst ? {} : triesOf(tried(delivery, last))) };
}

/** A person has dealt with it. */
export function settled(delivery: Delivery): Delivery {
  const { node, times } = delivery;
  return { node, state: "processed", times, settled: true, ...triesOf(delivery) };
}

/**
 * It has failed.
 *
 * @param how `now`: in milliseconds; `after`: the minutes after which it is given again by itself;
 *   `isOnceMore`: its nodes may not have been ready, so it comes once more whatever those say; `stays`: the
 *   flow has it still
 */
export function failed(
  delivery: Delivery,
  error: FlowError,
  how: { now: number; after?: readonly number[]; isOnceMore?: boolean; stays?: boolean },
): Delivery {
  const { node, times, since } = delivery;
  const { now, stays = false } = how;
  const text = error.text.slice(0, maxTryText);
  const last: Try = { ...sinceOf(delivery), until: iso(now), outcome: "failed", text };
  // One more error of the same try: that comes again already.
  const isKnown = delivery.state === "failed" && delivery.againAt !== undefined;
  return {
    ...{ node, state: "failed", times, error },
    ...(stays && since !== undefined && { since }),
    ...(isKnown ? { ...retriesOf(delivery), againAt: delivery.againAt } : next(delivery, how)),
    ...triesOf(isKnown ? delivery : tried(delivery, last)),
  };
}

/** When a delivery that has failed comes again by itself, and how many retries are used with that. */
function next(
  { retries = 0 }: Delivery,
  { now, after = [], isOnceMore = false }: Parameters<typeof failed>[2],
): Pick<Delivery, "retries" | "againAt"> {
  const wait = isOnceMore ? onceMoreAfter : (after[retries] ?? 0) * minute;
  return {
    ...retriesOf({ retries: isOnceMore || wait === 0 ? retries : retries + 1 }),
    ...(wait > 0 && { againAt: iso(now + wait) }),
  };
}

/** Its retry is due: it waits to be given. */
export function due(delivery: Delivery): Delivery {
  const { node, times } = delivery;
  return { node, state: "waiting", times, ...kept(delivery) };
}

/** Somebody runs it again: all retries are before it. */
export function runAgain(delivery: Delivery): Delivery {
  const { node, times } = delivery;
  return { node, state: "waiting", times, ...triesOf(delivery) };
}

/** How many tries are kept of a delivery, and how much of what each failed of, in characters. */
const maxTries = 10;
const maxTryText = 200;

const tried = (delivery: Delivery, last: Try): Delivery => ({
  ...delivery,
  tries: [...(delivery.tries ?? []), last].slice(-maxTries),
});

const sinceOf = ({ since }: Delivery) => (since === undefined ? {} : { since });
const triesOf = ({ tries }: Delivery) => (tries ? { tries } : {});
const retriesOf = ({ retries }: Pick<Delivery, "retries">) => (retries ? { retries } : {});
const kept = (delivery: Delivery) => ({ ...retriesOf(delivery), ...triesOf(delivery) });

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

/** Whether a delivery has failed of a cause. @param cause what is absent is not looked at; `node`: also the one it is for */
export function isOfCause(delivery: Delivery, cause: { node?: string; error?: string }): boolean {
  const { state, node, error } = delivery;
  return (
    state === "failed" &&
    (cause.node === undefined || error?.node.id === cause.node || node === cause.node) &&
    (cause.error === undefined || error?.text === cause.error)
  );
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
