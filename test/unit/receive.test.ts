import assert from "node:assert/strict";
import fc from "fast-check";
import { createMerchant } from "../../src/receiving/merchant";
import type { EventMessage } from "../../src/event/message";
import { receive, type Receiver } from "../../src/receiving/receive";
import { readSamples, sampleNames } from "../events";

const token = "Zk3vQ9cXw1LmT7yHs0RdNA";

/** A receiver that remembers what it was told. */
function receiver(options: { token?: string; name?: string; topics?: string[] } = {}) {
  const got = {
    messages: [] as EventMessage[],
    failures: [] as { problem: string; message: EventMessage }[],
    refusals: [] as string[],
  };
  const receiver: Receiver = {
    merchant: createMerchant(options.name ?? "Acme", [options.token ?? token]),
    topics: new Set(options.topics),
    deliver: (message) => got.messages.push(message),
    fail: (problem, message) => got.failures.push({ problem, message }),
    refused: (why) => got.refusals.push(why),
  };
  return { ...got, receiver };
}

describe("receive", () => {
  for (const name of sampleNames) {
    it(`hands on ${name} whole, without its token`, () => {
      const event = readSamples()[name];
      const one = receiver();
      const { answer, delivered } = receive({ ...readSamples()[name], token }, [one.receiver]);
      assert.deepEqual(answer, { status: 200, body: { ok: true } });
      const [message] = one.messages;
      assert.deepEqual(delivered, [message]);
      assert.deepEqual(message?.payload, event);
      assert.equal(message?.topic, event.topic);
      assert.equal(message?.radaro.merchant, "Acme");
      assert.equal(new Date(message.radaro.receivedAt).toISOString(), message.radaro.receivedAt);
      assert.ok(!("test" in message.radaro));
    });
  }

  it("marks a test event", () => {
    const one = receiver();
    receive({ token }, [one.receiver], { test: true });
    assert.equal(one.messages[0]?.radaro.test, true);
  });

  it("hands on an event without topic, with unknown fields and with a key named __proto__", () => {
    const one = receiver();
    const text = '{"a":{"b":[1,null]},"__proto__":{"polluted":true},"constructor":1}';
    receive(JSON.parse(`${text.slice(0, -1)},"token":"${token}"}`), [one.receiver]);
    assert.equal(one.messages[0]?.topic, "");
    assert.equal(JSON.stringify(one.messages[0].payload), text);
    assert.equal(({} as { polluted?: boolean }).polluted, undefined);
  });

  it("refuses what is no object", () => {
    for (const body of [null, undefined, 1, "text", true, [], [{ token }]]) {
      const one = receiver();
      const { answer } = receive(body, [one.receiver]);
      assert.equal(answer.status, 400);
      assert.deepEqual(one.refusals, ["not-object"]);
    }
  });

  it("refuses a token that is missing, not a text or wrong before it looks at anything else", () => {
    const bad = { topic: 1, new_values: "x" };
    for (const [sent, why] of [
      [undefined, "no-token"],
      [null, "no-token"],
      [1, "no-token"],
      [[token], "no-token"],
      [{ token }, "no-token"],
      ["", "wrong-token"],
      ["other", "wrong-token"],
      [token.toLowerCase(), "wrong-token"],
    ] as const) {
      const one = receiver();
      const { answer } = receive({ ...bad, token: sent }, [one.receiver]);
      assert.equal(answer.status, 401);
      assert.deepEqual(one.refusals, [why]);
      assert.deepEqual([one.messages, one.failures], [[], []]);
    }
  });

  it("never says the token in an answer", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string({ minLength: 8 }), (value, sent) => {
        const { answer } = receive({ topic: value, new_values: value, token: sent }, [receiver().receiver]);
        assert.ok(!JSON.stringify(answer).includes(sent));
      }),
    );
  });

  it("gives each merchant its own events", () => {
    const acme = receiver({ token: "acme", name: "Acme" });
    const other = receiver({ token: "other", name: "Other" });
    receive({ token: "other", topic: "t" }, [acme.receiver, other.receiver]);
    assert.deepEqual([acme.messages.length, other.messages.length], [0, 1]);
    assert.equal(other.messages[0]?.radaro.merchant, "Other");
    assert.deepEqual(acme.refusals, []);
  });

  it("gives two receivers of one merchant messages that share nothing", () => {
    const [a, b] = [receiver(), receiver()];
    receive({ ...readSamples()["job-completed"], token }, [a.receiver, b.receiver]);
    const [first, second] = [a.messages[0]!, b.messages[0]!];
    assert.deepEqual(first, second);
    const before = structuredClone(second);
    first.radaro.changed.push("changed");
    (first.payload.order_info as { status: string }).status = "changed";
    first.payload.topic = "changed";
    assert.deepEqual(second, before);
  });

  it("lets through the topics that a receiver wants, and answers 200 where none wants it", () => {
    const wants = receiver({ topics: ["job.changed"] });
    const not = receiver({ topics: ["job.deleted"] });
    assert.equal(
      receive({ token, topic: "job.changed" }, [wants.receiver, not.receiver]).delivered.length,
      1,
    );
    assert.deepEqual([wants.messages.length, not.messages.length], [1, 0]);
    const { answer, delivered } = receive({ token, topic: "unknown" }, [wants.receiver, not.receiver]);
    assert.deepEqual([answer.status, delivered], [200, []]);
    assert.deepEqual(receive({ token }, [wants.receiver]).delivered, []);
  });

  it("refuses a verified event with a field of a wrong type, and gives it to whoever would have got it", () => {
    const event = { topic: "job.changed", new_values: "no object", updated_at: 5 };
    const all = receiver();
    const wants = receiver({ topics: ["job.changed"] });
    const not = receiver({ topics: ["job.deleted"] });
    const { answer } = receive({ ...event, token }, [not.receiver, all.receiver, wants.receiver]);
    assert.equal(answer.status, 400);
    assert.ok(
      !answer.body.ok && answer.body.error.includes("updated_at") && answer.body.error.includes("new_values"),
    );
    for (const { failures, messages } of [all, wants]) {
      assert.equal(failures.length, 1);
      assert.deepEqual(failures[0]?.message.payload, event);
      assert.match(
        failures[0].problem,
        /updated_at must be a text or null, new_values must be an object or null/,
      );
      assert.deepEqual(messages, []);
    }
    assert.deepEqual(not.failures, []);
  });

  it("gives such an event to one of those that verified it, where topics let it through nowhere", () => {
    const [a, b] = [receiver({ topics: ["x"] }), receiver({ topics: ["y"] })];
    const stranger = receiver({ token: "stranger" });
    receive({ topic: ["x"], token }, [stranger.receiver, a.receiver, b.receiver]);
    assert.equal(a.failures.length + b.failures.length, 1);
    assert.equal(stranger.failures.length, 0);
  });
});
