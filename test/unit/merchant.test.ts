import assert from "node:assert/strict";
import { mock } from "node:test";
import fc from "fast-check";
import { createMerchant, normaliseToken } from "../../src/receiving/merchant";

const token = fc
  .string({ minLength: 1 })
  .filter((text) => normaliseToken(text) !== "" && !text.includes("${"));

describe("createMerchant", () => {
  it("accepts its tokens and no other", () => {
    fc.assert(
      fc.property(token, token, token, (current, previous, other) => {
        const { accepts } = createMerchant("", [current, previous]);
        const own = [current, previous].map(normaliseToken);
        assert.ok(accepts(current));
        assert.ok(accepts(previous));
        assert.equal(accepts(other), own.includes(normaliseToken(other)));
      }),
    );
  });

  it("takes a token with and without == at its end, with quotes and white space around it, as the same", () => {
    const spellings = [
      "Zk3vQ9cXw1LmT7yHs0RdNA",
      "Zk3vQ9cXw1LmT7yHs0RdNA==",
      "\t Zk3vQ9cXw1LmT7yHs0RdNA== \r\n",
      '"Zk3vQ9cXw1LmT7yHs0RdNA"',
      " ' Zk3vQ9cXw1LmT7yHs0RdNA=='\n",
    ];
    for (const set of spellings) {
      for (const sent of spellings) assert.ok(createMerchant("", [set]).accepts(sent));
    }
  });

  it("does not take the start, the end or a longer form of a token for it", () => {
    const { accepts } = createMerchant("", ["Zk3vQ9cXw1LmT7yHs0RdNA"]);
    for (const sent of [
      "",
      "Zk3vQ9cXw1LmT7yHs0RdN",
      "k3vQ9cXw1LmT7yHs0RdNA",
      "Zk3vQ9cXw1LmT7yHs0RdNAA",
      "==",
    ]) {
      assert.equal(accepts(sent), false, sent);
    }
  });

  it("refuses a token of megabytes by its length, without trimming or copying it", () => {
    const { accepts } = createMerchant("", ["Zk3vQ9cXw1LmT7yHs0RdNA"]);
    const sent = " ".repeat(5_000_000);
    const trim = mock.method(String.prototype, "trim");
    const copy = mock.method(Buffer, "from");
    try {
      assert.equal(accepts(sent), false);
      assert.deepEqual([trim.mock.callCount(), copy.mock.callCount()], [0, 0]);
    } finally {
      mock.restoreAll();
    }
  });

  it("accepts a long token of its own too", () => {
    const long = "x".repeat(100_000);
    const { accepts } = createMerchant("", [long]);
    assert.ok(accepts(` ${long}\n`));
    assert.ok(!accepts(`${long}x`));
  });

  it("accepts nothing without a token: none, a blank one, or an environment variable that is not set", () => {
    const unset = ["${RADARO_TOKEN}", " ${RADARO_TOKEN} ", '"${RADARO_TOKEN}"', "$(RADARO_TOKEN)"];
    for (const none of [undefined, null, {}, [], "", " \n", "==", '""', ...unset]) {
      const { accepts, hasToken } = createMerchant("", [none, none]);
      assert.equal(hasToken, false);
      for (const sent of ["", "undefined", "null", "[object Object]", "${RADARO_TOKEN}", '""']) {
        assert.equal(accepts(sent), false);
      }
    }
  });

  it("takes the number in a variable for a token and a name, as anything may stand there", () => {
    const { accepts, name } = createMerchant(12, [1234567, true]);
    assert.deepEqual([name, accepts("1234567"), accepts("true")], ["12", true, false]);
    fc.assert(fc.property(fc.anything(), fc.anything(), (name, set) => void createMerchant(name, [set])));
  });

  it("accepts with the previous token alone", () => {
    const merchant = createMerchant("Acme", [undefined, "previous"]);
    assert.equal(merchant.name, "Acme");
    assert.ok(merchant.hasToken);
    assert.ok(merchant.accepts("previous"));
  });
});
