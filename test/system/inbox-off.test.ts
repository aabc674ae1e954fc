import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { startNodeRed, type NodeRed } from "../../scripts/node-red";
import { readSamples } from "../events";
import { install } from "./package";

const token = "Zk3vQ9cXw1LmT7yHs0RdNA";
const place = { z: "tab", x: 100, y: 100 };
const flows = (inbox: boolean) => [
  { id: "tab", type: "tab", label: "Flow" },
  { id: "acme", type: "radaro-config", name: "Acme", inbox },
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
  const { loaded, hooks } = (await (await fetch(`${url}/probe/inbox`)).json()) as Record<string, string[]>;
  return { loaded: loaded!.length, hooks, dir: existsSync(join(userDir, "radaro-inbox")) };
}

describe("A Node-RED with the package", function () {
  this.timeout(120_000);
  let nodeRed: NodeRed;
  const begin = async (inbox: boolean) =>
    (nodeRed = await startNodeRed({
      flows: flows(inbox),
      credentials: { acme: { token } },
      prepare: install,
    }));
  afterEach(() => nodeRed.stop());

  it("loads nothing for an inbox, has no hooks and writes nothing, where none is on", async () => {
    assert.deepEqual(await afterAnEvent(await begin(false)), { loaded: 0, hooks: [], dir: false });
  });

  it("has all of that where an inbox is on", async () => {
    const hooks = ["onSend", "onReceive", "postReceive", "onComplete"];
    assert.deepEqual(await afterAnEvent(await begin(true)), { loaded: 2, hooks, dir: true });
  });
});
