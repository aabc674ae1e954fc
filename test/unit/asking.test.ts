import assert from "node:assert/strict";
import type { JsonObject } from "../../src/event/json";
import { Sweep, Troubled, windowsAround, type Ask } from "../../src/inbox/asking";
import { closedStatuses, openStatuses } from "../../src/inbox/known-job";
import { readApiKey, readMinutes, readServer } from "../../src/inbox/radaro-server";
import { sortable } from "../../src/inbox/stored-event";
import { readSamples } from "../events";

const now = "2026-03-02T12:00:00Z";
const at = sortable(now)!;
const hour = 3_600_000;
const whole = readSamples()["job-created"].order_info as JsonObject;

/** A job that was created some hours ago, and is due in some. */
const jobOf = (id: number, { ago = id, due = 4, status = "assigned" } = {}) => ({
  ...whole,
  ...{ order_id: id, status, created_at: new Date(Date.parse(now) - ago * hour).toISOString() },
  deliver_before: new Date(Date.parse(now) + due * hour).toISOString(),
});
const jobsOf = (from: number, count: number, about = {}) =>
  Array.from({ length: count }, (_, i) => jobOf(from + i, { ago: (from + i) / 1000, ...about }));
const page = (results: unknown[], count = results.length, next: string | null = null) => ({
  ...{ count, next, previous: null, results },
});

/** Answers all that a sweep asks. @returns what it asked */
function run(sweep: Sweep, answer: (ask: Ask) => unknown): Ask[] {
  const asked: Ask[] = [];
  for (let ask = sweep.next; ask; ask = sweep.next) {
    asked.push(ask);
    sweep.take(answer(ask), at);
  }
  return asked;
}

const brief = (asked: Ask[]) => asked.map(({ list, page }) => `${list} ${page}`);

describe("What is asked of the jobs API", () => {
  it("is the newest jobs until some come that were there before, then the open and the closed ones around now", () => {
    const sizes = { newest: 1000, open: 300, closed: 10 };
    const asked = run(new Sweep(sortable(new Date(Date.parse(now) - hour / 4).toISOString())), (ask) => {
      const { list, page: number, size } = ask;
      const about = list === "closed" ? { status: "delivered" } : {};
      const jobs = jobsOf((number - 1) * size, Math.min(size, sizes[list] - (number - 1) * size), about);
      return page(jobs, sizes[list], number * size < sizes[list] ? "more" : null);
    });
    assert.deepEqual(brief(asked), ["newest 1", "newest 2", "newest 3", "open 1", "open 2", "closed 1"]);
    const { open, closed } = windowsAround(at);
    assert.deepEqual([asked[3]!.statuses, asked[3]!.window], [openStatuses, open]);
    assert.deepEqual([asked[5]!.statuses, asked[5]!.window], [closedStatuses, closed]);
  });

  it("is the first time no job that was there before, but for one page", () => {
    const asked = run(new Sweep(), ({ list }) =>
      list === "newest" ? page(jobsOf(1, 100), 9999, "more") : page([]),
    );
    assert.deepEqual(brief(asked), ["newest 1", "open 1", "closed 1"]);
  });

  it("goes on where a page is not there any more, as jobs were deleted meanwhile", () => {
    const asked = run(new Sweep(), ({ list, page: number }) => {
      if (list !== "open") return page([]);
      return number === 1 ? page(jobsOf(1, 250), 251, "more") : undefined;
    });
    assert.deepEqual(brief(asked), ["newest 1", "open 1", "open 2", "closed 1"]);
  });

  const trouble = (list: Ask["list"], answers: (page: number) => unknown) => {
    const asking = () => run(new Sweep(), (ask) => (ask.list === list ? answers(ask.page) : page([])));
    try {
      asking();
      return undefined;
    } catch (error) {
      assert.ok(error instanceof Troubled);
      return error.trouble;
    }
  };
  const wrong: [
    what: string,
    trouble: string | undefined,
    list: Ask["list"],
    answers: (page: number) => unknown,
  ][] = [
    ["no object", "other-shape", "newest", () => [jobOf(1)]],
    ["no count", "other-shape", "newest", () => ({ next: null, results: [] })],
    ["a job without an order_id", "other-shape", "open", () => page([{ ...jobOf(1), order_id: undefined }])],
    ["the oldest first", "unasked", "newest", () => page([jobOf(2), jobOf(1)])],
    ["more than a page", "unasked", "newest", () => page(jobsOf(1, 101))],
    ["another status", "unasked", "open", () => page([jobOf(1, { status: "delivered" })])],
    ["a status that nobody knows", "unasked", "closed", () => page([jobOf(1, { status: "lost" })])],
    ["another deadline", "unasked", "open", () => page([jobOf(1, { due: 24 * 9 })])],
    ["no deadline", "unasked", "open", () => page([{ ...jobOf(1), deliver_before: null }])],
    ["the same page again and again", "endless", "open", () => page(jobsOf(1, 250), 9999, "more")],
    ["more pages than it counts jobs", "endless", "open", (n) => page(jobsOf(n * 250, 250), 500, "more")],
    ["pages for ever", "endless", "open", (n) => page(jobsOf(n * 9, 9), 1e12, "more")],
    ["a job that is due at the end of the window", undefined, "open", () => page([jobOf(1, { due: 48 })])],
  ];
  for (const [what, expected, list, answers] of wrong)
    it(`is ${expected === undefined ? "believed" : `not believed (${expected})`} where it brings ${what}`, () =>
      assert.equal(trouble(list, answers), expected));
});

describe("Radaro's server", () => {
  it("is a number, or the address of its API", () => {
    const right: [unknown, string][] = [
      ["1", "https://api.radaro.com.au/"],
      [" 7 ", "https://api-7.radaro.com.au/"],
      [2, "https://api-2.radaro.com.au/"],
      ["https://radaro.example.com/base", "https://radaro.example.com/base"],
      ["http://127.0.0.1:8000", "http://127.0.0.1:8000/"],
    ];
    for (const [server, url] of right) assert.equal(readServer(server)?.href, url);
    const others = [
      "",
      "0",
      "-1",
      "1.5",
      "api.radaro.com.au",
      "ftp://a",
      "https://user:secret@a",
      "https://a?b",
      "${SERVER}",
      null,
      {},
      true,
    ];
    for (const other of others) assert.equal(readServer(other), undefined, JSON.stringify(other));
  });
});

describe("An API key", () => {
  it("is a text without blanks; what stands for a variable that is not set is none", () => {
    assert.equal(readApiKey(" 7c1f0a52-3d7e \n"), "7c1f0a52-3d7e");
    for (const other of [
      "",
      " ",
      "${KEY}",
      "a b",
      "a\nb",
      "schlüssel",
      "x".repeat(201),
      undefined,
      null,
      {},
      ["a"],
    ])
      assert.equal(readApiKey(other), undefined, JSON.stringify(other));
  });
});

describe("The minutes between two looks", () => {
  it("are a number of at least 0, and nothing is never", () => {
    const read: [unknown, number | undefined][] = [
      ...([
        [undefined, 0],
        [null, 0],
        ["", 0],
        [0, 0],
        ["15", 15],
        [0.5, 0.5],
      ] as [unknown, number][]),
      ...["often", -1, "-1", "1e999", true, {}, [5]].map((each): [unknown, undefined] => [each, undefined]),
    ];
    for (const [value, minutes] of read) assert.equal(readMinutes(value), minutes, String(value));
  });
});
