import assert from "node:assert/strict";
import fc from "fast-check";
import { findProblems } from "../../src/event/event";
import type { JsonObject } from "../../src/event/json";
import {
  compare,
  deletion,
  isSame,
  make,
  readJob,
  type Difference,
  type Job,
} from "../../src/inbox/catch-up";
import { Differences } from "../../src/inbox/differences";
import { fill, learn, tellsOf, type Known } from "../../src/inbox/known-job";
import { prepare, sortable } from "../../src/inbox/stored-event";
import { readSamples } from "../events";

const jobOf = (changes: JsonObject = {}): Job =>
  readJob({ ...(readSamples()["job-created"].order_info as JsonObject), ...changes })!;
const time = (hour: number) => `2026-03-02T${String(hour).padStart(2, "0")}:00:00+00:00`;
const at = (hour: number) => sortable(time(hour))!;

/** Its job was created at 6, and it is looked at at 12. */
const job = (changes: JsonObject = {}) =>
  jobOf({ created_at: time(6), updated_at: time(6), deliver_before: time(18), ...changes });
const known: Known = {
  created: { value: true, at: at(6) },
  status: { value: "not_assigned", at: at(6) },
  confirmed: { value: { is: false, rating: null }, at: at(6) },
  deadline: { value: time(18), at: at(6) },
};
const settled = 600_000;
const compared = (job: Job, known: Known | undefined, since = at(1), now = at(12)) =>
  compare(job, { known, since, at: now, settled });
const kinds = (differences: Difference[]) => differences.map(({ kind }) => kind);

describe("Comparing a job with what is known of it", () => {
  const delivered = { status: "delivered", updated_at: time(9) };
  const later = (value: string, hour: number): Known => ({ ...known, status: { value, at: at(hour) } });
  const cases: [what: string, job: Job, known: Known | undefined, since: number, found: string[]][] = [
    ["nothing has changed", job(), known, 1, []],
    ["nothing is known of it", job(), undefined, 1, ["created"]],
    [
      "it is new and delivered",
      job({ ...delivered, is_confirmed_by_customer: true }),
      undefined,
      1,
      ["created", "status", "confirmed"],
    ],
    ["it is older than the base line", job(delivered), undefined, 10, []],
    ["it is older, and its status is not", job(delivered), undefined, 8, ["status"]],
    ["its status is another", job(delivered), known, 1, ["status"]],
    ["its status became another before the base line", job(delivered), known, 10, []],
    ["the jobs API is behind", job(delivered), later("confirmed", 10), 1, []],
    [
      "it is again what an event of before a later one had told, too late",
      job({ ...delivered, updated_at: time(11) }),
      learn(later("assigned", 10), later("delivered", 9), "/radaro"),
      1,
      ["status"],
    ],
    [
      "nobody told its first status",
      job(delivered),
      { created: known.created!, confirmed: known.confirmed! },
      1,
      ["status"],
    ],
    ["the customer has confirmed it", job({ is_confirmed_by_customer: true }), known, 1, ["confirmed"]],
    [
      "the customer has rated it besides",
      job({ is_confirmed_by_customer: true, rating: 4 }),
      { ...known, confirmed: { value: { is: true, rating: null }, at: at(7) } },
      1,
      ["confirmed"],
    ],
    [
      "a rating is gone",
      job({ is_confirmed_by_customer: true }),
      { ...known, confirmed: { value: { is: true, rating: 4 }, at: at(7) } },
      1,
      [],
    ],
    [
      "it was confirmed when it was seen first",
      job({ is_confirmed_by_customer: true }),
      { status: known.status! },
      10,
      [],
    ],
    ["its deadline is another", job({ deliver_before: time(20) }), known, 1, ["deadline"]],
    [
      "its deadline has just become another",
      job({ deliver_before: time(20) }),
      { ...known, deadline: { value: time(18), at: at(12) } },
      1,
      [],
    ],
    ["it has no deadline any more", job({ deliver_before: null }), known, 1, []],
    [
      "it was deleted, and the jobs API is behind",
      job(delivered),
      { ...known, deleted: { value: true, at: at(11) } },
      1,
      [],
    ],
  ];
  for (const [what, job, known, since, found] of cases)
    it(`finds ${found.join(" and ") || "nothing"} where ${what}`, () => {
      assert.deepEqual(kinds(compared(job, known, at(since)).differences), found);
    });

  it("knows from then on what it can say nothing of", () => {
    const { base } = compared(job({ ...delivered, is_confirmed_by_customer: true }), undefined, at(10));
    assert.deepEqual(
      [base.status?.value, base.confirmed?.value.is, base.deadline?.value, base.created?.at, base.seen],
      ["delivered", true, time(18), at(6), at(12)],
    );
  });

  it("finds nothing any more once its events are accepted, whatever the job is", () => {
    const hours = fc.integer({ min: 6, max: 11 });
    const jobs = fc.record({
      status: fc.constantFrom("not_assigned", "assigned", "delivered", "something new"),
      updated_at: hours.map(time),
      deliver_before: fc.option(hours.map(time)),
      is_confirmed_by_customer: fc.boolean(),
      rating: fc.option(fc.integer({ min: 1, max: 10 })),
    });
    const whatever = fc.option(
      fc.record(
        {
          created: fc.constant(known.created!),
          status: fc.record({ value: fc.constantFrom("assigned", "failed"), at: hours.map(at) }),
          confirmed: fc.record({
            value: fc.record({ is: fc.boolean(), rating: fc.constantFrom(null, 3) }),
            at: hours.map(at),
          }),
          deadline: fc.record({ value: hours.map(time), at: hours.map(at) }),
        },
        { requiredKeys: [] },
      ),
      { nil: undefined },
    );
    fc.assert(
      fc.property(jobs, whatever, hours, (changes, before, since) => {
        const now = job(changes);
        const { differences, base } = compared(now, before, at(since));
        const after = differences.reduce<Known | undefined>(
          (known, each) => {
            const { event, by } = make(each, now.orderId, now.whole);
            assert.deepEqual(findProblems(event), []);
            const { news } = prepare(event, {
              ...{ path: "/radaro", body: Buffer.from(""), receivedAt: new Date(time(12)) },
              ...{ deliveries: [], meaning: null, by, isLearned: true },
            });
            return learn(known, news!, "/radaro");
          },
          before as Known | undefined,
        );
        assert.deepEqual(compared(now, fill(after, base), at(since)).differences, []);
      }),
    );
  });
});

