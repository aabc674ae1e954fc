import { ask, Failure, readEvent, type Filter, type StoredEvent } from "./inbox";

/** Before which event of each merchant to go on: `""` with the newest, `null` where there are no more. */
export type Cursor = Record<string, string | null>;

/** Events, the newest first, and where to go on. */
export interface Page {
  events: StoredEvent[];
  next: Cursor;
}

interface PageOfOne {
  merchant: string;
  before: string;
  events: StoredEvent[];
  next: string | null;
}

/** Where to begin with the newest of these merchants. */
export function newestOf(merchants: string[]): Cursor {
  return Object.fromEntries(merchants.map((id) => [id, ""]));
}

export function isAtEnd(cursor: Cursor): boolean {
  return Object.values(cursor).every((before) => before === null);
}

/** Sorts the newest first: by arrival, and those of one merchant by their numbers. */
export function byAge(a: StoredEvent, b: StoredEvent): number {
  if (a.merchant === b.merchant) return a.seq < b.seq ? 1 : -1;
  return a.receivedAt < b.receivedAt ? 1 : -1;
}

/** Asks for the next events; there may be none, although it goes on. @throws {Failure} */
async function askPage(filter: Filter, from: Cursor): Promise<Page> {
  const left = Object.entries(from).filter((entry): entry is [string, string] => entry[1] !== null);
  const isAlone = Object.keys(from).length === 1;
  const pages = await Promise.all(
    left.map(async ([merchant, before]): Promise<PageOfOne> => {
      try {
        return { merchant, before, ...(await askOne(merchant, filter, before)) };
      } catch (failure) {
        // One that cannot be read does not keep the others from being shown: its problem is said above.
        if (isAlone || !(failure instanceof Failure && failure.problem)) throw failure;
        return { merchant, before, events: [], next: null };
      }
    }),
  );
  return merge(from, pages);
}

/**
 * Asks until there are enough events, or none is left.
 *
 * @param how `searching`: is called before it goes on; `isWanted`: whether it does
 * @returns `undefined` where it is wanted no more
 * @throws {Failure}
 */
export async function find(
  filter: Filter,
  from: Cursor,
  how: {
    isEnough(found: StoredEvent[]): boolean;
    searching(next: Cursor): Promise<void>;
    isWanted(): boolean;
  },
): Promise<Page | undefined> {
  const found: StoredEvent[] = [];
  for (let at = from; ;) {
    const page = await askPage(filter, at);
    if (!how.isWanted()) return undefined;
    found.push(...page.events);
    at = page.next;
    if (isAtEnd(at) || how.isEnough(found)) return { events: found, next: at };
    await how.searching(at);
    if (!how.isWanted()) return undefined;
  }
}

async function askOne(merchant: string, filter: Filter, before: string) {
  const query = $.param({ ...filter, ...(before && { before }) });
  const { events, next } = await ask<Omit<PageOfOne, "merchant" | "before">>(`/${merchant}/events?${query}`);
  return { events: events.map((event) => ({ ...event, merchant })), next };
}

/** What of some merchants' pages is next for sure: no other of them can have a later event. */
function merge(from: Cursor, pages: PageOfOne[]): Page {
  const unsure = pages.length > 1 ? pages.filter(({ next }) => next !== null) : [];
  const since =
    unsure
      .map(({ events }) => events.at(-1)?.receivedAt ?? "9")
      .sort()
      .at(-1) ?? "";
  const next = { ...from };
  const found = pages.flatMap((page) => {
    const end = page.events.findIndex(({ receivedAt }) => receivedAt < since);
    const sure = end < 0 ? page.events : page.events.slice(0, end);
    next[page.merchant] = end < 0 ? page.next : (sure.at(-1)?.seq ?? page.before);
    return sure;
  });
  return { events: found.sort(byAge), next };
}

/** How far back was looked by now, where that is known. */
export async function lookedBackTo(cursor: Cursor): Promise<string | undefined> {
  const [place] = Object.entries(cursor).filter((entry): entry is [string, string] => !!entry[1]);
  if (!place) return undefined;
  try {
    return (await readEvent({ merchant: place[0], seq: place[1] })).receivedAt;
  } catch {
    return undefined; // it may have been deleted, and matters little
  }
}
