import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { State } from "../src/inbox/deliveries";
import { fillInbox } from "../test/inbox/filled";
import { load } from "./client";
import { percentile, spread } from "./figures";
import { kept, tab } from "./flows";
import { sayDisk, settled, summary } from "./inbox";
import { textOf, withNodeRed, type Bench } from "./node-red";

const total = 200_000;

/** An inbox with 200,000 events, in the state that `stateOf` says. */
async function withInbox(stateOf: (i: number) => State, run: (dir: string) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "radaro-inbox-"));
  try {
    await fillInbox(dir, { total, path: "/ours", node: "in", bodyOf: textOf, stateOf });
    await run(dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** How long Node-RED's own thread was held up at most, and how long it was working by then, in milliseconds. */
interface HeldUp {
  up: number;
  working: number;
}

const post = (nodeRed: Bench["nodeRed"], i: number) =>
  load(`${nodeRed.url}/ours`, () => textOf(i), { count: 1, connections: 1 });

/** Node-RED's start with 200,000 events that wait for the flow, and with none. */
export async function startWithBacklog(): Promise<void> {
  sayDisk();
  const rounds = 3;
  const rows: Record<"flows" | "answered" | "first" | "all" | "none" | "heldUp" | "heldUpWithout", number[]> =
    {
      flows: [],
      answered: [],
      first: [],
      all: [],
      none: [],
      heldUp: [],
      heldUpWithout: [],
    };
  await withInbox(
    () => "waiting",
    async (inbox) => {
      for (let i = 0; i < rounds; i++) {
        await withNodeRed([tab, ...kept], {}, async ({ nodeRed, begun, ask }) => {
          await post(nodeRed, total);
          rows.heldUpWithout.push((await ask<HeldUp>("held-up")).up);
          rows.none.push((performance.now() - begun) / 1000);
        });
        await withNodeRed([tab, ...kept], { inbox }, async ({ nodeRed, begun, ask }) => {
          const note = (row: number[]) => row.push((performance.now() - begun) / 1000);
          note(rows.flows);
          await Promise.all([
            post(nodeRed, total).then(() => note(rows.answered)),
            (async () => {
              while ((await ask<number>("count/ours")) === 0);
              note(rows.first);
            })(),
          ]);
          rows.heldUp.push((await ask<HeldUp>("held-up")).up);
          await settled(nodeRed);
          note(rows.all);
        });
      }
    },
  );
  console.log(
    `  seconds since the start of the process: flows started ${spread(rows.flows)}; an event answered` +
      ` ${spread(rows.answered)}, ${spread(rows.none)} with nothing in the inbox; the first that waited` +
      ` given to the flow ${spread(rows.first)}; the flow done with all ${spread(rows.all)}; Node-RED's own thread held up for` +
      ` ${spread(rows.heldUp)} ms at most from the nodes' being loaded on, ${spread(rows.heldUpWithout)} with nothing in the inbox`,
  );
}

/** The sidebar's requests with 200,000 events behind them, and how long events take meanwhile. */
export async function sidebar(): Promise<void> {
  sayDisk();
  await withInbox(
    (i) => (i % 10 === 0 ? "failed" : "processed"),
    (inbox) =>
      withNodeRed([tab, ...kept], { inbox }, async ({ nodeRed, ask: askBench }) => {
        let sent = total;
        /** Sends events, one after the other, until something is done, and prints what both took. */
        const during = async (what: string, run: () => Promise<unknown>) => {
          let isDone = false;
          await askBench("held-up");
          const begun = performance.now();
          const running = run().finally(() => (isDone = true));
          const latencies: number[] = [];
          do latencies.push((await post(nodeRed, sent++)).latencies[0]!);
          while (!isDone);
          await running;
          const seconds = (performance.now() - begun) / 1000;
          const heldUp = await askBench<HeldUp>("held-up");
          console.log(
            `  ${what}: ${seconds.toFixed(2)} s; meanwhile ${latencies.length} events, median` +
              ` ${percentile(latencies, 0.5).toFixed(1)} ms, 99th percentile ${percentile(latencies, 0.99).toFixed(0)} ms,` +
              ` longest ${percentile(latencies, 1).toFixed(0)} ms; Node-RED's own thread held up for ${heldUp.up.toFixed(1)} ms at most, and working for ${heldUp.working.toFixed(1)} of such`,
          );
        };
        const ask = async (path: string, method = "GET") =>
          (await (await fetch(`${nodeRed.url}/radaro-inbox${path}`, { method })).json()) as {
            next?: string | null;
            events?: unknown[];
          };
        const toTheEnd = async (path: string) => {
          for (let next: string | null | undefined = ""; next != null;)
            ({ next } = await ask(`/acme/${path}&before=${next}`));
        };
        /** Until the first that fits is found. */
        const find = async (query: string) => {
          let [events, next]: [unknown[], string | null | undefined] = [[], ""];
          while (events.length === 0 && next != null)
            ({ events = [], next } = await ask(`/acme/events?${query}&before=${next}`));
        };
        const often = async (run: () => Promise<unknown>) => {
          for (let i = 0; i < 20; i++) await run();
        };
        while ((await summary(nodeRed)).counts.processed === 0); // all that is there is read first
        await during("nothing else, for a while", () => new Promise((resolve) => setTimeout(resolve, 5000)));
        await during("20 times the counts", () => often(() => ask("")));
        await during("20 times the first page", () => often(() => ask("/acme/events")));
        await during("a job that there is not, to the end", () => toTheEnd("events?job=none"));
        await during("a text that only the oldest event has", () => find("text=10000000"));
        await during("a text that there is not, to the end", () => toTheEnd("events?text=Nobody"));
        await during("how many have a text that is in each", () => toTheEnd("counts?text=customer"));
        await during("20 times what has failed, by cause", () => often(() => ask("/acme/causes")));
        await during("running 20,000 again, until the flow is done with them", async () => {
          await ask("/acme/run", "POST");
          // One of those that arrive meanwhile waits nearly always.
          for (let left = Infinity; left > 1;) {
            const { failed, waiting } = (await summary(nodeRed)).counts;
            left = failed + waiting;
          }
        });
        await during("deleting 200,000", () => ask("/acme/clear", "POST"));
      }),
  );
}
