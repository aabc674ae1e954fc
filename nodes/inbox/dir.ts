import { join } from "node:path";
import type { NodeAPI } from "node-red";

/** The directory with all inboxes of a Node-RED. */
export function inboxesDir(RED: NodeAPI): string {
  return join(RED.settings.userDir ?? "", "radaro-inbox");
}