describe("The event that is made", () => {
  const madeOf = (kind: Difference["kind"], job: Job, known: Known | undefined) => {
    const found =
      kind === "deleted"
        ? deletion(at(12))
        : compared(job, known).differences.find((each) => each.kind === kind)!;
    return make(found, job.orderId, job.whole);
  };
  const without = (field: string, { ...event }: JsonObject) => {
    delete event[field];
    return event;
  };

  it("has the form of the one that Radaro would have sent, and a time where the jobs API tells it", () => {
    const cases: [Difference["kind"], JsonObject, Known | undefined, JsonObject][] = [
      [
        "created",
        {},
        undefined,
        {
          topic: "job.status_changed",
          event_type: "created",
          new_values: null,
          old_values: null,
          updated_at: time(6),
        },
      ],
      [
        "status",
        { status: "delivered", updated_at: time(9) },
        known,
        {
          topic: "job.status_changed",
          event_type: "updated",
          new_values: { status: "delivered" },
          old_values: { status: "not_assigned" },
          updated_at: time(9),
        },
      ],
      [
        "status",
        { status: "delivered", updated_at: time(9) },
        undefined,
        {
          topic: "job.status_changed",
          event_type: "updated",
          new_values: { status: "delivered" },
          old_values: null,
          updated_at: time(9),
        },
      ],
      [
        "confirmed",
        { is_confirmed_by_customer: true },
        known,
        {
          topic: "job.status_changed",
          event_type: "updated",
          new_values: { is_confirmed_by_customer: true },
          old_values: { is_confirmed_by_customer: false },
        },
      ],
      [
        "deadline",
        { deliver_before: "2026-03-03T07:00:00+11:00" },
        known,
        {
          topic: "job.changed",
          event_type: "updated",
          new_values: { deliver_before: "2026-03-03T07:00:00" },
          old_values: { deliver_before: "2026-03-02T18:00:00" },
        },
      ],
      [
        "deleted",
        {},
        known,
        { topic: "job.deleted", event_type: "deleted", new_values: null, old_values: null },
      ],
    ];
    for (const [kind, changes, before, expected] of cases) {
      const { event } = madeOf(kind, job(changes), before);
      assert.deepEqual(without("order_info", event), expected);
      assert.deepEqual(event.order_info, job(changes).whole);
    }
  });

  it("has the keys of the samples, whose events it stands for", () => {
    const samples = readSamples();
    const like = {
      "job-created": "created",
      "job-completed": "status",
      "job-confirmed": "confirmed",
      "job-deadline-changed": "deadline",
      "job-deleted": "deleted",
    } as const;
    const changes = {
      status: "delivered",
      updated_at: time(9),
      is_confirmed_by_customer: true,
      deliver_before: time(20),
    };
    for (const [name, kind] of Object.entries(like)) {
      const { event } = madeOf(kind, job(changes), kind === "created" ? undefined : known);
      const keys = Object.keys({ updated_at: "", ...event }).sort();
      assert.deepEqual(keys, Object.keys(samples[name as keyof typeof like]).sort(), name);
    }
  });

  it("is the same change whoever makes it, and another for another", () => {
    const change = { status: "delivered", updated_at: time(9) };
    const one = madeOf("status", job(change), known);
    assert.deepEqual(madeOf("status", job({ ...change, title: "another" }), undefined).body, one.body);
    assert.notDeepEqual(madeOf("status", job({ ...change, updated_at: time(10) }), known).body, one.body);
  });
});

