import { ask, type Counts, type Inbox } from "./inbox";

const listeners = new Set<(inboxes: Inbox[]) => void>();
let asked: Promise<Inbox[]> | undefined;

/** Asks for all inboxes, once for all who want to know it at a time. @throws {Failure} */
export function readInboxes(): Promise<Inbox[]> {
  asked ??= ask<{ merchants: Inbox[] }>("")
    .then(({ merchants }) => {
      for (const listener of listeners) listener(merchants);
      return merchants;
    })
    .finally(() => (asked = undefined));
  return asked;
}

/** Calls `listener` with whatever is read of the inboxes. */
export function listenToInboxes(listener: (inboxes: Inbox[]) => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

export function sum(all: Counts[]): Counts {
  const total: Counts = { failed: 0, waiting: 0, processed: 0 };
  for (const counts of all) {
    total.failed += counts.failed;
    total.waiting += counts.waiting;
    total.processed += counts.processed;
  }
  return total;
}
