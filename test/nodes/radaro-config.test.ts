import assert from "node:assert/strict";
import helper from "node-red-node-test-helper";
import { start, stop } from "./runtime";

describe("radaro-config", () => {
  before(() => helper.startServer());
  after(() => helper.stopServer());
  afterEach(stop);

  it("keeps its tokens as credentials, out of the flow", async () => {
    await start([{ id: "config", type: "radaro-config", name: "Acme" }], {
      config: { token: "secret-token" },
    });
    const { credentials, ...rest } = helper.getNode("config") as unknown as Record<string, unknown>;
    assert.deepEqual(credentials, { token: "secret-token" });
    assert.ok(!JSON.stringify(rest).includes("secret-token"));
  });
});
