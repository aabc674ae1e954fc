import type { Delivery, FlowError, State } from "./deliveries";
import type { Known } from "./known-job";
import type { AcceptedEvent, Became, Change, StoredEvent } from "./stored-event";

/**
 * Why nothing can be stored.
 *
 * - `missing`: this Node.js has no SQLite
 * - `locked`: another process has the database
 * - `full`: the disk is
 * - `unwritable`: the directory cannot be written to
 * - `failing`: the disk, or what leads to it, reports errors
 * - `too-many-files`: the process, or the system, may open no more
 * - `gone`: the directory is not the one that was opened any more
 * - `damaged`: what is in it cannot be read, or is something else
 * - `newer`: a later version of this package has made it
 * - `slow`: the disk does not answer, and as much waits for it as may
 * - `crowded`: it holds as much as it may, and all of that waits for the flow
 *
 * Of a database that several share:
 *
 * - `no-url`: it is not said where it is, or not so that it can be read
 * - `unreachable`: no connection to it
 * - `denied`: it does not let this user in, has no database of this name, or lets it not do what is needed
 * - `too-many-connections`: it takes no more
 * - `read-only`: it is a copy, or was made so that nothing can be written
 */
export type Problem =
  | "missing"
  | "locked"
  | "full"
  | "unwritable"
  | "failing"
  | "too-many-files"
  | "gone"
  | "damaged"
  | "newer"
  | "slow"
  | "crowded"
  | "no-url"
  | "unreachable"
  | "denied"
  | "too-many-connections"
  | "read-only";

/**
 * What was found where a store was opened, and does not keep it from storing.
 *
 * - `incomplete`: events are missing that had been stored
 * - `damaged`: it was damaged, and goes on with the events that could be read: so many, and with the
 *   damaged files in a folder of this name
 * - `leveldb`: beside it is an inbox of the first edition, which is not read
 */
export type Finding = { what: "incomplete" | "leveldb" } | { what: "damaged"; events: number; aside: string };

/** Nothing can be stored. The message is the system's, for the log. */
export class Unusable extends Error {
  constructor(
    readonly problem: Problem,
    cause?: unknown,
  ) {
    super(cause instanceof Error ? cause.message : problem, { cause });
  }

