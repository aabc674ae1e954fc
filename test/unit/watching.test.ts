import assert from "node:assert/strict";
import fc from "fast-check";
import type { Cause } from "../../src/inbox/store";
import { causeOf, maxCauses, moreCauses, type Facts } from "../../src/inbox/watch-facts";
import { always } from "../../src/inbox/watch-hours";
import type { Settings } from "../../src/inbox/watch-settings";
import { readWatched, type Watched } from "../../src/inbox/watched";
import { look, type News } from "../../src/inbox/watching";

const start = Date.UTC(2026, 10, 28, 9);
const [second, minute, hour] = [1000, 60_000, 3_600_000];
const iso = (at: number) => new Date(at).toISOString();
const at = (after: number) => iso(start + after);

const settings: Settings = {
  ...{ failed: true, store: true, refused: true, waiting: 30, silence: 4 },
  hours: always,
};
const well: Facts = {
  ...{ isBroken: false, causes: [], refused: [], waiting: 0 },
  times: { oldestWaiting: null, lastAccepted: at(0) },
};
const cause = (error: string, count = 1, again = 0): Cause => ({
  ...{ node: { id: "bill", type: "http request", name: "Bill" }, error, count, again },
  ...{ first: at(-minute), last: at(-minute) },
});
const failing = (...causes: Cause[]): Partial<Facts> => ({ causes });
const refusing = (why: string, count: number, last: number): Partial<Facts> => ({
  refused: [{ why, count, first: at(last), last: at(last) }],
});
const waiting = (oldest: number, count = 1): Partial<Facts> => ({
  waiting: count,
  times: { oldestWaiting: at(oldest), lastAccepted: at(0) },
});
const accepted = (last: number | null): Partial<Facts> => ({
  times: { oldestWaiting: null, lastAccepted: last === null ? null : at(last) },
});

/** What is told of a row of facts, each some time after the start. */
function toldOf(steps: [after: number, facts: Partial<Facts>][], wanted: Partial<Settings> = {}) {
  let watched: Watched | undefined;
  const told: (Pick<News, "cause" | "state" | "count"> & { after: number })[] = [];
  for (const [after, facts] of steps) {
    const looked = look(
      watched,
      { ...well, ...facts },
      { ...settings, silence: 0, ...wanted },
      start + after,
    );
    // What is known comes back from disk as it was.
    watched = readWatched(JSON.parse(JSON.stringify(looked.watched)));
    assert.deepEqual(watched, looked.watched);
    for (const { cause, state, count } of looked.news) told.push({ after, cause, state, count });
  }
  return told.map(({ after, cause, state, count }) => `${after / second} ${cause} ${state} ${count}`);
}
const down = causeOf(cause("down"));

const asking = (since: number, isPassing: boolean): Partial<Facts> => ({
  asking: { since: at(since), isPassing },
});

