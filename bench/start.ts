import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startNodeRed } from "../scripts/node-red";
import { npm, pack } from "../test/system/package";
import { spread } from "./figures";
import { core, ours, tab } from "./flows";
import { token } from "./node-red";

const rounds = 9;
/** How often the package is there, by other names: what one adds is less than what two starts differ by. */
const copies = 20;

/** In milliseconds. */
interface Clocked {
  ours: { loading: number; first: number };
  core: { loading: number; first: number };
  /** CPU time of the process from its start to its end, right after the flows have started. */
  cpu: number;
}

/** What loading the package adds to Node-RED's start. */
export async function start(): Promise<void> {
  const rows: Record<"without" | "unused" | "used" | "copied", Clocked>[] = [];
  for (let i = 0; i < rounds; i++) {
    rows.push({
      without: await startOnce(core, 0),
      unused: await startOnce(core, 1),
      used: await startOnce([...core, ...ours], 1),
      copied: await startOnce(core, copies),
    });
  }
  const of = (pick: (row: (typeof rows)[number]) => number) => spread(rows.map(pick));
  const fastest = (which: "without" | "copied") => Math.min(...rows.map((row) => row[which].cpu));
  // What else a machine does can only add to a start: the fastest is the nearest to what it takes.
  const each = (fastest("copied") - fastest("without")) / copies;
  console.log(
    `  installed but not used: ${each.toFixed(1)} ms of CPU time more (from ${copies} copies and the fastest of` +
      ` ${rounds} starts; a start takes ${of(({ without }) => without.cpu)} ms, with the copies ${of(({ copied }) => copied.cpu)} ms)`,
  );
  console.log(`  its JavaScript, of this: ${of(({ unused }) => unused.ours.loading)} ms`);
  console.log(
    `  its JavaScript with the first node of each type: ${of(({ used: { ours } }) => ours.loading + ours.first)} ms;` +
      ` core http in with its first node: ${of(({ used: { core } }) => core.loading + core.first)} ms`,
  );
}

async function startOnce(flow: { type: string }[], count: number): Promise<Clocked> {
  const nodeRed = await startNodeRed({
    flows: [tab, ...flow.filter(({ type }) => !type.startsWith("bench"))],
    credentials: { acme: { token } },
    env: { NODE_OPTIONS: `--require ${join(__dirname, "load-clock.cjs")}` },
    prepare: (userDir) => {
      if (count === 0) return;
      npm(["install", "--prefix", userDir, "--no-audit", "--no-fund", "--prefer-offline", pack()], userDir);
      for (let i = 1; i < count; i++) copyPackage(join(userDir, "node_modules"), i);
    },
  });
  await nodeRed.stop();
  return JSON.parse(/^load clock (.*)$/m.exec(nodeRed.output())![1]!) as Clocked;
}

/** Copies the package under another name, with node types of other names. */
function copyPackage(modules: string, i: number): void {
  const name = "node-red-contrib-radaro";
  const copy = join(modules, `${name}-${i}`);
  cpSync(join(modules, name), copy, { recursive: true });
  const rename = (path: string, from: RegExp | string, to: string) =>
    writeFileSync(path, readFileSync(path, "utf8").replaceAll(from, to));
  rename(join(copy, "package.json"), `"name": "${name}"`, `"name": "${name}-${i}"`);
  for (const file of readdirSync(join(copy, "dist")).filter((file) => /\.(js|html)$/.test(file)))
    rename(join(copy, "dist", file), /radaro( in| switch|-config)\b/g, `radaro${i}$1`);
}
