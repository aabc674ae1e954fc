import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDamage } from "../../src/inbox/sqlite-problem";
import { SqliteStore } from "../../src/inbox/sqlite-store";
import { Unusable, type Finding } from "../../src/inbox/store";
import { prepare } from "../../src/inbox/stored-event";

const log = "inbox.sqlite-wal";

/** Not loaded before: a Node.js that lacks SQLite leaves these tests out. */
async function openDatabase(path: string) {
  const { DatabaseSync } = await import("node:sqlite");
  return new DatabaseSync(path);
}

describe("an inbox's store", () => {
  let dir: string;
  before(() => (dir = mkdtempSync(join(tmpdir(), "radaro-"))));
  after(() => rmSync(dir, { recursive: true }));
  const problemOf = (error: unknown) => (error instanceof Unusable ? error.problem : error);

  it("says that a newer version has made it, and leaves it as it is", async () => {
    const newer = join(dir, "newer");
    await (await SqliteStore.open(newer)).close();
    const db = await openDatabase(join(newer, "inbox.sqlite"));
    db.exec("UPDATE inbox SET step = 99; ALTER TABLE events ADD COLUMN later TEXT");
    db.close();
    const bytes = readFileSync(join(newer, "inbox.sqlite"));
    assert.equal(await SqliteStore.open(newer).catch(problemOf), "newer");
    assert.deepEqual(readFileSync(join(newer, "inbox.sqlite")), bytes);
    assert.deepEqual(readdirSync(newer).sort(), ["inbox.last", "inbox.sqlite"]);
  });

  it("says that too many files are open, however few are left", () => {
    const script = `
      import { closeSync, openSync } from "node:fs";
      import { SqliteStore } from ${JSON.stringify(require.resolve("../../src/inbox/sqlite-store"))};
      const other = await SqliteStore.open(${JSON.stringify(join(dir, "other"))});
      const files = [];
      try {
        for (;;) files.push(openSync("/dev/null", "r"));
      } catch {}
      for (let left = 0; left < 8; left += 1) {
        const store = await SqliteStore.open(${JSON.stringify(join(dir, "many"))}).catch((error) => error);
        if (store.close) await store.close();
        else console.log(store.problem);
        closeSync(files.pop());
      }
      await other.close();`;
    const file = join(dir, "open.mts");
    writeFileSync(file, script);
    const command = ["--nofile=200", process.execPath, "--import=tsx", file];
    const { stdout, stderr } = spawnSync("prlimit", command, { encoding: "utf8" });
    const said = stdout.trim().split("\n");
    assert.ok(said.length > 2, stderr);
    assert.deepEqual(new Set(said), new Set(["too-many-files"]));
  });

  it("takes a file that ends within a page for damaged, and no other error of the disk", () => {
    assert.ok(isDamage(Object.assign(new Error("disk I/O error"), { errcode: 522 })));
    for (const errcode of [10, 266, 778, 1034])
      assert.ok(!isDamage(Object.assign(new Error("disk I/O error"), { errcode })));
  });

  describe("that is damaged", () => {
    const event = (number: number) => {
      const about = {
        path: "/radaro",
        body: Buffer.from(String(number)),
        receivedAt: new Date(),
        deliveries: undefined,
      };
      return prepare({ number }, { ...about, meaning: null });
    };
    /** One with two events, of which the first cannot be read. */
    const make = async (name: string) => {
      const damaged = join(dir, name);
      const store = await SqliteStore.open(damaged);
      await store.write([event(1), event(2)], []);
      await store.close();
      const db = await openDatabase(join(damaged, "inbox.sqlite"));
      db.exec("UPDATE events SET path = '/other' WHERE seq = 1");
      db.close();
      return damaged;
    };
    /** As in a process that has not opened it before. */
    const open = (at: string) => SqliteStore.open(at, { check: true });
    const numbersIn = async (store: SqliteStore) => {
      const { events } = await store.list({}, "", 50);
      await store.close();
      return events.map(({ seq }) => Number(seq));
    };

    it("keeps the events that can be read, under their numbers, and the files as they were", async () => {
      const damaged = await make("read");
      const bytes = readFileSync(join(damaged, "inbox.sqlite"));
      const store = await open(damaged);
      const [found] = store.findings;
      assert.ok(found?.what === "damaged" && found.events === 1);
      assert.deepEqual(readFileSync(join(damaged, found.aside, "inbox.sqlite")), bytes);
      assert.deepEqual(await numbersIn(store), [2]);
      const again = await open(damaged);
      assert.deepEqual(again.findings, []);
      assert.deepEqual(await numbersIn(again), [2]);
    });

    it("goes on where Node-RED ended while the files were set aside", async () => {
      const damaged = await make("between");
      await (await open(damaged)).close();
      const aside = readdirSync(damaged).find((name) => name.startsWith("damaged-"))!;
      // The database had moved, and its log not yet.
      renameSync(join(damaged, "inbox.sqlite"), join(damaged, "inbox.salvage"));
      writeFileSync(join(damaged, log), "the log of the damaged one");
      const store = await open(damaged);
      assert.deepEqual(store.findings, []);
      assert.deepEqual(await numbersIn(store), [2]);
      assert.equal(readFileSync(join(damaged, aside, log), "utf8"), "the log of the damaged one");
    });

    it("begins anew where Node-RED ended while the events were read", async () => {
      const damaged = await make("begun");
      writeFileSync(join(damaged, "inbox.salvage"), "not to its end");
      const store = await open(damaged);
      assert.equal(store.findings[0]?.what, "damaged");
      assert.deepEqual(await numbersIn(store), [2]);
      assert.ok(!existsSync(join(damaged, "inbox.salvage")));
    });

    it("refuses, and touches nothing, where that comes again and again", async () => {
      const damaged = await make("again");
      for (const time of ["00-00-01", "00-00-02", "00-00-03"])
        mkdirSync(join(damaged, `damaged-2026-11-01T${time}-000Z`));
      const bytes = readFileSync(join(damaged, "inbox.sqlite"));
      for (let i = 0; i < 2; i += 1) assert.equal(await open(damaged).catch(problemOf), "damaged");
      assert.deepEqual(readFileSync(join(damaged, "inbox.sqlite")), bytes);
    });

    it("deletes what was set aside when its days are over, and says when, where that cannot be", async () => {
      const store = await SqliteStore.open(join(dir, "aside"));
      const times = ["1970-01-01", "2026-01-01", "2026-02-01", "2999-01-01"];
      for (const time of times) mkdirSync(join(dir, "aside", `damaged-${time}T00-00-00-000Z`));
      await store.compact("2026-01-15T00:00:00.000Z");
      const left = readdirSync(join(dir, "aside")).filter((name) => name.startsWith("damaged-"));
      assert.equal(left[0], "damaged-2026-02-01T00-00-00-000Z");
      assert.equal(left.length, 3);
      assert.ok(left.slice(1).every((name) => name > "damaged-2026-11" && name < "damaged-2900"));
      await store.close();
    });
  });

  it("is in a directory that nobody else can enter, also where that was there before", async () => {
    const theirs = join(dir, "radaro-inbox", "acme");
    mkdirSync(theirs, { recursive: true, mode: 0o755 });
    await (await SqliteStore.open(theirs)).close();
    for (const each of [theirs, join(theirs, "..")]) assert.equal(statSync(each).mode & 0o777, 0o700);
  });

  it("can be opened anew at once where its opening was broken off", async () => {
    const broken = join(dir, "broken-off");
    const abort = new AbortController();
    const opened = SqliteStore.open(broken, { signal: abort.signal }).catch(problemOf);
    setImmediate(() => abort.abort());
    assert.equal(await opened, "gone");
    await (await SqliteStore.open(broken)).close();
  });
});

