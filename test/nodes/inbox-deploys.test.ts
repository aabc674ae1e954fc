import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Node, NodeAPI, NodeDef } from "node-red";
import helper from "node-red-node-test-helper";
import type { MerchantInbox } from "../../nodes/inbox/merchant-inbox";
import { readSamples } from "../events";
import { start, stop, type Runtime } from "./runtime";

const token = "Zk3vQ9cXw1LmT7yHs0RdNA";
const tab = { id: "tab", type: "tab", label: "Flow" };
const config = { id: "config", type: "radaro-config", name: "Acme", inbox: true };
const place = { z: "tab", x: 1, y: 1 };
const receive = { ...place, id: "in", type: "radaro in", config: "config", path: "/radaro", topics: [] };
/** The first node: has a message until it is let go. */
const first = { ...place, id: "first", type: "holds" };
const last = { ...place, id: "last", type: "ends", wires: [] as string[][] };
/** Keeps a deploy waiting until the test lets it close. */
const slow = { ...place, id: "slow", type: "slow", name: "a", wires: [] };

/** Lets go what the first node holds. */
let letGo: (() => void)[];
/** Whether the first node holds what comes, and the slow one does not close. */
let holds: boolean;
/** How many messages came to the last node. */
let ended: number;
let letClose: (() => void) | undefined;
const types = (RED: NodeAPI) => {
  RED.nodes.registerType("holds", function (this: Node, def: NodeDef) {
    RED.nodes.createNode(this, def);
    this.on("input", (msg, send, done) => {
      const go = () => {
        send(msg);
        done();
      };
      if (holds) letGo.push(go);
      else go();
    });
  });
  RED.nodes.registerType("ends", function (this: Node, def: NodeDef) {
    RED.nodes.createNode(this, def);
    this.on("input", (_msg, _send, done) => {
      ended += 1;
      done();
    });
  });
  RED.nodes.registerType("slow", function (this: Node, def: NodeDef) {
    RED.nodes.createNode(this, def);
    this.on("close", (done: () => void) => (holds ? (letClose = done) : done()));
  });
};
// eslint-disable-next-line @typescript-eslint/no-require-imports -- as Node-RED loads it
const link = require("@node-red/nodes/core/common/60-link.js") as (RED: NodeAPI) => void;
const turn = () => new Promise(setImmediate);

