// What Node-RED's scorecard (node-red-dev) looks at, as far as it needs no network, and what its
// flow library reads. That asks new packages for a scoped name too: this one's is in its contract.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import ts from "typescript";
import { pack } from "../system/package";

interface Manifest {
  name: string;
  license: string;
  keywords: string[];
  repository: { type: string; url: string };
  bugs: { url: string };
  homepage: string;
  engines: { node: string };
  scripts: Record<string, string>;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  "node-red": { version: string; nodes: Record<string, string> };
}

/** What the flow library knows of a node type. */
interface Definition {
  category?: string;
  color?: string;
  icon?: string;
  inputs?: number;
  outputs?: number;
  defaults?: string[];
  credentials?: string[];
}

describe("The published package", () => {
  let parent: string;
  let dir: string;
  let manifest: Manifest;
  const read = (path: string) => readFileSync(join(dir, path), "utf8");

  before(() => {
    parent = mkdtempSync(join(tmpdir(), "radaro-standards-"));
    dir = join(parent, "node_modules", "node-red-contrib-radaro");
    mkdirSync(dir, { recursive: true });
    execFileSync("tar", ["-xzf", pack(), "-C", dir, "--strip-components=1"]);
    manifest = JSON.parse(read("package.json")) as Manifest;
  });
  after(() => rmSync(parent, { recursive: true }));

  it("says who it is, under which licence it may be used, and where its source and its issues are", () => {
    assert.equal(manifest.name, "node-red-contrib-radaro");
    assert.ok(manifest.keywords.includes("node-red"));
    assert.equal(manifest.license, "MIT");
    assert.match(read("LICENSE"), /MIT License/i);
    assert.match(read("README.md"), /^# node-red-contrib-radaro\n/);
    const { url } = manifest.repository;
    assert.match(url, /^git\+https:\/\/.+\.git$/);
    const repository = url.slice("git+".length, -".git".length);
    assert.ok(manifest.bugs.url.startsWith(repository));
    assert.ok(manifest.homepage.startsWith(repository));
  });

  it("says which Node.js and which Node-RED it needs", () => {
    assert.equal(manifest.engines.node, ">=20");
    assert.equal(manifest["node-red"].version, ">=4.0.0");
  });

  it("installs no package of others, and runs nothing of its own when it is installed", () => {
    assert.deepEqual({ ...manifest.dependencies, ...manifest.optionalDependencies }, {});
    const onInstall = ["preinstall", "install", "postinstall", "prepare"];
    assert.deepEqual(
      Object.keys(manifest.scripts).filter((name) => onInstall.includes(name)),
      [],
    );
    assert.ok(!existsSync(join(dir, "binding.gyp")));
  });

  it("defines its nodes where the flow library can read them, with category, colour, icon and defaults", () => {
    const found: Record<string, Definition> = {};
    for (const file of Object.values(manifest["node-red"].nodes)) {
      assert.ok(existsSync(join(dir, file)), file);
      Object.assign(found, readDefinitions(read(file.replace(/\.js$/, ".html"))));
    }
    assert.deepEqual(found, {
      "radaro-config": {
        category: "config",
        defaults: ["name", "inbox", "inboxStore", "inboxDays", "inboxRetries", "catchUp", "server"],
        credentials: ["token", "previousToken", "apiKey", "inboxUrl"],
      },
      "radaro in": {
        category: "radaro",
        color: "#9FD6C8",
        icon: "radaro-in.svg",
        inputs: 0,
        outputs: 1,
        defaults: ["name", "config", "path", "topics", "sample", "inOrder", "done", "limit"],
      },
      "radaro switch": {
        category: "radaro",
        color: "#9FD6C8",
        icon: "radaro-switch.svg",
        inputs: 1,
        outputs: 1,
        defaults: ["name", "property", "rules", "checkall", "outputs"],
      },
      "radaro done": {
        category: "radaro",
        color: "#9FD6C8",
        icon: "radaro-done.svg",
        inputs: 1,
        outputs: 0,
        defaults: ["name", "verdict", "reason", "reasonType"],
      },
      "radaro watch": {
        category: "radaro",
        color: "#9FD6C8",
        icon: "radaro-watch.svg",
        inputs: 0,
        outputs: 1,
        defaults: [
          ...["name", "config", "failed", "store", "refused"],
          ...["waiting", "silence", "from", "to", "days"],
        ],
      },
    });
    for (const { icon } of Object.values<Definition>(found)) {
      if (icon !== undefined) assert.match(read(`dist/icons/${icon}`), /<svg/);
    }
  });

  it("has a dialog for each node, and a help text and a catalog in each language", () => {
    const languages = readdirSync(join(dir, "dist", "locales"));
    assert.ok(languages.includes("en-US"));
    for (const file of Object.values(manifest["node-red"].nodes)) {
      const html = read(file.replace(/\.js$/, ".html"));
      for (const type of Object.keys(readDefinitions(html))) {
        assert.ok(html.includes(`data-template-name="${type}"`), type);
        for (const language of languages) {
          const texts = file.replace("dist/", `dist/locales/${language}/`);
          const help = read(texts.replace(/\.js$/, ".html"));
          const [, text] = new RegExp(`data-help-name="${type}">([^]+?)</script>`).exec(help) ?? [];
          assert.ok(text && text.length > 200, `${type} in ${language}`);
          JSON.parse(read(texts.replace(/\.js$/, ".json")));
        }
      }
    }
  });

  it("has examples that use every one of its node types", () => {
    const used = new Set(
      readdirSync(join(dir, "examples")).flatMap((file) =>
        (JSON.parse(read(`examples/${file}`)) as { type: string }[]).map(({ type }) => type),
      ),
    );
    const types = Object.values(manifest["node-red"].nodes).flatMap((file) =>
      Object.keys(readDefinitions(read(file.replace(/\.js$/, ".html")))),
    );
    assert.deepEqual(
      types.filter((type) => !used.has(type)),
      [],
    );
  });

  it("is packed as publint wants it", async () => {
    const { messages, pkg } = await publint({ pkgDir: dir, pack: false, strict: true });
    assert.deepEqual(
      messages.map((message) => `${message.code}: ${formatMessage(message, pkg)}`),
      [],
    );
  });

  it("is for Node-RED alone: nothing can be imported by its name, it has no types and no commands", () => {
    const fields = ["main", "module", "browser", "exports", "types", "typings", "bin"];
    assert.deepEqual(
      Object.keys(manifest).filter((field) => fields.includes(field)),
      [],
    );
    const { resolve } = createRequire(join(parent, "user.js"));
    assert.throws(() => resolve("node-red-contrib-radaro"), { code: "MODULE_NOT_FOUND" });
    assert.equal(dirname(resolve("node-red-contrib-radaro/package.json")), dir, "it is there");
    const files = readdirSync(dir, { recursive: true, encoding: "utf8" });
    assert.deepEqual(
      files.filter((file) => /\.(ts|mts|cts|map)$/.test(file)),
      [],
    );
  });
});

/**
 * Reads node definitions as the flow library does, which does not run them: out of the calls of
 * `registerType` in the HTML, where what it looks for stands as a literal.
 */
function readDefinitions(html: string): Record<string, Definition> {
  const definitions: Record<string, Definition> = {};
  for (const [, script] of html.matchAll(/<script.+?type="text\/javascript".*?>([^]*?)<\/script>/g)) {
    const visit = (node: ts.Node): void => {
      const [type, definition] = isRegisterType(node) ? node.arguments : [];
      if (type) {
        assert.ok(ts.isStringLiteral(type) && definition && ts.isObjectLiteralExpression(definition));
        definitions[type.text] = readDefinition(definition);
      }
      ts.forEachChild(node, visit);
    };
    visit(ts.createSourceFile("editor.js", script!, ts.ScriptTarget.Latest));
  }
  return definitions;
}

function isRegisterType(node: ts.Node): node is ts.CallExpression {
  return (
    ts.isCallExpression(node) &&
    ts.isPropertyAccessExpression(node.expression) &&
    node.expression.name.text === "registerType"
  );
}

function readDefinition(definition: ts.ObjectLiteralExpression): Definition {
  const known: Record<string, unknown> = {};
  for (const property of definition.properties) {
    const name = nameOf(property);
    if (["category", "color", "icon", "inputs", "outputs"].includes(name)) {
      assert.ok(ts.isPropertyAssignment(property), name);
      const { initializer } = property;
      if (ts.isNumericLiteral(initializer)) known[name] = Number(initializer.text);
      else if (ts.isStringLiteral(initializer)) known[name] = initializer.text;
      else assert.fail(`${name} is no literal`);
    } else if (["defaults", "credentials"].includes(name)) {
      assert.ok(ts.isPropertyAssignment(property), name);
      assert.ok(ts.isObjectLiteralExpression(property.initializer), `${name} is not written out`);
      known[name] = property.initializer.properties.map(nameOf);
    }
  }
  return known;
}

function nameOf(property: ts.ObjectLiteralElementLike): string {
  assert.ok(property.name && (ts.isIdentifier(property.name) || ts.isStringLiteral(property.name)));
  return property.name.text;
}
