import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export const root = dirname(dirname(__dirname));

let tarball: string | undefined;

/** Packs the package as it would be published, once: what was built last, as others may be packing it now. */
export function pack(): string {
  if (!tarball) {
    const dir = mkdtempSync(join(tmpdir(), "radaro-package-"));
    process.once("exit", () => rmSync(dir, { recursive: true }));
    const args = ["pack", "--json", "--silent", "--ignore-scripts", "--pack-destination", dir];
    const [{ filename }] = JSON.parse(npm(args, root)) as [{ filename: string }];
    tarball = join(dir, filename);
  }
  return tarball;
}

/** Packs what is published once more, as another version. */
export function packAs(version: string): string {
  const dir = dirname(pack());
  execFileSync("tar", ["-xzf", pack(), "-C", dir]);
  const path = join(dir, "package", "package.json");
  const manifest = JSON.parse(readFileSync(path, "utf8")) as object;
  // It is built: its scripts are of no use where it is.
  writeFileSync(path, JSON.stringify({ ...manifest, version, scripts: {} }));
  const args = ["pack", "--json", "--silent", "--pack-destination", dir, join(dir, "package")];
  const [{ filename }] = JSON.parse(npm(args, dir)) as [{ filename: string }];
  return join(dir, filename);
}

/** Installs the packed package into a user directory, and the probe beside it. */
export function install(userDir: string): void {
  npm(["install", "--prefix", userDir, "--no-audit", "--no-fund", "--prefer-offline", pack()], userDir);
  addProbe(userDir);
}

/** Puts the tests' own node type into a user directory. */
export function addProbe(userDir: string): void {
  mkdirSync(join(userDir, "nodes"));
  copyFileSync(join(__dirname, "probe.cjs"), join(userDir, "nodes", "probe.js"));
  // Without an HTML file beside it, Node-RED takes it for no node.
  writeFileSync(
    join(userDir, "nodes", "probe.html"),
    '<script type="text/html" data-template-name="probe"></script>',
  );
}

export function npm(args: string[], cwd: string): string {
  return execFileSync("npm", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}
