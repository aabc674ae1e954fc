import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { states } from "../../nodes/editor/sidebar/inbox";
import { operators } from "../../src/routing/job-condition";
import { meanings } from "../../src/routing/meanings";

const dist = join(__dirname, "..", "..", "dist");
const read = (path: string) => readFileSync(join(dist, path), "utf8");
const sidebarDir = join(dist, "..", "nodes", "editor", "sidebar");
const types = ["radaro-config", "radaro-in", "radaro-switch", "radaro-done", "radaro-watch"];

type Texts = { [key: string]: string | Texts };

/** Every text by its path. */
function flatten(texts: Texts, path = ""): Record<string, string> {
  return Object.assign(
    {},
    ...Object.entries(texts).map(([key, value]) =>
      typeof value === "string" ? { [path + key]: value } : flatten(value, `${path}${key}.`),
    ),
  ) as Record<string, string>;
}

describe("locales", () => {
  it("have a text for every meaning", () => {
    const { meaning } = (JSON.parse(read("locales/en-US/radaro-switch.json")) as { "radaro-switch": Texts })[
      "radaro-switch"
    ];
    const others = ["changed", "event", "superseded", "otherwise"];
    assert.deepEqual(Object.keys(meaning!), [...Object.keys(meanings), ...others]);
  });

  it("have every text that the rows of radaro switch ask for", () => {
    const texts = flatten(JSON.parse(read("locales/en-US/radaro-switch.json")) as Texts);
    const keys = [...read("radaro-switch.html").matchAll(/\bt\("([\w.-]+)"/g)].map(([, key]) => key!);
    assert.ok(keys.length > 20);
    for (const key of [...keys, ...operators.map((op) => `op.${op}`)]) {
      assert.ok(`radaro-switch.${key}` in texts, key);
    }
  });

  it("have every text that the sidebar asks for", () => {
    const { sidebar } = JSON.parse(read("locales/en-US/radaro-config.json")) as { sidebar: Texts };
    const texts = flatten(sidebar);
    const code = readdirSync(sidebarDir).map((file) => readFileSync(join(sidebarDir, file), "utf8"));
    const find = (pattern: RegExp) =>
      code.flatMap((each) => [...each.matchAll(pattern)].map(([, key]) => key!));
    const asked = [
      ...find(/\bt\(\s*"([\w.-]+)"/g),
      ...find(/\bbutton\(\s*"([\w-]+)"/g).map((key) => `button.${key}`),
      ...["all", ...states].flatMap((state) => [`state.${state}`, `tip.${state}`]),
    ];
    assert.ok(asked.length > 60);
    for (const key of asked) assert.ok(key in texts, key);
  });

  for (const type of types) {
    const [english, german] = ["en-US", "de"].map((language) =>
      flatten(JSON.parse(read(`locales/${language}/${type}.json`)) as Texts),
    ) as [Record<string, string>, Record<string, string>];

    it(`have the same keys and placeholders for ${type} in English and German`, () => {
      assert.deepEqual(Object.keys(german).sort(), Object.keys(english).sort());
      const placeholders = (text: string) => (text.match(/__\w+?__/g) ?? []).sort();
      for (const [key, text] of Object.entries(english)) {
        assert.deepEqual(placeholders(german[key]!), placeholders(text), key);
      }
    });

    it(`have the help of ${type} in both, with the same headings and properties`, () => {
      const shape = (help: string) => help.match(/<(h3|dt|p|li|script)\b/g);
      const [inEnglish, inGerman] = ["en-US", "de"].map((language) =>
        read(`locales/${language}/${type}.html`),
      );
      assert.deepEqual(shape(inGerman!), shape(inEnglish!));
    });

    it(`have every text that the dialog of ${type} asks for`, () => {
      const html = read(`${type}.html`);
      const asked = [...html.matchAll(new RegExp(`${type}(?:\\.[\\w-]+)+(?=["\`;])`, "g"))].map(
        ([key]) => key,
      );
      assert.ok(asked.length > 3);
      for (const key of asked) assert.ok(key in english || /\.(svg|read)$/.test(key), key);
    });
  }
});