  /** Also one of a store that is in a file of its own, with its own copy of this class. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && "problem" in value;
  }
}

/** How many events a merchant's inbox keeps at most, and how much of the disk they take with all that belongs to them, in bytes. */
export const bounds = { events: 200_000, bytes: 1024 ** 3 };

/** How many events are listed, changed or deleted in one step. */
export const step = 500;

/** Events of a list that is read in steps. */
export interface Some {
  events: (Pick<StoredEvent, "seq" | "path" | "state" | "deliveries"> & {
    /** Whether a delivery waits, or may. */
    isOpen: boolean;
  })[];
  /** Where to go on; `undefined` at the end. */
  last: string | undefined;
}

/** What a list of events is narrowed to. */
export interface Filter {
  state?: State;
  topic?: string;
  /** What it means to people: one of these. */
  meaning?: readonly string[];
  superseded?: true;
  caughtUp?: true;
  /** The id of the node, and the error text, that a delivery has failed of. */
  node?: string;
  error?: string;
  /** What one of its texts or numbers has somewhere, upper and lower case alike; a telephone number however it is written. */
  text?: string;
  /** Its whole `order_id` or `external_id`. */
  job?: string;
  /** It came at this time or later, and before that: ISO-8601, UTC. */
  from?: string;
  to?: string;
}

/** What failed of one cause. */
export interface Cause {
  node: FlowError["node"];
  error: string;
  count: number;
  /** How many of them are given again by themselves. */
  again: number;
  /** When the first and the last of these events came, as far as they are still failed: ISO-8601, UTC. */
  first: string;
  last: string;
}

/** How many requests were refused, why, and when the first and the last: ISO-8601, UTC. */
export interface Refused {
  why: string;
  count: number;
  first: string;
  last: string;
}

/** What is kept of an inbox besides its events. */
export interface Settings {
  /** Whether nothing is given to the flow. */
  isPaused: boolean;
  /** How many times in a row Node-RED has ended while events were with the flow. */
  ends: number;
  refused: readonly Refused[];
  /** `undefined`: it was not asked for what never arrived. */
  asking?: Asking | undefined;
}

/** What is kept of asking for what never arrived. Times are as `sortable` gives them, by Radaro's clock. */
export interface Asking {
  /** What became of jobs before that makes no event: it was asked for the first time, or less is known. */
  since: string;
  /** A digest of whom it was asked with which key: with another one it begins anew. */
  whom: string;
  /** When all was asked for last: ISO-8601, UTC, by this machine's clock. */
  asked?: string;
  /** Up to when new jobs were asked for. */
  newest?: string;
  /** How many events were made, of the last time all was asked for. */
  found: number;
}

/** From when to when the deadlines of jobs lie that are asked for: ISO-8601, UTC. */
export interface Windows {
  open: [from: string, to: string];
  closed: [from: string, to: string];
}

/** Some of the jobs that an answer of Radaro's jobs API should have shown. */
export interface Unseen {
  jobs: { job: string; known: Known }[];
  /** Where to go on; `undefined` at the end. */
  last: string | undefined;
}

/**
 * What has become of an event in the store: without deliveries where it has come after all, and all of it
 * was told by events that were made.
 */
export interface Written
  extends
    Pick<StoredEvent, "seq" | "superseded">,
    Partial<Pick<StoredEvent, "cameAfter" | "deliveries" | "state">> {
  /** Another inbox that shares the store gives it: that has an earlier one of its job. */
  isElsewhere?: true;
  /** An earlier one of its job waits here that another inbox has accepted. */
  isBehind?: true;
}

/**
 * What an inbox is asked, and told, where others share its store. Each gives the events that it has accepted,
 * and those of others that have ended or let them go: these are its own.
 */
export interface Others {
  /** The ids of the nodes for which it can give events now; none: it takes none. */
  nodes(): string[];
  /** Events are its own now. @param seqs which, where that is known: then they are to be given in this order */
  came(seqs: string[]): void;
  /** Events are its own no more, or are deleted. */
  gone(seqs: string[]): void;
  /** Another inbox has changed what has become of some of its own: see `Store.news`. */
  news(): void;
  /**
   * Somebody has said something of its own events, or another inbox has.
   *
   * @param events as they are in the store; `words`: what was said of each, one after the other: the deliveries that
   *   are others by that, and none where all of them are
   * @returns the seqs of those of which it writes by itself what it makes of that
   */
  became(events: { stored: StoredEvent; words: Delivery[][] }[]): string[];
  /** The seqs of those that it goes by as it has them in memory. */
  held(): string[];
  /** `counts`, `failures` or `settings` are others. */
  changed(): void;
}

export interface OpenOptions {
  /** How much it holds. */
  max?: typeof bounds;
  /** Whatever is in there, the events to come have later seqs than this. */
  last?: string;
  /** Reads all that is there first: something could not be read before. */
  check?: boolean;
  /** Ends the opening. */
  signal?: AbortSignal;
  /** Where it may be shared. */
  others?: Others;
}

/** What becomes of an event: its deliveries from then on. */
export type Becoming = (stored: StoredEvent) => Pick<StoredEvent, "deliveries"> | undefined;

/** Opens a store. @throws Unusable */
export type OpenStore = (options: OpenOptions) => Promise<Store>;

/**
 * A merchant's events, in some database. Whoever uses it calls what writes one after the other.
 * Every method may throw `Unusable`: then the store has to be opened anew.
 */
export interface Store {
  readonly counts: Readonly<Record<State, number>>;
  /** By node: how many deliveries to it are failed. */
  readonly failures: Readonly<Record<string, number>>;
  /** The seq of the event that came last. */
  readonly last: string;
  readonly findings: Finding[];
  readonly settings: Readonly<Settings>;
  /** How far its clock is ahead of this machine's, in milliseconds: those that share it go by that. */
  readonly ahead: number;

  /** On disk when it returns. */
  set(settings: Settings): Promise<void>;

  /** Looks whether it can still be used. */
  check(): Promise<void>;

  /**
   * Deletes the oldest of the events that wait for nothing, where there is no room for new ones.
   *
   * @param sizes of the new ones, in bytes
   * @returns for how many of them, from the first on, there is room
   */
  makeRoom(sizes: number[]): Promise<number>;

  /**
   * Stores new events and what has become of others, all or nothing. New ones are on disk when it
   * returns; without one, a power cut may still undo what has become of others.
   *
   * @param changed those that are gone are passed over
   * @returns of each new one; `undefined` where it is there already, or it was made and tells nothing any
   *   more: see `isNews` and `isTold`
   */
  write(accepted: AcceptedEvent[], changed: Became[]): Promise<(Written | undefined)[]>;

  /**
   * Changes events as they are in the store, where others share it: whose they are hears of it, by `Others.became`.
   *
   * @param become see `Becoming`; `undefined`: nothing changes. It may be asked more than once.
   * @param isRun they are run again: what does not wait yet becomes the one's that has something of its job that
   *   waits, or else this inbox's own
   * @returns the seqs of all that are there; none where nobody shares it: who has them in memory changes them
   */
  change(seqs: string[], become: Becoming, isRun: boolean): Promise<string[]>;

  /** Tells `Others.became` of its own events that were changed in the store, and that it does not know of. */
  news(): Promise<void>;

