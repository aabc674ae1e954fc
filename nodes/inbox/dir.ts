import { join } from "node:path";
import type { NodeAPI } from "node-red";
import { folderName } from "../../src/inbox/folder";

/** The directory with all inboxes of a Node-RED. */
export function inboxesDir(RED: NodeAPI): string {
  return join(RED.settings.userDir ?? "", "radaro-inbox");
}

/** The directory of a merchant's inbox. @param id of the merchant's node */
export function inboxDir(RED: NodeAPI, id: string): string {
  return join(inboxesDir(RED), folderName(id));
}
