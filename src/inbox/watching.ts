import { findHolding, isKnown, isRecent, isWanted, moreCauses, type Facts } from "./watch-facts";
import type { Settings } from "./watch-settings";
import type { Thing, Topic, Watched } from "./watched";

/** What a person is told. */
export interface News extends Pick<Thing, "topic" | "since" | "count" | "node"> {
  /** What it is about: the same text when it begins and when it is over. */
  cause: string;
  state: "begun" | "over";
}

/** What is there when a merchant was looked at. */
interface Looked {
  watched: Watched;
  news: News[];
  /** When it is to be looked at again though nothing changes, in milliseconds; `undefined`: not at all. */
  next: number | undefined;
}

const [second, minute] = [1000, 60_000];

/** How long what failed of still more causes has to be gone, in milliseconds: new ones may come all the time. */
const moreAfter = 10 * minute;

/** How long something has to hold before it is told, in milliseconds: what a flow settles itself is no news. */
const graces: Record<Topic, number> = {
  failed: 3 * second,
  store: 10 * second,
  refused: 0,
  waiting: 0,
  silence: 0,
  "catch-up": 0,
};

/**
 * Looks at a merchant's inbox, and finds what a person is to be told.
 *
 * @param before what is known from the look before; `undefined`: this is the first
 * @param now in milliseconds
 */
export function look(before: Watched | undefined, facts: Facts, settings: Settings, now: number): Looked {
  const { things: old = {} } = before ?? {};
  const known = remember(before, facts, now);
  const { holding, due } = findHolding({ facts, settings, watched: { ...known, things: old }, before, now });
  const things = new Map<string, Thing>();
  const news: News[] = [];
  const tell = (state: News["state"], cause: string, { topic, since, count, node }: Thing) =>
    news.push({ topic, cause, state, since, count, ...(node && { node }) });
  for (const { cause, ...holds } of holding) {
    const thing: Thing = { seen: now, told: false, ...holds, ...(Object.hasOwn(old, cause) && old[cause]) };
    thing.count = Math.max(thing.count, holds.count);
    thing.seen = Math.min(thing.seen, now);
    delete thing.gone;
    things.set(cause, thing);
    // An event that could not be stored is lost.
    const grace = thing.topic === "store" && thing.count > 0 ? 0 : graces[thing.topic];
    if (thing.told) continue;
    thing.told = thing.seen + grace <= now;
    if (!thing.told) due.push(thing.seen + grace);
    else tell("begun", cause, thing);
  }
  for (const [cause, thing] of Object.entries(old)) {
    if (things.has(cause) || !isWanted(thing.topic, settings)) continue;
    const gone = Math.min(thing.gone ?? now, now);
    const at = gone + (cause === moreCauses ? moreAfter : overAfter(thing.topic, facts));
    if (!isKnown(thing.topic, facts)) things.set(cause, thing);
    else if (thing.told && at > now) {
      things.set(cause, { ...thing, gone });
      due.push(at);
    } else if (thing.told && !isUnasked(thing, known)) tell("over", cause, thing);
  }
  const next = Math.min(...due.filter((at) => at > now));
  const begun = news.filter(
    ({ topic, state, cause }) => topic === "failed" && state === "begun" && cause !== moreCauses,
  );
  known.begun.push(...begun.map(({ cause }) => things.get(cause)!.seen));
  return {
    watched: { ...known, things: Object.fromEntries(things) },
    news,
    next: next === Infinity ? undefined : next,
  };
}

/** Whether something is not over, but is not looked for any more: it is still silent, and may be for longer. */
function isUnasked({ topic, since }: Thing, { heard }: Pick<Watched, "heard">): boolean {
  return topic === "silence" && since === heard;
}

const iso = (time: number) => new Date(time).toISOString();

/**
 * How long something has to be gone before that is told, in milliseconds. What was run again may fail again,
 * and what waited may be followed by what has waited as long.
 */
function overAfter(topic: Topic, { times }: Facts): number {
  if (topic === "store") return graces.store;
  if (topic !== "failed" && topic !== "waiting") return 0;
  if (times?.oldestWaiting !== null) return minute;
  return topic === "failed" ? second : 0;
}

/** What is known from now on, but for the things. */
function remember(before: Watched | undefined, facts: Facts, now: number): Omit<Watched, "things"> {
  const { times, refused } = facts;
  const known = before?.heard === undefined ? [] : [before.heard];
  const accepted = times?.lastAccepted ?? undefined;
  const came = accepted === undefined ? [] : [iso(Math.min(Date.parse(accepted), now))];
  const heard = times ? ([...known, ...came].sort().at(-1) ?? iso(now)) : before?.heard;
  const waiting = times ? waitingFrom(before, times.oldestWaiting, now) : before?.waiting;
  return {
    at: now,
    begun: (before?.begun ?? []).filter((seen) => isRecent(seen, now)),
    refused: refused
      ? Object.fromEntries(refused.map(({ why, count }) => [why, count]))
      : (before?.refused ?? {}),
    ...(heard !== undefined && { heard }),
    ...(waiting && { waiting }),
  };
}

/**
 * Since when the oldest event that waits has waited. One that came long ago may not have waited before: it
 * failed, and was run again.
 */
function waitingFrom(before: Watched | undefined, oldest: string | null, now: number): Watched["waiting"] {
  if (oldest === null) return undefined;
  const { waiting, at } = before ?? {};
  if (waiting)
    return { oldest, since: oldest > waiting.oldest && oldest > waiting.since ? oldest : waiting.since };
  return { oldest, since: at === undefined || Date.parse(oldest) >= at ? oldest : iso(now) };
}
