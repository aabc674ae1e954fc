import assert from "node:assert/strict";
import fc from "fast-check";
import { operators, type Operator } from "../../src/routing/job-condition";
import type { JsonObject } from "../../src/event/json";
import {
  compileRules,
  findRuleProblem,
  type EventRule,
  type Rule,
  type ValueType,
} from "../../src/routing/rules";
import { readSamples, sampleNames } from "../events";

const samples = readSamples();
interface EventFields {
  topic: string;
  event_type: string;
  new_values: JsonObject | null;
  old_values: JsonObject | null;
}

const completed: EventRule = {
  kind: "event",
  eventType: "updated",
  field: "status",
  to: "delivered",
  toType: "str",
};
const rated: EventRule = {
  kind: "event",
  eventType: "updated",
  field: "is_confirmed_by_customer",
  to: true,
  toType: "bool",
};
const superseded: Rule = { kind: "superseded" };
const otherwise: Rule = { kind: "otherwise" };

const route = (rules: unknown[], event: JsonObject, checkall = true, isSuperseded?: boolean) =>
  compileRules(rules, checkall).route(event, isSuperseded);
const matches = (rule: Partial<EventRule>, event: JsonObject) =>
  route([{ kind: "event", ...rule }], event).length === 1;

describe("rules", () => {
  it("tell the two delivered events apart", () => {
    assert.deepEqual(route([completed, rated], samples["job-completed"]), [0]);
    assert.deepEqual(route([completed, rated], samples["job-confirmed"]), [1]);
  });

  for (const name of sampleNames) {
    it(`match ${name} by its own topic, type and changed fields`, () => {
      const { topic, event_type, new_values, old_values } = samples[name] as Partial<EventFields>;
      assert.ok(matches({}, samples[name]));
      assert.ok(matches({ topic, eventType: event_type }, samples[name]));
      assert.equal(matches({ topic: "another" }, samples[name]), false);
      assert.equal(matches({ eventType: "another" }, samples[name]), false);
      for (const field of Object.keys(new_values ?? {})) {
        assert.ok(matches({ field }, samples[name]));
        const [from, to] = [old_values?.[field], new_values?.[field]];
        if (typeof to === "string")
          assert.ok(matches({ field, from, fromType: "str", to, toType: "str" }, samples[name]));
        if (typeof to === "boolean")
          assert.ok(matches({ field, from, fromType: "bool", to, toType: "bool" }, samples[name]));
      }
      assert.equal(matches({ field: "no_such_field" }, samples[name]), false);
    });
  }

  it("compare type and all", () => {
    const event = { new_values: { n: 3, s: "3", b: true, t: "true", nil: null, zero: 0, empty: "" } };
    const to = (field: string, value: unknown, toType: EventRule["toType"]) =>
      matches({ field, to: value, toType }, event);
    assert.deepEqual(
      [to("n", "3", "num"), to("n", 3, "num"), to("s", 3, "num"), to("n", "3", "str")],
      [true, true, false, false],
    );
    assert.deepEqual(
      [to("b", "true", "bool"), to("b", true, "bool"), to("t", true, "bool"), to("t", true, "str")],
      [true, true, false, true],
    );
    assert.deepEqual(
      [to("nil", "", "null"), to("empty", "", "null"), to("zero", "", "null")],
      [true, false, false],
    );
    assert.deepEqual([to("empty", "", "str"), to("nil", "", "str")], [true, false]);
    assert.deepEqual([to("nil", "x", "any"), to("n", "x", undefined)], [true, true]);
  });

  it("do not look at from and to without a field", () => {
    assert.ok(matches({ to: "x", toType: "str", from: "y", fromType: "str" }, {}));
  });

  it("do not match a from where old_values lacks the field, unless it is any", () => {
    const event = { new_values: { a: 1 } };
    for (const old_values of [undefined, null, {}, { b: 1 }, "text", []]) {
      assert.equal(matches({ field: "a", from: "1", fromType: "num" }, { ...event, old_values }), false);
      assert.equal(matches({ field: "a", fromType: "null" }, { ...event, old_values }), false);
      assert.equal(matches({ field: "a", fromType: "any" }, { ...event, old_values }), true);
    }
  });

  it("do not take what every object inherits for a changed field", () => {
    for (const field of ["constructor", "toString", "__proto__"]) {
      assert.equal(matches({ field }, { new_values: {} }), false);
      assert.ok(matches({ field }, { new_values: JSON.parse(`{"${field}":1}`) as JsonObject }));
    }
  });

  it("match any event with a field's name only where new_values is an object", () => {
    for (const new_values of [undefined, null, "a", ["a"], 1])
      assert.equal(matches({ field: "0" }, { new_values }), false);
  });

  it("match otherwise when no rule before it did", () => {
    const created: EventRule = { kind: "event", eventType: "created" };
    assert.deepEqual(route([completed, otherwise, created, otherwise], samples["job-created"]), [1, 2]);
    assert.deepEqual(route([completed, otherwise, { kind: "event" }], samples["job-completed"]), [0, 2]);
    assert.deepEqual(route([otherwise], {}), [0]);
  });

  it("match superseded by what the message says, and not by the event", () => {
    const rules = [superseded, completed, superseded, otherwise];
    const event = samples["job-completed"];
    assert.deepEqual(route(rules, event, true, true), [0, 1, 2]);
    assert.deepEqual(route(rules, event, true, false), [1]);
    assert.deepEqual(route(rules, event), [1]);
    assert.deepEqual(route([superseded], { superseded: true, radaro: { superseded: true } }), []);
  });

  it("match superseded before all others where it stands first, and in its turn elsewhere", () => {
    const event = samples["job-completed"];
    assert.deepEqual(route([superseded, completed, otherwise], event, false, true), [0]);
    assert.deepEqual(route([completed, superseded, otherwise], event, false, true), [0]);
    assert.deepEqual(route([rated, otherwise, superseded], event, true, true), [1, 2]);
  });

  it("stop at the first that matches, when told so", () => {
    const any: Rule = { kind: "event" };
    assert.deepEqual(route([rated, any, completed, otherwise], samples["job-completed"], false), [1]);
  });

  it("never match when they are broken, say why, and leave the others at their outputs", () => {
    const broken: [unknown, string][] = [
      [null, "not-a-rule"],
      ["text", "not-a-rule"],
      [{}, "not-a-rule"],
      [{ kind: "later" }, "not-a-rule"],
      [{ kind: "event", topic: 1 }, "wrong-part"],
      [{ kind: "event", field: ["a"] }, "wrong-part"],
      [{ kind: "event", field: "a", from: "x", fromType: "num" }, "wrong-from"],
      [{ kind: "event", field: "a", from: {}, fromType: "str" }, "wrong-from"],
      [{ kind: "event", field: "a", to: "yes", toType: "bool" }, "wrong-to"],
      [{ kind: "event", field: "a", to: "", toType: "num" }, "wrong-to"],
      [{ kind: "event", field: "a", to: "x", toType: "jsonata" }, "wrong-to"],
      [{ kind: "event", job: ["rating"], op: "empty" }, "wrong-part"],
      [{ kind: "event", job: "customer.", op: "empty" }, "wrong-job"],
      [{ kind: "event", job: ".name", op: "empty" }, "wrong-job"],
      [{ kind: "event", job: "customer..name", op: "empty" }, "wrong-job"],
      [{ kind: "event", job: "rating" }, "wrong-op"],
      [{ kind: "event", job: "rating", op: "below", value: 3, valueType: "num" }, "wrong-op"],
      [{ kind: "event", job: "rating", op: "toString", value: 3, valueType: "num" }, "wrong-op"],
      [{ kind: "event", job: "x", op: "lt", value: "true", valueType: "bool" }, "wrong-op"],
      [{ kind: "event", job: "rating", op: "lt", value: "low", valueType: "num" }, "wrong-value"],
      [{ kind: "event", job: "rating", op: "lt", value: "", valueType: "num" }, "wrong-value"],
      [{ kind: "event", job: "rating", op: "eq" }, "wrong-value"],
      [{ kind: "event", job: "rating", op: "eq", value: null }, "wrong-value"],
      [{ kind: "event", job: "rating", op: "eq", value: [3] }, "wrong-value"],
      [{ kind: "event", job: "rating", op: "eq", value: "", valueType: "null" }, "wrong-value"],
      [{ kind: "event", job: "rating", op: "eq", value: "", valueType: "any" }, "wrong-value"],
      [{ kind: "event", job: "rating", op: "eq", value: "x", valueType: "jsonata" }, "wrong-value"],
      [{ kind: "event", job: "title", op: "has", value: "", valueType: "str" }, "wrong-value"],
    ];
    for (const [rule, problem] of broken) {
      assert.equal(findRuleProblem(rule), problem);
      const compiled = compileRules([completed, rule, otherwise], true);
      assert.deepEqual(compiled.problems, [{ rule: 2, problem }]);
      assert.deepEqual(compiled.route({ new_values: { a: 1 } }), [2]);
    }
    for (const rule of [completed, rated, superseded, otherwise])
      assert.equal(findRuleProblem(rule), undefined);
  });

  describe("about the job", () => {
    const low: EventRule = { ...rated, job: "rating", op: "lte", value: "5", valueType: "num" };

    it("tell a bad rating from a good one and from none", () => {
      const confirmed = samples["job-confirmed"];
      const rating = (rating: unknown) => ({
        ...confirmed,
        order_info: { ...(confirmed.order_info as JsonObject), rating },
      });
      assert.deepEqual(route([low, rated], confirmed), [0, 1]);
      for (const bad of [1, 5]) assert.deepEqual(route([low, rated], rating(bad)), [0, 1]);
      for (const good of [6, 10, null, undefined, "3", ""])
        assert.deepEqual(route([low, rated], rating(good)), [1]);
      assert.deepEqual(route([low], samples["job-completed"]), [], "the driver completed it");
    });

    it("read the value by its type, also from the text that the editor keeps", () => {
      const job = { n: 3, s: "3", b: true, t: "true" };
      const is = (job: string, value: unknown, valueType: unknown, op = "eq") =>
        ({ kind: "event", job, op, value, valueType }) as EventRule;
      const holds = (rule: EventRule) => matches(rule, { order_info: job });
      for (const value of [3, "3"]) {
        assert.deepEqual([holds(is("n", value, "num")), holds(is("s", value, "num"))], [true, false]);
        assert.deepEqual([holds(is("s", value, "str")), holds(is("n", value, "str"))], [true, false]);
        assert.ok(holds(is("n", value, "num", "has")) && holds(is("s", value, "num", "has")));
      }
      for (const value of [true, "true"]) {
        assert.deepEqual([holds(is("b", value, "bool")), holds(is("t", value, "bool"))], [true, false]);
      }
      // Left out, the type is the value's own.
      assert.deepEqual([holds(is("n", 3, undefined)), holds(is("n", "3", undefined))], [true, false]);
      assert.deepEqual([holds(is("b", true, undefined)), holds(is("s", "3", undefined))], [true, true]);
    });

    it("do not look at the job where none of its properties is named", () => {
      for (const job of [undefined, ""]) {
        assert.ok(matches({ job, op: "eq", value: "x", valueType: "str" }, {}));
        assert.ok(matches({ job, op: "nonsense" as "eq" }, { order_info: null }));
      }
    });

    it("match no event that carries no job", () => {
      const { order_info, ...without } = samples["job-confirmed"];
      assert.ok(order_info);
      for (const order_info of [undefined, null, "text", 1, [], [{ rating: 1 }]]) {
        for (const op of operators) {
          const rule = { ...rated, job: "rating", op, value: "5", valueType: "str" } as EventRule;
          assert.deepEqual(route([rule, rated], { ...without, order_info }), [1], op);
        }
      }
      assert.deepEqual(
        route([{ ...rated, job: "rating", op: "empty" }], { ...without, order_info: {} }),
        [0],
      );
    });

    it("hold together with all other parts", () => {
      const driver = { job: "driver", op: "eq", value: 7946, valueType: "num" } as const;
      const event = samples["job-confirmed"];
      assert.ok(matches({ ...driver }, event));
      assert.ok(
        matches({ ...rated, ...driver, topic: "job.status_changed", from: false, fromType: "bool" }, event),
      );
      assert.equal(matches({ ...completed, ...driver }, event), false);
      assert.equal(matches({ ...driver, topic: "another" }, event), false);
      assert.equal(matches({ ...driver, eventType: "created" }, event), false);
      assert.equal(matches({ ...rated, ...driver, from: true, fromType: "bool" }, event), false);
    });

    it("are about the same with white space or the whole way before the property, as a hand leaves it", () => {
      const spaced = {
        ...completed,
        job: " customer.name\n",
        op: "eq",
        value: "Zoe",
        valueType: "str",
      } as const;
      const event = { ...samples["job-completed"], order_info: { customer: { name: "Zoe" } } };
      assert.ok(matches(spaced, event));
      assert.ok(matches({ ...spaced, job: "msg.payload.order_info.customer.name" }, event));
    });

    it("read a property once an event, however many rules look at it", () => {
      for (const parts of [{}, { field: "status" }, { field: "status", to: "delivered", toType: "str" }]) {
        for (const count of [1, 100]) {
          let reads = 0;
          const order_info = {
            get merchant() {
              reads += 1;
              return 99;
            },
          };
          const rules = Array.from({ length: count }, (_, i) => [
            { kind: "event", ...parts, job: "merchant", op: "eq", value: i, valueType: "num" },
            { kind: "event", ...parts, job: "merchant", op: "gt", value: i, valueType: "num" },
          ]).flat();
          const matching = route(rules, { new_values: { status: "delivered" }, order_info });
          assert.equal(matching.length, count === 1 ? 1 : 100);
          assert.equal(reads, 1);
        }
      }
    });
  });

  it("do what the contract says, for any rules and events", () => {
    const name = fc.constantFrom("a", "b");
    const value = fc.constantFrom<unknown[]>("x", "1", 1, true, false, null);
    const values = fc.option(fc.dictionary(name, value), { nil: null });
    const event = fc.record(
      { topic: name, event_type: name, new_values: values, old_values: values, order_info: values },
      { requiredKeys: [] },
    );
    const wanted = fc.constantFrom(
      ["any", undefined],
      ["str", "x"],
      ["num", 1],
      ["bool", true],
      ["bool", false],
      ["null", null],
    );
    const part = fc.constantFrom("", "a", "b");
    const condition = fc.constantFrom<[Operator, ValueType, unknown, (actual: unknown) => boolean][]>(
      ["eq", "str", "x", (actual) => actual === "x"],
      ["eq", "num", "1", (actual) => actual === 1],
      ["neq", "bool", true, (actual) => actual !== true],
      ["lte", "num", 1, (actual) => typeof actual === "number" && actual <= 1],
      ["gt", "num", "1", () => false],
      ["has", "str", "X", (actual) => actual === "x"],
      ["empty", "str", "", (actual) => actual === undefined || actual === null],
      ["nempty", "any", "", (actual) => actual !== undefined && actual !== null],
    );
    const rule = fc.oneof(
      { weight: 4, arbitrary: fc.tuple(part, part, part, wanted, wanted, part, condition) },
      { weight: 1, arbitrary: fc.constantFrom(superseded, otherwise) },
    );
    fc.assert(
      fc.property(fc.array(rule), event, fc.boolean(), fc.boolean(), (rules, event, checkall, late) => {
        const expected: number[] = [];
        rules.forEach((rule, place) => {
          const before = expected.length > 0;
          if (rule === otherwise) {
            if (!before) expected.push(place);
          } else if (rule === superseded) {
            if (late && (checkall || !before)) expected.push(place);
          } else if (Array.isArray(rule)) {
            const [topic, type, field, [fromType, from], [toType, to], job, [, , , isMet]] = rule;
            let holds = (!topic || event.topic === topic) && (!type || event.event_type === type);
            if (field) {
              holds &&= field in (event.new_values ?? {});
              if (toType !== "any") holds &&= event.new_values?.[field] === to;
              if (fromType !== "any")
                holds &&= field in (event.old_values ?? {}) && event.old_values?.[field] === from;
            }
            if (job) holds &&= !!event.order_info && isMet(event.order_info[job]);
            if (holds && (checkall || !before)) expected.push(place);
          }
        });
        const compiled = rules.map((rule) => {
          if (!Array.isArray(rule)) return rule;
          const [topic, eventType, field, [fromType, from], [toType, to], job, [op, valueType, value]] = rule;
          const condition = { job, op, value, valueType };
          return { kind: "event", topic, eventType, field, from, fromType, to, toType, ...condition };
        });
        assert.deepEqual(route(compiled, event, checkall, late), expected);
      }),
      { numRuns: 1000 },
    );
  });
});
