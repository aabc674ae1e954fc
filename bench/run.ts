// Runs the benchmarks, all or those that are named: npm run bench -- events switch
import { cpus, totalmem } from "node:os";
import { version } from "node-red/package.json";
import { sidebar, startWithBacklog } from "./backlog";
import { catchUp } from "./catch-up";
import { deploys } from "./deploys";
import { perEvent } from "./events";
import { hooks } from "./hooks";
import { perKeptEvent } from "./inbox";
import { keptMillion, million, sharedMillion } from "./million";
import { perSharedEvent } from "./shared";
import { start } from "./start";
import { perMessage } from "./switch";

const benchmarks: Record<string, [title: string, run: () => Promise<void>]> = {
  deploys: ["Deploys under load", deploys],
  events: ["An event, from request to answer and through the flow", perEvent],
  switch: ["A message in radaro switch", perMessage],
  start: ["Node-RED's start", start],
  inbox: ["An event that an inbox keeps", perKeptEvent],
  "inbox-hooks": ["A message that is not Radaro's, with an inbox in the same Node-RED", hooks],
  "inbox-start": ["Node-RED's start with 200,000 events that wait", startWithBacklog],
  "inbox-sidebar": ["The sidebar with 200,000 events behind it", sidebar],
  "catch-up": ["Requests that ask Radaro for what never arrived", catchUp],
  million: ["A million events", million],
  "inbox-million": ["A million events that an inbox keeps", keptMillion],
  shared: ["An event that an inbox in a database keeps", perSharedEvent],
  "shared-million": ["A million events that an inbox in a database keeps", sharedMillion],
};

void main();

async function main(): Promise<void> {
  const named = process.argv.slice(2);
  const unknown = named.filter((name) => !Object.hasOwn(benchmarks, name));
  if (unknown.length > 0)
    throw new Error(`There is no ${unknown.join(", ")}; there are ${Object.keys(benchmarks).join(", ")}.`);
  const memory = Math.round(totalmem() / 2 ** 30);
  console.log(
    `${new Date().toISOString().slice(0, 10)}: ${cpus().length} cores, ${memory} GB, Node.js ${process.version},` +
      ` Node-RED ${version}. The median of all rounds, and in brackets between which half of them lie.`,
  );
  for (const name of named.length > 0 ? named : Object.keys(benchmarks)) {
    const [title, run] = benchmarks[name]!;
    console.log(`\n## ${title} (${name})`);
    await run();
  }
}
