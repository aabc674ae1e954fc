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

  it("reads its switch in both spellings, and is no inbox and no text where it is neither", async () => {
    for (const inbox of [undefined, null, false, "false", "", 0, 1, {}, "${RADARO_NOT_SET}"]) {
      for (const name of [undefined, null, 42, {}, []]) {
        await start([{ id: "config", type: "radaro-config", name, inbox }], { config: { token: "t" } });
        const node = helper.getNode("config") as unknown as { inbox?: object; merchant: { name: unknown } };
        assert.equal(node.inbox, undefined);
        assert.equal(node.merchant.name, name === 42 ? "42" : "");
        await stop();
      }
    }
  });

  it("is no merchant with a variable that is not set, where each instance of a subflow has its own", async () => {
    const merchant = { type: "radaro-config", name: "" };
    const flow = [
      { id: "sub", type: "subflow", name: "Of a shop", in: [], out: [], env: [] },
      { ...merchant, id: "inside", z: "sub" },
      { ...merchant, id: "bare", z: "sub" },
      { ...merchant, id: "outside" },
    ];
    const variable = { token: "${RADARO_NOT_SET}" };
    await start(flow, { inside: variable, outside: variable });
    const { body } = await helper.request().get("/radaro-config/tokens");
    assert.deepEqual(body, [
      { id: "inside", sameAs: [] },
      { id: "bare", problem: "no-token", sameAs: [] },
      { id: "outside", problem: "unset", sameAs: [] },
    ]);
  });

  it("tells what is wrong with the URL of its database where it has one, and never the URL", async () => {
    const merchant = { type: "radaro-config", inboxStore: "postgres" };
    const urls = {
      none: "",
      unset: "${RADARO_NOT_SET}",
      unreadable: "postgres://secret@127.0.0.1:99999/inbox",
      undefined: " postgres://u:secret@127.0.0.1/inbox\n",
    };
    const flow = Object.keys(urls).map((id) => ({ ...merchant, id }));
    const token = "Zk3vQ9cXw1LmT7yHs0RdNA";
    const credentials = Object.entries(urls).map(([id, inboxUrl]) => [id, { token: id + token, inboxUrl }]);
    await start(flow, Object.fromEntries(credentials) as Record<string, Record<string, string>>);
    const { body } = await helper.request().get("/radaro-config/tokens");
    for (const { id, url } of body as { id: string; url?: string }[]) assert.equal(String(url), id);
    assert.doesNotMatch(JSON.stringify(body), /sec/);
  });
});
