// The thread in which a store waits for its disk: opens a database, and does as it is told, one after the
// other. `SqliteStore` is its other end.
import { parentPort } from "node:worker_threads";
import { Database } from "./sqlite-database";
import { Events } from "./sqlite-events";
import { findBeside, LastStored } from "./sqlite-last";
import { unusable } from "./sqlite-problem";
import type { Finding, OpenOptions, Problem } from "./store";
import type { State } from "./stored-event";

/** What it may be told, with what it answers. */
export type Commands = Omit<Events, "counts" | "found" | "last" | "size"> & {
  open(dir: string, options: Required<Omit<OpenOptions, "signal">>): { findings: Finding[] };
  check(): void;
  compact(): void;
  close(): void;
};

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
  size: { events: number; bytes: number };
  last: string;
}

let dir = "";
let database: Database | undefined;
let events: Events | undefined;
let lastStored: LastStored | undefined;

function open(path: string, options: Parameters<Commands["open"]>[1]): ReturnType<Commands["open"]> {
  dir = path;
  database = Database.open(dir, options.check);
  lastStored = new LastStored(dir);
  const known = lastStored.seq;
  events = new Events(database, options.max, Math.max(Number(options.last), known));
  return { findings: findBeside(dir, { known, stored: events.found }) };
}

/** What is written to a file that was deleted is gone, and nothing but looking at it tells. */
function written(): void {
  database!.isThere();
  lastStored!.write(Number(events!.last));
}

function run({ command, args }: Asked): unknown {
  switch (command) {
    case "open":
      return open(...(args as Parameters<typeof open>));
    case "check":
      return database!.isThere();
    case "compact":
      return database!.compact();
    case "close":
      lastStored!.close();
      return database!.close();
    default: {
      const result = (events![command] as (...args: unknown[]) => unknown)(...args);
      if (command === "write") written();
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
  if (events) answer.now = { counts: events.counts, size: events.size, last: events.last };
  parentPort!.postMessage(answer);
});
