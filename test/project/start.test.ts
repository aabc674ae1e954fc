import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { root } from "../system/package";

interface FlowNode {
  id: string;
  type: string;
  label?: string;
}

describe("npm start", () => {
  it("runs the first example with events in it, which the sidebar shows, catches up with what was lost, and leaves nothing behind after Ctrl-C", async () => {
    const temporary = mkdtempSync(join(tmpdir(), "radaro-start-"));
    const child = spawn("npm", ["start"], {
      cwd: root,
      env: { ...process.env, TMPDIR: temporary, OUTAGE: "5" },
      stdio: ["ignore", "pipe", "inherit"],
      detached: true, // a group of its own, as a terminal gives it, for Ctrl-C
    });
    const lines: string[] = [];
    const ended = once(child, "exit");
    const output = createInterface(child.stdout);
    const printed = async (pattern: RegExp, count = 1) => {
      for (;;) {
        const found = lines.filter((line) => pattern.test(line));
        if (found.length >= count) return found[0]!;
        await Promise.race([
          once(output, "line"),
          ended.then(() => assert.fail(`npm start has ended:\n${lines.join("\n")}`)),
        ]);
      }
    };
    output.on("line", (line) => lines.push(line));

    try {
      const url = /http:\S+/.exec(await printed(/Open http/))![0];
      await printed(/sent .*: answered 200/, 5);
      assert.deepEqual(
        lines.filter((line) => /answered (?!200)/.test(line)),
        [],
      );
      assert.match(await (await fetch(url)).text(), /Node-RED/);
      const flows = (await (await fetch(`${url}/flows`)).json()) as FlowNode[];
      assert.equal(flows[0]?.label, "The life of a job");
      // Off where the Node.js in use has no SQLite: npm test says so.
      const hasInbox = (await printed(/inbox is/)).includes("the inbox is on");
      const list = `radaro-inbox/${flows.find(({ type }) => type === "radaro-config")!.id}/events`;
      while (hasInbox) {
        const response = await fetch(`${url}/${list}?state=processed`);
        const { events } = (await response.json()) as { events: unknown[] };
        if (events.length >= 5) break;
      }
      if (hasInbox) {
        for (const said of [/A flow that fails and heals/, /Only caught up ones/, /Nothing gets through now/])
          await printed(said);
        await printed(/Caught up: [1-9]/);
        const response = await fetch(`${url}/${list}?caughtUp=true`);
        const { events } = (await response.json()) as { events: { caughtUp: boolean }[] };
        assert.ok(events.length > 0 && events.every(({ caughtUp }) => caughtUp));
      }
      assert.equal(readdirSync(temporary).filter((name) => name.startsWith("radaro-")).length, 1);

      process.kill(-child.pid!, "SIGINT");
      await ended;
      assert.throws(() => process.kill(-child.pid!, 0), { code: "ESRCH" });
      await assert.rejects(fetch(url));
      assert.deepEqual(
        readdirSync(temporary).filter((name) => name.startsWith("radaro-")),
        [],
      );
    } finally {
      if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, "SIGKILL");
      rmSync(temporary, { recursive: true });
    }
  });
});
