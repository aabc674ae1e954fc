import { spread } from "./figures";
import { kept, ours, tab } from "./flows";
import { textOf, withNodeRed, type Bench } from "./node-red";
import { load } from "./client";

const rounds = 15;
const perRound = 20_000;

/** Core nodes that no event of Radaro's comes to. */
const chain = [1, 2, 3, 4, 5].map((i) => ({
  id: `f${i}`,
  type: "function",
  z: "tab",
  outputs: 1,
  func: "return msg;",
  wires: [[i < 5 ? `f${i + 1}` : "end"]],
}));
const end = { id: "end", type: "bench end", z: "tab" };

/** An event stays here. */
const stays = [
  { id: "in2", type: "radaro in", z: "tab", config: "acme", path: "/stays", topics: [], wires: [["delay"]] },
  {
    ...{ id: "delay", type: "delay", z: "tab", pauseType: "delay", timeout: "1", timeoutUnits: "days" },
    wires: [["end"]],
  },
];

/** What the hooks of an inbox cost a flow of other nodes: two Node-REDs that take turns. */
export async function hooks(): Promise<void> {
  await withNodeRed([tab, ...ours, ...chain, end], {}, (off) =>
    withNodeRed([tab, ...kept, ...chain, end, ...stays], {}, async (on) => {
      const pump = ({ ask }: Bench) => ask<number>(`pump/f1/end/${perRound}`);
      for (const what of ["no event of Radaro's in the flow", "one in the flow"]) {
        const rows: Record<"on" | "off", number>[] = [];
        for (const bench of [on, off]) await pump(bench); // warms up
        for (let i = 0; i < rounds; i++) {
          // Each comes first and last in turn.
          const first = i % 2 ? { on: await pump(on) } : {};
          rows.push({ off: await pump(off), on: first.on ?? (await pump(on)) });
        }
        const of = (pick: (row: (typeof rows)[number]) => number) => spread(rows.map(pick), 2);
        console.log(
          `  ${what}: CPU with ${of((row) => row.on)} µs a message, without ${of((row) => row.off)} µs;` +
            ` with : without ${of(({ on, off }) => on / off)}`,
        );
        await load(`${on.nodeRed.url}/stays`, textOf, { count: 1, connections: 1 });
      }
    }),
  );
}
