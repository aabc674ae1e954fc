import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { flowWith, InboxNodeRed } from "../system/inboxes";
import { freePort } from "./free-port";
import { Load } from "./load";
import { needs } from "./needs";

const flows = flowWith({ id: "next", type: "recorder", file: "got.txt" });
const portOf = ({ nodeRed }: InboxNodeRed) => Number(new URL(nodeRed.url).port);

/** As docs/inbox.md has it, but that both get events all the time. */
const configuration = (port: number, dir: string, upstreams: number[]) => `
daemon off;
master_process off;
pid ${dir}/pid;
error_log ${dir}/error.log;
events {}
http {
  access_log off;
  ${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((of) => `${of}_temp_path ${dir}/${of};`).join("\n  ")}
  upstream node_red {
    ${upstreams.map((upstream) => `server 127.0.0.1:${upstream};`).join("\n    ")}
  }
  server {
    listen 127.0.0.1:${port};
    location = /radaro {
      proxy_pass http://node_red;
      proxy_next_upstream error timeout http_503 non_idempotent;
    }
  }
}
`;

describe("Two instances behind nginx", function () {
  this.timeout(300_000);
  let dir: string;
  let nginx: ChildProcess;
  let url: string;
  let one: InboxNodeRed;
  let other: InboxNodeRed;
  before(async () => {
    needs("nginx");
    [one, other] = await Promise.all([InboxNodeRed.start({ flows }), InboxNodeRed.start({ flows })]);
    dir = mkdtempSync(join(tmpdir(), "radaro-nginx-"));
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    writeFileSync(join(dir, "nginx.conf"), configuration(port, dir, [portOf(one), portOf(other)]));
    nginx = spawn("nginx", ["-p", dir, "-c", "nginx.conf", "-e", "error.log"], { stdio: "ignore" });
    while (!(await fetch(url).then(Boolean, () => false)))
      assert.equal(nginx.exitCode, null, "nginx has ended");
  });
  after(async () => {
    const ended = once(nginx, "exit");
    nginx.kill();
    await Promise.all([ended, one.nodeRed.stop(), other.nodeRed.stop()]);
    rmSync(dir, { recursive: true });
  });

  it("lose nothing that was answered 200, though one is killed under load and comes back", async () => {
    const load = new Load(300);
    load.to(url);
    await load.accepts(600);
    const port = portOf(other);
    await other.nodeRed.kill();
    await load.accepts(600);
    other = await other.next({ port });
    // It gets events again: nginx asks it after ten seconds.
    const { counts } = await other.says(({ counts }) => counts.processed > 0 && counts.waiting === 0);
    await other.says(({ counts: { processed } }) => processed > counts.processed);
    await load.isDelivered(one, other);
  });

  it("know a duplicate only each of its own", async () => {
    const event = { number: -1 };
    const answers = [await one.post(event), await one.post(event), await other.post(event)];
    assert.deepEqual(
      answers.map(({ body }) => body),
      [{ ok: true }, { ok: true, duplicate: true }, { ok: true }],
    );
  });
});
