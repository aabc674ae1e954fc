import { readFileSync, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { NodeRed } from "../scripts/node-red";
import { load } from "./client";
import { percentile } from "./figures";
import { kept, ours, tab } from "./flows";
import { sayDisk, settled, summary } from "./inbox";
import { textOf, withNodeRed } from "./node-red";
import { shared, withPostgres } from "./shared";

/** Memory and latency over a million events. */
export const million = (): Promise<void> => overAMillion([tab, ...ours]);

/** The same with an inbox, which deletes the oldest in its time. */
export async function keptMillion(): Promise<void> {
  sayDisk();
  await overAMillion([tab, ...kept], {
    sizeOf: async ({ userDir }) => {
      const dir = join(userDir, "radaro-inbox", "acme");
      const sizes = (await readdir(dir)).map((name) => statSync(join(dir, name), { throwIfNoEntry: false }));
      return sizes.reduce((sum, file) => sum + (file?.size ?? 0), 0);
    },
  });
}

/** The same with an inbox in a database. */
export async function sharedMillion(): Promise<void> {
  sayDisk();
  await withPostgres((postgres, inboxUrl) =>
    overAMillion([tab, ...shared], {
      inboxUrl,
      sizeOf: () => Number(postgres.query(inboxUrl, "SELECT pg_database_size(current_database())")[0]),
      cleaned: async () => {
        const left =
          "SELECT coalesce(sum(n_dead_tup), 0) FROM pg_stat_user_tables WHERE schemaname = 'radaro_inbox'";
        while (Number(postgres.query(inboxUrl, left)[0]) > 10_000)
          await new Promise((resolve) => setTimeout(resolve, 1000));
      },
    }),
  );
}

/** An inbox: how much of a disk it takes, in bytes. */
interface Keeping {
  inboxUrl?: string;
  sizeOf(nodeRed: NodeRed): number | Promise<number>;
  /**
   * Where all of them are deleted in the end, in the steps in which what is too old is: resolves when their place is free for
   * the more that come then.
   */
  cleaned?: () => Promise<void>;
}

async function overAMillion(flow: object[], inbox?: Keeping): Promise<void> {
  const { inboxUrl } = inbox ?? {};
  await withNodeRed(flow, { ...(inboxUrl && { inboxUrl }) }, async ({ nodeRed, used }) => {
    let sent = 0;
    const send = async (count: number) => {
      const first = sent;
      sent += count;
      const how = { count, connections: inbox ? 64 : 8 };
      const result = await load(`${nodeRed.url}/ours`, (i) => textOf(first + i), how);
      if (inbox) await settled(nodeRed);
      return result;
    };
    const megabytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
    /** Without what is mapped of files, which Linux takes back where it needs the memory. */
    const own = () => {
      if (process.platform !== "linux") return "";
      const [, kilobytes] = /^RssAnon:\s+(\d+) kB$/m.exec(
        readFileSync(`/proc/${nodeRed.pid}/status`, "utf8"),
      )!;
      return ` (${megabytes(Number(kilobytes) * 1024)} MB without files)`;
    };
    const onDisk = async () => {
      if (!inbox) return "";
      const bytes = await inbox.sizeOf(nodeRed);
      const { processed } = (await summary(nodeRed)).counts;
      return `, ${megabytes(bytes)} MB on disk for ${processed} events`;
    };
    await send(10_000);
    const first = await used(true);
    console.log(
      `  after 10,000: heap ${megabytes(first.heapUsed)} MB, process ${megabytes(first.rss)} MB${own()}${await onDisk()}`,
    );
    const sendAndSay = async (count: number, what: string) => {
      const { answers, latencies, seconds } = await send(count);
      if (Object.keys(answers).join() !== "200") throw new Error(`Answered ${JSON.stringify(answers)}`);
      const { heapUsed, rss } = await used(true);
      console.log(
        `  ${what}: heap ${megabytes(heapUsed)} MB (${megabytes(heapUsed - first.heapUsed)} more),` +
          ` process ${megabytes(rss)} MB${own()}${await onDisk()}; median ${percentile(latencies, 0.5).toFixed(2)} ms,` +
          ` 99th percentile ${percentile(latencies, 0.99).toFixed(1)} ms, ${(latencies.length / seconds).toFixed(0)} events/s`,
      );
    };
    for (let part = 1; part <= 10; part++)
      await sendAndSay(part === 1 ? 90_000 : 100_000, `after ${part}00,000`);
    if (!inbox?.cleaned) return;
    await deleteAll(nodeRed, () => textOf(sent++));
    const begun = performance.now();
    await inbox.cleaned();
    console.log(`  their place is free after ${((performance.now() - begun) / 1000).toFixed(0)} s`);
    for (const part of [1, 2, 3]) await sendAndSay(100_000, `after ${part}00,000 more`);
  });
}

/** Deletes all that is processed, in the steps in which what is too old is, while events come one after the other. */
async function deleteAll({ url }: NodeRed, nextText: () => string): Promise<void> {
  let isDone = false;
  const begun = performance.now();
  const deleting = fetch(`${url}/radaro-inbox/acme/clear`, { method: "POST" }).then(async (response) => {
    isDone = true;
    const seconds = (performance.now() - begun) / 1000;
    return `${JSON.stringify(await response.json())} in ${seconds.toFixed(1)} s`;
  });
  const latencies: number[] = [];
  while (!isDone) {
    const one = await load(`${url}/ours`, nextText, { count: 1, connections: 1 });
    latencies.push(one.latencies[0]!);
  }
  console.log(
    `  all deleted: ${await deleting}; meanwhile ${latencies.length} events, one after the other: median` +
      ` ${percentile(latencies, 0.5).toFixed(1)} ms, 99th percentile ${percentile(latencies, 0.99).toFixed(0)} ms,` +
      ` longest ${percentile(latencies, 1).toFixed(0)} ms`,
  );
}
