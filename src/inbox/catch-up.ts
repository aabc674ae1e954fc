import { isJsonObject, type JsonObject } from "../event/json";
import { isAfter, isNews, isSameDeadline, names, saidBy, toMs, wallTime, type Known } from "./known-job";
import { keyOf, sortable } from "./stored-event";

/** A job as the jobs API shows it: what is looked at, read. Times are as `sortable` gives them. */
export interface Job {
  /** What it is known by. */
  key: string;
  orderId: number;
  externalId: string | undefined;
  status: string;
  /** When that became so. */
  statusAt: string;
  createdAt: string;
  deadline: string | undefined;
  isConfirmed: boolean;
  rating: number | null;
  /** As it came. */
  whole: JsonObject;
}

/** Reads a job of an answer. @returns `undefined` where it is none, or lacks what is looked at */
export function readJob(whole: unknown): Job | undefined {
  if (!isJsonObject(whole)) return undefined;
  const { order_id: orderId, external_id: externalId, status, deliver_before: deadline, rating } = whole;
  const { is_confirmed_by_customer: isConfirmed } = whole;
  const [statusAt, createdAt] = [sortable(whole.updated_at), sortable(whole.created_at)];
  const isRight =
    typeof orderId === "number" &&
    typeof status === "string" &&
    typeof isConfirmed === "boolean" &&
    (rating === null || typeof rating === "number") &&
    (deadline === null || sortable(deadline) !== undefined) &&
    (externalId === null || typeof externalId === "string");
  if (!isRight || statusAt === undefined || createdAt === undefined) return undefined;
  return {
    ...{ key: keyOf(orderId)!, orderId, status, statusAt, createdAt, isConfirmed, rating, whole },
    externalId: externalId ?? undefined,
    deadline: typeof deadline === "string" ? deadline : undefined,
  };
}

/** Something of a job that no event has told, as far as one look at it shows. */
export interface Difference {
  kind: "created" | "deadline" | "status" | "confirmed" | "deleted";
  /** What it is now, and when the jobs API said so. */
  news: Known;
  /** What it was, as far as it is known: the job's field in `old_values`. */
  old: unknown;
}

/** What a job is compared with. */
export interface Look {
  known: Known | undefined;
  /** What became of jobs before that makes no event. */
  since: string;
  /** When it was looked at, by Radaro's clock. */
  at: string;
  /** How old something known has to be, in milliseconds, before what has no time of its own counts as later. */
  settled: number;
}

/**
 * Compares a job with what is known of it.
 *
 * @returns `differences`: the events that must have been, in their order; `base`: what is known from now
 *   on, where nothing was known and nothing can be said
 */
export function compare(job: Job, look: Look): { differences: Difference[]; base: Known } {
  const { known, at } = look;
  const base: Known = { seen: at, ...(job.externalId !== undefined && { externalId: job.externalId }) };
  if (known?.deleted && (known.deleted.by === undefined || at <= known.deleted.by))
    return { differences: [], base };
  const isNew = !known?.created && job.createdAt > look.since;
  const parts = [
    isNew && {
      kind: "created" as const,
      news: { created: { value: true as const, at: job.createdAt } },
      old: null,
    },
    deadlineOf(job, look, isNew),
    statusOf(job, look, isNew),
    confirmedOf(job, look, isNew),
  ];
  const differences = parts.flatMap((part): Difference[] => {
    if (!part) return [];
    if ("kind" in part) return [{ ...part, news: saidBy(part.news, at) }];
    Object.assign(base, part);
    return [];
  });
  if (!isNew && !known?.created) base.created = { value: true, at: job.createdAt };
  // It may be gone before it is certain that it was there.
  if (isNew && job.deadline !== undefined) base.due = job.deadline;
  return { differences, base };
}

/** A difference, or what is known from now on; `undefined`: neither. */
type Found = Difference | Pick<Known, "status" | "confirmed" | "deadline"> | undefined;

const isSettled = (told: { at: string }, { at, settled }: Look) => toMs(told.at) + settled < toMs(at);

