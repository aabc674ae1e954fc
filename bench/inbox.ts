import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { kept, keptLimit, ours, tab } from "./flows";
import { withNodeRed, type Bench } from "./node-red";
import { compare, describe, round, type Round } from "./round";

const rounds = 15;

/** Throws where what is written is not written to a disk. */
export function sayDisk(): void {
  const [, type = ""] = execFileSync("df", ["--output=fstype", tmpdir()], { encoding: "utf8" }).split("\n");
  if (type === "tmpfs") throw new Error("TMPDIR is in memory: let it be on a disk.");
  console.log(`  The inbox is on ${type}.`);
}

/** What an inbox shows in the sidebar. */
interface Summary {
  counts: { waiting: number; failed: number; processed: number };
}

export async function summary(nodeRed: Bench["nodeRed"]): Promise<Summary> {
  const response = await fetch(`${nodeRed.url}/radaro-inbox`);
  const { merchants } = (await response.json()) as { merchants: [Summary] };
  return merchants[0];
}

/** Resolves when the flow is done with all events. */
export async function settled(nodeRed: Bench["nodeRed"]): Promise<void> {
  while ((await summary(nodeRed)).counts.waiting > 0) await new Promise((resolve) => setTimeout(resolve, 50));
}

/**
 * What an event costs with an inbox, against without, and against the least that keeps it: three Node-REDs
 * that take turns.
 */
export async function perKeptEvent(): Promise<void> {
  sayDisk();
  await withNodeRed([tab, ...ours], {}, (off) =>
    withNodeRed(keptLimit, { httpAdminRoot: "/admin" }, (limit) =>
      withNodeRed([tab, ...kept], {}, (on) => compareKept({ on, limit, off })),
    ),
  );
}

type Name = "on" | "limit" | "off";

async function compareKept(benches: Record<Name, Bench>): Promise<void> {
  let first = 0;
  const run = async (name: Name, count: number, connections: number): Promise<Round> => {
    const { nodeRed, used } = benches[name];
    const done = name === "on" ? () => settled(nodeRed) : undefined;
    first += count; // an event that was there before is not kept again
    const how = { count, connections, first, ...(done && { settled: done }) };
    return round(`${nodeRed.url}/ours`, used, how);
  };
  for (const [connections, perRound] of [
    [64, 4000],
    [1, 1000],
  ] as const) {
    const names: Name[] = ["on", "limit", "off"];
    const rows: Record<Name, Round[]> = { on: [], limit: [], off: [] };
    for (const name of [...names, ...names]) await run(name, perRound, connections); // warms up
    for (let i = 0; i < rounds; i++) {
      names.push(names.shift()!); // each comes first and last in turn
      for (const name of names) rows[name].push(await run(name, perRound, connections));
    }
    console.log(`\n${connections === 1 ? "one after the other" : `${connections} under way at once`}`);
    console.log(`  with     ${describe(rows.on)}`);
    console.log(`  limit    ${describe(rows.limit)}`);
    console.log(`  without  ${describe(rows.off)}`);
    console.log(`  with : without   ${compare(rows.on, rows.off)}`);
    console.log(`  limit : without  ${compare(rows.limit, rows.off)}`);
    console.log(`  with : limit     ${compare(rows.on, rows.limit)}`);
  }
}
