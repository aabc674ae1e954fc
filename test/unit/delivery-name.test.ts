import assert from "node:assert/strict";
import { deliveryName, readDeliveryName } from "../../src/inbox/delivery-name";

describe("A delivery's name", () => {
  it("is read as it was made, whatever the ids hold", () => {
    for (const ids of [
      ["config", "000000000000001", "in"],
      ["a/b", "%", "ü €/ %2F"],
    ] satisfies [string, string, string][]) {
      assert.deepEqual(readDeliveryName(deliveryName(...ids)), ids);
    }
  });

  it("is nothing else", () => {
    const others = ["", "a", "a/b", "a/b/c/d", "a//c", "/b/c", "a/b/", "a/%/c", 5, {}, ["a/b/c"], null];
    for (const other of [...others, undefined]) assert.equal(readDeliveryName(other), undefined);
  });
});
