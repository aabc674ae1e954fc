import type { EditorRED } from "node-red";

declare const RED: EditorRED;

/** What can become of an event, in the order in which the sidebar offers them. */
export const states = ["waiting", "failed", "processed"] as const;

export type State = (typeof states)[number];

/** A deployed merchant whose inbox is on. */
export interface Inbox {
  id: string;
  name: string;
  /** Its events are stored, and not given to the flow. */
  paused: boolean;
  problem: Problem | null;
  counts: Record<State, number>;
  refused: { why: string; count: number; first: string; last: string }[];
}

/** What is wrong with an inbox, in the user's language. */
export interface Problem {
  kind: string;
  text: string;
}

export interface StoredEvent {
  /** Later events have a greater one; all have the same length. */
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
  /** The worst of its deliveries'. */
  state: State;
  superseded?: boolean;
  /** One for each `radaro in` that it is for; absent: that is not known yet, as the nodes are not there. */
  deliveries?: Delivery[];
}

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
}

/** Events, the newest first. `next`: before which to ask for older ones, `null` where there are none. */
export interface Page {
  events: StoredEvent[];
  next: string | null;
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

/** Whether the user may run events again, and delete them. */
export function mayRun(): boolean {
  return RED.user.hasPermission("radaro-inbox.write");
}
