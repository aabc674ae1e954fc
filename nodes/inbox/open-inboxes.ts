import type { NodeAPI } from "node-red";
import type { MerchantInbox } from "./merchant-inbox";

/** What asks for the inboxes: a type of node knows nothing of another's. */
const asked = "radaro-inboxes";

type Inboxes = Map<string, MerchantInbox>;

/** Lets other nodes find the inboxes that are open. */
export function showInboxes({ events }: NodeAPI, open: Inboxes): void {
  events.removeAllListeners(asked); // of this package as it was before an update
  events.on(asked, (found: Inboxes) => {
    for (const [id, inbox] of open) found.set(id, inbox);
  });
}

/** The inboxes that are open, by the id of their merchant's node. */
export function findInboxes({ events }: NodeAPI): Inboxes {
  const found: Inboxes = new Map();
  events.emit(asked, found);
  return found;
}
