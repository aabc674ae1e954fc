import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** Runs a program, and writes down what it does to files and sends, byte for byte: for `readTrace`. */
export const tracer = (file: string): string[] => [
  ...["strace", "-D", "-f", "-yy", "-xx", "-s", "10000000", "-o", file],
  ...[
    "-e",
    "trace=openat,write,writev,pwrite64,pwritev,fsync,fdatasync,rename,renameat2,unlink,ftruncate,fallocate",
  ],
];

/** What a process did. */
export type Step =
  | { did: "create" | "sync" | "unlink"; path: string }
  | { did: "write"; path: string; bytes: Buffer; at: number }
  | { did: "truncate"; path: string; size: number }
  | { did: "rename"; path: string; to: string }
  /** Began to send an answer. */
  | { did: "answer"; status: number; port: number };

const unhex = (text: string) => Buffer.from(text.replaceAll("\\x", ""), "hex");

/**
 * Reads what a process did in a directory, and its answers over HTTP, in the order in which that came
 * about. What has ended on disk counts from its end on, an answer from its beginning on.
 */
export function* readTrace(file: string, dir: string): Generator<Step> {
  const begun = new Map<string, string>();
  for (const line of readFileSync(file, "latin1").split("\n")) {
    const [, thread = "", said = ""] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const answer = /^writev?\(\d+<TCP:\[[^\]]+->127\.0\.0\.1:(\d+)\]>.*?"(\\x[^"]*)"/.exec(said);
    if (answer) {
      const [, status] = /^HTTP\/1\.1 (\d+)/.exec(unhex(answer[2]!).toString("latin1")) ?? [];
      if (status) yield { did: "answer", status: Number(status), port: Number(answer[1]) };
      continue;
    }
    if (said.endsWith(" <unfinished ...>")) {
      begun.set(thread, said.slice(0, -" <unfinished ...>".length));
      continue;
    }
    const [, rest] = /^<\.\.\. \w+ resumed>(.*)$/.exec(said) ?? [];
    const step = readCall(rest === undefined ? said : `${begun.get(thread)}${rest}`, dir);
    if (step && dirname(step.path) === dir) yield step;
    else if (step?.did === "sync" && step.path === dir) yield step;
  }
}

function readCall(call: string, dir: string): Exclude<Step, { did: "answer" }> | undefined {
  const [, name, args = "", result] = /^(\w+)\((.*)\) += (\d+)/.exec(call) ?? [];
  if (result === undefined) return undefined; // it has failed, or is no call
  const texts = Array.from(args.matchAll(/"([^"]*)"/g), ([, text]) => unhex(text!));
  const [, opened = ""] = /^\d+<(\\x[^>]*)>/.exec(args) ?? [];
  const path = opened ? unhex(opened).toString() : (texts[0]?.toString() ?? "");
  if (name === "openat") return args.includes("O_CREAT") ? { did: "create", path } : undefined;
  if (name === "fsync" || name === "fdatasync") return { did: "sync", path };
  if (name === "rename") return { did: "rename", path, to: String(texts[1]) };
  if (name === "unlink") return { did: "unlink", path };
  const last = Number(args.slice(args.lastIndexOf(",") + 1));
  if (name === "ftruncate") return { did: "truncate", path, size: last };
  if (name === "pwrite64") return { did: "write", path, bytes: Buffer.concat(texts), at: last };
  // Where it only answers.
  if (name === "write" || name === "writev") return undefined;
  if ([path, ...texts.map(String)].every((each) => dirname(each) !== dir)) return undefined;
  throw new Error(`What a disk does with this is not known here: ${name}`);
}

/** What happens to the content of a file. */
type Change = Extract<Step, { did: "write" | "truncate" }>;

/** What is on disk of a file for good, and what was done to it since. */
interface File {
  synced: Buffer;
  since: Change[];
}

/**
 * A disk on which a power cut leaves only what has to be there: of a file what was synced; of a directory
 * the names that it had when it was synced.
 */
export class ForgetfulDisk {
  readonly #seen = new Map<string, File>();
  #kept = new Map<string, File>();

  do(step: Exclude<Step, { did: "answer" }>): void {
    const { did, path } = step;
    const file = this.#seen.get(path);
    if (step.did === "write" || step.did === "truncate") {
      file?.since.push(step);
    } else if (did === "create") {
      if (!file) this.#seen.set(path, { synced: Buffer.alloc(0), since: [] });
    } else if (did === "unlink") {
      this.#seen.delete(path);
    } else if (step.did === "rename") {
      this.#seen.delete(path);
      if (file) this.#seen.set(step.to, file);
    } else if (file) {
      file.synced = changed(file.synced, file.since);
      file.since = [];
    } else {
      this.#kept = new Map(this.#seen); // the directory
    }
  }

  /**
   * Makes a directory with what a power cut now would leave.
   *
   * @param survives whether something that was not synced is on disk all the same
   */
  save(dir: string, survives: () => boolean): void {
    mkdirSync(dir, { recursive: true });
    for (const [path, { synced, since }] of this.#kept)
      writeFileSync(join(dir, basename(path)), changed(Buffer.from(synced), since.filter(survives)));
  }
}

/** The content of a file after changes to it, the same buffer where that is large enough. */
function changed(content: Buffer, changes: Change[]): Buffer {
  let size = content.length;
  let space = content;
  for (const step of changes) {
    size = step.did === "truncate" ? step.size : Math.max(size, step.at + step.bytes.length);
    if (size > space.length) space = Buffer.concat([space], 2 * size);
    if (step.did === "write") step.bytes.copy(space, step.at);
    else space.fill(0, size);
  }
  return space.subarray(0, size);
}