describe("A second look", () => {
  const change = (status: string, hour: number) =>
    compared(job({ status, updated_at: time(hour) }), known).differences;

  it("makes certain what the first had shown, as that had", () => {
    const differences = new Differences(60_000);
    assert.deepEqual(differences.look("1", change("delivered", 9), 0), []);
    assert.equal(differences.wait(1000), 59_000);
    assert.deepEqual(differences.look("1", change("delivered", 9), 59_999), [], "too soon");
    assert.deepEqual(differences.look("1", change("delivered", 9), 60_000), change("delivered", 9));
    assert.deepEqual(differences.jobs, []);
  });

  it("lets go what is not so any more, and begins anew with what is another", () => {
    const differences = new Differences(60_000);
    differences.look("1", change("delivered", 9), 0);
    differences.look("2", change("delivered", 9), 0);
    assert.deepEqual(differences.look("1", [], 60_000), []);
    assert.deepEqual(differences.look("2", change("failed", 10), 60_000), []);
    assert.deepEqual(
      [differences.isDue("1", 60_000), differences.isDue("2", 119_999), differences.isDue("2", 120_000)],
      [false, false, true],
    );
  });

  it("is not needed where an event has told it meanwhile", () => {
    const differences = new Differences(60_000);
    differences.look("1", change("delivered", 9), 0);
    differences.drop(["1"], { "1": { ...known, status: { value: "delivered", at: at(9) } } });
    assert.deepEqual(differences.jobs, []);
  });

  it("tells a status from the same at another time", () => {
    const [one, other] = [change("delivered", 9)[0]!, change("delivered", 10)[0]!];
    assert.deepEqual([isSame(one, one), isSame(one, other)], [true, false]);
  });
});

describe("A job of an answer", () => {
  it("is one where all is there that is looked at", () => {
    const whole = readSamples()["job-created"].order_info as JsonObject;
    assert.equal(readJob(whole)?.key, "410077215");
    for (const field of [
      "order_id",
      "status",
      "updated_at",
      "created_at",
      "is_confirmed_by_customer",
      "rating",
      "deliver_before",
      "external_id",
    ]) {
      const rest = { ...whole };
      delete rest[field];
      assert.equal(readJob(rest), undefined, `without ${field}`);
      assert.equal(readJob({ ...whole, [field]: ["something"] }), undefined, field);
    }
    for (const other of [null, [], "a job", 7]) assert.equal(readJob(other), undefined);
  });

  it("tells nothing that its event would not: what an event tells is known as the API shows it", () => {
    const event = readSamples()["job-created"];
    const news = tellsOf(event, sortable(event.updated_at)!, sortable)!;
    const shown = readJob(event.order_info)!;
    assert.deepEqual(compare(shown, { known: news, since: at(1), at: at(12), settled }).differences, []);
  });
});
