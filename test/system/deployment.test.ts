import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { startNodeRed, type NodeRed } from "../../scripts/node-red";
import { install } from "./package";

const token = "Zk3vQ9cXw1LmT7yHs0RdNA";
const flows = [
  { id: "tab1", type: "tab", label: "One", disabled: false },
  { id: "acme", type: "radaro-config", name: "Acme" },
  {
    id: "in1",
    type: "radaro in",
    z: "tab1",
    config: "acme",
    path: "/radaro",
    topics: [],
    x: 100,
    y: 100,
    wires: [[]],
  },
];
const credentials = { acme: { token } };

describe("Node-RED", () => {
  let nodeRed: NodeRed;
  const begin = async (settings: object) =>
    (nodeRed = await startNodeRed({ flows, credentials, settings: { ...settings }, prepare: install }));
  afterEach(() => nodeRed.stop());

  const post = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(nodeRed.url + path, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: JSON.stringify({ topic: "job.changed", token }),
    });
    return response.status;
  };
  const api = async (path: string, body: unknown) => {
    const response = await fetch(nodeRed.url + path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    assert.ok(response.ok, await response.text());
  };

  it("with httpNodeRoot and httpNodeAuth takes the Basic credentials that Radaro sends from its URL", async () => {
    const pass = createHash("md5").update("secret").digest("hex");
    await begin({ httpNodeRoot: "/hooks", httpNodeAuth: { user: "radaro", pass } });
    const basic = (credentials: string) => ({
      Authorization: `Basic ${Buffer.from(credentials).toString("base64")}`,
    });
    assert.equal(await post("/hooks/radaro", basic("radaro:secret")), 200);
    assert.equal(await post("/hooks/radaro", basic("radaro:wrong")), 401);
    assert.equal(await post("/hooks/radaro"), 401);
    assert.equal(await post("/radaro", basic("radaro:secret")), 404);
  });

  it("answers 404 while its flows are stopped or the tab is disabled, and 200 again after that", async () => {
    await begin({ runtimeState: { enabled: true, ui: false } });
    assert.equal(await post("/radaro"), 200);
    await api("/flows/state", { state: "stop" });
    assert.equal(await post("/radaro"), 404);
    const started = async (path: string, body: unknown) => {
      await api(path, body);
      await nodeRed.printed("Started flows");
    };
    await started("/flows/state", { state: "start" });
    assert.equal(await post("/radaro"), 200);
    await started(
      "/flows",
      flows.map((node) => (node.type === "tab" ? { ...node, disabled: true } : node)),
    );
    assert.equal(await post("/radaro"), 404);
    await started("/flows", flows);
    assert.equal(await post("/radaro"), 200);
  });
});
