import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SqliteStore } from "../../src/inbox/sqlite-store";
import type { Some } from "../../src/inbox/store";
import { flowWith, InboxNodeRed, token } from "../system/inboxes";
import { ForgetfulDisk, readTrace, tracer } from "./forgetful-disk";
import { recorded } from "./load";
import { needs } from "./needs";
import { randomFrom, seed } from "./random";

/** More than SQLite keeps in its log: it moves that to the database, and begins anew. */
const count = 800;
const filler = "x".repeat(16_000);
const connections = 8;
/** At how many answers the power is cut. */
const cuts = 40;

describe(`A power cut (SEED=${seed})`, function () {
  this.timeout(600_000);
  const random = randomFrom(seed);
  let dir: string;
  let running: InboxNodeRed;
  /** The numbers of the events in the order of their answers, by the port that asked. */
  const byPort = new Map<number, number[]>();
  before(async () => {
    needs("strace");
    dir = mkdtempSync(join(tmpdir(), "radaro-power-cut-"));
    const runner = tracer(join(dir, "trace"));
    const forEver = { id: "next", type: "delay", pauseType: "delay", timeout: "1", timeoutUnits: "days" };
    running = await InboxNodeRed.start({ flows: flowWith(forEver), runner });
    await sendAll();
    await running.nodeRed.kill();
    // The last line of the main thread, as soon as the tracer has written it.
    const ended = new RegExp(`^${running.nodeRed.pid} +\\+\\+\\+ killed`, "m");
    while (!ended.test(readFileSync(join(dir, "trace"), "latin1")));
  });
  after(async () => {
    await running.nodeRed.stop();
    rmSync(dir, { recursive: true });
  });

  async function sendAll() {
    const agent = new Agent({ keepAlive: true, maxSockets: connections });
    const send = (number: number) =>
      new Promise<void>((resolve, reject) => {
        const headers = { "Content-Type": "application/json" };
        const req = request(`${running.nodeRed.url}/radaro`, { method: "POST", agent, headers }, (res) => {
          assert.equal(res.statusCode, 200);
          const port = res.socket.localPort!;
          byPort.set(port, [...(byPort.get(port) ?? []), number]);
          res.resume().on("end", resolve);
        });
        req.on("error", reject);
        req.end(JSON.stringify({ number, filler, token }));
      });
    await Promise.all(Array.from({ length: count }, (_, number) => send(number)));
    agent.destroy();
  }

  /** Cuts the power at the beginning of chosen answers: `left` gets what is on disk then, and the events that were answered. */
  async function cut(at: Set<number>, left: (disk: ForgetfulDisk, answered: number[]) => Promise<void>) {
    const inbox = join(running.nodeRed.userDir, "radaro-inbox", "acme");
    const disk = new ForgetfulDisk();
    const waiting = new Map(Array.from(byPort, ([port, numbers]) => [port, [...numbers]]));
    const answered: number[] = [];
    for (const step of readTrace(join(dir, "trace"), inbox)) {
      if (step.did !== "answer") {
        disk.do(step);
        continue;
      }
      const number = waiting.get(step.port)?.shift();
      if (number === undefined) continue;
      answered.push(number);
      if (at.has(answered.length)) await left(disk, answered);
    }
    assert.equal(answered.length, count);
  }

  for (const [what, survives] of [
    ["", () => false],
    [", also where some of what was not synced is there", () => random() < 0.5],
  ] as const) {
    it(`at any moment leaves every event that was answered 200, waiting for the flow${what}`, async () => {
      const moments = new Set(Array.from({ length: cuts }, () => Math.ceil(random() * count)));
      await cut(moments, async (disk, answered) => {
        const at = join(dir, `cut-${answered.length}`);
        disk.save(at, survives);
        const found = await waitingIn(at);
        rmSync(at, { recursive: true });
        const lost = answered.filter((number) => !found.has(number));
        assert.deepEqual(lost, [], `of ${answered.length} events`);
      });
    });
  }

  /** The numbers of the events that wait in an inbox, of which nothing is said to be missing. */
  async function waitingIn(dir: string): Promise<Set<unknown>> {
    const store = await SqliteStore.open(dir, { check: true });
    assert.deepEqual(store.findings, []);
    const found = new Set<unknown>();
    for (let after: string | undefined = ""; after !== undefined;) {
      const { events, last }: Some = await store.some("waiting", after);
      for (const { seq } of events) {
        const { text } = (await store.read(seq))!;
        found.add((JSON.parse(text) as { number: number }).number);
      }
      after = last;
    }
    await store.close();
    return found;
  }

  it("leaves an inbox that gives the flow all of them when Node-RED starts again", async () => {
    const inbox = join(running.nodeRed.userDir, "radaro-inbox", "acme");
    const flows = flowWith({ id: "next", type: "recorder", file: "got.txt" });
    writeFileSync(join(running.nodeRed.userDir, "flows.json"), JSON.stringify(flows));
    await cut(new Set([count]), (disk) => {
      rmSync(inbox, { recursive: true });
      disk.save(inbox, () => false);
      return Promise.resolve();
    });
    running = await running.next();
    await running.says(({ counts: { processed, waiting } }) => processed > 0 && waiting === 0);
    assert.deepEqual(
      recorded(running).sort((a, b) => a - b),
      Array.from({ length: count }, (_, number) => number),
    );
  });
});
