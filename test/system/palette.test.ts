import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { spawnSync } from "node:child_process";
import { defaultProgram, startNodeRed, type NodeRed, type NodeRedOptions } from "../../scripts/node-red";
import type { EventMessage } from "../../src/event/message";
import { connect } from "./editor-comms";
import { addProbe, pack, packAs, root } from "./package";

const token = "Zk3vQ9cXw1LmT7yHs0RdNA";
const name = "node-red-contrib-radaro";
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
const newer = "1000.0.0";

/** Whether the Node.js that runs Node-RED has what an inbox needs: what the palette does with one is seen there. */
const hasSqlite = spawnSync(defaultProgram().node, ["--eval", "require('node:sqlite')"]).status === 0;

/** Node-RED takes a node that has no place on its tab for a config node. */
const place = { x: 100, y: 100 };
const other = [
  { id: "tab2", type: "tab", label: "Another" },
  { id: "hello", type: "http in", z: "tab2", url: "/hello", method: "get", ...place, wires: [["answer"]] },
  { id: "answer", type: "http response", z: "tab2", statusCode: "204", ...place, wires: [] },
];
const ours = [
  { id: "tab1", type: "tab", label: "Ours" },
  { id: "acme", type: "radaro-config", name: "Acme", inbox: hasSqlite },
  {
    id: "in",
    type: "radaro in",
    z: "tab1",
    config: "acme",
    path: "/radaro",
    topics: [],
    ...place,
    wires: [["switch"]],
  },
  {
    id: "switch",
    type: "radaro switch",
    z: "tab1",
    property: "payload",
    rules: [{ kind: "event", topic: "job.changed" }, { kind: "otherwise" }],
    checkall: true,
    outputs: 2,
    ...place,
    wires: [["changed"], ["otherwise"]],
  },
  { id: "changed", type: "probe", z: "tab1", ...place, wires: [] },
  { id: "otherwise", type: "probe", z: "tab1", ...place, wires: [] },
];
const withToken = ours.map((node) =>
  node.type === "radaro-config" ? { ...node, credentials: { token } } : node,
);

