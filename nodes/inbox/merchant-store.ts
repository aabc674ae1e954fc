import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Node, NodeAPI } from "node-red";
import type { Moment } from "../../src/inbox/age";
import { fateOf, labelPath, parseLabel } from "../../src/inbox/folder";
import type { Before } from "../../src/inbox/moving";
import type * as PostgresModule from "../../src/inbox/postgres-store";
import { SqliteStore } from "../../src/inbox/sqlite-store";
import type { bounds, OpenStore } from "../../src/inbox/store";
import { inboxDir, inboxesDir } from "./dir";

/** How much a database keeps of a merchant at most. */
const sharedBounds = { events: 2_000_000, bytes: 16 * 1024 ** 3 };

/** How long an event waits for a database at most, in milliseconds: Radaro waits 12 s for its answer. */
const answerWithin = 8000;

/** The directories that are in use. */
const open = new Set<string>();

/** Those that were, in this process. */
const opened = new Set<string>();

/** Where a merchant's events are kept. */
interface Place {
  open: OpenStore;
  /** What its inbox is to know of that. */
  about: { isFirst: boolean } | { max: typeof bounds; answerWithin: number; before: Before };
}

/** @param node the merchant's @param settings `database`: its URL; `undefined`: they are on this machine's disk */
export function placeFor(
  RED: NodeAPI,
  node: Node,
  { days, database }: { days: number; database?: string },
): Place {
  const dir = inboxDir(RED, node.id);
  if (database === undefined) {
    const label = { merchant: node.id, days };
    return { open: (options) => SqliteStore.open(dir, options, label), about: { isFirst: use(dir) } };
  }
  const { Instance, PostgresStore } = loadPostgres();
  const instance = new Instance(node.id);
  return {
    open: (options) => PostgresStore.open(database, instance, options),
    about: { max: sharedBounds, answerWithin, before: onDisk(RED, node) },
  };
}

/** Nobody else in this process uses a directory. @returns whether nobody has until now */
function use(dir: string): boolean {
  const isFirst = !opened.has(dir);
  open.add(dir);
  opened.add(dir);
  return isFirst;
}

/** A merchant's inbox is closed. */
export function leavePlace(RED: NodeAPI, { id }: Node): void {
  open.delete(inboxDir(RED, id));
}

/** What it had on disk before it was in a database. Opened without a label, the folder goes when its days are over. */
function onDisk(RED: NodeAPI, node: Node): Before {
  const dir = inboxDir(RED, node.id);
  const says = (what: string, about: object) => RED._(`radaro-config.inbox.${what}`, { dir, ...about });
  return {
    open: async () => (existsSync(join(dir, "inbox.sqlite")) ? SqliteStore.open(dir) : undefined),
    moved: (count) => node.log(says("moved", { count })),
    failed: (problem) => {
      const why = RED._(`radaro-config.inbox.title.${problem}`);
      node.warn(says("not-moved", { why }));
    },
  };
}

/** A file of its own: who has no inbox in a database does not load it. */
function loadPostgres(): typeof PostgresModule {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the only import that can wait and is there at once
  return require("../../src/inbox/postgres-store") as typeof PostgresModule;
}

/** The folders of the first edition that were said to be there. */
const said = new Set<string>();

/**
 * Looks at the folders that no merchant has open: what belonged to one that is deleted, or whose inbox is
 * off. Each says for how many days it is kept; it is deleted when nobody has used it for so long, here or
 * in another Node-RED.
 *
 * @param at now, where the clock is believed; `undefined`: nothing is deleted
 */
export async function lookAtFolders(RED: NodeAPI, at: Moment | undefined): Promise<void> {
  const root = inboxesDir(RED);
  for (const name of await readdir(root).catch(() => [])) {
    const dir = join(root, name);
    if (open.has(dir)) continue;
    const label = parseLabel(await readFile(labelPath(dir), "utf8").catch(() => ""), name);
    if (label && at && fateOf(label, at) !== "kept") {
      // Where it is in use, or cannot be deleted, it is tried again in an hour.
      const isDeleted = await SqliteStore.remove(dir, at).catch(() => false);
      if (isDeleted) RED.log.info(RED._("radaro-config.inbox.deleted", { dir, days: label.days }));
    }
    const files = label || said.has(dir) ? [] : await readdir(dir).catch(() => []);
    if (!files.includes("CURRENT")) continue;
    said.add(dir);
    RED.log.warn(RED._("radaro-config.inbox.found.leveldb", { dir }));
  }
}