const table: [what: string, steps: [number, Partial<Facts>][], told: string[], wanted?: Partial<Settings>][] =
  [
    [
      "at once what keeps Radaro from being asked, once while it is another, and when it is over",
      [
        [0, { asking: undefined }],
        [second, asking(0, false)],
        [hour, asking(2 * minute, false)],
        [2 * hour, { asking: null }],
      ],
      ["1 catch-up begun 0", "7200 catch-up over 0"],
    ],
    [
      "what may pass by itself when it has not for 10 minutes, and not where it is not known after a restart",
      [
        [0, asking(0, true)],
        [10 * minute - 1, asking(0, true)],
        [10 * minute, asking(0, true)],
        [11 * minute, { asking: undefined }],
        [12 * minute, asking(11 * minute, true)],
        [13 * minute, { asking: null }],
      ],
      ["600 catch-up begun 0", "780 catch-up over 0"],
    ],
    [
      "nothing while all is well",
      [
        [0, {}],
        [hour, {}],
      ],
      [],
    ],
    [
      "what failed, when it has for 3 seconds, and once",
      [
        [0, failing(cause("down"))],
        [3000, failing(cause("down"))],
        [hour, failing(cause("down", 9))],
      ],
      [`3 ${down} begun 1`],
    ],
    [
      "nothing of what is settled within that",
      [
        [0, failing(cause("down"))],
        [2000, {}],
        [hour, {}],
      ],
      [],
    ],
    [
      "nothing of what is given again by itself",
      [
        [0, failing(cause("down", 2, 2))],
        [hour, failing(cause("down", 2, 2))],
      ],
      [],
    ],
    [
      "what failed for good, though others of its cause are given again",
      [
        [0, failing(cause("down", 3, 2))],
        [5000, failing(cause("down", 3, 1))],
      ],
      [`5 ${down} begun 2`],
    ],
    [
      "that it is over, with the most there were, when nothing of it is failed and nothing waits",
      [
        [0, failing(cause("down"))],
        [3000, failing(cause("down", 7))],
        [4000, {}],
        [4500, {}],
        [5000, {}],
        [hour, {}],
      ],
      [`3 ${down} begun 7`, `5 ${down} over 7`],
    ],
    [
      "nothing of what was run again and fails again",
      [
        [0, failing(cause("down"))],
        [3000, failing(cause("down"))],
        [4000, waiting(0)],
        [40_000, waiting(0)],
        [50_000, failing(cause("down"))],
      ],
      [`3 ${down} begun 1`],
    ],
    [
      "that it is over after a minute, while others wait",
      [
        [0, failing(cause("down"))],
        [3000, failing(cause("down"))],
        [4000, waiting(0)],
        [64_000, waiting(0)],
      ],
      [`3 ${down} begun 1`, `64 ${down} over 1`],
    ],
    [
      "each cause for itself",
      [
        [0, failing(cause("down"), cause("late"))],
        [3000, failing(cause("down"), cause("late"))],
        [4000, failing(cause("late"))],
        [5000, failing(cause("late"))],
      ],
      [`3 ${down} begun 1`, `3 ${causeOf(cause("late"))} begun 1`, `5 ${down} over 1`],
    ],
    [
      "not that it is over where it is not known",
      [
        [0, failing(cause("down"))],
        [3000, failing(cause("down"))],
        [hour, { causes: undefined, times: undefined }],
      ],
      [`3 ${down} begun 1`],
    ],
    [
      "that it cannot store, after 10 seconds",
      [
        [0, { isBroken: true }],
        [9999, { isBroken: true }],
        [10_000, { isBroken: true }],
      ],
      ["10 store begun 0"],
    ],
    [
      "nothing of a hiccup",
      [
        [0, { isBroken: true }],
        [9000, {}],
        [hour, {}],
      ],
      [],
    ],
    [
      "that it cannot store at once, where an event was refused for that",
      [
        [0, {}],
        [1000, { isBroken: true, ...refusing("not-stored", 2, 1000) }],
      ],
      ["1 store begun 2"],
    ],
    [
      "that too where all is well again before it is looked at",
      [
        [0, refusing("not-stored", 1, -minute)],
        [1000, refusing("not-stored", 2, 900)],
        [12_000, {}],
        [22_000, {}],
      ],
      ["1 store begun 1", "22 store over 1"],
    ],
    [
      "nothing of those that were refused before it looked",
      [
        [0, refusing("not-stored", 5, -1)],
        [hour, refusing("not-stored", 5, -1)],
      ],
      [],
    ],
    [
      "that it stores again, when it has for 10 seconds",
      [
        [0, { isBroken: true }],
        [10_000, { isBroken: true }],
        [20_000, {}],
        [25_000, { isBroken: true }],
        [30_000, {}],
        [39_000, {}],
        [40_000, {}],
      ],
      ["10 store begun 0", "40 store over 0"],
    ],
    [
      "the first request that is refused, and when an hour has passed without one",
      [
        [0, {}],
        [1000, refusing("wrong-token", 1, 500)],
        [minute, refusing("wrong-token", 4, minute)],
        [minute + hour - 1, refusing("wrong-token", 4, minute)],
        [minute + hour, refusing("wrong-token", 4, minute)],
      ],
      ["1 refused:wrong-token begun 1", "3660 refused:wrong-token over 4"],
    ],
    [
      "the first after that again, counted anew",
      [
        [0, {}],
        [1000, refusing("not-json", 3, 1000)],
        [hour + 1000, refusing("not-json", 3, 1000)],
        [2 * hour, refusing("not-json", 5, 2 * hour)],
      ],
      ["1 refused:not-json begun 3", "3601 refused:not-json over 3", "7200 refused:not-json begun 2"],
    ],
    ["nothing of a request that was refused long ago", [[0, refusing("wrong-token", 9, -hour)]], []],
    [
      "what is refused where they are counted anew",
      [
        [0, refusing("wrong-token", 9, -2 * hour)],
        [1000, refusing("wrong-token", 1, 1000)],
      ],
      ["1 refused:wrong-token begun 1"],
    ],
    [
      "what waits longer than it may, and that it is over at once where nothing waits",
      [
        [0, waiting(0)],
        [30 * minute - 1, waiting(0)],
        [30 * minute, waiting(0, 4)],
        [31 * minute, waiting(0, 2)],
        [32 * minute, {}],
      ],
      ["1800 waiting begun 4", "1920 waiting over 4"],
    ],
    [
      "that it is over when what waits is newer for a minute",
      [
        [0, waiting(-30 * minute)],
        [1000, waiting(-1000)],
        [61_000, waiting(30_000)],
        [hour, {}],
      ],
      ["0 waiting begun 1", "61 waiting over 1"],
    ],
    [
      "nothing of what came long ago and was run again",
      [
        [0, {}],
        [1000, waiting(-2 * hour)],
        [2000, waiting(-hour)],
        [3000, waiting(-hour)],
        [4000, {}],
      ],
      [],
    ],
    [
      "what was run again, and waits",
      [
        [0, {}],
        [1000, waiting(-2 * hour)],
        [1000 + 30 * minute, waiting(-2 * hour)],
      ],
      ["1801 waiting begun 1"],
    ],
    [
      "silence, and its end",
      [
        [0, accepted(-hour)],
        [3 * hour - 1, accepted(-hour)],
        [3 * hour, accepted(-hour)],
        [9 * hour, accepted(-hour)],
        [10 * hour, accepted(10 * hour)],
      ],
      ["10800 silence begun 0", "36000 silence over 0"],
      { silence: 4 },
    ],
    [
      "silence from when it began to look, where nothing ever came",
      [
        [0, accepted(null)],
        [4 * hour - 1, accepted(null)],
        [4 * hour, accepted(null)],
      ],
      ["14400 silence begun 0"],
      { silence: 4 },
    ],
    [
      "silence also where the last event was deleted",
      [
        [0, accepted(0)],
        [hour, accepted(null)],
        [4 * hour, accepted(null)],
        [5 * hour, accepted(-hour)],
      ],
      ["14400 silence begun 0"],
      { silence: 4 },
    ],
    [
      "nothing that is not wanted",
      [
        [0, { isBroken: true, ...failing(cause("down")), ...refusing("no-token", 1, 0), ...waiting(-hour) }],
        [
          hour,
          { isBroken: true, ...failing(cause("down")), ...refusing("no-token", 1, hour), ...waiting(-hour) },
        ],
      ],
      [],
      { failed: false, store: false, refused: false, waiting: 0 },
    ],
  ];

