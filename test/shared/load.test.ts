import assert from "node:assert/strict";
import { percentile } from "../../bench/figures";
import { Load } from "../inbox/load";
import { randomFrom, seed } from "../inbox/random";
import { sharedFlow, SharedInbox, type Entry } from "./shared-inbox";

/** In events a second. */
const rate = 300;
/** How many events are sent between two kills, which is every ten seconds. */
const between = 10 * rate;
const kills = 6;
/** How long others may take to give what a dead one had, in milliseconds; and how soon they may have taken it. */
const inTime = 30_000;
const soonest = 15_000;

const flows = sharedFlow({}, { id: "next", type: "journal", takes: 50 });

describe(`Three Node-REDs on one database that get ${rate} events a second (SEED=${seed})`, function () {
  this.timeout(600_000);
  const random = randomFrom(seed);
  let shared: SharedInbox;
  let load: Load;
  let killed: { by: number; address: string; at: number }[];
  beforeEach(async () => {
    shared = await SharedInbox.start(flows, [{}, {}, {}]);
    load = new Load(rate);
    load.to(shared.url);
    killed = [];
  });
  afterEach(async () => {
    await load.stop();
    await shared.stop();
  });

  /** Kills one each ten seconds, and starts it again. @param meanwhile what else happens after a kill */
  async function killAll(meanwhile?: (kill: number) => Promise<void>): Promise<void> {
    await load.answers(between / 2);
    for (let kill = 0; kill < kills; kill++) {
      const by = Math.floor(random() * shared.nodeReds.length);
      const address = shared.address(by);
      killed.push({ by, address, at: await shared.kill(by) });
      // The last stays away: what it had can only be given by the others.
      await Promise.all([load.answers(between), kill < kills - 1 && shared.restart(by), meanwhile?.(kill)]);
    }
    await load.stop();
    await shared.isDone();
  }

  /** Asserts that all that was answered 200 was given, and in time where its Node-RED was dead. */
  function nothingIsLost(): void {
    const journal = shared.journal();
    const done = journal.filter(({ what }) => what === "done").map(({ number }) => number);
    const different = new Set(done);
    const lost = [...load.accepted].filter((number) => !different.has(number));
    assert.deepEqual(lost, [], "answered 200, and not given");
    console.log(
      `      ${load.accepted.size} events were answered 200 (others: ${JSON.stringify(load.others)}), ` +
        `0 were lost, ${done.length - different.size} were given twice to the end`,
    );
    const delays = killed.flatMap((kill) => takenOver(journal, kill));
    assert.ok(delays.length > 0, "no event was with a Node-RED that was killed");
    const [low, middle, high, most] = [0.05, 0.5, 0.95, 1].map((share) => percentile(delays, share));
    console.log(
      `      ${delays.length} events of dead ones were given by others after ` +
        [low, middle, high, most].map((ms) => `${(ms! / 1000).toFixed(1)} s`).join(", ") +
        " (5 %, half, 95 %, all of them)",
    );
    assert.ok(most! <= inTime, `after ${most} ms`);
  }

  /**
   * How long after its end the events were given that one had accepted and was not done with, in milliseconds:
   * where others were killed that may have taken them by then, after the end of the last of these.
   */
  function takenOver(journal: Entry[], kill: (typeof killed)[number]): number[] {
    const had = new Set<number>();
    const before = killed.filter(({ address, at }) => address === kill.address && at < kill.at).at(-1);
    for (const [number, { address, at }] of load.answeredBy)
      if (address === kill.address && at <= kill.at && at > (before?.at ?? 0)) had.add(number);
    for (const { what, number, at, by } of journal) {
      // One that took too long for its signs of life had been believed dead before: another has it already.
      const isElsewhere = what === "begun" && by !== kill.by;
      if (at <= kill.at && (what === "done" || isElsewhere)) had.delete(number);
    }
    return [...had].map((number) => {
      const given = journal.find(
        (entry) => entry.number === number && entry.what === "begun" && entry.at > kill.at,
      );
      assert.ok(given, `${number} was not given again`);
      const others = killed.filter(({ at }) => at > kill.at + soonest && at < given.at);
      return given.at - (others.at(-1) ?? kill).at;
    });
  }

  it("lose nothing that was answered 200, though one is killed each ten seconds, and others give what it had within 30 seconds", async () => {
    await killAll();
    nothingIsLost();
  });

  it("lose nothing that was answered 200, though the database is restarted twice too", async () => {
    await killAll(async (kill) => {
      if (kill !== 1 && kill !== 4) return;
      await load.answers(rate);
      await shared.postgres.stop(kill === 1 ? "SIGINT" : "SIGQUIT");
      await load.answers(rate);
      await shared.postgres.start();
    });
    nothingIsLost();
  });
});
