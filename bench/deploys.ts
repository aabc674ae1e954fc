import { Agent, request } from "node:http";
import { core, ours, tab } from "./flows";
import { events, withNodeRed } from "./node-red";

/** In milliseconds. */
const noAnswerAfter = 10_000;

const slow = { id: "slow", type: "bench slow to close", z: "tab", milliseconds: 3000 };

/** Full deploys under load: how each event was answered, and whether it came to the node behind. */
export async function deploys(): Promise<void> {
  for (const { what, more, count, rate } of [
    { what: "12 full deploys at 300 events a second", more: [], count: 12, rate: 300 },
    { what: "3 at 100, with a node that takes 3 s to close", more: [slow], count: 3, rate: 100 },
  ]) {
    console.log(`\n${what}`);
    for (const [path, flow] of Object.entries({ ours, core })) {
      const flows = [tab, ...withCounter(flow), ...more];
      await withNodeRed(flows, {}, async ({ nodeRed, ask, deploy }) => {
        const load = sendAtRate(`${nodeRed.url}/${path}`, rate);
        await load.answered(rate);
        for (let i = 0; i < count; i++) {
          await deploy();
          await load.answered(rate);
        }
        const answers = await load.stop();
        const came = await ask<number[]>("numbers/counter");
        const known = new Set(came);
        const lost = [...answers].filter(([number, status]) => status === 200 && !known.has(number));
        const byStatus: Record<string, number> = {};
        for (const status of answers.values())
          byStatus[status || "none"] = (byStatus[status || "none"] ?? 0) + 1;
        console.log(
          `  ${path}: ${answers.size} sent; answered ${JSON.stringify(byStatus)}; answered 200 but not come to ` +
            `the next node: ${lost.length}; come twice: ${came.length - known.size}`,
        );
      });
    }
  }
}

/** The same flow, with a node behind its first that counts. */
function withCounter(flow: { type: string; wires?: string[][] }[]): object[] {
  const [first] = flow.filter(({ type }) => type === "radaro in" || type === "http in");
  const others = flow.filter((node) => node !== first);
  const counter = { id: "counter", type: "bench end", z: "tab" };
  return [{ ...first, wires: [[...first!.wires![0]!, counter.id]] }, ...others, counter];
}

/** Sends events at a rate, whatever comes of them, each with a number. */
function sendAtRate(url: string, rate: number) {
  const agent = new Agent({ keepAlive: true });
  const answers = new Map<number, number>();
  const waiting = new Set<Promise<void>>();
  const begun = performance.now();
  let sent = 0;
  let noted = (): void => undefined;

  const send = (number: number) =>
    new Promise<void>((resolve) => {
      const answered = (status: number) => {
        answers.set(number, status);
        noted();
        resolve();
      };
      const body = JSON.stringify({ ...events[number % events.length], number });
      const headers = { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) };
      const req = request(url, { method: "POST", agent, headers }, (res) => {
        res.resume().on("end", () => answered(res.statusCode!));
      });
      // The core flow leaves some without an answer: their response node was stopped.
      req.setTimeout(noAnswerAfter, () => req.destroy());
      req.on("error", () => answered(0));
      req.end(body);
    });
  const timer = setInterval(() => {
    for (; sent < ((performance.now() - begun) / 1000) * rate; sent++) {
      const one = send(sent).finally(() => waiting.delete(one));
      waiting.add(one);
    }
  }, 1);

  return {
    /** Resolves when that many more have been answered. */
    async answered(more: number) {
      for (const until = answers.size + more; answers.size < until;)
        await new Promise<void>((resolve) => (noted = resolve));
    },
    /** @returns the answers' statuses by the events' numbers; 0: none */
    async stop() {
      clearInterval(timer);
      await Promise.all(waiting);
      agent.destroy();
      return answers;
    },
  };
}