describe("watching an inbox", () => {
  for (const [what, steps, told, wanted] of table)
    it(`tells ${what}`, () => assert.deepEqual(toldOf(steps, wanted), told));

  it("is over silently where it is not wanted any more, or for longer", () => {
    const facts = { ...well, ...failing(cause("down")), ...accepted(-5 * hour) };
    const { watched } = look(look(undefined, facts, settings, start).watched, facts, settings, start + 3000);
    assert.equal(Object.values(watched.things).filter(({ told }) => told).length, 2);
    const other = look(watched, facts, { ...settings, failed: false, silence: 8 }, start + 4000);
    assert.deepEqual([other.news, other.watched.things], [[], {}]);
  });

  it("says when it has to look again, though nothing changes", () => {
    const next = (facts: Partial<Facts>, before?: Watched, wanted: Settings = settings) => {
      const { next } = look(before, { ...well, ...facts }, wanted, start);
      return next === undefined ? undefined : next - start;
    };
    const alone = { ...settings, silence: 0 };
    assert.equal(next({}, undefined, alone), undefined);
    assert.equal(next({}), 4 * hour);
    assert.equal(next(failing(cause("down"))), 3 * second);
    assert.equal(next({ isBroken: true }), 10 * second);
    assert.equal(next(waiting(-29 * minute)), minute);
    assert.equal(next(refusing("wrong-token", 1, -50 * minute)), 10 * minute);
  });

  it("names a node, and since when, and no error text", () => {
    const facts = { ...well, ...failing(cause("no price for Priya Ryan")) };
    const first = look(undefined, facts, settings, start);
    const { news, watched } = look(first.watched, facts, settings, start + 3000);
    assert.deepEqual(news, [
      {
        ...{ topic: "failed", cause: causeOf(cause("no price for Priya Ryan")), state: "begun" },
        ...{ since: at(-minute), count: 1, node: { id: "bill", type: "http request", name: "Bill" } },
      },
    ]);
    assert.ok(!JSON.stringify([news, watched]).includes("Priya"));
  });

  it("tells 20 of many causes, the rest in one sentence, and nothing more of it until that is over", () => {
    const many = Array.from({ length: 95 }, (_, i) => cause(`no price for job ${i}`));
    const rest = many.slice(20);
    const told = toldOf([
      [0, failing(...many)],
      [3000, failing(...many)],
      [4000, failing(...rest)],
      [5000, failing(...rest)],
      [6000, failing(...rest, cause("one more"))],
      [7000, {}],
      [7000 + 10 * minute, {}],
      [2 * hour, failing(cause("down"))],
      [2 * hour + 3000, failing(cause("down"))],
    ]);
    const count = (text: string) => told.filter((each) => each.includes(text)).length;
    assert.equal(count("3 failed:"), maxCauses + 1 + 1);
    assert.equal(count("5 failed:bill:"), maxCauses);
    assert.equal(count(moreCauses), 2);
    assert.deepEqual(told.slice(-2), [`607 ${moreCauses} over 76`, `7203 ${down} begun 1`]);
    assert.equal(told.length, 2 * (maxCauses + 1) + 1);
  });

  it("tells no more than 20 causes in an hour one by one, where each is over before the next", () => {
    const steps = Array.from({ length: 300 }, (_, i): [number, Partial<Facts>][] => [
      [i * 10_000, failing(cause(`no price for job ${i}`))],
      [i * 10_000 + 3000, failing(cause(`no price for job ${i}`))],
      [i * 10_000 + 4000, {}],
      [i * 10_000 + 5000, {}],
    ]).flat();
    const told = toldOf(steps);
    assert.equal(told.length, 2 * maxCauses + 1);
    assert.ok(told.at(-1)!.includes(`${moreCauses} begun`));
  });

  it("does not take for over what is beyond those that are listed", () => {
    const many = Array.from({ length: 100 }, (_, i) => cause(`no price for job ${i}`, 2));
    const told = toldOf([
      [0, failing(cause("down"))],
      [3000, failing(cause("down"))],
      [hour, failing(...many)],
    ]);
    assert.deepEqual(told, [`3 ${down} begun 1`]);
  });

  it("begins anew where what it knew is damaged", () => {
    const { watched } = look(undefined, { ...well, ...failing(cause("down")) }, settings, start);
    const thing = Object.values(watched.things)[0]!;
    const wrong = [
      undefined,
      null,
      [],
      {},
      { ...watched, at: "1" },
      { ...watched, heard: "never" },
      { ...watched, refused: { a: "1" } },
      { ...watched, begun: ["1"] },
      { ...watched, begun: undefined },
      { ...watched, waiting: {} },
      { ...watched, things: [] },
      ...["topic", "since", "count", "seen", "told", "node"].map((key) => ({
        ...watched,
        things: { a: { ...thing, [key]: {} } },
      })),
      { ...watched, things: { a: null } },
    ];
    for (const each of wrong) assert.equal(readWatched(each), undefined, JSON.stringify(each));
  });
});

