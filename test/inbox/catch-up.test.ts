import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SqliteStore } from "../../src/inbox/sqlite-store";
import { describeCatchUp } from "./catch-up-world";

describe("On a disk", () => {
  let dir: string;
  before(() => (dir = mkdtempSync(join(tmpdir(), "radaro-catch-up-"))));
  after(() => rmSync(dir, { recursive: true }));

  describeCatchUp(
    "SQLite",
    Number(process.env.RUNS ?? 2),
    (run) => (options) => SqliteStore.open(join(dir, `${run}`), options),
  );
});
