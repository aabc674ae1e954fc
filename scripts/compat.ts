// Runs the tests of test/system in the latest of each Node-RED that the package is for: `npm run
// test:compat`. With `--not-own`, not in the one of this project again, where `npm test` has just
// run in that.
import { spawnSync } from "node:child_process";
import { dirname } from "node:path";
import { installNodeRed, latest, startNodeRed } from "./node-red";

/** Each Node-RED, on the Node.js versions that it is for. */
const ranges = [
  ["4.0", "20"],
  ["4.1", "22"],
  ["4.1", "24"],
  ["5", "24"],
] as const;

void main();

async function main(): Promise<void> {
  const own = await versionsThatRun();
  const results: string[] = [];
  for (const [nodeRed, node] of ranges) {
    const isOwn = own.startsWith(`Node-RED v${latest("node-red", nodeRed)} on Node.js v${node}.`);
    if (isOwn && process.argv.includes("--not-own")) {
      results.push(`not again: ${own} is what \`npm test\` runs in`);
      continue;
    }
    process.env.NODE_RED_DIR = installNodeRed(nodeRed, node);
    const versions = await versionsThatRun();
    console.log(`\ntest/system in ${versions}`);
    const tests = spawnSync("npx", ["mocha", "--parallel", "--jobs", "2", "test/system/**/*.test.ts"], {
      cwd: dirname(__dirname),
      stdio: "inherit",
    });
    const isPassed = tests.status === 0;
    if (!isPassed) process.exitCode = 1;
    results.push(`${isPassed ? "passed" : "FAILED"}: ${versions}`);
  }
  console.log(results.join("\n"));
}

/** What a Node-RED of the tests says of itself, but for the `-git` that it adds below a repository. */
async function versionsThatRun(): Promise<string> {
  const nodeRed = await startNodeRed();
  const version = (of: string) => new RegExp(`${of} +version: (v[\\d.]+)`).exec(nodeRed.output())![1];
  await nodeRed.stop();
  return `Node-RED ${version("Node-RED")} on Node.js ${version("Node.js")}`;
}
