import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export interface NodeRedOptions {
  /** Flows to start with. */
  flows?: object[];
  /** Credentials by node id. */
  credentials?: Record<string, Record<string, string>>;
  /** More of settings.js. */
  settings?: Record<string, unknown>;
  /** Puts the package and whatever else is needed into the user directory. */
  prepare?: (userDir: string) => void;
  /** The flows need types that will be installed later: it is ready as soon as it waits for them. */
  typesAreMissing?: boolean;
  /** 0: a free one. */
  port?: number;
  env?: NodeJS.ProcessEnv;
  /** Another Node-RED than the one this project develops with, from `programIn`. */
  program?: NodeRedProgram;
  /** The user directory of one that was started before: it goes on with what is there. */
  userDir?: string;
  /** A program, with its arguments, that runs Node-RED as its own process. */
  runner?: string[];
}

/** What runs: a Node.js, and Node-RED's start script. */
export interface NodeRedProgram {
  node: string;
  redJs: string;
}

/** A Node-RED of its own: a process, with a temporary user directory. */
export interface NodeRed {
  /** Without a `/` at the end. */
  url: string;
  userDir: string;
  /** All that it has printed. */
  output(): string;
  pid: number;
  /** Resolves as soon as `text` has been printed since the last call that found it. */
  printed(text: string): Promise<void>;
  /** Ends the process at once, without a word to it. Its user directory stays. */
  kill(): Promise<void>;
  /** Asks the process to end, and waits for that. Its user directory stays. */
  end(): Promise<void>;
  /** Ends the process and removes its user directory. */
  stop(): Promise<void>;
}

/** What Node-RED prints where it cannot start the flows yet. */
const missing = "missing types";

/** Where `NODE_RED_DIR` names a folder made by `installNodeRed`, that is what the tests run in. */
export function defaultProgram(): NodeRedProgram {
  const dir = process.env.NODE_RED_DIR;
  return dir ? programIn(dir) : { node: process.execPath, redJs: require.resolve("node-red/red.js") };
}

/** npm waits for five minutes for a registry that says nothing, before it asks again. */
const impatient = "--fetch-timeout=60000";

/**
 * Installs the latest Node-RED of a range, where that has not been done before.
 *
 * @param nodeRed a range of versions of node-red
 * @param node a range of versions of Node.js, which runs it
 * @returns the folder, for `programIn`
 */
export function installNodeRed(nodeRed: string, node: string): string {
  const packages = { "node-red": latest("node-red", nodeRed), node: latest("node", node) };
  const name = Object.entries(packages).flat().join("-");
  const dir = join(dirname(__dirname), "node_modules", ".cache", name);
  if (!existsSync(dir)) {
    console.log(`Installing ${name} …`);
    // Under its name it is there as a whole, or not at all.
    const unfinished = `${dir}-${process.pid}`;
    mkdirSync(unfinished, { recursive: true });
    // It may need the Node.js that it brings along, and not run on the one that installs it.
    const options = ["--no-audit", "--no-fund", "--force", "--loglevel=error", impatient];
    const exact = Object.entries(packages).map((each) => each.join("@"));
    execFileSync("npm", ["install", "--prefix", unfinished, ...options, ...exact], { stdio: "inherit" });
    try {
      renameSync(unfinished, dir);
    } catch (error) {
      if (!existsSync(dir)) throw error;
      rmSync(unfinished, { recursive: true }); // another process was quicker
    }
  }
  return dir;
}

/** @param dir from `installNodeRed` */
export function programIn(dir: string): NodeRedProgram {
  const modules = join(dir, "node_modules");
  const node = join(modules, "node", "bin", "node");
  return { node: existsSync(node) ? node : process.execPath, redJs: join(modules, "node-red", "red.js") };
}

/** The latest version of a range, as the registry has it now. */
export function latest(name: string, range: string): string {
  const args = ["view", `${name}@${range}`, "version", "--json", impatient];
  const versions = [JSON.parse(execFileSync("npm", args, { encoding: "utf8" })) as string | string[]].flat();
  return versions.sort((a, b) => a.localeCompare(b, "en", { numeric: true })).at(-1)!;
}

/**
 * Starts Node-RED on loopback and waits until its flows run.
 *
 * @throws with what Node-RED printed, where it ends before that
 */
export async function startNodeRed(options: NodeRedOptions = {}): Promise<NodeRed> {
  const program = options.program ?? defaultProgram();
  const userDir = options.userDir ?? makeUserDir(options);
  const [command, ...args] = [
    ...(options.runner ?? []),
    ...[program.node, program.redJs, "--userDir", userDir, "--settings", join(userDir, "settings.js")],
    ...["--port", String(options.port ?? 0)],
  ];
  const child = spawn(command!, args, {
    cwd: userDir,
    env: { ...process.env, LANG: "C.UTF-8", ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let seen = 0;
  let ended = false;
  let changed = (): void => undefined;
  const onData = (data: Buffer) => {
    output += data.toString();
    changed();
  };
  child.stdout.on("data", onData);
  child.stderr.on("data", onData);
  const exited = once(child, "exit").then(() => {
    ended = true;
    changed();
  });

  const end = async (signal: NodeJS.Signals) => {
    if (!ended) child.kill(signal);
    await exited;
  };
  const stop = async () => {
    await end("SIGTERM");
    rmSync(userDir, { recursive: true, force: true });
  };
  const waitFor = async (find: () => number) => {
    for (;;) {
      const end = find();
      if (end >= 0) {
        seen = end;
        return;
      }
      if (ended) throw new Error(`Node-RED has ended:\n${output}`);
      if (output.includes(missing) && !options.typesAreMissing)
        throw new Error(`The flows cannot start:\n${output}`);
      await new Promise<void>((resolve) => (changed = resolve));
    }
  };

  try {
    await waitFor(() => (output.includes("Server now running at") ? 0 : -1));
    const ready = options.typesAreMissing ? missing : "Started flows";
    await waitFor(() => (output.includes(ready) ? output.length : -1));
  } catch (error) {
    await stop();
    throw error;
  }
  const [, url] = /Server now running at (http:\/\/\S+?)\/?\s/.exec(`${output} `)!;
  return {
    url: new URL(url!).origin,
    userDir,
    output: () => output,
    printed: (text) =>
      waitFor(() => {
        const at = output.indexOf(text, seen);
        return at < 0 ? -1 : at + text.length;
      }),
    pid: child.pid!,
    kill: () => end("SIGKILL"),
    end: () => end("SIGTERM"),
    stop,
  };
}

/** Makes a user directory for a Node-RED that has not been started before. */
function makeUserDir(options: NodeRedOptions): string {
  const userDir = mkdtempSync(join(tmpdir(), "radaro-node-red-"));
  const settings = {
    uiHost: "127.0.0.1",
    flowFile: "flows.json",
    credentialSecret: false,
    // Nothing is asked of the outside.
    telemetry: { enabled: false, updateNotification: false },
    editorTheme: { tours: false },
    ...options.settings,
  };
  writeFileSync(
    join(userDir, "settings.js"),
    `module.exports = ${JSON.stringify(settings)};
`,
  );
  writeFileSync(join(userDir, "flows.json"), JSON.stringify(options.flows ?? []));
  writeFileSync(join(userDir, "flows_cred.json"), JSON.stringify(options.credentials ?? {}));
  mkdirSync(join(userDir, "node_modules"), { recursive: true });
  options.prepare?.(userDir);
  return userDir;
}
