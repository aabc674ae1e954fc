import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isOver, possible, type Moment } from "./age";

/** What an inbox's folder is: whose, and for how long. In a file beside the database, which may be damaged. */
export interface Label {
  /** The id of the merchant's node. */
  merchant: string;
  /** For how many days what is in it is kept. */
  days: number;
  /** When it was opened or looked after last: ISO-8601, UTC. */
  used: string;
}

const fileName = "inbox.json";

/** What belongs to an inbox in its folder; all else is somebody else's. */
export const isOwn = (name: string) =>
  /^inbox\.(sqlite(-wal|-shm|-journal)?|last|salvage|json-new|off)$|^damaged-\d{4}-\d\d-\d\dT[\d-]+Z$/.test(
    name,
  );

/** A node's id as the name of its folder: that of a node in a subflow has more than letters and digits. */
export function folderName(id: string): string {
  return encodeURIComponent(id).replace(/[.*]/g, "_");
}

/** The file that says that the merchant has received without its inbox since that was used last. */
export const offPath = (dir: string) => join(dir, "inbox.off");

/** Says in a folder what it is, as of now. */
export function writeLabel(dir: string, label: Omit<Label, "used">): void {
  const path = join(dir, fileName);
  const text = JSON.stringify({ ...label, used: new Date().toISOString() }, null, 2);
  // As a whole, or not at all.
  writeFileSync(`${path}-new`, `${text}\n`, { mode: 0o600 });
  renameSync(`${path}-new`, path);
}

/**
 * Reads what a folder says of itself.
 *
 * @param name the folder's
 * @returns `undefined` where it is none of an inbox, or not the one in its place: a copy, or renamed
 */
export function parseLabel(text: string, name: string): Label | undefined {
  try {
    const { merchant, days, used } = JSON.parse(text) as Partial<Label>;
    if (typeof merchant !== "string" || typeof days !== "number" || typeof used !== "string")
      return undefined;
    const isIts = folderName(merchant) === name && days >= 1 && !Number.isNaN(Date.parse(used));
    return isIts ? { merchant, days, used } : undefined;
  } catch {
    return undefined;
  }
}

/** What there is to do with a folder that nobody has open: nothing, delete it, or say when it was used, as that cannot be. */
export function fateOf({ used, days }: Label, now: Moment): "kept" | "over" | "renewed" {
  const at = Date.parse(used);
  const { from, to } = possible(now);
  if (at < from || at > to) return "renewed";
  return isOver(at, now, days) ? "over" : "kept";
}

/** The file that says what a folder is: the last to be deleted. */
export const labelPath = (dir: string) => join(dir, fileName);
