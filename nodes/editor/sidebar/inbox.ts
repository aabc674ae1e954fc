import type { EditorRED } from "node-red";

declare const RED: EditorRED;

/** What can become of an event, in the order in which the sidebar offers them. */
export const states = ["waiting", "failed", "handed-over", "processed"] as const;

export type State = (typeof states)[number];

/** A deployed merchant whose inbox is on. */
export interface Inbox {
  id: string;
  name: string;
  problem: Problem | null;
  counts: Record<"waiting" | "failed" | "handedOver" | "processed", number>;
  refused: { why: string; count: number; last: string }[];
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
  state: State;
  /** No `radaro in` lets its topic through. */
  unwanted?: boolean;
  /** It waits, and no `radaro in` is there for its path. */
  nowhere?: boolean;
  /** How many times it was given to the flow. */
  times: number;
  superseded?: boolean;
  error?: { text: string; node?: { id: string; name?: string; type: string } };
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

/**
 * Asks Node-RED about the inboxes.
 *
 * @param path below `radaro-inbox`
 * @throws {Failure}
 */
export function ask<T>(path: string, method: "GET" | "POST" = "GET"): Promise<T> {
  return new Promise((resolve, reject) => {
    $.ajax({ url: `radaro-inbox${path}`, type: method, dataType: "json" })
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
