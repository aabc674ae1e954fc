import { createHash } from "node:crypto";
import type { Cause, Refused } from "./store";
import { passedAt } from "./watch-hours";
import type { Settings } from "./watch-settings";
import { topics, type Thing, type Topic, type Watched } from "./watched";

/** How a merchant's inbox is now. */
export interface Facts {
  /** Whether it cannot store. */
  isBroken: boolean;
  /** Those with the most events first; `undefined`: not known for now. */
  causes: readonly Cause[] | undefined;
  /** `undefined`: not known yet. */
  refused: readonly Refused[] | undefined;
  /** How many events wait. */
  waiting: number;
  /** When the oldest event that waits came, and the last of all; `undefined`: not known for now. */
  times: { oldestWaiting: string | null; lastAccepted: string | null } | undefined;
  /**
   * Whether something keeps Radaro from being asked for what never arrived, and since when: ISO-8601, UTC;
   * `isPassing`: it may pass by itself. `undefined`: not known yet; `null`: nothing, or it is not asked.
   */
  asking?: { since: string; isPassing: boolean } | null | undefined;
}

/** Something that holds, by its cause: the same text while it does. */
export type Holding = Pick<Thing, "topic" | "since" | "count" | "node"> & { cause: string };

const [minute, hour] = [60_000, 3_600_000];

/** How long something that may pass by itself keeps Radaro from being asked before it holds, in milliseconds. */
const passingFor = 10 * minute;

/** How many causes of a merchant are told one by one at most, in an hour; the others together. */
export const maxCauses = 20;

/** How many causes are listed at most: of one that is missing there it is not known whether it is over. */
const maxListed = 100;

/** All causes beyond those that are told one by one. */
export const moreCauses = "failed:more";

/** The reason of those that could not be stored. */
const notStored = "not-stored";

/** What a cause is called: the error's text may be personal. */
export function causeOf({ node, error }: Pick<Cause, "node" | "error">): string {
  return `failed:${node.id}:${createHash("sha256").update(error).digest("hex").slice(0, 16)}`;
}

/** What is looked at. */
interface Sight {
  facts: Facts;
  settings: Settings;
  /** What is known, with the things of the look before. */
  watched: Watched;
  /** What was known by the look before; `undefined`: there was none. */
  before: Watched | undefined;
  /** In milliseconds. */
  now: number;
}

/** What holds; and when more may, or less, in milliseconds. */
interface Found {
  holding?: Holding[];
  due?: number[];
}

/** All that holds and a person wants to be told of; `due`: when that may be other, though nothing changes. */
export function findHolding(sight: Sight): Required<Found> {
  const found = topics
    .filter((topic) => isWanted(topic, sight.settings))
    .map((topic) => finders[topic](sight));
  return {
    holding: found.flatMap(({ holding = [] }) => holding),
    due: found.flatMap(({ due = [] }) => due),
  };
}

/** Whether a person wants to be told of it. */
export function isWanted(topic: Topic, settings: Settings): boolean {
  return topic === "catch-up" || Boolean(settings[topic]);
}

/** Whether it can be said that something of it does not hold. */
export function isKnown(topic: Topic, { causes, refused, times, asking }: Facts): boolean {
  if (topic === "catch-up") return asking !== undefined;
  if (topic === "failed") return causes !== undefined && causes.length < maxListed;
  if (topic === "refused") return refused !== undefined;
  return topic === "store" || times !== undefined;
}

const finders: Record<Topic, (sight: Sight) => Found> = {
  failed: ({ facts, watched, now }) => ({ holding: findFailed(facts.causes ?? [], watched, now) }),

  store({ facts, watched, before, now }) {
    const refused = facts.refused?.find(({ why }) => why === notStored);
    const lost = before && refused ? refusedSince(before, refused) : 0;
    if (!facts.isBroken && lost === 0) return {};
    const all = (watched.things.store?.count ?? 0) + lost;
    return { holding: [{ topic: "store", cause: "store", since: new Date(now).toISOString(), count: all }] };
  },

  refused({ facts: { refused = [] }, watched, before, now }) {
    const recent = refused.filter(({ why, last }) => why !== notStored && Date.parse(last) + hour > now);
    return {
      holding: recent.map((each) => {
        const cause = `refused:${each.why}`;
        const all = (watched.things[cause]?.count ?? 0) + refusedSince(before, each);
        return { topic: "refused", cause, since: each.last, count: Math.max(1, all) };
      }),
      due: recent.map(({ last }) => Date.parse(last) + hour),
    };
  },

  waiting({ facts, settings, watched, now }) {
    const { since } = watched.waiting ?? {};
    if (since === undefined) return {};
    const at = Date.parse(since) + settings.waiting * minute;
    return from(at, now, { topic: "waiting", cause: "waiting", since, count: Math.max(1, facts.waiting) });
  },

  silence({ settings, watched: { heard }, now }) {
    if (heard === undefined) return {};
    const at = passedAt(Date.parse(heard), settings.silence, settings.hours);
    return from(at, now, { topic: "silence", cause: "silence", since: heard, count: 0 });
  },

  "catch-up"({ facts: { asking }, watched, now }) {
    if (!asking) return {};
    const { since, isPassing } = asking;
    const isTold = watched.things["catch-up"] !== undefined;
    const at = Date.parse(since) + (isPassing && !isTold ? passingFor : 0);
    return from(at, now, { topic: "catch-up", cause: "catch-up", since, count: 0 });
  },
};

/** What holds from a time on. */
const from = (at: number, now: number, holding: Holding): Found =>
  at <= now ? { holding: [holding] } : { due: [at] };

/** How many were refused since the look before. They may be counted anew, and a power cut may have taken some. */
function refusedSince(before: Watched | undefined, { why, count, last }: Refused): number {
  if (!before) return count;
  if (Date.parse(last) < before.at) return 0;
  const counted = before.refused[why] ?? 0;
  return counted > count ? count : count - counted;
}

/** Whether something was seen first within the last hour. */
export function isRecent(seen: number, now: number): boolean {
  return seen > now - hour;
}

/** What failed for good: by cause, and where there are many, the rest together until all of that is over. */
function findFailed(causes: readonly Cause[], { things, begun }: Watched, now: number): Holding[] {
  const all = causes
    .filter(({ count, again }) => count > again)
    .map(({ node, first, count, again, error }): Holding => {
      const cause = causeOf({ node, error });
      return { topic: "failed", cause, since: first, count: count - again, node };
    });
  const known = all.filter(({ cause }) => Object.hasOwn(things, cause));
  const fresh = all.filter((each) => !known.includes(each));
  const others = Object.values(things).filter(
    ({ topic, told, seen }) => topic === "failed" && !(told && isRecent(seen, now)),
  );
  const room = Object.hasOwn(things, moreCauses) ? 0 : Math.max(0, maxCauses - begun.length - others.length);
  const rest = fresh.slice(room);
  const [first] = rest;
  const more = first && {
    ...{ ...first, cause: moreCauses, count: rest.length },
    since: rest.map(({ since }) => since).sort()[0]!,
  };
  return [...known, ...fresh.slice(0, room), ...(more ? [more] : [])];
}
