import { load } from "./client";
import { percentile, spread } from "./figures";
import { textOf, type Bench } from "./node-red";

/** What one flow took in one round. */
export interface Round {
  /** CPU time of the Node-RED process an event, in microseconds. */
  cpu: number;
  /** That of Node-RED's own thread; `NaN` before Node.js 23.9. */
  thread: number;
  /** Events a second. */
  throughput: number;
  /** In milliseconds. */
  median: number;
  p99: number;
}

/**
 * Sends events to a flow, and measures what they take.
 *
 * @param options `first`: the number of the first event; `settled` resolves when nothing is left to
 *   do after the answers
 */
export async function round(
  url: string,
  used: Bench["used"],
  {
    first = 0,
    settled,
    ...how
  }: { count: number; connections: number; first?: number; settled?: () => Promise<void> },
): Promise<Round> {
  const before = await used(true);
  const { answers, latencies, seconds } = await load(url, (i) => textOf(first + i), how);
  await settled?.();
  const { cpu, thread } = await used();
  if (answers[200] !== how.count) throw new Error(`${url} answered ${JSON.stringify(answers)}`);
  return {
    cpu: (cpu - before.cpu) / how.count,
    thread: ((thread ?? NaN) - (before.thread ?? NaN)) / how.count,
    throughput: how.count / seconds,
    median: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
  };
}

export function describe(rounds: Round[]): string {
  const of = (pick: keyof Round, digits: number) =>
    spread(
      rounds.map((round) => round[pick]),
      digits,
    );
  return (
    `CPU ${of("cpu", 0)} µs an event, ${of("thread", 0)} of its own thread; ${of("throughput", 0)} events/s;` +
    ` median ${of("median", 2)} ms; 99th percentile ${of("p99", 1)} ms`
  );
}

/** The ratios, each of the two figures of one round. */
export function compare(rounds: Round[], others: Round[]): string {
  const ratio = (pick: keyof Round) =>
    spread(
      rounds.map((round, i) => round[pick] / others[i]![pick]),
      2,
    );
  return (
    `CPU ${ratio("cpu")}, of its own thread ${ratio("thread")}, throughput ${ratio("throughput")},` +
    ` median ${ratio("median")}, 99th percentile ${ratio("p99")}`
  );
}
