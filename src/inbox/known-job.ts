import { isJsonObject, type JsonObject } from "../event/json";
import { summarise } from "../event/summary";

/** Something that is known of a job. Times are as `sortable` gives them, by Radaro's clock. */
interface Told<T> {
  value: T;
  /** When it became so. */
  at: string;
  /** No event of it had come: Radaro's jobs API said by then that it is so, and an event was made of it. */
  by?: string;
}

/** What is known of a job: what events have told of it, and where none did, what the API said first. */
export interface Known {
  created?: Told<true>;
  deleted?: Told<true>;
  status?: Told<string>;
  /** Whether the customer has confirmed it, and with which rating: that is in no `new_values`. */
  confirmed?: Told<{ is: boolean; rating: number | null }>;
  /** As Radaro wrote it, with its offset where it had one. */
  deadline?: Told<string>;
  /** Where nothing has told its deadline yet: as the jobs API showed it. */
  due?: string;
  externalId?: string;
  /** When the jobs API showed it last. */
  seen?: string;
  /** The last that was told by events that were made, and on which paths: something later may be known by now. */
  made?: (Told<unknown> & { field: Field; by: string; paths: string[] })[];
}

/** How many of these are remembered of a job. */
const maxMade = 5;

/** What can be told of a job. */
export const fields = ["created", "deleted", "status", "confirmed", "deadline"] as const;

type Field = (typeof fields)[number];

/** What a job's field is called in `new_values`. */
export const names = {
  status: "status",
  confirmed: "is_confirmed_by_customer",
  deadline: "deliver_before",
} as const;

/** The statuses in which a job waits for nobody any more. All others are open, also those not known yet. */
export const closedStatuses = ["delivered", "confirmed", "failed"];

/** And those in which somebody has still to do something. */
export const openStatuses = [
  ...["pending", "not_assigned", "assigned", "pickup", "picked_up", "in_progress", "way_back"],
];

/**
 * What an event tells of its job. `order_info` shows the job as it is when the event is sent, so only what
 * has changed counts, and of a new job what it was created with.
 *
 * @param at when it happened, as `sortable` gives it
 * @param sortable see there
 * @returns `undefined`: nothing of these
 */
export function tellsOf(
  event: JsonObject,
  at: string,
  sortable: (time: unknown) => string | undefined,
): Known | undefined {
  const job = isJsonObject(event.order_info) ? event.order_info : {};
  const { externalId } = summarise(event);
  const news: Known = {
    ...(event.event_type === "created" && createdWith(job, at, sortable)),
    ...(event.event_type === "deleted" && { deleted: { value: true, at } }),
    ...changedOf(isJsonObject(event.new_values) ? event.new_values : {}, job, at),
  };
  if (Object.keys(news).length === 0) return undefined;
  return { ...news, ...(typeof externalId === "string" && { externalId: externalId.slice(0, maxText) }) };
}

/** How long a text is at most of which something is known, in characters. */
const maxText = 100;

function changedOf(values: JsonObject, job: JsonObject, at: string): Known {
  const { status, is_confirmed_by_customer: is, deliver_before: before } = values;
  const rating = typeof job.rating === "number" ? job.rating : null;
  return {
    ...(typeof status === "string" && { status: { value: status.slice(0, maxText), at } }),
    ...(typeof is === "boolean" && { confirmed: { value: { is, rating }, at } }),
    ...(typeof before === "string" && { deadline: { value: withOffset(before, job.deliver_before), at } }),
  };
}

/** In `new_values` a deadline has no offset; in the job it has, where that still has the same. */
function withOffset(deadline: string, ofJob: unknown): string {
  const isSame = typeof ofJob === "string" && wallTime(ofJob) === wallTime(deadline);
  return (isSame ? ofJob : deadline).slice(0, maxText);
}

/** How far apart a job's own times may be that say the same, in milliseconds. */
export const sameTime = 100;