describe("the inbox, while flows are deployed,", () => {
  let userDir: string;
  let runtime: Runtime;
  before(() => helper.startServer());
  after(() => helper.stopServer());
  beforeEach(() => {
    userDir = mkdtempSync(join(tmpdir(), "radaro-"));
    [letGo, holds, ended, letClose] = [[], true, 0, undefined];
  });
  afterEach(async () => {
    holds = false;
    letClose?.();
    await stop();
    rmSync(userDir, { recursive: true });
  });
  const begin = async (nodes: object[]) => {
    const options = { settings: { userDir }, nodes: [types, link] };
    runtime = await start(nodes, { config: { token } }, options);
  };
  const inbox = (id = "config") => (helper.getNode(id) as Node & { inbox: MerchantInbox }).inbox.inbox;
  let number = 0;
  const post = () => runtime.post("/radaro", { ...readSamples()["job-created"], number: number++, token });
  /** Resolves as soon as that many are processed, and none waits or has failed. */
  const processed = async (count: number) => {
    for (;;) {
      const { counts } = inbox();
      if (counts?.processed === count && counts.waiting + counts.failed === 0) return;
      await turn();
    }
  };
  /** How many times the newest was given to the flow. */
  const times = async () => (await inbox().events.list({}, "")).events[0]!.deliveries![0]!.times;

  describe("gives again what an unchanged node sends to", () => {
    const linkIn = { ...place, id: "link-in", type: "link in", links: ["link-out"], wires: [["last"]] };
    for (const [what, unchanged, changed] of [
      ["a node that is restarted", [{ ...first, wires: [["last"]] }], last],
      [
        "one of two that is restarted",
        [
          { ...first, wires: [["last", "other"]] },
          { ...last, id: "other" },
        ],
        last,
      ],
      [
        "a link in node that is restarted",
        [
          { ...first, wires: [["link-out"]] },
          { ...place, id: "link-out", type: "link out", links: ["link-in"], wires: [] },
          last,
        ],
        linkIn,
      ],
      [
        "a link call node whose link in node is restarted: it reports an error",
        [
          { ...first, wires: [["call"]] },
          { ...place, id: "call", type: "link call", links: ["link-in"], linkType: "static", wires: [[]] },
          { ...last, type: "holds", wires: [["return"]] },
          { ...place, id: "return", type: "link out", mode: "return", links: [], wires: [] },
        ],
        { ...linkIn, links: [] },
      ],
      [
        "a subflow that is restarted",
        [
          { ...first, wires: [["instance"]] },
          { id: "sub", type: "subflow", in: [{ wires: [{ id: "last" }] }], out: [] },
          { ...last, z: "sub" },
        ],
        { ...place, id: "instance", type: "subflow:sub", wires: [] },
      ],
    ] as [string, object[], object][]) {
      it(what, async () => {
        const rest = [tab, config, { ...receive, wires: [["first"]] }, ...unchanged];
        await begin([...rest, changed, slow]);
        await post();
        while (letGo.length === 0) await turn();
        const deployed = runtime.deploy(
          [...rest, { ...changed, name: "b" }, { ...slow, name: "b" }],
          "nodes",
        );
        while (!letClose) await turn();
        holds = false;
        letGo[0]!();
        await turn();
        letClose();
        letClose = undefined;
        await deployed;
        await processed(1);
        assert.equal(await times(), 2);
      });
    }
  });

  for (const hook of ["preRoute", "preDeliver", "onReceive"]) {
    it(`gives again what another module's hook has dropped (${hook})`, async () => {
      holds = false;
      const flow = [tab, config, { ...receive, wires: [["first"]] }, { ...first, wires: [["last"]] }, last];
      await begin(flow);
      let dropped = 0;
      runtime.RED.hooks.add(`${hook}.other`, ({ destination }: { destination: { id: string } }) =>
        destination.id === "last" && dropped++ === 0 ? false : undefined,
      );
      await post();
      while (dropped === 0) await turn();
      await inbox().events.list({}, ""); // time to be settled
      assert.equal(inbox().counts?.waiting, 1);
      await runtime.deploy(flow);
      await processed(1);
      assert.deepEqual([await times(), ended], [2, 1]);
      runtime.RED.hooks.remove(`${hook}.other`);
    });
  }

  for (const [what, node] of [
    ["is disabled", [{ ...last, d: true }]],
    ["is not there", []],
    [
      "is on a tab that is disabled",
      [
        { id: "off", type: "tab", disabled: true },
        { ...last, z: "off" },
      ],
    ],
  ] as [string, object[]][]) {
    it(`does not wait for a node that ${what}`, async () => {
      holds = false;
      await begin([
        tab,
        config,
        { ...receive, wires: [["first"]] },
        { ...first, wires: [["last"]] },
        ...node,
      ]);
      await post();
      await processed(1);
      assert.equal(await times(), 1);
    });
  }

  it("goes on where a node's type is missing, and when that is mended", async () => {
    holds = false;
    const flow = [tab, config, { ...receive, wires: [["first"]] }, { ...first, wires: [["last"]] }, last];
    await begin(flow);
    const missing = new Promise<void>((resolve) =>
      runtime.RED.events.on("runtime-event", ({ payload }: { payload?: { error?: string } }) => {
        if (payload?.error === "missing-types") resolve();
      }),
    );
    const deployed = runtime.deploy([...flow, { ...place, id: "new", type: "not installed" }], "nodes");
    await missing;
    for (let i = 0; i < 50; i++) await post();
    await processed(50);
    await runtime.deploy(flow, "nodes");
    await deployed;
    await post();
    await processed(51);
    assert.equal(ended, 51);
  });

  it("uses a merchant that a subflow's property names as it is after the deploy", async () => {
    holds = false;
    const flow = (merchant: object) => [
      tab,
      merchant,
      { id: "sub", type: "subflow", in: [], out: [], env: [{ name: "MERCHANT", type: "str", value: "" }] },
      { ...receive, z: "sub", config: "${MERCHANT}", wires: [["last"]] },
      { ...last, z: "sub" },
      {
        ...place,
        id: "instance",
        type: "subflow:sub",
        env: [{ name: "MERCHANT", type: "str", value: "config" }],
        wires: [],
      },
    ];
    await begin(flow(config));
    assert.equal((await post()).status, 200);
    await processed(1);
    const before = inbox();
    await runtime.deploy(flow({ ...config, name: "Acme Ltd" }), "nodes");
    assert.notEqual(inbox(), before);
    assert.equal((await post()).status, 200);
    await processed(2);
    await runtime.deploy(flow({ ...config, inbox: false, credentials: { token: "another" } }), "nodes");
    assert.equal((await post()).status, 401);
    const event = { ...readSamples()["job-created"], number: -1, token: "another" };
    assert.equal((await runtime.post("/radaro", event)).status, 200);
  });

  it("listens once to what Node-RED tells, however many merchants there are", async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => void warnings.push(warning);
    process.on("warning", onWarning);
    const merchants = Array.from({ length: 12 }, (_, i) => [
      { ...config, id: `merchant${i}` },
      { ...receive, id: `in${i}`, config: `merchant${i}`, path: `/radaro/${i}`, wires: [["last"]] },
    ]).flat();
    await begin([tab, ...merchants, last]);
    await runtime.deploy([tab, ...merchants, { ...last, name: "b" }]);
    await turn();
    process.off("warning", onWarning);
    assert.deepEqual(
      warnings.filter(({ name }) => name === "MaxListenersExceededWarning"),
      [],
    );
  });
});
