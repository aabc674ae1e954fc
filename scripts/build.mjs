// Makes dist/, which is what a user installs: for each folder in nodes/ its runtime, bundled, and
// its HTML with the editor's code in it; their locales; the icons; the samples in one file.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

/** What dist/ will hold: content by path. */
const made = new Map();

for (const type of ["radaro-config", "radaro-in", "radaro-switch"]) {
  const runtime = await build({
    entryPoints: [`nodes/${type}/runtime.ts`],
    bundle: true,
    platform: "node",
    target: "node20",
    external: ["body-parser"],
    write: false,
  });
  made.set(`${type}.js`, runtime.outputFiles[0].text);

  // Not minified: the flow library reads node definitions out of the HTML.
  const editor = await build({
    entryPoints: [`nodes/${type}/editor.ts`],
    bundle: true,
    format: "iife",
    target: "es2022",
    charset: "utf8",
    write: false,
  });
  const script = `<script type="text/javascript">\n${editor.outputFiles[0].text}</script>`;
  made.set(`${type}.html`, `${script}\n\n${readFileSync(`nodes/${type}/template.html`, "utf8")}`);
  copy(`nodes/${type}/locales`, "locales");
}
copy("nodes/icons", "icons");

// The bundles hold a part of zod: loading it takes 5 ms instead of the whole's 80 (CONTRIBUTING.md).
made.set("zod.LICENSE", readFileSync("node_modules/zod/LICENSE", "utf8"));

const samples = readdirSync("src/samples").map((file) => [
  basename(file, ".json"),
  JSON.parse(readFileSync(`src/samples/${file}`, "utf8")),
]);
made.set("samples.json", JSON.stringify(Object.fromEntries(samples)));

// Only what differs is written, each file at once: a build disturbs nobody who uses dist/.
for (const [path, content] of made) {
  if (read(join("dist", path)) === content) continue;
  mkdirSync(dirname(join("dist", path)), { recursive: true });
  const unfinished = join("dist", `${path}.${process.pid}`);
  writeFileSync(unfinished, content);
  renameSync(unfinished, join("dist", path));
}
for (const path of filesIn("dist")) if (!made.has(path)) rmSync(join("dist", path));

function copy(from, to) {
  for (const path of filesIn(from)) made.set(join(to, path), readFileSync(join(from, path), "utf8"));
}

function filesIn(dir) {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1));
}

function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