function statusOf(job: Job, { known, since }: Look, isNew: boolean): Found {
  const status = { value: job.status, at: job.statusAt };
  const told = known?.status;
  if (told) {
    return told.value !== job.status && job.statusAt > told.at && job.statusAt > since
      ? { kind: "status", news: { status }, old: told.value }
      : undefined;
  }
  // What it was created with its event tells.
  const isChanged = isNew || known?.created ? isAfter(job.statusAt, job.createdAt) : job.statusAt > since;
  if (isChanged && job.statusAt > since) return { kind: "status", news: { status }, old: undefined };
  return isNew ? undefined : { status };
}

function confirmedOf(job: Job, look: Look, isNew: boolean): Found {
  const { isConfirmed: is, rating } = job;
  const confirmed = { value: { is, rating }, at: look.at };
  const told = look.known?.confirmed;
  if (!told && !isNew) return { confirmed };
  const isOther = is && (!told?.value.is || (rating !== null && rating !== told.value.rating));
  if (!isOther || (told && !isSettled(told, look))) return undefined;
  return { kind: "confirmed", news: { confirmed }, old: told?.value.is ?? false };
}

function deadlineOf({ deadline }: Job, look: Look, isNew: boolean): Found {
  const told = look.known?.deadline;
  if (deadline === undefined || isNew) return undefined;
  if (!told) return { deadline: { value: deadline, at: look.at } };
  if (isSameDeadline(told.value, deadline) || !isSettled(told, look)) return undefined;
  return {
    kind: "deadline",
    news: { deadline: { value: deadline, at: look.at } },
    old: wallTime(told.value),
  };
}

/** A job that was seen before is not there any more. */
export function deletion(at: string): Difference {
  return { kind: "deleted", news: saidBy({ deleted: { value: true, at } }, at), old: null };
}

/**
 * Whether a difference that is found once more is the one of the first look: then it is certain. What has
 * no time of its own is dated by that look.
 */
export function isSame(first: Difference, again: Difference): boolean {
  const valuesOf = ({ kind, news }: Difference) => {
    const { deadline, status, confirmed } = news;
    return JSON.stringify([kind, status?.value, status?.at, confirmed?.value, deadline?.value]);
  };
  return valuesOf(first) === valuesOf(again);
}

/** Whether nothing that is known by now tells it. */
export function stillStands({ news }: Difference, known: Known | undefined): boolean {
  return isNews(known, news);
}

/** What an event is made of, and what tells it from all others. */
export interface Made {
  event: JsonObject;
  /** The same for the same change, whoever makes it. */
  body: Buffer;
  /** When the jobs API said so. */
  by: string;
}

/**
 * Makes the event that Radaro would have sent. Where the jobs API does not say when it happened, neither
 * does this.
 *
 * @param orderInfo the job as it is, or was shown last
 */
export function make({ kind, news, old }: Difference, orderId: unknown, orderInfo: JsonObject): Made {
  const at = timeIn(orderInfo, kind);
  const event: JsonObject = {
    ...shapes[kind](news, old),
    order_info: orderInfo,
    ...(at !== undefined && { updated_at: at }),
  };
  const told = news[kind]!;
  return {
    event,
    body: Buffer.from(JSON.stringify(["catch-up", orderId, kind, told.value, told.at])),
    by: told.by!,
  };
}

function timeIn(job: JsonObject, kind: Difference["kind"]): unknown {
  if (kind === "created") return job.created_at;
  return kind === "status" ? job.updated_at : undefined;
}

const unchanged = { new_values: null, old_values: null };
const changed = (field: keyof typeof names, value: unknown, old: unknown) => ({
  new_values: { [names[field]]: value },
  old_values: old === undefined ? null : { [names[field]]: old },
  event_type: "updated",
});

const shapes: Record<Difference["kind"], (news: Known, old: unknown) => JsonObject> = {
  created: () => ({ ...unchanged, event_type: "created", topic: "job.status_changed" }),
  deleted: () => ({ ...unchanged, event_type: "deleted", topic: "job.deleted" }),
  status: ({ status }, old) => ({ ...changed("status", status!.value, old), topic: "job.status_changed" }),
  confirmed: ({ confirmed }, old) => ({
    ...changed("confirmed", confirmed!.value.is, old),
    topic: "job.status_changed",
  }),
  deadline: ({ deadline }, old) => ({
    ...changed("deadline", wallTime(deadline!.value), old),
    topic: "job.changed",
  }),
};