/** A new job has the status of its event where that has not changed before the event was sent. */
function createdWith(job: JsonObject, at: string, sortable: (time: unknown) => string | undefined): Known {
  const since = sortable(job.updated_at) ?? at;
  const { status, deliver_before: deadline } = job;
  const isFirst = typeof status === "string" && !isAfter(since, sortable(job.created_at) ?? at);
  return {
    created: { value: true, at },
    ...(isFirst && { status: { value: status.slice(0, maxText), at: since } }),
    confirmed: { value: { is: false, rating: null }, at },
    ...(typeof deadline === "string" && { deadline: { value: deadline.slice(0, maxText), at } }),
  };
}

/** Whether a time is clearly after another, both as `sortable` gives them. */
export function isAfter(time: string, other: string): boolean {
  return toMs(time) - toMs(other) > sameTime;
}

/** A time of `sortable`, in milliseconds. */
export const toMs = (time: string) => Date.parse(`${time.slice(0, 23)}Z`);

/** @param time as `sortable` gives it @param by in milliseconds @returns the time before, not before 1970 */
export const earlier = (time: string, by: number) =>
  `${new Date(Math.max(0, toMs(time) - by)).toISOString().slice(0, -1)}000`;

/** A time of Radaro's without its offset, and without parts of a second that are 0. */
export const wallTime = (time: string) =>
  time.replace(/(Z|[+-]\d\d:?\d\d)$/, "").replace(/[.,]0*$|([.,]\d*[1-9])0+$/, "$1");

/** When a deadline is, in milliseconds: one without an offset as if it were in UTC. `undefined`: it is no time. */
export function deadlineAt(deadline: string): number | undefined {
  const at = Date.parse(wallTime(deadline) === deadline ? `${deadline}Z` : deadline);
  return Number.isNaN(at) ? undefined : at;
}

/** Whether two deadlines are the same, of which one may lack its offset. */
export function isSameDeadline(one: string, other: string): boolean {
  const haveOffset = [one, other].every((each) => /(Z|[+-]\d\d:?\d\d)$/.test(each));
  return haveOffset ? deadlineAt(one) === deadlineAt(other) : wallTime(one) === wallTime(other);
}

/** What an event tells that was made of what the jobs API said at a time. */
export function saidBy(news: Known, by: string): Known {
  const said = fields.flatMap((field) => (news[field] ? [[field, { ...news[field], by }] as const] : []));
  return { ...news, ...Object.fromEntries(said) };
}

/** Whether what is told of one of a job's fields is the same. */
function isSameValue(
  field: Field,
  one: Told<unknown> | undefined,
  other: Told<unknown> | undefined,
): boolean {
  if (!one || !other) return false;
  if (field === "deadline") return isSameDeadline(one.value as string, other.value as string);
  return JSON.stringify(one.value) === JSON.stringify(other.value);
}

/**
 * What is known when something was told: of each field what became so last.
 *
 * @param path where it was told
 */
export function learn(known: Known | undefined, news: Known, path: string): Known {
  const all: Known = { ...known, ...pick(news, (field) => (known?.[field]?.at ?? "") <= news[field]!.at) };
  if (news.externalId !== undefined) all.externalId = news.externalId;
  for (const field of fields) {
    const { value, at, by } = news[field] ?? {};
    if (by === undefined) continue;
    const isIt = (each: NonNullable<Known["made"]>[number]) =>
      JSON.stringify([each.field, each.value, each.at, each.by]) === JSON.stringify([field, value, at, by]);
    const { paths = [] } = all.made?.find(isIt) ?? {};
    const made = { field, value, at: at!, by, paths: [...new Set([...paths, path])] };
    all.made = [...(all.made ?? []).filter((each) => !isIt(each)), made].slice(-maxMade);
  }
  return all;
}

