import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { flowWith, InboxNodeRed } from "../system/inboxes";
import { needs } from "./needs";

const flows = flowWith({ id: "next", type: "function", func: "", outputs: 0 });
const refused = {
  status: 503,
  body: { ok: false, error: "Node-RED could not store the event in its inbox." },
  retryAfter: "5",
};

describe("An inbox on a disk", function () {
  this.timeout(300_000);
  let dir: string;
  let running: InboxNodeRed;
  before(() => {
    needs("strace");
    dir = mkdtempSync(join(tmpdir(), "radaro-disks-"));
  });
  afterEach(async () => {
    await running.nodeRed.kill();
    rmSync(running.nodeRed.userDir, { recursive: true });
  });
  after(() => rmSync(dir, { recursive: true }));

  /** Starts one for which something else happens where a file is synced. `when`: from which sync of a thread on. */
  const start = async (instead: string) => {
    const runner = [
      ...["strace", "-D", "-f", "-qq", "--seccomp-bpf", "-o", join(dir, "trace")],
      ...["-e", "trace=fsync", "-e", `inject=fsync:${instead}`],
    ];
    running = await InboxNodeRed.start({ flows, runner });
  };
  const summary = () => running.says(() => true);

  it("that reports errors refuses events, says what to do, and not that it stores again", async () => {
    await start("error=EIO");
    assert.deepEqual(await running.post({ number: 1 }), refused);
    const inbox = join(running.nodeRed.userDir, "radaro-inbox", "acme");
    await running.nodeRed.printed(`the disk with ${inbox} reports errors. Check the disk`);
    const { problem } = await summary();
    assert.equal(problem?.kind, "failing");
    for (const until = performance.now() + 6000; performance.now() < until;)
      assert.deepEqual(await running.post({ number: 2 }), refused); // by then it was opened again
    assert.ok(!running.nodeRed.output().includes("stores events again"));
    assert.equal((await fetch(running.nodeRed.url)).status, 200);
  });

  it("that does not answer refuses more than may wait, says what to do, and keeps no deploy waiting for it", async () => {
    await start("delay_enter=25000000:when=14+");
    const filler = "x".repeat(4_900_000);
    const answers: Promise<unknown>[] = [];
    const post = (number: number) => running.post({ number, filler }).catch(() => undefined);
    while ((await summary()).problem?.kind !== "slow") {
      answers.push(post(answers.length));
      await summary();
    }
    await running.nodeRed.printed("does not answer, and many events wait for it. Check the disk");
    const before = performance.now();
    assert.equal((await fetch(running.nodeRed.url)).status, 200);
    await running.deploy(flows);
    assert.ok(performance.now() - before < 15_000);
    assert.ok(!running.nodeRed.output().includes("Close timed out"));
    await running.nodeRed.kill();
    await Promise.all(answers);
  });
});
