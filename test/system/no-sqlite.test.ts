import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import type { EventMessage } from "../../src/event/message";
import { defaultProgram } from "../../scripts/node-red";
import { flowWith, InboxNodeRed, token } from "./inboxes";

const refused = {
  status: 503,
  body: { ok: false, error: "Node-RED could not store the event in its inbox." },
  retryAfter: "5",
};
const stored = { status: 200, body: { ok: true }, retryAfter: null };

/** What takes SQLite away from a Node.js that has it. */
const without = "--no-experimental-sqlite";

describe("On a Node.js without SQLite", () => {
  let running: InboxNodeRed;
  afterEach(() => running.nodeRed.stop());

  it("the nodes work, and only events of merchants that keep them are refused, with what to do", async () => {
    const flow = flowWith({ id: "next", type: "probe" });
    const other = { id: "other", type: "radaro-config", name: "Other" };
    const [, , receiver] = flow;
    const { node } = defaultProgram();
    const hasIt = spawnSync(node, [without, "--eval", ""]).status === 0;
    running = await InboxNodeRed.start({
      flows: [...flow, other, { ...receiver, id: "in2", config: "other", path: "/other" }],
      credentials: { acme: { token }, other: { token } },
      env: hasIt ? { NODE_OPTIONS: without } : {},
    });
    assert.deepEqual(await running.post({ number: 1 }), refused);
    const version = spawnSync(node, ["--version"], { encoding: "utf8" }).stdout.trim().slice(1);
    const toDo = `part of Node.js from version 22.13 on, and this is Node.js ${version}. Install a newer Node.js`;
    assert.ok(running.nodeRed.output().includes(toDo), running.nodeRed.output());
    const { problem } = await running.says(() => true);
    assert.equal(problem?.title, "inbox: Node.js is too old");
    assert.deepEqual(await running.post({ number: 2 }, "/other"), stored);
    const [message] = await running.api<EventMessage[]>("GET", "/probe/next/1");
    assert.deepEqual([message?.radaro.merchant, message?.payload.number], ["Other", 2]);
  });
});
