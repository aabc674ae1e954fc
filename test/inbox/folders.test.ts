import assert from "node:assert/strict";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JsonObject } from "../../src/event/json";
import { flowWith, InboxNodeRed } from "../system/inboxes";
import { again, day, moreThanAnHour, SetClock } from "./set-clock";

const end = { id: "next", type: "function", func: "", outputs: 0 };

/** A merchant whose events are kept for 3 days, and one for a day. */
const flows = [
  ...flowWith(end).map((node) => (node.id === "acme" ? { ...node, inboxDays: 3 } : node)),
  { id: "other", type: "radaro-config", name: "Other", inbox: true, inboxDays: 1 },
];
const off = (flows: JsonObject[], id: string) =>
  flows.map((node) => (node.id === id ? { ...node, inbox: false } : node));
const without = (flows: JsonObject[], id: string) => flows.filter((node) => node.id !== id);

describe("An inbox's folder", function () {
  this.timeout(300_000);
  let clock: SetClock;
  let running: InboxNodeRed;
  let root: string;
  before(() => (clock = new SetClock()));
  after(() => clock.remove());
  beforeEach(async () => {
    clock.set(0);
    running = await InboxNodeRed.start({ flows, env: clock.env });
    root = join(running.nodeRed.userDir, "radaro-inbox");
    assert.equal((await running.post({ number: 1 })).status, 200);
    await running.says(({ counts }) => counts.processed === 1);
  });
  afterEach(async function () {
    if (this.currentTest!.isFailed()) console.log(running.nodeRed.output());
    await running.nodeRed.stop();
  });

  const has = (name: string) => existsSync(join(root, name));
  /** Resolves as soon as that was printed. What it is asked wakes it: it does not know that its clock was set. */
  const prints = async (text: string) => {
    while (!running.nodeRed.output().includes(text)) await again(() => running.api("GET", "/radaro-inbox"));
  };
  const saysDeleted = (name: string, days: number) =>
    prints(
      `The inbox's folder ${join(root, name)} was deleted. No merchant has used it for as many days as its events are kept: ${days}.`,
    );
  const label = (name: string) => join(root, name, "inbox.json");
  const writeLabel = (name: string, days: number, used: string) =>
    writeFileSync(label(name), JSON.stringify({ merchant: name, days, used }));
  /** Lets days and an hour go by, and resolves when folders were looked at: the last of them is deleted by that. */
  let looked = 0;
  const pass = async (days: number) => {
    await again(() => running.api("GET", "/radaro-inbox")); // it has begun to look
    const name = `z${(looked += 1)}`;
    mkdirSync(join(root, name));
    writeLabel(name, 1, "2026-01-01T00:00:00.000Z");
    clock.pass(days * day + moreThanAnHour);
    // Where one could not be deleted, it is tried again in an hour.
    for (let polls = 1; existsSync(join(root, name)); polls += 1) {
      if (polls % 500 === 0) clock.pass(moreThanAnHour);
      await again(() => running.api("GET", "/radaro-inbox"));
    }
    await saysDeleted(name, 1);
  };

  it("is deleted when its own days are over, where its merchant's inbox is off, and the log says so", async () => {
    await running.deploy(off(flows, "acme"));
    await pass(2);
    assert.ok(has("acme"));
    await pass(1);
    await saysDeleted("acme", 3);
    assert.ok(!has("acme"));
    assert.ok(has("other"));
  });

  it("is deleted where no merchant is left, each by its own days", async () => {
    await running.deploy(without(without(without(flows, "acme"), "other"), "in"));
    await pass(1);
    await saysDeleted("other", 1);
    assert.ok(has("acme"));
    await running.nodeRed.kill();
    clock.set(0);
    running = await running.next({ env: clock.env });
    await pass(3);
    await saysDeleted("acme", 3);
    assert.deepEqual(readdirSync(root), []);
  });

  it("is left where another Node-RED has it open", async () => {
    const { nodeRed: first } = running;
    const { userDir } = first;
    const other = mkdtempSync(join(tmpdir(), "radaro-"));
    cpSync(join(userDir, "settings.js"), join(other, "settings.js"));
    // The same folder in an inbox's directory of its own: only what this one looks at is in there.
    mkdirSync(join(other, "radaro-inbox"));
    for (const name of ["node_modules", join("radaro-inbox", "acme")])
      symlinkSync(join(userDir, name), join(other, name));
    writeFileSync(join(other, "flows.json"), "[]");
    running = await InboxNodeRed.start({ userDir: other, env: clock.env });
    root = join(other, "radaro-inbox");
    writeLabel("acme", 3, "2026-01-01T00:00:00.000Z");
    await pass(0);
    assert.ok(has(join("acme", "inbox.sqlite")));
    await first.kill();
    writeLabel("acme", 3, "2026-01-01T00:00:00.000Z"); // it may have said meanwhile that it uses it
    await pass(0);
    assert.deepEqual(readdirSync(join(root, "acme")), []); // what remains is the link
    await first.stop();
  });

  it("is none where it is a user's own: a file, a backup, a renamed folder, one of the first edition", async () => {
    writeFileSync(join(root, ".gitignore"), "*");
    writeFileSync(join(root, "acme.tar"), "a backup");
    cpSync(join(root, "acme"), join(root, "acme-damaged"), { recursive: true });
    mkdirSync(join(root, "first"));
    writeFileSync(join(root, "first", "CURRENT"), "MANIFEST-000001\n");
    mkdirSync(join(root, "empty"));
    writeFileSync(join(root, "acme", "notes.txt"), "mine");
    const before = readdirSync(root);
    await running.deploy(without(without(flows, "acme"), "in"));
    await running.nodeRed.kill();
    running = await running.next({ env: clock.env });
    await prints(`In ${join(root, "first")} there are also events of an earlier version`);
    await pass(400);
    await saysDeleted("acme", 3);
    assert.deepEqual(readdirSync(root), before);
    assert.deepEqual(readdirSync(join(root, "acme")), ["notes.txt"]);
    assert.equal(readFileSync(label("acme-damaged"), "utf8").includes("acme"), true);
  });

  it("is not deleted while the clock is ahead, nor at once where it was used at a time that cannot be", async () => {
    await running.deploy(off(flows, "acme"));
    await running.nodeRed.kill();
    clock.set(8 * day);
    running = await running.next({ env: clock.env });
    assert.ok(has("acme"));
    await running.nodeRed.kill();
    for (const used of ["1970-01-01T00:01:00.000Z", "2038-01-01T00:00:00.000Z"]) {
      clock.set(0);
      writeLabel("acme", 3, used);
      running = await running.next({ env: clock.env });
      await pass(0);
      assert.ok(!readFileSync(label("acme"), "utf8").includes(used));
      assert.ok(has("acme"));
      await running.nodeRed.kill();
    }
    clock.set(0);
    writeLabel("acme", 3, new Date().toISOString());
    running = await running.next({ env: clock.env });
    await pass(3);
    await saysDeleted("acme", 3);
  });
});