/** What is known when the jobs API has shown a job: of each field of which nothing was known, that. */
export function fill(known: Known | undefined, base: Known): Known {
  const { seen = "", externalId = known?.externalId, due = known?.due } = base;
  const { deleted, ...rest } = known ?? {};
  // It is there again: that it was gone for a while no event had told.
  const isBack = deleted?.by !== undefined && seen > deleted.by;
  return {
    ...rest,
    ...(deleted && !isBack && { deleted }),
    ...pick(base, (field) => known?.[field] === undefined),
    ...(externalId !== undefined && { externalId }),
    ...(due !== undefined && { due }),
    ...(seen !== "" && { seen: seen > (known?.seen ?? "") ? seen : known!.seen! }),
  };
}

function pick(from: Known, isWanted: (field: Field) => boolean): Known {
  const entries = fields.flatMap((field) =>
    from[field] && isWanted(field) ? [[field, from[field]] as const] : [],
  );
  return Object.fromEntries(entries);
}

/** What an event is about: a new job's event shows the rest as it was. */
const mainOf = (news: Known) => (news.created ? ["created" as const] : fields.filter((field) => news[field]));

/**
 * Whether an event that was made still tells something: nothing later has come, and not the same either,
 * unless that was made of the same look, for another path.
 */
export function isNews(known: Known | undefined, made: Known): boolean {
  if (known?.deleted && !known.deleted.by) return false;
  return mainOf(made).some((field) => {
    const [before, now] = [known?.[field], made[field]!];
    if (!before || (before.by === now.by && isSameValue(field, before, now))) return true;
    return before.at < now.at && !isSameValue(field, before, now);
  });
}

/**
 * Whether an event that has come after all tells nothing: all of it was told by events that were made, and
 * it happened before the jobs API was asked.
 *
 * @param about.changed the names of the fields that it has changed; `path`: where it came, and they were given
 */
export function isTold(
  known: Known | undefined,
  news: Known,
  { changed, path }: { changed: readonly string[]; path: string },
): boolean {
  const main = mainOf(news);
  const all: readonly string[] = main.flatMap((field) =>
    field in names ? names[field as keyof typeof names] : [],
  );
  if (changed.some((name) => !all.includes(name))) return false;
  return main.every((field) => {
    const now = news[field]!;
    const isIt = (made: Told<unknown> & { by: string }) =>
      field === "created" || field === "deleted" || (now.at <= made.by && isSameValue(field, made, now));
    return (
      known?.made?.some((each) => each.field === field && each.paths.includes(path) && isIt(each)) === true
    );
  });
}

/**
 * What becomes of an event that is stored where it is kept what is known of jobs.
 *
 * @param known of its job
 * @param news what it tells
 * @returns `known`: it was made, and tells nothing any more; `told`: it has come after all, and was told
 */
export function placeIn(
  known: Known | undefined,
  news: Known,
  about: { caughtUp?: true; changed: readonly string[]; path: string },
): "new" | "known" | "told" {
  if (about.caughtUp) return isNews(known, news) ? "new" : "known";
  return isTold(known, news, about) ? "told" : "new";
}

/** How many jobs something is known of at most, of a merchant. */
export const maxJobs = 200_000;

/** What a job is found by that is to be asked for: whether it is open, when its deadline is, and when it was told of last. */
export function placeOf(known: Known): {
  state: "open" | "closed" | "deleted";
  deadline: string | null;
  at: string;
} {
  const { deleted, status, deadline, seen = "" } = known;
  const isClosed = status !== undefined && closedStatuses.includes(status.value);
  const shown = deadline?.value ?? known.due;
  const due = shown === undefined ? undefined : deadlineAt(shown);
  const times = fields.flatMap((field) => known[field]?.by ?? known[field]?.at ?? []);
  return {
    state: deleted ? "deleted" : isClosed ? "closed" : "open",
    deadline: due === undefined ? null : new Date(due).toISOString(),
    at: [...times, seen].sort().at(-1)!,
  };
}