describe("an inbox's store that was killed", () => {
  let dir: string;
  /** What is on disk of one that has three events, of which the last is in its log. */
  let killed: string;
  before(async () => {
    dir = mkdtempSync(join(tmpdir(), "radaro-"));
    killed = join(dir, "killed");
    const store = await SqliteStore.open(join(dir, "running"));
    for (const number of [1, 2, 3]) {
      const about = {
        path: "/radaro",
        body: Buffer.from(String(number)),
        receivedAt: new Date(),
        deliveries: undefined,
      };
      await store.write([prepare({ number }, { ...about, meaning: null })], []);
    }
    cpSync(join(dir, "running"), killed, { recursive: true });
    await store.close();
  });
  after(() => rmSync(dir, { recursive: true }));

  /** What a store says that is opened with something changed, and how many events it has. */
  async function open(
    change: (dir: string) => void,
  ): Promise<{ findings: Finding["what"][]; events: number } | string> {
    const copy = join(dir, "copy");
    cpSync(killed, copy, { recursive: true });
    change(copy);
    try {
      const store = await SqliteStore.open(copy);
      const { findings, counts } = store;
      await store.close();
      return { findings: findings.map(({ what }) => what), events: counts.waiting };
    } catch (error) {
      assert.ok(error instanceof Unusable);
      return error.problem;
    } finally {
      rmSync(copy, { recursive: true });
    }
  }
  const overwrite = (file: string, at: (size: number) => number) => (copy: string) => {
    const bytes = readFileSync(join(copy, file));
    bytes.fill(0xff, at(bytes.length), Math.min(at(bytes.length) + 40, bytes.length));
    writeFileSync(join(copy, file), bytes);
  };

  it("has all events, and says nothing", async () => {
    assert.deepEqual(await open(() => undefined), { findings: [], events: 3 });
  });

  it("says that events are missing, where its log has wrong bytes, is cut off or gone", async () => {
    for (const change of [
      overwrite(log, (size) => size - 2000),
      overwrite(log, (size) => Math.floor(size / 2)),
      (copy: string) => rmSync(join(copy, log)),
      (copy: string) => writeFileSync(join(copy, log), readFileSync(join(copy, log)).subarray(0, -5000)),
    ]) {
      const said = await open(change);
      const isSaid = said === "damaged" || (typeof said === "object" && said.findings.includes("incomplete"));
      assert.ok(isSaid, JSON.stringify(said));
    }
  });

  it("says so too where also that is gone which knows of the last, as after a power cut", async () => {
    const said = await open((copy) => {
      overwrite(log, (size) => Math.floor(size / 2))(copy);
      rmSync(join(copy, "inbox.last"));
    });
    assert.ok(typeof said === "object" && said.findings.includes("incomplete"), JSON.stringify(said));
  });

  it("says so also where many requests were refused, which stands beside the number of the last", async () => {
    const running = join(dir, "refusing");
    const store = await SqliteStore.open(running);
    const about = { path: "/radaro", receivedAt: new Date(), deliveries: undefined, meaning: null };
    const write = (number: number) =>
      store.write([prepare({ number }, { ...about, body: Buffer.from(String(number)) })], []);
    const times = { first: "2026-03-01T12:00:00.000Z", last: "2026-03-02T12:00:00.000Z" };
    const refused = ["no-token", "wrong-token", "not-json"].map((why) => ({ why, count: 9, ...times }));
    await store.set({ isPaused: false, ends: 0, refused });
    for (const number of [1, 2, 3]) await write(number);
    await store.compact();
    for (const number of [4, 5, 6]) await write(number);
    const copy = join(dir, "refused");
    cpSync(running, copy, { recursive: true });
    await store.close();
    overwrite(log, () => 100)(copy);
    rmSync(join(copy, "inbox.last"));
    const opened = await SqliteStore.open(copy);
    await opened.close();
    assert.deepEqual(
      opened.findings.map(({ what }) => what),
      ["incomplete"],
    );
  });

  it("says nothing of an event that was being stored when the power went", async () => {
    for (const tear of [
      overwrite(log, (size) => size - 2000),
      overwrite(log, (size) => size - 6000),
      (copy: string) => writeFileSync(join(copy, log), readFileSync(join(copy, log)).subarray(0, -5000)),
    ]) {
      const said = await open((copy) => {
        tear(copy);
        rmSync(join(copy, "inbox.last"));
      });
      assert.deepEqual(said, { findings: [], events: 2 });
    }
  });

  it("keeps a log that has wrong bytes, as SQLite writes over it", async () => {
    const copy = join(dir, "kept");
    cpSync(killed, copy, { recursive: true });
    overwrite(log, (size) => Math.floor(size / 2))(copy);
    const found = readFileSync(join(copy, log));
    await (await SqliteStore.open(copy)).close();
    const [aside] = readdirSync(copy).filter((name) => name.startsWith("damaged-"));
    assert.deepEqual(readFileSync(join(copy, aside!, log)), found);
  });

  it("says once that events are missing", async () => {
    const copy = join(dir, "once");
    cpSync(killed, copy, { recursive: true });
    rmSync(join(copy, log));
    const said = [];
    for (let i = 0; i < 2; i += 1) {
      const store = await SqliteStore.open(copy);
      said.push(store.findings);
      await store.close();
    }
    assert.deepEqual(said, [[{ what: "incomplete" }], []]);
  });

  it("has all events where only its database is gone or empty, and all is in the log", async () => {
    for (const change of [
      (copy: string) => rmSync(join(copy, "inbox.sqlite")),
      (copy: string) => writeFileSync(join(copy, "inbox.sqlite"), ""),
    ])
      assert.deepEqual(await open(change), { findings: [], events: 3 });
  });

  it("goes on with a later number than any that it has given, where events are missing", async () => {
    const copy = join(dir, "again");
    cpSync(killed, copy, { recursive: true });
    overwrite(log, (size) => size - 2000)(copy);
    const store = await SqliteStore.open(copy);
    assert.deepEqual(store.findings, [{ what: "incomplete" }]);
    assert.equal(Number(store.last), 3);
    await store.close();
  });

  it("says nothing where only that which tells is damaged, empty or gone", async () => {
    for (const change of [
      overwrite("inbox.last", () => 3),
      (copy: string) => writeFileSync(join(copy, "inbox.last"), ""),
      (copy: string) => rmSync(join(copy, "inbox.last")),
    ])
      assert.deepEqual(await open(change), { findings: [], events: 3 });
  });

  it("says that beside it is an inbox of the first edition, and leaves that", async () => {
    const said = await open((copy) => writeFileSync(join(copy, "CURRENT"), "MANIFEST-000001\n"));
    assert.deepEqual(said, { findings: ["leveldb"], events: 3 });
  });
});

