import { core, limit, ours, tab } from "./flows";
import { settings, withNodeRed } from "./node-red";
import { compare, describe, round, type Round } from "./round";

const rounds = 15;
const perRound = 4000;
/** Events under way at once. */
const connections = 8;

/** What an event costs: ours, the core flow, the hand-written limit, and a bare HTTP server. */
export async function perEvent(): Promise<void> {
  for (const [name, root] of Object.entries(settings)) {
    await withNodeRed([tab, ...ours, ...core, ...limit], root, async ({ nodeRed, ask, used }) => {
      const urls = {
        ours: `${nodeRed.url}/ours`,
        core: `${nodeRed.url}/core`,
        limit: `${nodeRed.url}/limit`,
        bare: `http://127.0.0.1:${await ask<number>("bare")}/`,
      };
      const rows = Object.fromEntries(Object.keys(urls).map((name) => [name, []])) as unknown as Record<
        keyof typeof urls,
        Round[]
      >;
      const run = (name: keyof typeof urls) => round(urls[name], used, { count: perRound, connections });
      const names = Object.keys(urls) as (keyof typeof urls)[];
      for (const name of names) await run(name); // warms up
      for (let i = 0; i < rounds; i++) {
        // Each comes first and last in turn.
        for (const name of i % 2 ? [...names].reverse() : names) rows[name].push(await run(name));
      }

      console.log(`\n${name}`);
      for (const name of names) console.log(`  ${name.padEnd(5)}  ${describe(rows[name])}`);
      for (const other of ["core", "limit"] as const)
        console.log(`  ours : ${other}  ${compare(rows.ours, rows[other])}`);
    });
  }
}
