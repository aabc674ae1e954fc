import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { JsonObject } from "../../src/event/json";
import { flowWith, InboxNodeRed } from "../system/inboxes";
import { Postgres } from "./postgres";
import { credentialsFor, journalOf } from "./shared-inbox";

const failing = 'if (msg.payload.number % 2) throw new Error("no price"); return msg;';
const flows = flowWith(
  { id: "next", type: "function", outputs: 1, func: failing, wires: [["journal"]] },
  { id: "journal", type: "journal", takes: 0 },
);
/** The same, with the inbox in a database, and a function that succeeds. */
const shared: JsonObject[] = flows.map((node) => {
  if (node.id === "acme") return { ...node, inboxStore: "postgres" };
  return node.id === "next" ? { ...node, func: "return msg;" } : node;
});
const count = 300;

describe("An inbox that was on a disk, and is in a database from the next deploy on", function () {
  this.timeout(120_000);
  let postgres: Postgres;
  let running: InboxNodeRed;
  before(async () => (postgres = await Postgres.start()));
  after(() => postgres.remove());
  afterEach(() => running.nodeRed.stop());

  /** One whose disk has half of the events failed, and then as many waiting. */
  async function withEvents(): Promise<void> {
    running = await InboxNodeRed.start({ flows, credentials: credentialsFor(postgres.newDatabase()) });
    for (let number = 0; number < count; number++) await running.post({ number });
    await running.says(({ counts }) => counts.waiting === 0);
    await running.api("POST", "/radaro-inbox/acme/pause");
    for (let number = count; number < 2 * count; number++) await running.post({ number });
  }
  const given = () => journalOf(running).flatMap(({ what, number }) => (what === "done" ? number : []));

  it("takes along what waits, what has failed and the pause, gives it once, and says how many these were", async () => {
    await withEvents();
    await running.deploy(shared);
    await running.nodeRed.printed(`radaro-inbox/acme: ${count * 1.5}.`);
    const { counts } = await running.says(() => true);
    assert.deepEqual(counts, { waiting: count, failed: count / 2, processed: 0 });
    await running.api("POST", "/radaro-inbox/acme/resume");
    await running.says(({ counts: { waiting, failed } }) => waiting === 0 && failed === count / 2);
    await running.api("POST", "/radaro-inbox/acme/run", {});
    await running.says(({ counts: { waiting, failed } }) => waiting + failed === 0);
    const numbers = given().sort((a, b) => a - b);
    assert.deepEqual(
      numbers,
      Array.from({ length: 2 * count }, (_, i) => i),
    );
    assert.ok(existsSync(join(running.nodeRed.userDir, "radaro-inbox", "acme", "inbox.json")));
    // What was processed stays on the disk until its days are over.
    await running.deploy(flows);
    const { counts: left } = await running.says(({ counts }) => counts.processed > 0);
    assert.deepEqual(left, { waiting: 0, failed: 0, processed: count / 2 });
  });

  it("takes it along as soon as the database is there, where that is not when it is deployed", async () => {
    await withEvents();
    await postgres.stop();
    await running.deploy(shared);
    await running.says(({ problem }) => problem?.kind === "unreachable");
    await postgres.start();
    await running.says(({ counts }) => counts.waiting === count);
    await running.api("POST", "/radaro-inbox/acme/resume");
    await running.says(({ problem, counts }) => problem === null && counts.processed === count);
    assert.equal(new Set(given()).size, count * 1.5);
  });
});
