import assert from "node:assert/strict";
import fc from "fast-check";
import { findProblems } from "../../src/event/event";
import { contactOf, summarise } from "../../src/event/summary";
import type { JsonObject } from "../../src/event/json";
import { readSamples, sampleNames } from "../events";

const texts = ["topic", "event_type", "updated_at"];
const objects = ["new_values", "old_values", "order_info"];
const orAbsent = <T>(value: fc.Arbitrary<T>) =>
  fc.option(fc.option(value, { nil: null }), { nil: undefined });

describe("findProblems", () => {
  for (const name of sampleNames) {
    it(`finds none in ${name}`, () => assert.deepEqual(findProblems(readSamples()[name]), []));
  }

  it("finds none in an empty event, nor in fields that are null", () => {
    assert.deepEqual(findProblems({}), []);
    assert.deepEqual(
      findProblems(Object.fromEntries([...texts, ...objects].map((field) => [field, null]))),
      [],
    );
  });

  it("finds none in any event whose fields are absent, null or of the right type", () => {
    const event = fc.record({
      ...Object.fromEntries(texts.map((field) => [field, orAbsent(fc.string())])),
      ...Object.fromEntries(
        objects.map((field) => [field, orAbsent(fc.dictionary(fc.string(), fc.jsonValue()))]),
      ),
    });
    const unknown = fc.dictionary(
      fc.string().map((key) => `x_${key}`),
      fc.jsonValue(),
    );
    fc.assert(fc.property(event, unknown, (known, more) => findProblems({ ...more, ...known }).length === 0));
  });

  it("names each field that has a wrong type, and says what it must be", () => {
    const notText = fc.jsonValue().filter((value) => typeof value !== "string" && value !== null);
    const notObject = fc.jsonValue().filter((value) => typeof value !== "object" || Array.isArray(value));
    for (const [fields, wrong, expected] of [
      [texts, notText, "must be a text or null"],
      [objects, notObject, "must be an object or null"],
    ] as const) {
      for (const field of fields) {
        fc.assert(
          fc.property(wrong, (value) =>
            assert.deepEqual(findProblems({ [field]: value }), [`${field} ${expected}`]),
          ),
        );
      }
    }
  });

  it("leaves the event as it was", () => {
    const event = JSON.parse('{"new_values": 1, "__proto__": {"a": 1}, "more": [1]}') as JsonObject;
    const before = JSON.stringify(event);
    findProblems(event);
    assert.equal(JSON.stringify(event), before);
  });
});

describe("whom to ring and where to go", () => {
  it("is the customer's number and the address of the delivery, where they are texts", () => {
    const address = "12 Acland St, St Kilda VIC 3182, Australia";
    assert.deepEqual(contactOf(readSamples()["job-completed"]), { phone: "+61370104455", address });
    for (const order_info of [undefined, null, {}, { customer: 1, deliver_address: { address: 1 } }])
      assert.deepEqual(contactOf({ order_info: order_info }), { phone: null, address: null });
  });
});

describe("summarise", () => {
  const samples = readSamples();
  const job = { orderId: 410077215, externalId: "SO-20418" };

  it("tells the two delivered events apart by what has changed", () => {
    assert.deepEqual(summarise(samples["job-completed"]), {
      ...job,
      eventType: "updated",
      changed: ["status"],
    });
    assert.deepEqual(summarise(samples["job-confirmed"]), {
      ...job,
      eventType: "updated",
      changed: ["is_confirmed_by_customer"],
    });
  });

  it("has the external id that the merchant knows, also where Radaro renamed it with the deletion", () => {
    assert.equal(summarise(samples["job-deleted"]).externalId, "SO-20418");
    const known = (external_id: unknown) => summarise({ order_info: { external_id } }).externalId;
    const times = [
      "2026-03-02T09:30:00.000001+11:00",
      "2026-03-02T09:30:00Z",
      "2026-03-02T09:30:00.5",
      "2026-03-02T09:30+1100",
    ];
    for (const time of times) assert.equal(known(`SO-7-deleted-${time}`), "SO-7");
    // A merchant's own numbers stay what they are.
    for (const own of [
      "SO-7-deleted",
      "-deleted-7",
      "SO-7-deleted-2026-03-02",
      "deleted-2026-03-02T09:30:00Z",
    ])
      assert.equal(known(own), own);
    assert.equal(known(7), 7);
  });

  it("gives the changed fields in their order, none where new_values is null", () => {
    assert.deepEqual(summarise(samples["job-completion-codes"]).changed, [
      "completion_codes",
      "completion_comment",
    ]);
    assert.deepEqual(summarise(samples["job-created"]).changed, []);
  });

  it("finds the job in order_info, job_info, concatenated_order_info or at the top level", () => {
    assert.deepEqual(summarise(samples["checklist-job-confirmation"]), {
      ...job,
      eventType: null,
      changed: [],
    });
    assert.deepEqual(summarise(samples["checklist-job"]), { ...job, eventType: null, changed: [] });
    assert.equal(summarise(samples["concatenated-order-created"]).orderId, 410090001);
    assert.equal(summarise(samples["concatenated-order-created"]).externalId, null);
    assert.equal(summarise({ order_id: 7, external_id: "A" }).orderId, 7);
    assert.equal(summarise({ order_id: 7, external_id: "A" }).externalId, "A");
  });

  it("gives null where there is no job", () => {
    const nothing = { eventType: null, changed: [], orderId: null, externalId: null };
    assert.deepEqual(summarise(samples["optimisation-completed"]), nothing);
    assert.deepEqual(summarise({}), nothing);
  });

  it("never throws, whatever the fields hold", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...texts, ...objects, "job_info", "order_id"), fc.jsonValue()),
        (event) => {
          const { eventType, changed } = summarise(event);
          assert.ok(eventType === null || typeof eventType === "string");
          assert.ok(changed.every((field) => typeof field === "string"));
        },
      ),
    );
  });
});
