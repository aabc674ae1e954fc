import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SqliteStore } from "../../src/inbox/sqlite-store";
import { describeStore } from "./store-tests";

describe("On a disk", () => {
  let dir: string;
  before(() => (dir = mkdtempSync(join(tmpdir(), "radaro-"))));
  after(() => rmSync(dir, { recursive: true }));

  describeStore("SQLite", (place, options) => SqliteStore.open(join(dir, place), options));
});
