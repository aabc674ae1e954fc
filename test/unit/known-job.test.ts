import assert from "node:assert/strict";
import fc from "fast-check";
import {
  earlier,
  fill,
  isNews,
  isSameDeadline,
  isTold,
  learn,
  placeOf,
  saidBy,
  tellsOf,
  type Known,
} from "../../src/inbox/known-job";
import { sortable } from "../../src/inbox/stored-event";
import { readSamples } from "../events";

const at = (minute: number) => `2026-03-02T09:${String(minute).padStart(2, "0")}:00.000000`;
const status = (value: string, minute: number, by?: number): Known => ({
  status: { value, at: at(minute), ...(by !== undefined && { by: at(by) }) },
});
const confirmed = (rating: number | null, minute: number): Known => ({
  confirmed: { value: { is: true, rating }, at: at(minute) },
});
const deadline = (value: string, minute: number): Known => ({ deadline: { value, at: at(minute) } });
const created = (minute: number): Known => ({ created: { value: true, at: at(minute) } });

const learnt = (known: Known | undefined, news: Known) => learn(known, news, "/radaro");

const tells = (name: keyof ReturnType<typeof readSamples>, changes: object = {}) => {
  const event = { ...readSamples()[name], ...changes };
  return tellsOf(event, sortable(event.updated_at)!, sortable);
};

describe("What an event tells of its job", () => {
  it("is what has changed, and not what the job shows besides", () => {
    const of = (known: Known | undefined) => Object.keys(known ?? {}).sort();
    assert.deepEqual(of(tells("job-completed")), ["externalId", "status"]);
    assert.deepEqual(of(tells("job-confirmed")), ["confirmed", "externalId"]);
    assert.deepEqual(of(tells("job-deadline-changed")), ["deadline", "externalId"]);
    assert.deepEqual(of(tells("job-deleted")), ["deleted", "externalId"]);
    for (const name of ["job-completion-codes", "checklist-job", "optimisation-completed"] as const)
      assert.equal(tells(name), undefined);
  });

  it("is of a new job its status too, where that had not changed before the event was sent", () => {
    const { order_info } = readSamples()["job-created"] as { order_info: object };
    assert.equal(tells("job-created")!.status!.value, "not_assigned");
    const later = { ...order_info, status: "assigned", updated_at: "2026-03-02T09:05:00+11:00" };
    assert.equal(tells("job-created", { order_info: later })!.status, undefined);
    assert.deepEqual(tells("job-created")!.confirmed!.value, { is: false, rating: null });
  });

  it("has the external id that the merchant knows, also of a deleted job", () => {
    assert.equal(tells("job-deleted")!.externalId, "SO-20418");
  });

  it("has the rating, which is in no new_values, and the deadline with its offset, which is not there either", () => {
    assert.deepEqual(tells("job-confirmed")!.confirmed!.value, { is: true, rating: 3 });
    assert.equal(tells("job-deadline-changed")!.deadline!.value, "2026-03-02T19:00:00+11:00");
  });
});

describe("What is known of a job", () => {
  it("is of each field what became so last, in whichever order events tell it", () => {
    const events = [
      created(1),
      status("assigned", 2),
      status("delivered", 5),
      deadline("x", 3),
      confirmed(4, 6),
    ];
    const all = events.reduce<Known | undefined>(learnt, undefined);
    fc.assert(
      fc.property(fc.shuffledSubarray(events, { minLength: 5 }), (shuffled) => {
        const known = shuffled.reduce<Known | undefined>(learnt, undefined)!;
        assert.deepEqual(known, all);
      }),
    );
  });

  it("is filled by what the jobs API shows only where nothing was known", () => {
    const known = fill(status("assigned", 2), {
      ...status("delivered", 1),
      ...confirmed(null, 3),
      seen: at(9),
    });
    assert.deepEqual(known, { ...status("assigned", 2), ...confirmed(null, 3), seen: at(9) });
    assert.equal(fill(known, { seen: at(4) }).seen, at(9));
  });

  it("forgets that it is deleted where the jobs API shows it again, and no event had told that", () => {
    const gone = { deleted: { value: true as const, at: at(4), by: at(5) } };
    assert.equal(fill(gone, { seen: at(6) }).deleted, undefined);
    assert.deepEqual(fill(gone, { seen: at(5) }).deleted, gone.deleted);
    const told = { deleted: { value: true as const, at: at(4) } };
    assert.deepEqual(fill(told, { seen: at(6) }).deleted, told.deleted);
  });

  it("says whether the job is open, and when it was told of last", () => {
    const cases: [Known, ReturnType<typeof placeOf>][] = [
      [created(1), { state: "open", deadline: null, at: at(1) }],
      [status("no status that is known", 1), { state: "open", deadline: null, at: at(1) }],
      [status("delivered", 1, 7), { state: "closed", deadline: null, at: at(7) }],
      [
        { ...created(1), deleted: { value: true, at: at(3) } },
        { state: "deleted", deadline: null, at: at(3) },
      ],
      [
        { ...deadline("2026-03-02T19:00:00+11:00", 1), seen: at(8) },
        { state: "open", deadline: "2026-03-02T08:00:00.000Z", at: at(8) },
      ],
      [
        { ...status("assigned", 1), due: "2026-03-02T19:00:00+11:00", seen: at(8) },
        { state: "open", deadline: "2026-03-02T08:00:00.000Z", at: at(8) },
      ],
      [
        { ...deadline("2026-03-02T20:00:00+11:00", 1), due: "2026-03-02T19:00:00+11:00" },
        { state: "open", deadline: "2026-03-02T09:00:00.000Z", at: at(1) },
      ],
    ];
    for (const [known, place] of cases) assert.deepEqual(placeOf(known), place);
  });
});

