import assert from "node:assert/strict";
import fc from "fast-check";
import { startNodeRed, type NodeRed } from "../../scripts/node-red";
import { connect } from "../system/editor-comms";
import { install } from "../system/package";
import { badRequest, type BadRequest } from "./bad-requests";
import { assertOfContract, assertOfNode } from "./contract";
import { RawConnection } from "./raw-http";

const token = "Zk3vQ9cXw1LmT7yHs0RdNA";
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
/** How many requests come before the memory is measured: by then everything has been loaded and compiled. */
const first = 10_000;
const all = 110_000;
/** Generated at once: what they take here is freed again after that. */
const batch = 1000;
/** Connections at once, and requests that are sent in one go on each. */
const [connections, pipelined] = [4, 8];
/**
 * In bytes. What a request leaves behind, over 100,000 requests, would be more: a reference and its
 * entry in a list are 16 bytes, a string or a closure 50. The rest is room for what V8 compiles later.
 */
const growth = 1_500_000;

const receive = { type: "radaro in", z: "tab1", path: "/radaro", config: "acme", topics: [], x: 100, y: 100 };
const flows = [
  { id: "tab1", type: "tab", label: "One" },
  { id: "acme", type: "radaro-config", name: "Acme" },
  { ...receive, id: "in-a", wires: [["a"]] },
  { ...receive, id: "in-b", wires: [[]] },
  { id: "a", type: "probe", z: "tab1", x: 300, y: 100, wires: [] },
  // Verified events of a wrong type are errors for a Catch node; without one, Node-RED logs them.
  { id: "catch1", type: "catch", z: "tab1", scope: null, uncaught: false, x: 100, y: 300, wires: [[]] },
];

describe("a flood of bad requests", () => {
  let nodeRed: NodeRed;

  before(async () => {
    nodeRed = await startNodeRed({
      flows,
      credentials: { acme: { token } },
      settings: { apiMaxLength: "64kb" },
      prepare: install,
      // V8 drops compiled code now and then: 4 MB less, behind which a leak could hide.
      runner: ["sh", "-c", `exec "$0" --no-flush-bytecode "$@"`],
    });
  });
  after(() => nodeRed.stop());

  /** Asks the probe, on a connection of its own: those that fetch keeps would be counted. */
  async function get<T>(path: string): Promise<T> {
    const connection = await RawConnection.open(nodeRed.url);
    const answer = await connection.ask({ method: "GET", target: `/probe/${path}` });
    await connection.destroy();
    return JSON.parse(answer!.body) as T;
  }
  const lines = () => nodeRed.output().split("\n").length;

  /**
   * Bytes in use, as soon as no connection but this one and the editor's is open, and a collection
   * finds nothing more: buffers and the states of zlib are given back only after the one that finds
   * them, and can be tens of megabytes.
   */
  async function memory(): Promise<number> {
    for (let before = Infinity; ;) {
      const { used, connections } = await get<{ used: number; connections: number }>("memory");
      if (connections <= 2 && before - used < growth / 10) return used;
      before = used;
    }
  }

  async function nextGetsThrough() {
    const connection = await RawConnection.open(nodeRed.url);
    const answer = await connection.ask({ body: JSON.stringify({ topic: "next", token }) });
    assertOfContract(answer, "POST", [token]);
    assert.equal(answer?.status, 200);
    await connection.destroy();
    assert.equal((await get<unknown[]>("a/1")).length, 1);
  }

  it(`of ${all} requests is refused by the contract; nothing grows, and the next event gets through`, async function () {
    this.timeout(1_800_000);
    const comms = await connect(nodeRed.url);
    const started = Date.now();
    const counts: Record<string, number> = {};
    const count = (what: string | number) => (counts[what] = (counts[what] ?? 0) + 1);

    /** Sends requests on a connection that is kept for as long as the server does, and checks each answer. */
    async function sendOn(requests: BadRequest[]) {
      let connection = await RawConnection.open(nodeRed.url);
      while (requests.length > 0) {
        if (connection.isClosed) connection = await RawConnection.open(nodeRed.url);
        const others = requests.findIndex(({ refusedBy }) => !Array.isArray(refusedBy));
        // What Node's parser refuses, or the client gives up, ends the connection: it is sent alone.
        const together = requests.splice(0, Math.min(pipelined, others < 0 ? requests.length : others || 1));
        await connection.send(Buffer.concat(together.map(({ bytes }) => bytes)));
        for (const request of together) {
          const { refusedBy, method } = request;
          if (refusedBy === "nobody") {
            await connection.destroy();
            count("given up");
            continue;
          }
          const answer = await connection.answer(method);
          const shown = () => `${request.what}, seed ${seed}: ${JSON.stringify(answer)}`;
          if (refusedBy === "node") {
            assertOfNode(answer);
            await connection.closed;
            count("Node's own");
          } else {
            assert.ok(answer && refusedBy.includes(answer.status), shown());
            assertOfContract(answer, method, [token, nodeRed.userDir]);
            count(answer.status);
          }
        }
      }
      await connection.destroy();
    }

    let used = 0;
    let printed = 0;
    for (let sent = 0; sent < all; sent += batch) {
      if (sent === first) {
        await nextGetsThrough();
        used = await memory();
        printed = lines();
      }
      const requests = fc.sample(badRequest(token, 65_536), { numRuns: batch, seed: seed + sent });
      const share = batch / connections;
      await Promise.all(
        Array.from({ length: connections }, (_, i) => sendOn(requests.slice(i * share, (i + 1) * share))),
      );
    }

    await nextGetsThrough();
    const grown = (await memory()) - used;
    const seconds = (Date.now() - started) / 1000;
    const statuses = comms.all.filter(({ topic }) => topic === "status/in-a").length;
    comms.close();
    console.log(
      `      seed ${seed}, ${Math.round(seconds)} s; answers: ${JSON.stringify(counts)}; ` +
        `memory: ${Math.round(grown / 1000)} kB more; ${lines() - printed} lines logged; ${statuses} statuses`,
    );
    assert.ok(grown < growth, `${grown} bytes more in use`);
    assert.equal(lines(), printed, nodeRed.output());
    // At most one a second, and those at its start and its end.
    assert.ok(statuses <= seconds + 3, `${statuses} statuses in ${seconds} s`);
    assert.deepEqual(await get("prototypes"), []);
  });
});
