import { join } from "node:path";
import { startNodeRed } from "../scripts/node-red";
import { npm, pack } from "../test/system/package";
import { core, ours, tab } from "./flows";
import { token } from "./node-red";
import { percentile, spread } from "./figures";

const rounds = 9;

/** In milliseconds. */
interface Clocked {
  ours: { loading: number; first: number };
  core: { loading: number; first: number };
  /** CPU time of the process from its start to its end, right after the flows have started. */
  cpu: number;
}

/** What loading the package adds to Node-RED's start. */
export async function start(): Promise<void> {
  const without: Clocked[] = [];
  const unused: Clocked[] = [];
  const used: Clocked[] = [];
  for (let i = 0; i < rounds; i++) {
    without.push(await startOnce(core, false));
    unused.push(await startOnce(core, true));
    used.push(await startOnce([...core, ...ours], true));
  }
  const all = (rows: Clocked[], pick: (row: Clocked) => number) => spread(rows.map(pick));
  console.log(
    `  loading our three modules, installed but not used: ${all(unused, (row) => row.ours.loading)} ms`,
  );
  console.log(
    `  with the first node of each type: ${all(used, ({ ours }) => ours.loading + ours.first)} ms;` +
      ` core http in with its first node: ${all(used, ({ core }) => core.loading + core.first)} ms`,
  );
  const cpu = (rows: Clocked[]) =>
    percentile(
      rows.map((row) => row.cpu),
      0.5,
    );
  console.log(
    `  CPU time of a whole start: ${all(without, (row) => row.cpu)} ms without the package,` +
      ` ${all(unused, (row) => row.cpu)} with it installed: ${(cpu(unused) - cpu(without)).toFixed(0)} ms more`,
  );
}

async function startOnce(flow: object[], installed: boolean): Promise<Clocked> {
  const known = flow.filter((node) => !("type" in node && String(node.type).startsWith("bench")));
  const nodeRed = await startNodeRed({
    flows: [tab, ...known],
    credentials: { acme: { token } },
    env: { NODE_OPTIONS: `--require ${join(__dirname, "load-clock.cjs")}` },
    prepare: (userDir) => {
      if (installed)
        npm(["install", "--prefix", userDir, "--no-audit", "--no-fund", "--prefer-offline", pack()], userDir);
    },
  });
  await nodeRed.stop();
  return JSON.parse(/^load clock (.*)$/m.exec(nodeRed.output())![1]!) as Clocked;
}
