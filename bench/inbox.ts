import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { kept, ours, tab } from "./flows";
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

/** What an event costs with an inbox, against without: two Node-REDs that take turns. */
export async function perKeptEvent(): Promise<void> {
  sayDisk();
  await withNodeRed([tab, ...ours], {}, (off) =>
    withNodeRed([tab, ...kept], {}, async (on) => {
      let first = 0;
      const run = async (bench: Bench, count: number, connections: number): Promise<Round> => {
        const { nodeRed, used } = bench;
        const done = bench === on ? () => settled(nodeRed) : undefined;
        first += count; // an event that was there before is not kept again
        const how = { count, connections, first, ...(done && { settled: done }) };
        return round(`${nodeRed.url}/ours`, used, how);
      };
      for (const [connections, perRound] of [
        [64, 4000],
        [1, 1000],
      ] as const) {
        const rows: Record<"on" | "off", Round[]> = { on: [], off: [] };
        for (const bench of [on, off, on, off]) await run(bench, perRound, connections); // warms up
        for (let i = 0; i < rounds; i++) {
          // Each comes first and last in turn.
          for (const bench of i % 2 ? [on, off] : [off, on])
            rows[bench === on ? "on" : "off"].push(await run(bench, perRound, connections));
        }
        console.log(`\n${connections === 1 ? "one after the other" : `${connections} under way at once`}`);
        console.log(`  with     ${describe(rows.on)}`);
        console.log(`  without  ${describe(rows.off)}`);
        console.log(`  with : without  ${compare(rows.on, rows.off)}`);
      }
    }),
  );
}
