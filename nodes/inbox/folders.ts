import { readdir } from "node:fs/promises";
import type { NodeAPI } from "node-red";
import { isBelieved, now, proof, type Moment } from "../../src/inbox/age";
import { inboxesDir } from "./dir";

/** How often it is looked whether a folder is left behind, in milliseconds: when the clock has just proved itself. */
const lookEvery = proof + 1000;

/**
 * Has the folders looked at that no merchant has open: what they are when Node-RED has started, and whether
 * they are too old each hour, also where no merchant is left.
 *
 * @param load loads what looks at them, where there is any
 */
export function watchFolders(
  RED: NodeAPI,
  load: () => { lookAtFolders: (RED: NodeAPI, at: Moment | undefined) => Promise<void> },
): void {
  let last: Moment | undefined;
  const look = async () => {
    const [before, at] = [last, now()];
    last = at;
    const names = await readdir(inboxesDir(RED)).catch(() => []);
    const isSure = before !== undefined && isBelieved(at, before);
    if (names.length > 0) await load().lookAtFolders(RED, isSure ? at : undefined);
  };
  RED.events.once("flows:started", () => {
    void look();
    setInterval(() => void look(), lookEvery).unref();
  });
}
