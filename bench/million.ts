import { load } from "./client";
import { percentile } from "./figures";
import { ours, tab } from "./flows";
import { textOf, withNodeRed } from "./node-red";

/** Memory and latency over a million events. */
export async function million(): Promise<void> {
  await withNodeRed([tab, ...ours], {}, async ({ nodeRed, used }) => {
    const send = (count: number) => load(`${nodeRed.url}/ours`, textOf, { count, connections: 8 });
    const megabytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
    await send(10_000);
    const first = await used(true);
    console.log(`  after 10,000: heap ${megabytes(first.heapUsed)} MB, process ${megabytes(first.rss)} MB`);
    for (let part = 1; part <= 10; part++) {
      const { answers, latencies, seconds } = await send(part === 1 ? 90_000 : 100_000);
      if (Object.keys(answers).join() !== "200") throw new Error(`Answered ${JSON.stringify(answers)}`);
      const { heapUsed, rss } = await used(true);
      console.log(
        `  after ${part}00,000: heap ${megabytes(heapUsed)} MB (${megabytes(heapUsed - first.heapUsed)} more),` +
          ` process ${megabytes(rss)} MB; median ${percentile(latencies, 0.5).toFixed(2)} ms,` +
          ` 99th percentile ${percentile(latencies, 0.99).toFixed(1)} ms, ${(latencies.length / seconds).toFixed(0)} events/s`,
      );
    }
  });
}
