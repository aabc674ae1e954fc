import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { flowWith, InboxNodeRed } from "../system/inboxes";
import { Load } from "./load";
import { needs } from "./needs";
import { randomFrom, seed } from "./random";

/** In events a second. */
const rate = 300;
const times = 6;

const flow = flowWith({ id: "next", type: "recorder", file: "got.txt" });

describe(`Two Node-REDs with an inbox each, behind one nginx (SEED=${seed})`, function () {
  this.timeout(600_000);
  const random = randomFrom(seed);
  const load = new Load(rate);
  const both: InboxNodeRed[] = [];
  let dir: string;
  let port: number;
  let nginx: ChildProcess | undefined;
  before(async () => {
    needs("nginx");
    dir = mkdtempSync(join(tmpdir(), "radaro-nginx-"));
    for (let i = 0; i < 2; i++) both.push(await InboxNodeRed.start({ flows: flow }));
    port = await freePort();
    configure();
    nginx = spawn("nginx", ["-p", dir, "-c", join(dir, "nginx.conf")], { stdio: "inherit" });
    const answers = () => fetch(`http://127.0.0.1:${port}/radaro`).catch(() => undefined);
    while (!(await answers())) assert.equal(nginx.exitCode, null, "nginx has ended");
  });
  after(async () => {
    await load.stop();
    if (nginx?.kill()) await once(nginx, "exit");
    for (const { nodeRed } of both) await nodeRed.stop();
    rmSync(dir, { recursive: true });
  });

  /** Whatever the one cannot take, the other gets: also an event that the one may have stored. */
  function configure() {
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    const servers = both.map(({ nodeRed }) => `server ${new URL(nodeRed.url).host} fail_timeout=1s;`);
    writeFileSync(
      join(dir, "nginx.conf"),
      `daemon off;
      pid ${dir}/nginx.pid;
      error_log ${dir}/error.log;
      events {}
      http {
        access_log off;
        ${temporary.map((name) => `${name}_temp_path ${dir}/${name};`).join("\n")}
        upstream node_red { ${servers.join(" ")} }
        server {
          listen 127.0.0.1:${port};
          location = /radaro {
            proxy_pass http://node_red;
            proxy_next_upstream error timeout http_503 non_idempotent;
          }
        }
      }`,
    );
  }

  // Each inbox knows only what it has stored itself: an event that nginx gave to both comes out of both,
  // and neither calls it a duplicate.
  it(`give a flow each event that nginx answered 200, though one after the other is killed, ${times} times`, async () => {
    load.to(`http://127.0.0.1:${port}`);
    for (let i = 0; i < times; i++) {
      await load.accepts(Math.ceil(random() * 2 * rate));
      const at = i % 2;
      await both[at]!.nodeRed.kill();
      await load.accepts(Math.ceil(random() * rate));
      both[at] = await both[at]!.next();
      configure();
      nginx!.kill("SIGHUP");
      await both[at].says(({ counts }) => counts.processed > 0);
    }
    await load.accepts(rate);
    await load.stop();
    const got: number[] = [];
    for (const one of both) {
      await one.says(({ counts: { processed, waiting } }) => processed > 0 && waiting === 0);
      const text = readFileSync(join(one.nodeRed.userDir, "got.txt"), "utf8");
      got.push(...text.trimEnd().split("\n").map(Number));
    }
    const different = new Set(got);
    const lost = [...load.accepted].filter((number) => !different.has(number));
    assert.deepEqual(lost, [], "answered 200, and not delivered");
    console.log(
      `      ${load.accepted.size} events were answered 200 (others: ${JSON.stringify(load.others)}); ` +
        `${got.length - different.size} deliveries were repetitions`,
    );
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
