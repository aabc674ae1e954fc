import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
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
  /** 0: a free one. */
  port?: number;
  env?: NodeJS.ProcessEnv;
  /** Another Node-RED than the one this project develops with, from `installNodeRed`. */
  program?: NodeRedProgram;
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
  /** Resolves as soon as `text` has been printed since the last call that found it. */
  printed(text: string): Promise<void>;
  /** Ends the process and removes its user directory. */
  stop(): Promise<void>;
}

const ownProgram: NodeRedProgram = { node: process.execPath, redJs: require.resolve("node-red/red.js") };

/**
 * Installs a Node-RED with a Node.js of its own, where that has not been done before.
 *
 * @param nodeRed a version of node-red
 * @param node a version of Node.js
 */
export function installNodeRed(nodeRed: string, node: string): NodeRedProgram {
  const dir = join(dirname(__dirname), "node_modules", ".cache", `node-red-${nodeRed}-node-${node}`);
  const modules = join(dir, "node_modules");
  const program = { node: join(modules, "node", "bin", "node"), redJs: join(modules, "node-red", "red.js") };
  if (!existsSync(program.node) || !existsSync(program.redJs)) {
    console.log(`Installing Node-RED ${nodeRed} with Node.js ${node} …`);
    mkdirSync(dir, { recursive: true });
    const packages = [`node-red@${nodeRed}`, `node@${node}`];
    // It needs a later Node.js than the one that installs it, and brings that along.
    const options = ["--no-audit", "--no-fund", "--force", "--loglevel=error"];
    execFileSync("npm", ["install", "--prefix", dir, ...options, ...packages], { stdio: "inherit" });
  }
  return program;
}

/**
 * Starts Node-RED on loopback and waits until its flows run.
 *
 * @throws with what Node-RED printed, where it ends before that
 */
export async function startNodeRed(options: NodeRedOptions = {}): Promise<NodeRed> {
  const program = options.program ?? ownProgram;
  const userDir = mkdtempSync(join(tmpdir(), "radaro-node-red-"));
  const settings = {
    uiHost: "127.0.0.1",
    uiPort: options.port ?? 0,
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

  const child = spawn(
    program.node,
    [program.redJs, "--userDir", userDir, "--settings", join(userDir, "settings.js")],
    {
      cwd: userDir,
      env: { ...process.env, LANG: "C.UTF-8", ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
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

  const stop = async () => {
    if (!ended) child.kill("SIGTERM");
    await exited;
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
      if (output.includes("missing types")) throw new Error(`The flows cannot start:\n${output}`);
      await new Promise<void>((resolve) => (changed = resolve));
    }
  };

  try {
    await waitFor(() => (output.includes("Server now running at") ? 0 : -1));
    await waitFor(() => (output.includes("Started flows") ? output.length : -1));
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
    stop,
  };
}
