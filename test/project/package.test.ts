import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { npm, root } from "../system/package";

describe("npm pack", () => {
  it("holds what a user needs, and nothing else", () => {
    const [{ files }] = JSON.parse(npm(["pack", "--dry-run", "--json", "--silent"], root)) as [
      { files: { path: string }[] },
    ];
    const nodes = ["radaro-config", "radaro-in", "radaro-switch", "radaro-done", "radaro-watch"];
    const expected = [
      "CHANGELOG.md",
      "LICENSE",
      "README.md",
      "package.json",
      ...nodes.flatMap((node) => [`dist/${node}.js`, `dist/${node}.html`]),
      ...["en-US", "de"].flatMap((language) =>
        nodes.flatMap((node) => ["json", "html"].map((kind) => `dist/locales/${language}/${node}.${kind}`)),
      ),
      "dist/icons/radaro-done.svg",
      "dist/icons/radaro-in.svg",
      "dist/icons/radaro-switch.svg",
      "dist/icons/radaro-watch.svg",
      "dist/merchant-catch-up.js",
      "dist/merchant-inbox.js",
      "dist/receive.js",
      "dist/samples.json",
      "dist/postgres-store.js",
      "dist/schema/postgres/001-events.sql",
      "dist/schema/postgres/002-tallies.sql",
      "dist/schema/postgres/003-sharing.sql",
      "dist/schema/postgres/004-jobs.sql",
      "dist/schema/sqlite/001-events.sql",
      "dist/sqlite-worker.js",
      "resources/inbox.mjs",
      "dist/bytes.LICENSE",
      "dist/postgres.LICENSE",
      "dist/zod.LICENSE",
      ...readdirSync(join(root, "examples")).map((file) => `examples/${file}`),
    ];
    assert.deepEqual(files.map(({ path }) => path).sort(), expected.sort());
  });
});
