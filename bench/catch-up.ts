import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { askDirectly, MadeUpRadaro } from "../scripts/made-up-radaro";
import { CatchingUp } from "../src/inbox/catching-up";
import { Inbox, type Flow } from "../src/inbox/inbox";
import { SqliteStore } from "../src/inbox/sqlite-store";

/** In milliseconds: how often it is asked here. */
const every = 2000;

/** What becomes of jobs in an hour without a line: how many of them are new, change, and are deleted. */
const inAnHour = { created: 0.04, changed: 0.3, deleted: 0.005 };

/** How long nothing is asked after each answer, in seconds: here it is not waited. */
const pause = 0.2;

const day = 24 * 3_600_000;

const megabytes = (bytes: number) => (bytes / 1024 ** 2).toFixed(0);

/** How many requests a run makes: the first, a quiet one, and one after an hour in which nothing came. */
export async function catchUp(): Promise<void> {
  for (const count of [100, 5000, 50_000]) {
    const dir = mkdtempSync(join(tmpdir(), "radaro-bench-"));
    // They were created over the last day.
    let ago = day;
    const radaro = new MadeUpRadaro({ now: () => Date.now() - ago });
    let requests = 0;
    let heap = 0;
    const inbox = new Inbox(
      (options) => SqliteStore.open(dir, options),
      flow((seq) => {
        void inbox.heard(seq, "in", { state: "processed" });
      }),
      {
        ...{ days: 7, isAsking: true, changed: () => undefined },
        setAside: (node) => ({ text: "set aside", node: { id: node, type: "radaro in" } }),
      },
    );
    const api = askDirectly(radaro, () => {
      requests += 1;
      heap = Math.max(heap, process.memoryUsage().heapUsed);
      return Promise.resolve();
    });
    const catchingUp = new CatchingUp(
      {
        ...{ api, jobs: inbox.jobs, whom: "bench", paths: () => ["/radaro"], changed: () => undefined },
        broke: (error) => {
          throw error;
        },
        accept: ({ event, body, by }, path) =>
          inbox.accept(event, { path, body, by, receivedAt: new Date() }),
      },
      { every, days: 7, pause: 0 },
    );
    const ids = Array.from({ length: count }, (_, i) => {
      ago = day * (1 - i / count);
      return radaro.create({ status: i % 3 ? "assigned" : "delivered" }, ago);
    });
    ago = 0;
    const run = async (what: string) => {
      const { asked } = catchingUp.state;
      const before = process.memoryUsage().heapUsed;
      [requests, heap] = [0, before];
      const began = performance.now();
      catchingUp.ask();
      while (catchingUp.state.asked === asked || catchingUp.state.isAsking) await wait(5);
      const seconds = (performance.now() - began) / 1000;
      console.log(
        `  ${count} jobs, ${what}: ${requests} requests, ${catchingUp.state.found} events made, heap up to ${megabytes(heap - before)} MB more;` +
          ` ${seconds.toFixed(1)} s, and ${(requests * pause).toFixed(0)} s of pauses`,
      );
    };
    await run("the first run");
    await run("quiet");
    live(radaro, ids);
    await run("after an hour in which nothing came");
    await catchingUp.close();
    await inbox.close();
    rmSync(dir, { recursive: true });
  }
}

const flow = (given: (seq: string) => void): Flow => ({
  running: true,
  nodes: ["in"],
  receivers: () => ["in"],
  receiver: () => ({ isInOrder: false }),
  give({ seq }, nodes) {
    queueMicrotask(() => given(seq));
    return nodes;
  },
});

/** An hour of which no event comes. */
function live(radaro: MadeUpRadaro, ids: number[]): void {
  const some = (share: number) => ids.slice(0, Math.ceil(ids.length * share));
  for (const id of some(inAnHour.changed)) radaro.setStatus(id, "in_progress");
  for (const id of some(inAnHour.deleted)) radaro.delete(id);
  some(inAnHour.created).forEach(() => radaro.create());
}
