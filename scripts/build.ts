// Makes dist/, which is what a user installs: for each folder in nodes/ its runtime, bundled, and
// its HTML with the editor's code in it; their locales; the icons; the samples in one file. And
// resources/, where Node-RED looks for what the editor loads when it is needed: the inbox.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { build } from "esbuild";
import * as catalog from "../src/event/catalog";

process.chdir(dirname(__dirname));

/** What dist/ will hold: content by path. */
const made = new Map<string, string>();

/** Packages of which a part is in the bundles. */
const bundled = new Set<string>();

void main();

async function main(): Promise<void> {
  made.set("receive.js", await bundle("src/receiving/receive.ts"));
  made.set("merchant-inbox.js", await bundle("nodes/inbox/merchant-inbox.ts"));
  made.set("merchant-catch-up.js", await bundle("nodes/inbox/merchant-catch-up.ts"));
  made.set("sqlite-worker.js", await bundle("src/inbox/sqlite-worker.ts"));
  made.set("postgres-store.js", await bundle("src/inbox/postgres-store.ts"));
  copy("src/inbox/schema", "schema");
  for (const type of ["radaro-config", "radaro-in", "radaro-switch", "radaro-done", "radaro-watch"]) {
    made.set(`${type}.js`, await bundle(`nodes/${type}/runtime.ts`));

    // Not minified: the flow library reads node definitions out of the HTML.
    const editor = await build({
      entryPoints: [`nodes/${type}/editor.ts`],
      bundle: true,
      format: "iife",
      target: "es2022",
      charset: "utf8",
      write: false,
    });
    const script = `<script type="text/javascript">\n${editor.outputFiles[0]!.text}</script>`;
    made.set(`${type}.html`, `${script}\n\n${readFileSync(`nodes/${type}/template.html`, "utf8")}`);
    copy(`nodes/${type}/locales`, "locales");
  }
  copy("nodes/icons", "icons");
  made.set("../resources/inbox.mjs", await bundleSidebar());

  // The catalog's names become part of the editor's texts, where other languages have theirs.
  const texts = "locales/en-US/radaro-config.json";
  made.set(
    texts,
    JSON.stringify({ ...(JSON.parse(made.get(texts)!) as object), catalog: catalogNames() }, null, 2),
  );

  // The bundles hold parts of others' packages (CONTRIBUTING.md says why).
  for (const name of bundled) {
    made.set(`${name}.LICENSE`, licenseOf(name));
  }

  const samples = readdirSync("src/event/samples").map((file) => [
    basename(file, ".json"),
    JSON.parse(readFileSync(`src/event/samples/${file}`, "utf8")) as object,
  ]);
  made.set("samples.json", JSON.stringify(Object.fromEntries(samples)));

  // Only what differs is written, each file at once: a build disturbs nobody who uses dist/, nor
  // another build.
  const unfinished = join("node_modules", ".cache", `radaro-build-${process.pid}`);
  mkdirSync(dirname(unfinished), { recursive: true });
  for (const [path, content] of made) {
    if (read(join("dist", path)) === content) continue;
    mkdirSync(dirname(join("dist", path)), { recursive: true });
    writeFileSync(unfinished, content);
    renameSync(unfinished, join("dist", path));
  }
  const found = [...filesIn("dist"), ...filesIn("resources").map((path) => `../resources/${path}`)];
  for (const path of found) if (!made.has(path)) rmSync(join("dist", path), { force: true });
}

/** Bundles what the editor loads when somebody looks at an inbox, as a module. */
async function bundleSidebar(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: ["nodes/editor/sidebar/main.ts"],
    bundle: true,
    format: "esm",
    target: "es2022",
    charset: "utf8",
    loader: { ".css": "text" },
    minify: true,
    write: false,
  });
  return outputFiles[0]!.text;
}

/** Bundles what runs in Node-RED: one file with all that it imports. What it requires is a file of its own. */
async function bundle(entry: string): Promise<string> {
  const { outputFiles, metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    platform: "node",
    target: "node20",
    write: false,
    metafile: true,
    plugins: [
      {
        name: "required",
        setup: ({ onResolve }) =>
          onResolve(
            { filter: /\/(receive|merchant-inbox|merchant-catch-up|sqlite-worker|postgres-store)$/ },
            ({ kind, path }) =>
              kind.startsWith("require-") ? { path: `./${basename(path)}.js`, external: true } : undefined,
          ),
      },
    ],
  });
  for (const path of Object.keys(metafile.inputs)) {
    const [, name] = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path) ?? [];
    if (name) bundled.add(name);
  }
  return outputFiles[0]!.text;
}

/** The licence of a package; where no file has it, what the package says of it. */
function licenseOf(name: string): string {
  const file = read(`node_modules/${name}/LICENSE`);
  if (file !== undefined) return file;
  const manifest = JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")) as {
    license: string;
    author: string;
    homepage: string;
  };
  return `${name}, by ${manifest.author}: ${manifest.license}, ${manifest.homepage}\n`;
}

function copy(from: string, to: string) {
  for (const path of filesIn(from)) made.set(join(to, path), readFileSync(join(from, path), "utf8"));
}

function filesIn(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1));
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** The catalog's names by kind and id. As i18n takes a `.` for the next level, so does this. */
function catalogNames(): object {
  const names = {};
  const add = (kind: string, entries: Record<string, string | { name: string }>) => {
    for (const [id, entry] of Object.entries(entries)) {
      const path = [kind, ...id.split(".")];
      const last = path.pop()!;
      let level: Record<string, unknown> = names;
      for (const key of path) level = (level[key] ??= {}) as Record<string, unknown>;
      level[last] = typeof entry === "string" ? entry : entry.name;
    }
  };
  add("topicGroup", catalog.topicGroups);
  add("topic", catalog.topics);
  add("eventType", catalog.eventTypes);
  add("field", catalog.fields);
  add("jobField", catalog.jobFields);
  add("status", catalog.statuses);
  add("sample", catalog.samples);
  return names;
}
