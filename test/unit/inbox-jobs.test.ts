import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SqliteStore } from "../../src/inbox/sqlite-store";
import { describeJobs } from "./jobs-tests";

const dir = mkdtempSync(join(tmpdir(), "radaro-jobs-"));
after(() => rmSync(dir, { recursive: true }));

describeJobs("SQLite", (place) => (options) => SqliteStore.open(join(dir, place), options));
