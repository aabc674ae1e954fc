import assert from "node:assert/strict";
import type { Outcome } from "../../src/inbox/inbox";
import { randomFrom, seed } from "../inbox/random";
import type { StoredEvent } from "../../src/inbox/stored-event";
import { accept, changeOf, done, down, listed, ready, Sharers, type Sharer } from "./sharers";

/** How many events each of them gets, of how many jobs. */
const [many, jobs] = [1500, 7];

/** What happens besides, each tenth time that events come. */
const happenings: Record<string, (happening: Happening) => Promise<unknown>> = {
  "connections are killed": ({ sharers: { postgres, url } }) => {
    const ours = "application_name = 'node-red-contrib-radaro' AND datname = current_database()";
    postgres.query(url, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${ours}`);
    return Promise.resolve();
  },
  "one closes, and another one comes": async ({ all, begin }) => {
    const closed = all.shift()!;
    all.push(begin());
    await closed.inbox.close();
  },
  "two settle the same": async ({ all: [a, b, c], settled }) => {
    const waiting = (await listed(a!)).find(({ state }) => state === "waiting");
    if (waiting) settled.add(secondOf(waiting));
    if (waiting) await Promise.all([b!, c!].map(({ inbox }) => inbox.events.settle(waiting.seq)));
  },
  "all run again what failed": ({ all }) => Promise.all(all.map(({ inbox }) => inbox.events.runAll({}))),
  "they are paused, and go on": async ({ all: [a, b] }) => {
    await a!.inbox.pause(true);
    await b!.inbox.pause(false);
  },
  "the flows of one stop, and start": async ({ all: [a], stop }) => {
    stop(a!);
    await listed(a!);
    a!.flow.running = true;
    a!.inbox.start();
  },
};

interface Happening {
  sharers: Sharers;
  all: Sharer[];
  begin(): Sharer;
  /** The flows of one lose what they have. */
  stop(sharer: Sharer): void;
  /** Which were. */
  settled: Set<number>;
}

/** See `changeOf`. */
const secondOf = ({ changedAt }: StoredEvent) =>
  (Date.parse(`${changedAt}Z`) - Date.parse(changeOf(1, 0).updated_at)) / 1000;

describe(`Three inboxes that share a database, and give the events of a job in order (SEED=${seed})`, function () {
  this.timeout(120_000);
  const sharers = new Sharers();

  for (const [what, happens] of Object.entries(happenings))
    it(`lose nothing, leave nothing waiting, and never give two of a job at once or out of order, while ${what}`, async () => {
      const random = randomFrom(seed);
      const failing = what.includes("failed") ? 0.3 : 0;
      const withFlow = new Map<string, number>();
      const [answered, given, settled] = [new Set<number>(), new Set<number>(), new Set<number>()];
      const faults: string[] = [];
      /** Of each: lets its flows lose what they have. */
      const lost = new Map<Sharer, Set<() => void>>();
      const stop = (sharer: Sharer) => {
        sharer.flow.running = false;
        for (const lose of lost.get(sharer)!) lose();
      };
      let isOver = false;
      const begin = () => {
        const sharer = sharers.inOrder({ times: { look: 200 } });
        const give = sharer.flow.give.bind(sharer.flow);
        const losing = new Set<() => void>();
        lost.set(sharer, losing);
        sharer.flow.give = (stored, nodes, event) => {
          const [job, n] = [String(stored.orderId), event.n as number];
          // What one that closes has with its flow comes once more in another.
          if (!what.includes("closes") && withFlow.has(job))
            faults.push(`${n} and ${withFlow.get(job)} of job ${job} at once`);
          withFlow.set(job, n);
          // Those that come together come in any order.
          const isBefore = (other: number) =>
            other % jobs === n % jobs && Math.floor(other / 10) < Math.floor(n / 10);
          const isOvertaken = (other: number) => !given.has(other) && !settled.has(other) && isBefore(other);
          if (!given.has(n))
            for (const other of answered)
              if (isOvertaken(other)) faults.push(`${n} before ${other} of job ${job}`);
          // Only these give what was given before.
          if (given.has(n) && !/killed|closes|again|stop/.test(what)) faults.push(`${n} twice`);
          given.add(n);
          const outcome = !isOver && random() < failing ? down : done;
          const becomes = (outcome: Outcome) => {
            clearTimeout(timer);
            losing.delete(lose);
            if (withFlow.get(job) === n) withFlow.delete(job);
            void sharer.inbox.heard(stored.seq, "in", outcome).catch(() => undefined); // it is closed
          };
          const timer = setTimeout(() => becomes(outcome), random() * 10);
          const lose = () => becomes({ state: "interrupted" });
          losing.add(lose);
          return give(stored, nodes, event);
        };
        return sharer;
      };
      const all = [begin(), begin(), begin()];
      await ready(...all);
      for (let n = 0; n < many; n += 10) {
        const events = Array.from({ length: 10 }, async (_, i) => {
          const answer = await accept(all[(n + i) % 3]!, {
            ...changeOf((n + i) % jobs, n + i),
            n: n + i,
          }).catch(() => "refused");
          if (answer === "stored") answered.add(n + i);
        });
        const happened =
          random() < 0.1 && happens({ sharers, all, begin, stop, settled }).catch(() => undefined); // a connection is lost
        await Promise.all([...events, happened]);
      }
      isOver = true;
      const is = (state: "waiting" | "failed") => all.some(({ inbox }) => inbox.counts?.[state] !== 0);
      while (is("waiting") || is("failed")) {
        await all[0]!.inbox.events.runAll({}).catch(() => undefined);
        await new Promise(setImmediate);
      }
      if (!what.includes("settle"))
        assert.deepEqual(
          [...answered].filter((n) => !given.has(n)),
          [],
        );
      assert.ok(answered.size > many / 2);
      const [there, processed] = ["", " WHERE state = 'processed'"].map((where) =>
        Number(sharers.postgres.query(sharers.url, `SELECT count(*) FROM radaro_inbox.events${where}`)[0]),
      );
      assert.equal(processed, there);
      for (const { inbox } of all) {
        await inbox.events.times(); // it is open
        assert.deepEqual([inbox.counts, inbox.failures("in")], [{ waiting: 0, processed, failed: 0 }, 0]);
      }
      assert.deepEqual(faults, []);
    });
});
