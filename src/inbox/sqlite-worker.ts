// The thread in which a store waits for its disk: opens a database, and does as it is told, one after the
// other. `SqliteStore` is its other end.
import { parentPort } from "node:worker_threads";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Moment } from "./age";
import { writeLabel, type Label } from "./folder";
import { Database, fileName } from "./sqlite-database";
import { Events } from "./sqlite-events";
import { attempt, makeDir } from "./sqlite-files";
import { LastStored } from "./sqlite-last";
import { unusable } from "./sqlite-problem";
import { remove } from "./sqlite-remove";
import { deleteAside, keepLog } from "./sqlite-salvage";
import type { State } from "./deliveries";
import type { Finding, OpenOptions, Problem, Settings } from "./store";

/** What it may be told, with what it answers. */
export type Commands = Omit<
  Events,
  "begin" | "counts" | "failures" | "found" | "last" | "settings" | "size"
> & {
  openAt(dir: string, options: WorkerOptions): { findings: Finding[]; settings: Settings };
  check(): void;
  compact(before?: string): void;
  /** Deletes the folder of an inbox that nobody has open, when its days are over. */
  remove(dir: string, now: Moment): boolean;
  /** @returns how it left the database, for the `left` of who opens it next */
  close(): string;
};

export interface WorkerOptions extends Required<Omit<OpenOptions, "signal" | "others">> {
  /** What `close` has returned: where the database is still like that, it is not checked again. */
  left: string | undefined;
  label: Omit<Label, "used"> | undefined;
}

export interface Asked {
  id: number;
  command: keyof Commands;
  args: unknown[];
}

export interface Answered {
  id: number;
  result?: unknown;
  error?: { problem: Problem; message: string };
  /** What there is now. */
  now?: Now;
}

export interface Now {
  counts: Record<State, number>;
  failures: Record<string, number>;
  size: { events: number; bytes: number };
  last: string;
}

let dir = "";
let database: Database | undefined;
let events: Events | undefined;
let lastStored: LastStored | undefined;
let label: WorkerOptions["label"];

function openAt(path: string, options: WorkerOptions): { findings: Finding[]; settings: Settings } {
  const { max, last, check, left } = options;
  [dir, label] = [path, options.label];
  makeDir(dir);
  lastStored = new LastStored(dir);
  const known = Math.max(Number(last), lastStored.seq);
  const closed = left !== undefined && left === look() ? "nothing" : "tables";
  database = Database.open(dir, check ? "all" : closed, known);
  events = new Events(database, max, Math.max(known, database.dropped));
  const findings: Finding[] = [];
  if (database.salvaged) findings.push({ what: "damaged", ...database.salvaged });
  else if (Math.max(lastStored.seq, database.dropped) > events.found) {
    findings.push({ what: "incomplete" });
    if (database.dropped > events.found) keepLog(dir);
  }
  events.begin();
  use();
  lastStored.write(Number(events.last));
  if (readdirSync(dir).includes("CURRENT")) findings.push({ what: "leveldb" });
  return { findings, settings: events.settings };
}

/** Whose its folder is, and that it is in use. */
function use(): void {
  if (label) attempt(() => writeLabel(dir, label!)); // on a full disk the one before remains
}

/** What is another where somebody has written to the database. */
function look(): string | undefined {
  const { ino, size, mtimeMs } = statSync(join(dir, fileName), { throwIfNoEntry: false }) ?? {};
  return ino === undefined ? undefined : [ino, size, mtimeMs].join(" ");
}

function compact(before?: string): void {
  database!.compact();
  if (before !== undefined) attempt(() => deleteAside(dir, Date.parse(before))); // else the next time
  use();
}

function close(): string {
  use();
  lastStored!.close();
  database!.close();
  return look() ?? "";
}

/** What is written to a file that was deleted is gone, and nothing but looking at it tells. */
function written(): void {
  database!.isThere();
  lastStored!.write(Number(events!.last));
}

function run({ command, args }: Asked): unknown {
  switch (command) {
    case "openAt":
      return openAt(...(args as Parameters<typeof openAt>));
    case "check":
      return database!.isThere();
    case "compact":
      return compact(...(args as [string?]));
    case "remove":
      return remove(...(args as Parameters<typeof remove>));
    case "close":
      return close();
    default: {
      const result = (events![command] as (...args: unknown[]) => unknown)(...args);
      if (command === "write" || command === "set") written();
      return result;
    }
  }
}

parentPort!.on("message", (asked: Asked) => {
  const answer: Answered = { id: asked.id };
  try {
    answer.result = run(asked);
  } catch (error) {
    const { problem, message } = unusable(error, dir);
    answer.error = { problem, message };
  }
  if (events) {
    const { counts, failures, size, last } = events;
    answer.now = { counts, failures, size, last };
  }
  parentPort!.postMessage(answer);
});