for (const [settingsName, settings, adminRoot] of [
  ["default settings", {}, ""],
  ["an httpAdminRoot of its own", { httpAdminRoot: "/admin" }, "/admin"],
] as const) {
  describe(`The palette of a Node-RED with ${settingsName}`, function () {
    this.timeout(600_000); // npm asks its registry
    before(() => void pack());
    let nodeRed: NodeRed;
    const begin = async (options: NodeRedOptions) =>
      (nodeRed = await startNodeRed({ settings: { ...settings }, prepare: addProbe, ...options }));
    afterEach(() => nodeRed.stop());

    const api = (method: string, path: string, body?: object) =>
      fetch(nodeRed.url + adminRoot + path, {
        method,
        headers: {
          Accept: "application/json",
          ...(!(body instanceof FormData) && { "Content-Type": "application/json" }),
        },
        ...(body && { body: body instanceof FormData ? body : JSON.stringify(body) }),
      });
    /** Uploads a package, as the palette's dialog does. */
    async function upload(tarball: string) {
      const form = new FormData();
      form.append("tarball", new Blob([readFileSync(tarball)]), basename(tarball));
      const response = await api("POST", "/nodes", form);
      const info = (await response.json()) as { version: string; pending_version?: string };
      assert.equal(response.status, 200, JSON.stringify(info));
      return info;
    }
    async function deploy(flows: object[]) {
      assert.equal((await api("POST", "/flows", flows)).status, 204);
      await nodeRed.printed("Started flows");
    }
    let sent = 0;
    const post = async (topic: string) => {
      const response = await fetch(`${nodeRed.url}/radaro`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ topic, token, number: sent++ }),
      });
      return response.status;
    };
    const got = async (id: string, count: number) =>
      (await (await api("GET", `/probe/${id}/${count}`)).json()) as EventMessage[];
    /** An event of each kind comes out where it should, and the test button works. */
    async function works() {
      assert.deepEqual([await post("job.changed"), await post("job.deleted")], [200, 200]);
      assert.deepEqual(
        [await got("changed", 1), await got("otherwise", 1)].map((messages) =>
          messages.map(({ topic, radaro }) => [topic, radaro.merchant]),
        ),
        [[["job.changed", "Acme"]], [["job.deleted", "Acme"]]],
      );
      const button = await api("POST", "/radaro-in/in/test", { sample: "job-completed" });
      assert.equal(((await button.json()) as { result: string }).result, "sent");
      assert.equal((await got("otherwise", 1))[0]?.radaro.test, true);
    }
    const hello = async () => (await fetch(`${nodeRed.url}/hello`)).status;
    /** Types of this package that Node-RED has. */
    async function types() {
      const sets = (await (await api("GET", "/nodes")).json()) as { module: string; types: string[] }[];
      return sets.filter(({ module }) => module === name).flatMap(({ types }) => types);
    }

    it("installs the package while flows run, that can use it at once", async () => {
      await begin({ flows: other });
      assert.deepEqual(await types(), []);
      assert.equal((await upload(pack())).version, version);
      assert.deepEqual(await types(), [
        "radaro-config",
        "radaro in",
        "radaro switch",
        "radaro done",
        "radaro watch",
      ]);
      await deploy([...other, ...withToken]);
      await works();
      assert.equal(await hello(), 204);
    });

    it("starts flows that waited for the package, with their credentials", async () => {
      const flows = [...other, ...ours];
      await begin({ flows, credentials: { acme: { token } }, typesAreMissing: true });
      assert.equal(await post("job.changed"), 404);
      await upload(pack());
      await nodeRed.printed("Started flows");
      await works();
      assert.equal(await hello(), 204);
    });

    it("updates the package while events come, and asks for no more than the restart that Node-RED asks for", async () => {
      // Packed before: while npm runs, nobody here sees that Node-RED closes an idle connection.
      const update = packAs(newer);
      await begin({ flows: other });
      await upload(pack());
      await deploy([...other, ...withToken]);
      const comms = await connect(nodeRed.url + adminRoot);

      // From before the update until after it, one event after the other.
      let isUpdated = false;
      const statuses: number[] = [];
      const sending = (async () => {
        do statuses.push(await post("job.changed"));
        while (!isUpdated);
        statuses.push(await post("job.changed"));
      })();
      const info = await upload(update).finally(() => (isUpdated = true));
      await sending;
      assert.deepEqual(await comms.told("notification/restart-required"), {
        type: "warning",
        text: "notification.warnings.restartRequired",
      });
      comms.close();
      assert.deepEqual([info.version, info.pending_version], [version, newer]);
      assert.ok(statuses.length > 2);
      assert.deepEqual([...new Set(statuses)], [200]);
      assert.equal((await got("changed", statuses.length)).length, statuses.length);
      await works();
      await nodeRed.end();
      await begin({ userDir: nodeRed.userDir });
      const module = (await (await api("GET", `/nodes/${name}`)).json()) as typeof info;
      assert.deepEqual([module.version, module.pending_version], [newer, undefined]);
      await works();
      assert.equal(await hello(), 204);
    });

    it("removes the package while other flows run, and installs it again", async () => {
      await begin({ flows: other });
      await upload(pack());
      await deploy([...other, ...withToken]);
      await works();
      assert.equal((await api("DELETE", `/nodes/${name}`)).status, 400, "it is in use");
      await works();

      await deploy(other);
      assert.equal((await api("DELETE", `/nodes/${name}`)).status, 204);
      assert.deepEqual(await types(), []);
      assert.equal(await post("job.changed"), 404);
      assert.equal(await hello(), 204);
      await deploy(other);
      assert.equal(await hello(), 204);

      await upload(pack());
      await deploy([...other, ...withToken]);
      await works();
      assert.equal(await hello(), 204);
    });
  });
}
