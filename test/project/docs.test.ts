import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { refusals } from "../../src/receiving/receive";
import { root } from "../system/package";

const read = (path: string) => readFileSync(join(root, path), "utf8");
const list = (dir: string, ending: string) =>
  readdirSync(join(root, dir)).flatMap((file) => (file.endsWith(ending) ? join(dir, file) : []));
const pages = [...list(".", ".md"), ...list("docs", ".md"), ...list("bench", ".md")];

describe("What the project says of itself", () => {
  it("has links that lead to a file that is there, and to a heading of it", () => {
    for (const page of pages) {
      const targets = [...read(page).matchAll(/\]\(([^)\s]+)\)|src="([^"]+)"/g)].map(([, a, b]) => a ?? b!);
      for (const target of targets.filter((each) => !/^https?:/.test(each))) {
        const [path, heading] = target.split("#") as [string, string?];
        const file = path === "" ? page : relative(root, join(root, dirname(page), path));
        assert.ok(existsSync(join(root, file)), `${page}: ${target}`);
        if (heading !== undefined) assert.ok(anchors(file).includes(heading), `${page}: ${target}`);
      }
    }
  });

  it("leads from README to each page of docs, and back", () => {
    for (const page of list("docs", ".md")) {
      assert.ok(read("README.md").includes(`](${page})`), page);
      assert.ok(read(page).includes("](../README.md)"), page);
    }
  });

  it("names every example in README, in the order of the import menu", () => {
    const named = [...read("README.md").matchAll(/^(\d+)\. \*\*(.+?)\*\*:/gm)];
    assert.deepEqual(
      named.map(([, number, name]) => `${number} - ${name}.json`),
      readdirSync(join(root, "examples")).sort(),
    );
  });

  it("says what each answer means that there is", () => {
    const said = [...read("docs/messages.md").matchAll(/^- \*\*(\d{3})\*\*:/gm)].map(([, status]) => status);
    for (const { status } of Object.values(refusals))
      assert.ok(said.includes(String(status)), String(status));
  });

  it("can be read in a terminal: CONTRIBUTING has no tables, and its map no line of more than 100 characters", () => {
    const text = read("CONTRIBUTING.md");
    assert.doesNotMatch(text, /^\|/m);
    const [, map = ""] = /^```\n([^]+?)^```/m.exec(text) ?? [];
    assert.ok(map.includes("src/"));
    assert.deepEqual(
      map.split("\n").filter((line) => line.length > 100),
      [],
    );
  });

  it("has each file of src/ in CONTRIBUTING's map, and nothing there that is not", () => {
    const [, map = ""] = /^```\n([^]+?)^```/m.exec(read("CONTRIBUTING.md")) ?? [];
    const path: string[] = [];
    const shown: string[] = [];
    for (const line of map.split("\n")) {
      const [, indent = "", name = ""] = /^([ │├└]*)([\w.-]+(?:\/|\.ts))/.exec(line) ?? [];
      if (name === "") continue;
      path.splice(indent.length / 2, Infinity, name);
      shown.push(path.join(""));
    }
    for (const file of shown) assert.ok(existsSync(join(root, file)), file);
    const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" });
    for (const file of files.filter((each) => each.endsWith(".ts")))
      assert.ok(shown.includes(`src/${file}`), `src/${file} is not in the map`);
  });
});

/** The anchors of a page's headings, as GitHub makes them. */
function anchors(page: string): string[] {
  return [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}
