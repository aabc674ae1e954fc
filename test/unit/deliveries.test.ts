import assert from "node:assert/strict";
import fc from "fast-check";
import {
  againAt,
  changedBy,
  due,
  failed,
  given,
  interrupted,
  isDue,
  isOpen,
  lastWord,
  left,
  longestRetry,
  newDelivery,
  processed,
  readRetries,
  reopened,
  runAgain,
  settled,
  stateOf,
  takenBack,
  type Delivery,
} from "../../src/inbox/deliveries";

const minute = 60_000;
const now = Date.UTC(2026, 2, 5, 12);
const at = (minutes: number) => new Date(now + minutes * minute).toISOString();
const error = { text: "down", node: { id: "n", type: "function" } };

const fresh = newDelivery("in");
const withFlow = given(fresh, now);
const failure = failed({ ...withFlow, retries: 1 }, error, { now, after: [1, 5] });

/** What is known of it now. */
const withoutTries = (delivery: Delivery) => {
  const rest = { ...delivery };
  delete rest.tries;
  return rest;
};

describe("a delivery", () => {
  for (const [what, delivery, expected] of [
    ["that is new", fresh, { state: "waiting", times: 0 }],
    ["that is given", withFlow, { state: "waiting", times: 1, since: at(0) }],
    ["that is given again", given(failure, now), { state: "waiting", times: 2, since: at(0), retries: 2 }],
    ["that the flow has not had", takenBack(withFlow), { state: "waiting", times: 0 }],
    ["that the flow has lost", interrupted(withFlow), { state: "waiting", times: 1 }],
    ["that is processed", processed(failure, now), { state: "processed", times: 1 }],
    ["that is settled", settled(failure), { state: "processed", times: 1, settled: true }],
    ["that is due", due(failure), { state: "waiting", times: 1, retries: 2 }],
    ["that is run again", runAgain(failure), { state: "waiting", times: 1 }],
    ["that is run again when settled", runAgain(settled(failure)), { state: "waiting", times: 1 }],
    [
      "that the flow has once more",
      reopened(failure, now),
      { state: "waiting", times: 1, since: at(0), retries: 2 },
    ],
    ["that waits when Node-RED ends", left(interrupted(withFlow)), { state: "waiting", times: 1 }],
    ["that the flow has when Node-RED ends", left(withFlow), { state: "waiting", times: 1 }],
    ["that failed when Node-RED ends", left(failure), withoutTries(failure)],
    [
      "that a limit has given up when Node-RED ends",
      left(failed(withFlow, error, { now, after: [1], stays: true })),
      { state: "failed", times: 1, error, retries: 1, againAt: at(1) },
    ],
  ] as [string, Delivery, Partial<Delivery>][]) {
    it(`${what} has what is known of it, and no more`, () => {
      assert.deepEqual(withoutTries(delivery), { node: "in", ...expected });
    });
  }

  for (const [what, how, retries, expected] of [
    ["stays so without retries", {}, undefined, {}],
    ["comes again after the first minutes", { after: [1, 5] }, undefined, { retries: 1, againAt: at(1) }],
    ["comes again after the next", { after: [1, 5] }, 1, { retries: 2, againAt: at(5) }],
    ["stays so when all are used", { after: [1, 5] }, 2, { retries: 2 }],
    ["comes again after parts of a minute", { after: [0.5] }, undefined, { retries: 1, againAt: at(0.5) }],
    ["comes once more without retries", { isOnceMore: true }, undefined, { againAt: at(1) }],
    [
      "comes once more, and that is none of the retries",
      { after: [5], isOnceMore: true },
      undefined,
      { againAt: at(1) },
    ],
    [
      "comes once more when all are used",
      { after: [5], isOnceMore: true },
      1,
      { retries: 1, againAt: at(1) },
    ],
    ["is with the flow still", { stays: true }, undefined, { since: at(0) }],
  ] as [string, Omit<Parameters<typeof failed>[2], "now">, number | undefined, Partial<Delivery>][]) {
    it(`that failed ${what}`, () => {
      const before = { ...withFlow, ...(retries !== undefined && { retries }) };
      const became = failed(before, error, { now, ...how });
      assert.deepEqual(withoutTries(became), { node: "in", state: "failed", times: 1, error, ...expected });
    });
  }

  it("uses one retry for all errors of one try, at the time of the first", () => {
    const slow = { ...error, text: "slow" };
    const how = { after: [1, 5], now: now + minute };
    const twice = failed(failed(withFlow, error, { ...how, now, stays: true }), slow, how);
    assert.deepEqual(twice, {
      ...failed(withFlow, error, { ...how, now }),
      error: slow,
    });
    const after = failed(failed(withFlow, error, { now }), slow, how);
    assert.equal(after.againAt, at(2)); // the first came again by nothing
  });

  it("remembers what came of each try, where the first was not well", () => {
    const tries = (delivery: Delivery) =>
      delivery.tries?.map(({ since, until, outcome, text }) =>
        [outcome, since?.slice(11, 16), until?.slice(11, 16), text].join(" "),
      );
    const first = processed(withFlow, now + minute);
    assert.equal(tries(first), undefined);
    const lost = given(interrupted(withFlow), now + minute);
    const ended = given(left(lost), now + 2 * minute);
    const late = failed(ended, error, { now: now + 3 * minute, stays: true });
    const run = given(runAgain(late), now + 4 * minute);
    const expected = [
      "interrupted 12:00  ",
      "interrupted 12:01  ",
      "failed 12:02 12:03 down",
      "processed 12:04 12:05 ",
    ];
    assert.deepEqual(tries(processed(run, now + 5 * minute)), expected);
    assert.deepEqual(tries(settled(late)), expected.slice(0, 3));
    assert.deepEqual(tries(takenBack(run)), expected.slice(0, 3));
    assert.deepEqual(tries(left(late)), expected.slice(0, 3));
  });

  it("remembers the latest ten tries, and not all of a long error", () => {
    let delivery = fresh;
    for (let i = 1; i <= 12; i += 1)
      delivery = failed(given(delivery, now), { ...error, text: `${i}`.padEnd(999, "!") }, { now });
    const texts = delivery.tries!.map(({ text }) => text!);
    assert.deepEqual(
      texts.map((text) => Number.parseInt(text)),
      [3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
    );
    assert.ok(texts.every(({ length }) => length === 200));
    assert.equal(delivery.error!.text.length, 999);
  });

  for (const [isTrue, delivery, time] of [
    [false, { ...failure, againAt: at(5) }, 4.99],
    [true, { ...failure, againAt: at(5) }, 5],
    [true, { ...failure, againAt: at(5) }, 60],
    [false, { ...failure, againAt: at(longestRetry) }, 0],
    // The clock was set back: it would wait longer than any retry.
    [true, { ...failure, againAt: at(5) }, -longestRetry],
    [false, withFlow, 60],
    [false, processed(failure, now), 60],
  ] as [boolean, Delivery, number][]) {
    it(`is ${isTrue ? "" : "not "}due ${time} minutes later, with ${JSON.stringify(delivery.againAt ?? "no retry")}`, () => {
      assert.equal(isDue(delivery, now + time * minute), isTrue);
    });
  }

  it("comes as often as there are retries, each at its time, whatever they are", () => {
    const minutes = fc.array(
      fc.integer({ min: 1, max: 4 * longestRetry }).map((quarters) => quarters / 4),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(minutes, (after) => {
        let time = now;
        let delivery = given(fresh, time);
        const waited: number[] = [];
        for (;;) {
          delivery = failed(delivery, error, { now: time, after });
          if (delivery.againAt === undefined) break;
          const then = Date.parse(delivery.againAt);
          assert.ok(!isDue(delivery, then - 1) && isDue(delivery, then));
          waited.push(then - time);
          time = then;
          delivery = given(due(delivery), time);
        }
        assert.deepEqual(
          waited,
          after.map((each) => each * minute),
        );
        assert.equal(delivery.times, after.length + 1);
      }),
    );
  });
});

describe("an event's deliveries", () => {
  const waiting = interrupted(withFlow);
  const ok = processed(withFlow, now);
  for (const [deliveries, state, open, again] of [
    [undefined, "waiting", true, undefined],
    [[], "processed", false, undefined],
    [[ok], "processed", false, undefined],
    [[ok, settled(failure)], "processed", false, undefined],
    [[ok, waiting], "waiting", true, undefined],
    [[ok, withFlow], "waiting", true, undefined],
    [[waiting, failure], "failed", true, at(5)],
    [[ok, failure], "failed", false, at(5)],
    [[failure, { ...failure, againAt: at(2) }], "failed", false, at(2)],
    [[failed(withFlow, error, { now })], "failed", false, undefined],
  ] as [Delivery[] | undefined, string, boolean, string | undefined][]) {
    const are = deliveries?.map((each) => each.state).join(" and ") ?? "not known";
    it(`that are ${are || "none"} make it ${state}, and ${open ? "" : "not "}open`, () => {
      assert.equal(stateOf(deliveries), state);
      assert.equal(isOpen(deliveries), open);
      assert.equal(againAt(deliveries), again);
    });
  }
});

describe("readRetries", () => {
  for (const [text, expected] of [
    ["", []],
    ["  ", []],
    ["1, 5, 30", [1, 5, 30]],
    ["1,5,30", [1, 5, 30]],
    [" 0.5 ", [0.5]],
    [String(longestRetry), [longestRetry]],
    [String(longestRetry + 1), undefined],
    [Array(20).fill("1").join(","), Array<number>(20).fill(1)],
    [Array(21).fill("1").join(","), undefined],
    ["0", undefined],
    ["1, 0", undefined],
    ["-1", undefined],
    ["1,", undefined],
    [",", undefined],
    ["1 5", undefined],
    ["1;5", undefined],
    ["1e3", undefined],
    [".5", undefined],
    ["5.", undefined],
    ["0x10", undefined],
    ["Infinity", undefined],
    ["soon", undefined],
  ] as [string, number[] | undefined][]) {
    it(`reads ${JSON.stringify(text)} as ${expected ? JSON.stringify(expected) : "no such list"}`, () => {
      assert.deepEqual(readRetries(text), expected);
    });
  }

  it("reads back each list that may be, however it is written", () => {
    const number = fc.oneof(
      fc.integer({ min: 1, max: longestRetry }),
      fc.integer({ min: 1, max: 99 }).map((n) => n / 100),
    );
    const blank = fc.constantFrom("", " ", "  ");
    fc.assert(
      fc.property(fc.array(number, { maxLength: 20 }), blank, blank, (numbers, before, after) => {
        assert.deepEqual(readRetries(numbers.map((n) => `${before}${n}${after}`).join(",")), numbers);
      }),
    );
  });
});

describe("what an inbox says of a delivery that another gives", () => {
  const there = given(interrupted(withFlow), now); // it was taken over, and given a second time
  const done = processed(withFlow, now);
  const failedLate = failed(withFlow, error, { now, after: [1] });
  const failedThere = failed(there, error, { now });
  for (const [what, before, said, counts] of [
    ["counts where the flow was done with it", there, done, { ...done, times: 2 }],
    ["counts where a person has dealt with it", there, settled(fresh), { ...settled(fresh), times: 2 }],
    ["counts where that is over a failure", failedThere, done, { ...done, times: 2 }],
    ["counts where it failed while the other's flow has it", there, failedLate, { ...failedLate, times: 2 }],
    ["does not count where it failed and comes again", interrupted(there), failedLate, interrupted(there)],
    ["does not count where both have failed", failedThere, failedLate, failedThere],
    [
      "does not count where the other was done with it",
      processed(there, now),
      failedLate,
      processed(there, now),
    ],
    ["does not count where both were done with it", processed(there, now), done, processed(there, now)],
    ["does not count where it only has it no more", there, interrupted(withFlow), there],
    ["does not count where it only has it", failedThere, withFlow, failedThere],
  ] as [string, Delivery, Delivery, Delivery][])
    it(what, () => assert.deepEqual(lastWord(before, said), counts));
});

describe("what another has changed of a delivery, for the inbox that gives it", () => {
  const failedAgain = failed(given(failure, now), error, { now });
  for (const [what, mine, said, counts] of [
    ["counts where it is run again", failure, runAgain(failure), runAgain(failure)],
    [
      "counts where it is run again that was processed",
      processed(withFlow, now),
      runAgain(withFlow),
      runAgain(withFlow),
    ],
    ["does not count where it was given again meanwhile", withFlow, runAgain(fresh), withFlow],
    ["does not count where it has failed again meanwhile", failedAgain, runAgain(failure), failedAgain],
    [
      "does not count where it was given and has failed, and that is not written yet",
      failure,
      fresh,
      failure,
    ],
    [
      "does not count where it has failed, and it is not written that it is not with the flow",
      failure,
      withFlow,
      failure,
    ],
    ["counts where a person has dealt with it", withFlow, settled(withFlow), settled(withFlow)],
    ["counts where a person has dealt with what failed", failure, settled(failure), settled(failure)],
  ] as [string, Delivery, Delivery, Delivery][])
    it(what, () => assert.deepEqual(changedBy(mine, said), counts));
});