describe("A time before another", () => {
  it("is one of Radaro's, and none before 1970", () => {
    assert.equal(earlier("2026-03-02T09:00:10.123456", 10_000), "2026-03-02T09:00:00.123000");
    assert.equal(
      earlier("2026-03-02T09:00:10.123456", 36_500 * 24 * 3_600_000),
      "1970-01-01T00:00:00.000000",
    );
  });
});

describe("A deadline", () => {
  it("is the same, however it is written", () => {
    const same: [string, string][] = [
      ["2026-03-02T19:00:00+11:00", "2026-03-02T08:00:00Z"],
      ["2026-03-02T19:00:00+11:00", "2026-03-02T19:00:00"],
      ["2026-03-02T19:00:00.000000", "2026-03-02T19:00:00"],
      ["2026-03-02T19:00:00.500", "2026-03-02T19:00:00.5+11:00"],
    ];
    for (const [one, other] of same) assert.ok(isSameDeadline(one, other), `${one} ${other}`);
    assert.ok(!isSameDeadline("2026-03-02T19:00:00+11:00", "2026-03-02T19:00:00+10:00"));
    assert.ok(!isSameDeadline("2026-03-02T19:00:00", "2026-03-02T19:30:00"));
  });
});

describe("An event that is made", () => {
  const cases: [what: string, known: Known | undefined, made: Known, isNews: boolean][] = [
    ["nothing is known", undefined, status("assigned", 3), true],
    ["something earlier is known", status("assigned", 2), status("delivered", 3), true],
    ["the same is known", status("delivered", 3), status("delivered", 3), false],
    ["something later is known", status("failed", 4), status("delivered", 3), false],
    ["it was told for another path", status("delivered", 3, 9), status("delivered", 3), true],
    ["a rating is new", confirmed(null, 2), confirmed(4, 3), true],
    ["the job has come to be known as created", created(1), created(1), false],
    ["the job was deleted", { deleted: { value: true, at: at(2) } }, status("delivered", 3), false],
    [
      "its deadline is written otherwise",
      deadline("2026-03-02T19:00:00", 1),
      deadline("2026-03-02T19:00:00Z", 3),
      false,
    ],
  ];
  for (const [what, known, made, expected] of cases)
    it(`tells ${expected ? "something" : "nothing"} where ${what}`, () =>
      assert.equal(isNews(known, saidBy(made, at(9))), expected));
});

describe("An event that comes after one was made", () => {
  it("is compared with the last five that were made, each once for all paths", () => {
    let known: Known | undefined;
    for (let minute = 0; minute < 9; minute += 1)
      for (const news of [saidBy(status(`s${minute}`, minute), at(minute))])
        known = learn(learnt(known, news), news, "/other");
    assert.deepEqual(
      known!.made!.map(({ value }) => value),
      ["s4", "s5", "s6", "s7", "s8"],
    );
    assert.deepEqual(known!.made![0]!.paths, ["/radaro", "/other"]);
  });

  it("tells something new on a path for which none was made", () => {
    const told = learnt(undefined, saidBy(status("delivered", 3), at(9)));
    for (const [path, expected] of [
      ["/radaro", true],
      ["/other", false],
    ] as const)
      assert.equal(isTold(told, status("delivered", 3), { changed: ["status"], path }), expected);
  });

  const madeOf = (told: Known) => learnt(undefined, saidBy(told, at(9)));
  const made = madeOf({ ...status("delivered", 3), ...confirmed(4, 9) });
  const cases: [what: string, known: Known | undefined, event: Known, changed: string[], isTold: boolean][] =
    [
      ["the same state at the same time", made, status("delivered", 3), ["status"], true],
      ["the same state, which a clock puts elsewhere", made, status("delivered", 2), ["status"], true],
      ["the same state after the jobs API was asked", made, status("delivered", 10), ["status"], false],
      ["a state between", made, status("in_progress", 2), ["status"], false],
      ["the same rating", made, confirmed(4, 8), ["is_confirmed_by_customer"], true],
      ["another rating", made, confirmed(5, 8), ["is_confirmed_by_customer"], false],
      [
        "a state that a later one has overtaken since",
        learnt(made, status("failed", 11)),
        status("delivered", 3),
        ["status"],
        true,
      ],
      [
        "the one before of two that were made",
        learnt(made, saidBy(status("failed", 11), at(12))),
        status("delivered", 3),
        ["status"],
        true,
      ],
      ["something else besides", made, status("delivered", 3), ["status", "driver"], false],
      ["what an event had told", status("delivered", 3), status("delivered", 3), ["status"], false],
      ["a new job", madeOf(created(1)), { ...created(1), ...status("pending", 1) }, [], true],
      ["a new job that nobody knows", undefined, created(1), [], false],
      [
        "a deletion",
        madeOf({ deleted: { value: true, at: at(9) } }),
        { deleted: { value: true, at: at(5) } },
        [],
        true,
      ],
    ];
  for (const [what, known, event, changed, expected] of cases)
    it(`tells ${expected ? "nothing" : "something"} new with ${what}`, () =>
      assert.equal(isTold(known, event, { changed, path: "/radaro" }), expected));
});
