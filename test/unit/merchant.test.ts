import assert from "node:assert/strict";
import fc from "fast-check";
import { createMerchant, normaliseToken } from "../../src/merchant";

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

  it("takes a token with and without == at its end, and with white space around it, as the same", () => {
    const spellings = [
      "Zk3vQ9cXw1LmT7yHs0RdNA",
      "Zk3vQ9cXw1LmT7yHs0RdNA==",
      "\t Zk3vQ9cXw1LmT7yHs0RdNA== \r\n",
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

  it("accepts nothing without a token: none, a blank one, or an environment variable that is not set", () => {
    for (const none of [undefined, "", " \n", "==", "${RADARO_TOKEN}", " ${RADARO_TOKEN} "]) {
      const { accepts, hasToken } = createMerchant("", [none, none]);
      assert.equal(hasToken, false);
      for (const sent of ["", "undefined", "${RADARO_TOKEN}", none ?? ""]) {
        assert.equal(accepts(sent), false);
      }
    }
  });

  it("accepts with the previous token alone", () => {
    const merchant = createMerchant("Acme", [undefined, "previous"]);
    assert.equal(merchant.name, "Acme");
    assert.ok(merchant.hasToken);
    assert.ok(merchant.accepts("previous"));
  });
});
