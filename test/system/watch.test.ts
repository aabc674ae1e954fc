import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readSamples } from "../events";
import { flowWith, InboxNodeRed, token } from "./inboxes";

interface Told {
  topic: string;
  payload: string;
  radaro: { cause: string; state: string; error?: string };
}

const turn = () => new Promise(setImmediate);

const file = { type: "file", filename: "told.jsonl", filenameType: "str", appendNewline: true };
const flows = flowWith(
  {
    ...{ id: "next", type: "function", name: "Bill", outputs: 1, libs: [] },
    func: "throw new Error('no price for Priya Ryan')",
  },
  { id: "watch", type: "radaro watch", config: "", wires: [["json"]] },
  {
    ...{ id: "json", type: "function", name: "", outputs: 1, libs: [], wires: [["file"]] },
    func: "return { payload: JSON.stringify(msg) };",
  },
  { ...file, id: "file", overwriteFile: "false" },
);

describe("radaro watch, in a Node-RED with an inbox,", () => {
  let at: InboxNodeRed;
  afterEach(() => at.nodeRed.stop());
  const post = async (event: object) => {
    const response = await fetch(`${at.nodeRed.url}/radaro`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(event),
    });
    return response.status;
  };
  /** All that was told, as soon as it is so many. */
  const told = async (count: number): Promise<Told[]> => {
    for (;;) {
      const text = readIfThere(join(at.nodeRed.userDir, "told.jsonl"));
      const lines = text.split("\n").slice(0, -1);
      if (lines.length >= count) return lines.map((line) => JSON.parse(line) as Told);
      await turn();
    }
  };

  it("tells what failed once, also where Node-RED is killed, and without personal data", async () => {
    at = await InboxNodeRed.start({ flows });
    assert.equal(await post({ ...readSamples()["job-completed"], token }), 200);
    const [first] = await told(1);
    assert.equal(
      first!.payload,
      "Acme: the flow has failed with an event of job 410077215, at the node “Bill”. It stays failed until somebody runs it again in the sidebar Radaro.",
    );
    const stateFile = join(at.nodeRed.userDir, "radaro-inbox", "watch-watch.json");
    while (!readIfThere(stateFile).includes(first!.radaro.cause)) await turn();
    assert.doesNotMatch(readIfThere(stateFile), /Priya|price/);
    await at.nodeRed.kill();

    at = await at.next();
    assert.equal(await post({ ...readSamples()["job-completed"], token: "wrong" }), 401);
    const [, second] = await told(2);
    assert.equal(
      second!.payload,
      "Acme: a request was refused (wrong token). If it came from Radaro, an event is missing.",
    );
    const { events } = await at.api<{ events: { seq: string }[] }>("GET", "/radaro-inbox/acme/events");
    await at.api("POST", `/radaro-inbox/acme/events/${events[0]!.seq}/settle`);
    const third = (await told(3))[2]!;
    assert.deepEqual(
      [third.topic, third.payload],
      ["failed", "Acme: the event that failed at the node “Bill” is not failed any more."],
    );
    assert.deepEqual(third.radaro, { ...first!.radaro, state: "over" });
    assert.match(third.radaro.error!, /Priya/);
    for (const { payload } of await told(3)) assert.doesNotMatch(payload, /Priya|price/);
  });
});

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