describe("an inbox's store that is full", () => {
  /** The bounds of a small one. */
  const max = { events: 100_000, bytes: 32 * 1024 ** 2 };
  let dir: string;
  let store: SqliteStore;
  before(async () => {
    dir = mkdtempSync(join(tmpdir(), "radaro-"));
    store = await SqliteStore.open(join(dir, "inbox"), { max });
  });
  after(async () => {
    await store.close();
    rmSync(dir, { recursive: true });
  });

  let number = 0;
  /** Stores some events of so many bytes, which are processed, as far as there is room. */
  async function add(count: number, bytes: number): Promise<void> {
    const accepted = Array.from({ length: count }, () => {
      number += 1;
      const about = {
        path: "/radaro",
        body: Buffer.from(String(number)),
        receivedAt: new Date(),
        deliveries: [],
      };
      return prepare({ number, filler: "x".repeat(bytes) }, { ...about, meaning: null });
    });
    assert.equal(await store.makeRoom(accepted.map(({ stored }) => stored.size)), count);
    const written = await store.write(accepted, []);
    const processed = accepted.map(({ stored }, i) => ({
      ...stored,
      ...written[i],
      state: "processed" as const,
    }));
    await store.write([], processed);
    const size = (name: string) => statSync(join(dir, "inbox", name)).size;
    const log = Math.max(16 * 1024 ** 2, 2 * count * bytes);
    assert.ok(
      size("inbox.sqlite") <= max.bytes + count * (bytes + 16_384),
      "the database is larger than it may be",
    );
    assert.ok(size("inbox.sqlite-wal") <= log + 8 * 1024 ** 2, "its log is larger than it may be");
  }

  it("keeps its files within the bounds where large events follow small ones, and the other way round", async () => {
    for (let i = 0; i < 80; i += 1) await add(200, 2000);
    assert.ok(store.counts.processed < 16_000, "the oldest small ones are gone");
    const small = store.counts.processed;
    assert.ok(small > 10_000, "and no more than that needs");
    for (let i = 0; i < 15; i += 1) await add(1, 3 * 1024 ** 2);
    const large = store.counts.processed;
    assert.ok(large >= 8 && large <= 10, "only large ones are left");
    await add(1, 100);
    assert.ok(store.counts.processed >= large, "for one that is small, no more than one large one is gone");
    for (let i = 0; i < 80; i += 1) await add(200, 2000);
    assert.ok(Math.abs(store.counts.processed - small) < 1500, "as many small ones as before");
  });
});
