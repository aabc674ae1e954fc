import type { EditorRED } from "node-red";
import type { Try } from "../../../src/inbox/deliveries";

declare const RED: EditorRED;

/** What can become of an event, in the order in which the sidebar offers them. */
export const states = ["failed", "waiting", "processed"] as const;

export type State = (typeof states)[number];

export type Counts = Record<State, number>;

/** A deployed merchant whose inbox is on. */
export interface Inbox {
  id: string;
  name: string;
  /** Its events are stored, and not given to the flow. */
  paused: boolean;
  problem: Problem | null;
  counts: Counts;
  oldestWaiting: string | null;
  lastAccepted: string | null;
  refused: { why: string; count: number; first: string; last: string }[];
  /** How Radaro is asked for what never arrived; `null`: it is not. */
  catchUp: { isAsking: boolean; asked: string | null; found: number; problem: Problem | null } | null;
}

/** What is wrong with an inbox, in the user's language. */
export interface Problem {
  kind: string;
  text: string;
}

export interface StoredEvent {
  /** The id of its merchant. */
  merchant: string;
  /** Later events of a merchant have a greater one; all have the same length. */
  seq: string;
  /** Where it was sent to. */
  path: string;
  receivedAt: string;
  topic: string;
  eventType: string | null;
  changed: string[];
  meaning: string | null;
  /** What the status was changed to. */
  status?: string;
  orderId: unknown;
  externalId: unknown;
  /** The job's title and its customer's name. */
  title?: string | null;
  customer?: string | null;
  /** The worst of its deliveries'. */
  state: State;
  superseded?: boolean;
  /** It never arrived, and was made of what Radaro says of its job. */
  caughtUp?: boolean;
  /** It came when it was caught up already. */
  cameAfter?: boolean;
  /** One for each `radaro in` that it is for; absent: that is not known yet, as the nodes are not there. */
  deliveries?: Delivery[];
}

/** An event with what Radaro has sent. */
export type WholeEvent = StoredEvent & { event: object };

/** A node in the flow. */
export interface FlowNode {
  id: string;
  type: string;
  name?: string;
}

/** An event on its way to one `radaro in`. */
export interface Delivery {
  /** The id of the `radaro in`. */
  node: string;
  /** `null`: it is not there. */
  name: string | null;
  state: State;
  /** How many times it was given to the flow. */
  times: number;
  /** Since when the flow has it, where it does, and the nodes that have it now. */
  since?: string;
  at?: FlowNode[];
  /** When it is given again by itself. */
  againAt?: string;
  error?: { text: string; node: FlowNode };
  /** A person has dealt with it. */
  settled?: boolean;
  /** The earlier times that it was with the flow, the oldest first. */
  tries?: Try[];
}

/** What failed for the same reason: the same node, with the same text. */
export interface Cause {
  /** The id of the merchant. */
  merchant: string;
  node: FlowNode;
  error: string;
  count: number;
  /** How many of them come again by themselves. */
  again?: number;
  first: string;
  last: string;
}

/** What narrows a list: as the API is asked, absent where it may be any. */
export type Filter = Partial<
  Record<
    | "state"
    | "topic"
    | "job"
    | "text"
    | "from"
    | "to"
    | "meaning"
    | "superseded"
    | "caughtUp"
    | "node"
    | "error",
    string
  >
>;

/** Whether a filter asks for anything but a state. */
export function isNarrowed(filter: Filter): boolean {
  return Object.keys(filter).some((key) => key !== "state");
}

/** A request that was not answered as hoped. */
export class Failure extends Error {
  constructor(
    /** Of HTTP; 0 where there was no answer. */
    readonly status: number,
    readonly problem?: Problem,
  ) {
    super(`HTTP ${status}`);
  }
}

/** How something is asked for. */
export interface Asking {
  method?: "GET" | "POST" | "DELETE";
  body?: object;
}

/**
 * Asks Node-RED about the inboxes.
 *
 * @param path below `radaro-inbox`
 * @throws {Failure}
 */
export function ask<T>(path: string, { method = "GET", body }: Asking = {}): Promise<T> {
  const sent = body && { contentType: "application/json", data: JSON.stringify(body) };
  return new Promise((resolve, reject) => {
    $.ajax({ url: `radaro-inbox${path}`, type: method, dataType: "json", ...sent })
      .done(resolve)
      .fail(({ status, responseJSON }) => {
        const { problem } = (responseJSON ?? {}) as { problem?: Problem };
        reject(new Failure(status, problem));
      });
  });
}

/** Reads one event. @throws {Failure} */
export async function readEvent({
  merchant,
  seq,
}: Pick<StoredEvent, "merchant" | "seq">): Promise<WholeEvent> {
  return { ...(await ask<WholeEvent>(`/${merchant}/events/${seq}`)), merchant };
}

/** Whether the user may see the inboxes. */
export function mayRead(): boolean {
  return RED.user.hasPermission("radaro-inbox.read");
}

/** Whether the user may run events again, and delete them. */
export function mayRun(): boolean {
  return RED.user.hasPermission("radaro-inbox.write");
}