  /** Lets all that is open be others'. */
  letGo(): Promise<void>;

  /**
   * Some of its own events with a delivery that waits, by the time of their change, then by arrival.
   *
   * @param after the `last` of those before; `""`: from the first on
   */
  open(after: string): Promise<Some>;

  /**
   * Some of the events in a state, by arrival. There may be none, also where more follow.
   *
   * @param after the `last` of those before; `""`: from the first on
   */
  some(state: State, after: string): Promise<Some>;

  /**
   * Some of its own events of which a delivery is given again by itself.
   *
   * @param by ISO-8601, UTC: they were due by then
   * @param beyond or are said to be due later than that, which cannot be
   * @returns `next`: when the first of all is; `undefined`: none
   */
  due(by: string, beyond: string): Promise<{ seqs: string[]; next: string | undefined }>;

  /**
   * Its own events that were with the flow when a Node-RED ended, by the time of their change.
   *
   * @returns `isAlone`: that flow had no other
   */
  withFlow(): Promise<{ stored: StoredEvent; isAlone: boolean }[]>;

  /** Its own earlier events of a job on a path of which a delivery waits. @param job its `keys.order` */
  earlier(event: Pick<StoredEvent, "seq" | "path" | "changedAt">, job: string): Promise<StoredEvent[]>;

  /**
   * Some of the events that arrived before a time, by that: not those that another inbox has given to its flow.
   *
   * @param before ISO-8601, UTC
   * @param after the `last` of those before; `""`: from the first on
   */
  someFrom(before: string, after: string): Promise<Some>;

  /**
   * Lets some of the events that seem to have come before or after a time, where there are any, have come
   * at another. All ISO-8601, UTC.
   *
   * @returns how many: fewer than a step where these were all
   */
  redate(before: string, after: string, to: string): Promise<number>;

  /** @param onlyClosed those of which something waits are left @returns how many were there */
  delete(seqs: string[], onlyClosed?: boolean): Promise<number>;

  /**
   * Takes what was deleted out of the files too.
   *
   * @param before and what was set aside before that, where it was damaged: ISO-8601, UTC
   */
  compact(before?: string): Promise<void>;

  /** @returns without those that are gone, in their order */
  get(seqs: string[]): Promise<StoredEvent[]>;

  /** @returns one with the text of its event; `undefined` where it is gone */
  read(seq: string): Promise<{ stored: StoredEvent; text: string } | undefined>;

  /** When the oldest of those that wait came, and the last of all: ISO-8601, UTC; `null` where there is none. */
  times(): Promise<{ oldestWaiting: string | null; lastAccepted: string | null }>;

  /**
   * The later events that have changed all of what an event has changed; `undefined`: there are none,
   * or not of each field. `isElsewhere`: another inbox gives it.
   */
  later(
    event: StoredEvent,
    change: Change,
  ): Promise<{ seq: string; state: State; isElsewhere?: boolean }[] | undefined>;

  /**
   * A page of a list, newest first.
   *
   * @param before the seq that the page before ended with; `""`: from the newest on
   * @param limit how many events at most. There may be fewer, also where more follow: not everything
   *   is looked through in one go.
   * @returns `next`: the `before` of the next page, `null` at the end
   */
  list(
    filter: Filter,
    before: string,
    limit: number,
  ): Promise<{ events: StoredEvent[]; next: string | null }>;

  /**
   * Counts those that fit, in whichever state, newest first.
   *
   * @param before see `list`
   * @returns `next`: where to go on, as not everything is looked through in one go; `null` at the end
   */
  count(filter: Filter, before: string): Promise<{ counts: Record<State, number>; next: string | null }>;

  /** What has failed, by node and error text: those with the most events first, not more than a hundred. */
  causes(): Promise<Cause[]>;

  /** What is known of some jobs, by their `keys.order`, without those of which nothing is. */
  known(jobs: string[]): Promise<Record<string, Known>>;

  /** Keeps what the jobs API has shown, where nothing was known; see `fill`. A power cut may undo it. */
  know(jobs: Record<string, Known>): Promise<void>;

  /**
   * Some of the jobs that were not seen since a time, and whose deadlines lie in the window of their kind.
   *
   * @param after the `last` of those before; `""`: from the first on
   */
  unseen(since: string, windows: Windows, after: string): Promise<Unseen>;

  /**
   * Forgets the jobs that nobody has told of or seen since a time, and where there are too many, more.
   *
   * @param before absent: all
   * @returns up to when they are forgotten; `undefined`: all are
   */
  forget(before?: string): Promise<string | undefined>;

  /** Lets another have it. What had to be on disk is there. */
  close(): Promise<void>;

  /** Lets another have it as soon as the disk answers, and fails all that waits for that. */
  leave(): void;
}
