import { load } from "./client";
import { percentile, spread } from "./figures";
import { core, limit, ours, tab } from "./flows";
import { events, settings, withNodeRed } from "./node-red";

const rounds = 15;
const perRound = 4000;
/** Events under way at once. */
const connections = 8;

/** What one flow took in one round. */
interface Round {
  /** CPU time of the Node-RED process an event, in microseconds. */
  cpu: number;
  /** Events a second. */
  throughput: number;
  /** In milliseconds. */
  median: number;
  p99: number;
}

/** What an event costs: ours, the core flow, the hand-written limit, and a bare HTTP server. */
export async function perEvent(): Promise<void> {
  const bodies = events.map((event) => JSON.stringify(event));
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
      const run = async (name: keyof typeof urls): Promise<Round> => {
        const before = await used(true);
        const { answers, latencies, seconds } = await load(urls[name], bodies, {
          count: perRound,
          connections,
        });
        const { cpu } = await used();
        if (answers[200] !== perRound) throw new Error(`${name} answered ${JSON.stringify(answers)}`);
        return {
          cpu: (cpu - before.cpu) / perRound,
          throughput: perRound / seconds,
          median: percentile(latencies, 0.5),
          p99: percentile(latencies, 0.99),
        };
      };
      const names = Object.keys(urls) as (keyof typeof urls)[];
      for (const name of names) await run(name); // warms up
      for (let i = 0; i < rounds; i++) {
        // Each comes first and last in turn.
        for (const name of i % 2 ? [...names].reverse() : names) rows[name].push(await run(name));
      }

      console.log(`\n${name}`);
      for (const name of names) {
        const of = (pick: keyof Round, digits: number) =>
          spread(
            rows[name].map((row) => row[pick]),
            digits,
          );
        console.log(
          `  ${name.padEnd(5)}  CPU ${of("cpu", 0)} µs an event; ${of("throughput", 0)} events/s;` +
            ` median ${of("median", 2)} ms; 99th percentile ${of("p99", 1)} ms`,
        );
      }
      for (const other of ["core", "limit"] as const) {
        const ratio = (pick: keyof Round) =>
          spread(
            rows.ours.map((row, i) => row[pick] / rows[other][i]![pick]),
            2,
          );
        console.log(
          `  ours : ${other}  CPU ${ratio("cpu")}, throughput ${ratio("throughput")},` +
            ` median ${ratio("median")}, 99th percentile ${ratio("p99")}`,
        );
      }
    });
  }
}
