// Looks at what a user gets who installs the package today: is each of its packages the newest that
// may be, still cared for, and without a known vulnerability? What is bundled counts as installed.
// `npm run check:installed` asks the registry, so its answer can change from one day to the next.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { pack, root } from "../test/system/package";

interface Outdated {
  current?: string;
  wanted: string;
  latest: string;
}

interface Audit {
  vulnerabilities?: Record<string, { severity: string; range: string }>;
  message?: string;
}

const dir = mkdtempSync(join(tmpdir(), "radaro-installed-"));
try {
  writeFileSync(join(dir, "package.json"), "{}");
  run("install", "--no-audit", "--no-fund", "--loglevel=error", pack(), ...findBundled());
  const problems = [...findDeprecated(), ...findOutdated(), ...findVulnerable()];
  for (const problem of problems) console.log(`PROBLEM: ${problem}`);
  if (problems.length > 0) process.exitCode = 1;
} finally {
  rmSync(dir, { recursive: true });
}

/** npm ends with 1 where it has found something, and says what all the same. */
function run(...args: string[]): string {
  try {
    return execFileSync("npm", args, { cwd: dir, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    if (args.includes("--json") && stdout) return stdout;
    throw new Error(`npm ${args[0]} has failed: ${stderr}`, { cause: error });
  }
}

/** The packages whose licences the build has put beside the bundles, in the versions that it used. */
function findBundled(): string[] {
  const licences = readdirSync(join(root, "dist")).filter((file) => file.endsWith(".LICENSE"));
  return licences.map((file) => {
    const name = basename(file, ".LICENSE");
    const manifest = readFileSync(join(root, "node_modules", name, "package.json"), "utf8");
    return `${name}@^${(JSON.parse(manifest) as { version: string }).version}`;
  });
}

function findDeprecated(): string[] {
  const { packages } = JSON.parse(readFileSync(join(dir, "package-lock.json"), "utf8")) as {
    packages: Record<string, { version?: string; deprecated?: string }>;
  };
  const installed = Object.entries(packages).filter(([path]) => path !== "");
  const names = installed.map(([path, { version }]) => `${path.split("node_modules/").at(-1)} ${version}`);
  console.log(`${names.length} packages are installed: ${names.sort().join(", ")}`);
  return installed.flatMap(([path, { deprecated }]) =>
    deprecated ? [`${path} is deprecated: ${deprecated}`] : [],
  );
}

function findOutdated(): string[] {
  const outdated = JSON.parse(run("outdated", "--all", "--json") || "{}") as Record<
    string,
    Outdated | Outdated[]
  >;
  return Object.entries(outdated).flatMap(([name, found]) =>
    [found].flat().flatMap(({ current, wanted, latest }) => {
      if (name === "node-red-contrib-radaro") return []; // it was installed from a file
      if (current === wanted) {
        console.log(`${name} ${current} is the newest that may be; there is a ${latest} too`);
        return [];
      }
      return [`${name} ${current} is not the newest that may be: ${wanted}`];
    }),
  );
}

function findVulnerable(): string[] {
  const { vulnerabilities, message } = JSON.parse(run("audit", "--omit=dev", "--json")) as Audit;
  if (!vulnerabilities) {
    console.log(`NOT CHECKED for known vulnerabilities, as the registry does not tell them: ${message}`);
    return [];
  }
  const found = Object.entries(vulnerabilities).map(
    ([name, { severity, range }]) => `${name} ${range} has a known vulnerability (${severity})`,
  );
  if (found.length === 0) console.log("None of them has a known vulnerability.");
  return found;
}
