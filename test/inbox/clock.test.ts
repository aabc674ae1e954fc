import assert from "node:assert/strict";
import { flowWith, InboxNodeRed } from "../system/inboxes";
import { again, day, moreThanAnHour, SetClock } from "./set-clock";

const flows = flowWith({ id: "next", type: "function", func: "throw new Error('no price');", outputs: 0 });

describe("An inbox on a machine whose clock is wrong", function () {
  this.timeout(300_000);
  let clock: SetClock;
  let running: InboxNodeRed;
  before(() => (clock = new SetClock()));
  afterEach(() => running.nodeRed.stop());
  after(() => clock.remove());

  /** Starts one, and has it store an event that its flow fails on. */
  const startAndAccept = async () => {
    running = await InboxNodeRed.start({ flows, env: clock.env });
    assert.equal((await running.post({ number: 1 })).status, 200);
    await running.says(({ counts }) => counts.failed === 1);
  };
  /** A power cut, and on which clock it starts again. */
  const restart = async (ahead: number) => {
    await running.nodeRed.kill();
    clock.set(ahead);
    running = await running.next({ env: clock.env });
  };
  const failed = async () => (await again(() => running.list("failed"))).events;
  /** Resolves as soon as what failed is listed as it should be. */
  const lists = async (fits: (events: Awaited<ReturnType<typeof failed>>) => boolean) => {
    // Where both clocks were not read at one time, the inbox believes them an hour later.
    for (let polls = 1; !fits(await failed()); polls += 1) if (polls % 500 === 0) clock.pass(moreThanAnHour);
  };

  for (const [since, wrong] of [
    ["1970", 60],
    ["2020", Date.UTC(2020, 5) / 1000],
  ] as const) {
    it(`keeps what came in ${since}, as the clock said, when that is right after a power cut, as long as all else`, async () => {
      clock.set(wrong - Date.now() / 1000);
      await startAndAccept();
      await restart(0);
      const year = ({ receivedAt }: { receivedAt: string }) => receivedAt.slice(0, 4);
      assert.deepEqual((await failed()).map(year), [since]);
      clock.pass(moreThanAnHour);
      await lists(([event]) => year(event!) !== since);
      clock.pass(6 * day);
      assert.equal((await failed()).length, 1);
      clock.pass(day);
      clock.pass(moreThanAnHour);
      await lists((events) => events.length === 0);
    });
  }

  it("keeps what came a minute ago where the clock is 8 days ahead after a restart", async () => {
    clock.set(0);
    await startAndAccept();
    for (const ahead of [8 * day, 0]) {
      await restart(ahead);
      assert.equal((await failed()).length, 1);
    }
  });

  it("does not keep for years what came while the clock was ahead", async () => {
    clock.set(800 * day);
    await startAndAccept();
    await restart(0);
    const [event] = await failed();
    clock.pass(moreThanAnHour);
    await lists(([now]) => now!.receivedAt < event!.receivedAt);
    clock.pass(7 * day);
    clock.pass(moreThanAnHour);
    await lists((events) => events.length === 0);
  });
});
