import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { JobsApi, MadeUpRadaro } from "../../scripts/made-up-radaro";
import { startNodeRed, type NodeRed } from "../../scripts/node-red";
import { readSamples } from "../events";
import { install } from "./package";

const token = "Zk3vQ9cXw1LmT7yHs0RdNA";
const place = { z: "tab", x: 100, y: 100 };
const flows = (inbox: boolean, more: object) => [
  { id: "tab", type: "tab", label: "Flow" },
  { id: "acme", type: "radaro-config", name: "Acme", inbox, ...more },
  { id: "in", type: "radaro in", config: "acme", path: "/radaro", topics: [], ...place, wires: [["end"]] },
  { id: "end", type: "probe", ...place, wires: [] },
];

/** What was loaded, listens and is on disk for an inbox, when an event has come through. */
async function afterAnEvent({ url, userDir }: NodeRed) {
  const { status } = await fetch(`${url}/radaro`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...readSamples()["job-created"], token }),
  });
  assert.equal(status, 200);
  await fetch(`${url}/probe/end/1`);
  const { loaded, database, hooks, asking } = (await (await fetch(`${url}/probe/inbox`)).json()) as Record<
    string,
    string[]
  >;
  return {
    loaded: loaded!.length,
    asking: asking!.length,
    database,
    hooks,
    dir: existsSync(join(userDir, "radaro-inbox")),
  };
}

describe("A Node-RED with the package", function () {
  this.timeout(120_000);
  let nodeRed: NodeRed;
  const begin = async (inbox: boolean, more = {}) =>
    (nodeRed = await startNodeRed({
      flows: flows(inbox, more),
      credentials: { acme: { token, apiKey: "7c1f0a52-3d7e-4b0e-9a86-5e2f4c9d1b30" } },
      prepare: install,
    }));
  afterEach(() => nodeRed.stop());

  it("loads nothing for an inbox, has no hooks and writes nothing, where none is on", async () => {
    assert.deepEqual(await afterAnEvent(await begin(false)), {
      ...{ loaded: 0, asking: 0, database: [], hooks: [], dir: false },
    });
  });

  it("has all of that where an inbox is on, and nothing for a database", async () => {
    const hooks = ["onSend", "onReceive", "postReceive", "onComplete"];
    assert.deepEqual(await afterAnEvent(await begin(true)), {
      loaded: 2,
      asking: 0,
      database: [],
      hooks,
      dir: true,
    });
  });

  it("loads nothing that asks Radaro, and asks nothing, where the inbox catches up never", async () => {
    const api = await JobsApi.start(new MadeUpRadaro(), "7c1f0a52-3d7e-4b0e-9a86-5e2f4c9d1b30");
    try {
      const { asking } = await afterAnEvent(await begin(true, { catchUp: 0, server: api.url }));
      assert.deepEqual([asking, api.asked], [0, []]);
      await nodeRed.stop();
      // The same, where it does.
      await afterAnEvent(await begin(true, { catchUp: 1, server: api.url }));
      while (api.asked.length === 0) await setImmediate();
    } finally {
      await api.stop();
    }
  });
});
