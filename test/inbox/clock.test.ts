import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { flowWith, InboxNodeRed } from "../system/inboxes";
import { needs } from "./needs";

const flows = flowWith({ id: "next", type: "function", func: "throw new Error('no price');", outputs: 0 });
const hour = 3600;
const day = 24 * hour;

describe("An inbox on a machine whose clock is wrong", function () {
  this.timeout(300_000);
  let dir: string;
  let env: NodeJS.ProcessEnv;
  let running: InboxNodeRed;
  before(() => {
    needs("faketime");
    dir = mkdtempSync(join(tmpdir(), "radaro-clock-"));
    const library = execFileSync("faketime", ["-f", "+0", "printenv", "LD_PRELOAD"], { encoding: "utf8" });
    const file = join(dir, "offset");
    env = { LD_PRELOAD: library.trim(), FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: "1" };
  });
  afterEach(() => running.nodeRed.stop());
  after(() => rmSync(dir, { recursive: true }));

  /** How much the clock is ahead, in seconds. A process that runs takes it for time that goes by. */
  const ahead = (seconds: number) => {
    writeFileSync(join(dir, "offset"), `${seconds < 0 ? "" : "+"}${Math.round(seconds)}`);
    return seconds;
  };
  const start = async () => (running = await InboxNodeRed.start({ flows, env }));
  const restart = async () => {
    await running.nodeRed.kill();
    running = await running.next({ env });
  };
  const failed = async () => (await running.list("failed")).events;
  /** Resolves as soon as the list of what failed is as it should be. */
  const lists = async (fits: (events: Awaited<ReturnType<typeof failed>>) => boolean) => {
    while (!fits(await failed()));
  };
  const accept = async () => {
    assert.equal((await running.post({ number: 1 })).status, 200);
    await running.says(({ counts }) => counts.failed === 1);
  };

  for (const [since, wrong] of [
    ["1970", 60],
    ["2020", Date.UTC(2020, 5) / 1000],
  ] as const) {
    it(`keeps what came in ${since}, as the clock said, when that is right after a power cut, as long as all else`, async () => {
      ahead(wrong - Date.now() / 1000);
      await start();
      await accept();
      let offset = ahead(0);
      await restart();
      const [event] = await failed();
      assert.equal(event?.receivedAt.slice(0, 4), since);
      offset = ahead(offset + hour + 10);
      await lists(([event]) => event!.receivedAt.slice(0, 4) !== since);
      offset = ahead(offset + 6 * day);
      assert.equal((await failed()).length, 1);
      offset = ahead(offset + day);
      ahead(offset + hour + 10);
      await lists((events) => events.length === 0);
    });
  }

  it("keeps what came a minute ago where the clock is 8 days ahead after a restart", async () => {
    ahead(0);
    await start();
    await accept();
    ahead(8 * day);
    await restart();
    assert.equal((await failed()).length, 1);
    ahead(0);
    await restart();
    assert.equal((await failed()).length, 1);
  });

  it("does not keep for years what came while the clock was ahead", async () => {
    ahead(800 * day);
    await start();
    await accept();
    let offset = ahead(0);
    await restart();
    const [event] = await failed();
    offset = ahead(offset + hour + 10);
    await lists(([now]) => now!.receivedAt < event!.receivedAt);
    offset = ahead(offset + 7 * day);
    ahead(offset + hour + 10);
    await lists((events) => events.length === 0);
  });
});
