import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** Runs a program, and writes down what it does to files and sends, byte for byte: for `readTrace`. */
export const tracer = (file: string): string[] => [
  ...["strace", "-D", "-f", "-yy", "-xx", "-s", "10000000", "-o", file],
  ...["-e", "trace=openat,write,writev,pwrite64,pwritev,fsync,fdatasync,rename,renameat2,unlink,ftruncate"],
];

/** What a process did. */
export type Step =
  | { did: "create" | "sync" | "unlink"; path: string }
  | { did: "write"; path: string; bytes: Buffer }
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
    const step = readCall(rest === undefined ? said : `${begun.get(thread)}${rest}`);
    if (step && dirname(step.path) === dir) yield step;
    else if (step?.did === "sync" && step.path === dir) yield step;
  }
}

function readCall(call: string): Exclude<Step, { did: "answer" }> | undefined {
  const [, name, args = "", result] = /^(\w+)\((.*)\) += (\d+)/.exec(call) ?? [];
  if (result === undefined) return undefined; // it has failed, or is no call
  const texts = Array.from(args.matchAll(/"([^"]*)"/g), ([, text]) => unhex(text!));
  const [, opened = ""] = /^\d+<(\\x[^>]*)>/.exec(args) ?? [];
  const path = opened ? unhex(opened).toString() : (texts[0]?.toString() ?? "");
  if (name === "openat") return args.includes("O_TRUNC") ? { did: "create", path } : undefined;
  if (name === "fsync" || name === "fdatasync") return { did: "sync", path };
  if (name === "unlink") return { did: "unlink", path };
  if (name === "rename") return { did: "rename", path, to: texts[1]!.toString() };
  if (name === "write" || name === "writev") return { did: "write", path, bytes: Buffer.concat(texts) };
  throw new Error(`What a disk does with this is not known here: ${name}`);
}

/** What was written to a file, and how much of it was synced. */
interface File {
  written: Buffer[];
  synced: number;
}

/**
 * A disk on which a power cut leaves only what has to be there: of a file what was synced, under the
 * name that it had then; what happened to other names where their directory was synced.
 */
export class ForgetfulDisk {
  readonly #seen = new Map<string, File>();
  #kept = new Map<string, File>();

  do(step: Exclude<Step, { did: "answer" }>): void {
    const { did, path } = step;
    const file = this.#seen.get(path);
    if (did === "create") this.#seen.set(path, { written: [], synced: 0 });
    else if (did === "write") file?.written.push(step.bytes);
    else if (did === "unlink") this.#seen.delete(path);
    else if (did === "rename") {
      this.#seen.delete(path);
      if (file) this.#seen.set(step.to, file);
    } else if (!file) {
      this.#kept = new Map(this.#seen); // the directory
    } else {
      file.synced = file.written.length;
      this.#kept.set(path, file);
    }
  }

  /** Makes a directory with what a power cut now would leave. */
  save(dir: string): void {
    mkdirSync(dir, { recursive: true });
    for (const [path, { written, synced }] of this.#kept)
      writeFileSync(join(dir, basename(path)), Buffer.concat(written.slice(0, synced)));
  }
}
