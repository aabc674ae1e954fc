import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Postgres } from "../test/shared/postgres";
import { spread } from "./figures";
import { kept, ours, tab } from "./flows";
import { sayDisk, settled } from "./inbox";
import { withNodeRed, type Bench } from "./node-red";
import { compare, describe, round, type Round } from "./round";

const rounds = 11;

/** The flow with an inbox, with its events in a database. */
export const shared = kept.map((node) => (node.id === "acme" ? { ...node, inboxStore: "postgres" } : node));

/** Clock ticks of Linux a second. */
const ticks = 100;

/** What a PostgreSQL has used so far, with all of its processes: CPU time, in microseconds. */
export function usedBy({ dir }: Postgres): number {
  const [main] = readFileSync(join(dir, "data", "postmaster.pid"), "utf8").split("\n");
  let used = 0;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    let stat: string;
    try {
      stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    } catch {
      continue; // it has ended
    }
    const [, parent, ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [own, system, ofEnded, systemOfEnded] = rest.slice(9, 13).map(Number) as [
      number,
      number,
      number,
      number,
    ];
    if (pid === main) used += own + system + ofEnded + systemOfEnded;
    else if (parent === main) used += own + system;
  }
  return (used / ticks) * 1e6;
}

/** Starts a PostgreSQL for `run`, on a disk, and ends it. @param run gets the URL of an empty database */
export async function withPostgres(run: (postgres: Postgres, url: string) => Promise<void>): Promise<void> {
  const postgres = await Postgres.start();
  try {
    await run(postgres, postgres.newDatabase());
  } finally {
    await postgres.remove();
  }
}

/** What an event costs with an inbox in a database on this machine, on disk, and without: three Node-REDs that take turns. */
export async function perSharedEvent(): Promise<void> {
  sayDisk();
  await withPostgres((postgres, inboxUrl) =>
    withNodeRed([tab, ...ours], {}, (off) =>
      withNodeRed([tab, ...kept], {}, (disk) =>
        withNodeRed([tab, ...shared], { inboxUrl }, (database) =>
          compareAll({ database, disk, off }, () => usedBy(postgres)),
        ),
      ),
    ),
  );
}

type Name = "database" | "disk" | "off";

async function compareAll(benches: Record<Name, Bench>, usedByDatabase: () => number): Promise<void> {
  let first = 0;
  const run = async (name: Name, count: number, connections: number): Promise<Round> => {
    const { nodeRed, used } = benches[name];
    const done = name === "off" ? undefined : () => settled(nodeRed);
    first += count; // an event that was there before is not kept again
    return round(`${nodeRed.url}/ours`, used, { count, connections, first, ...(done && { settled: done }) });
  };
  for (const [connections, perRound] of [
    [64, 4000],
    [1, 1000],
  ] as const) {
    const names: Name[] = ["database", "disk", "off"];
    const rows: Record<Name, Round[]> = { database: [], disk: [], off: [] };
    const ofDatabase: number[] = [];
    for (const name of [...names, ...names]) await run(name, perRound, connections); // warms up
    for (let i = 0; i < rounds; i++) {
      names.push(names.shift()!); // each comes first and last in turn
      for (const name of names) {
        const before = usedByDatabase();
        rows[name].push(await run(name, perRound, connections));
        if (name === "database") ofDatabase.push((usedByDatabase() - before) / perRound);
      }
    }
    console.log(`\n${connections === 1 ? "one after the other" : `${connections} under way at once`}`);
    console.log(
      `  database  ${describe(rows.database)}; CPU of the database ${spread(ofDatabase, 0)} µs an event`,
    );
    console.log(`  disk      ${describe(rows.disk)}`);
    console.log(`  without   ${describe(rows.off)}`);
    console.log(`  database : disk     ${compare(rows.database, rows.disk)}`);
    console.log(`  database : without  ${compare(rows.database, rows.off)}`);
  }
}