describe("watching any inbox", () => {
  const errors = Array.from({ length: 30 }, (_, i) => `error ${i}`);
  const step = fc.record({
    wait: fc.constantFrom(100, second, 5 * second, minute, 20 * minute, 2 * hour),
    isBroken: fc.boolean(),
    isKnown: fc.boolean(),
    causes: fc.uniqueArray(fc.tuple(fc.constantFrom(...errors), fc.nat(3), fc.nat(3)), {
      ...{ selector: ([error]) => error, maxLength: 30 },
    }),
    refused: fc.subarray(["wrong-token", "not-json", "not-stored"]),
    waits: fc.option(fc.constantFrom(second, minute, hour, 5 * hour), { nil: null }),
    isAccepted: fc.boolean(),
  });

  it("tells nothing twice, ends nothing that was not begun, and leaves nothing that is over", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        let now = start;
        let watched: Watched | undefined;
        const counts: Record<string, number> = {};
        let accepted = start;
        const on = new Set<string>();
        const see = (facts: Facts) => {
          const looked = look(watched, facts, settings, now);
          watched = looked.watched;
          for (const { cause, state } of looked.news) {
            assert.equal(on.has(cause), state === "over", `${cause} ${state}`);
            if (state === "begun") on.add(cause);
            else on.delete(cause);
          }
          const told = Object.entries(watched.things).flatMap(([cause, thing]) => (thing.told ? cause : []));
          assert.deepEqual(told.sort(), [...on].sort());
          assert.ok(told.filter((each) => each.startsWith("failed:")).length <= maxCauses + 1);
          assert.ok(looked.next === undefined || looked.next > now);
        };
        const last: Record<string, string> = {};
        const refused = () =>
          Object.entries(counts).map(([why, count]) => ({ why, count, first: last[why]!, last: last[why]! }));
        for (const { wait, isBroken, isKnown, causes, refused: wrong, waits, isAccepted } of steps) {
          now += wait;
          for (const why of wrong) [counts[why], last[why]] = [(counts[why] ?? 0) + 1, iso(now)];
          if (isAccepted) accepted = now;
          const oldestWaiting = waits === null ? null : iso(now - waits);
          see({
            ...{ isBroken, refused: refused(), waiting: waits === null ? 0 : 1 },
            causes: isKnown
              ? causes.map(([error, count, again]) => cause(error, count + 1, again))
              : undefined,
            times: isKnown ? { oldestWaiting, lastAccepted: iso(accepted) } : undefined,
          });
        }
        for (const wait of [second, minute, 2 * hour, minute]) {
          now += wait;
          see({ ...well, refused: refused(), times: { oldestWaiting: null, lastAccepted: iso(now) } });
        }
        assert.deepEqual([...on], []);
      }),
    );
  });

  it("tells each cause that has failed for good for long enough, by itself or with the others", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.constantFrom(...errors)), (some) => {
        const facts = { ...well, causes: some.map((error) => cause(error)) };
        const { watched } = look(undefined, facts, settings, start);
        const { news } = look(watched, facts, settings, start + 3000);
        const told = news.map(({ cause }) => cause);
        const rest = some.filter((error) => !told.includes(causeOf(cause(error))));
        assert.equal(rest.length, Math.max(0, some.length - maxCauses));
        assert.equal(news.find(({ cause }) => cause === moreCauses)?.count ?? 0, rest.length);
      }),
    );
  });
});
