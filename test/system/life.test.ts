import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { startNodeRed, type NodeRed, type NodeRedOptions } from "../../scripts/node-red";
import type { EventMessage } from "../../src/event/message";
import { connect, type Comms } from "./editor-comms";
import { install } from "./package";

const token = "Zk3vQ9cXw1LmT7yHs0RdNA";
const newToken = "Yx2uP8bWv0KlS6xGr9QcMz";
const otherToken = "Xw1tO7aVu9JkR5wFq8PbLy";

interface FlowNode {
  id: string;
  type: string;
  [property: string]: unknown;
}

/** Node-RED takes a node that has no place on its tab for a config node. */
const place = { x: 100, y: 100 };
const receiver = (id: string, z: string, more: object = {}): FlowNode => ({
  id,
  type: "radaro in",
  z,
  config: "acme",
  path: "/radaro",
  topics: [],
  wires: [[`probe-${id}`]],
  ...place,
  ...more,
});
const probe = (id: string, z: string): FlowNode => ({
  id: `probe-${id}`,
  type: "probe",
  z,
  ...place,
  wires: [],
});
/** Flows with something changed; a change of `undefined` takes the node out. */
const changed = (flows: FlowNode[], changes: Record<string, object | undefined>) =>
  flows.flatMap((node) =>
    node.id in changes ? (changes[node.id] ? [{ ...node, ...changes[node.id] }] : []) : [node],
  );

/**
 * `a` and `b` share a path, `c` has one of its own. As the editor does it, credentials are deployed
 * only where they have changed.
 */
const flows = [
  { id: "tab1", type: "tab", label: "One", disabled: false },
  { id: "tab2", type: "tab", label: "Two", disabled: false },
  { id: "acme", type: "radaro-config", name: "Acme" },
  { id: "other", type: "radaro-config", name: "Other" },
  receiver("a", "tab1"),
  probe("a", "tab1"),
  receiver("b", "tab2"),
  probe("b", "tab2"),
  receiver("c", "tab2", { path: "/c" }),
  probe("c", "tab2"),
];
const credentials = { acme: { token }, other: { token: otherToken } };

const waiting = { fill: "grey", shape: "ring", text: "waiting for the first event" };
const problem = (what: string) => ({ fill: "red", shape: "ring", text: `not configured: ${what}` });

/** What Node-RED logs of an answer. */
interface Metric {
  nodeid: string;
  msgid: string;
  value: number;
  event: string;
}

/** A Node-RED, what its editor is told, and who speaks to it. */
class Life {
  private constructor(
    readonly nodeRed: NodeRed,
    readonly comms: Comms,
  ) {}

  static async begin(options: NodeRedOptions = {}): Promise<Life> {
    const nodeRed = await startNodeRed({ prepare: install, ...options });
    return new Life(nodeRed, await connect(nodeRed.url));
  }

  async end(): Promise<void> {
    this.comms.close();
    await this.nodeRed.stop();
  }

  async api<T>(method: string, path: string, body?: object, headers: object = {}): Promise<T> {
    const response = await fetch(this.nodeRed.url + path, {
      method,
      headers: { "Content-Type": "application/json", "Node-RED-API-Version": "v2", ...headers },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path} was answered ${response.status}: ${text}`);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }

  /** Changes flows by `change`, and resolves as soon as they run. What was told before is forgotten. */
  async started<T>(change: () => Promise<T>): Promise<T> {
    this.comms.all.splice(0);
    const changed = await change();
    const { rev } = await this.api<{ rev: string }>("GET", "/flows");
    await this.comms.told<{ revision: string }>(
      "notification/runtime-deploy",
      ({ revision }) => revision === rev,
    );
    return changed;
  }

  deploy(flows: FlowNode[], type = "full"): Promise<unknown> {
    return this.started(() => this.api("POST", "/flows", { flows }, { "Node-RED-Deployment-Type": type }));
  }

  async post(path = "/radaro", body: object = { token }, headers: object = {}): Promise<number> {
    const response = await fetch(this.nodeRed.url + path, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: JSON.stringify({ topic: "job.changed", ...body }),
    });
    return response.status;
  }

  /** Which merchants' events the probes have got since the last time, as soon as each has got one. */
  async got(...ids: string[]): Promise<string[]> {
    const messages = await Promise.all(
      ids.map((id) => this.api<EventMessage[]>("GET", `/probe/probe-${id}/1`)),
    );
    return messages.map((each) => each.map(({ radaro }) => radaro.merchant).join());
  }

  /** Resolves as soon as the node has this status. */
  status(id: string, expected: { fill: string; text: string | RegExp }): Promise<unknown> {
    const { fill, text } = expected;
    const fits = (status: { fill?: string; text?: string }) =>
      status.fill === fill && (text instanceof RegExp ? text.test(status.text ?? "") : status.text === text);
    return this.comms.told(`status/${id}`, fits);
  }
}

const received = { fill: "green", text: /^\d\d:\d\d:\d\d · job\.changed/ };
const refused = { fill: "red", text: /^\d\d:\d\d:\d\d · refused \(1\) · wrong token$/ };

describe("Deploys", () => {
  let life: Life;
  before(async () => {
    life = await Life.begin({ flows, credentials });
  });
  after(() => life.end());
  beforeEach(() => life.deploy(changed(flows, { acme: { credentials: credentials.acme } })));
  afterEach(async () => {
    // No probe has got what the test has not looked at.
    for (const id of ["a", "b", "c"]) assert.deepEqual(await life.api("GET", `/probe/probe-${id}/0`), [], id);
  });

  it("lose no event that comes meanwhile, and send none twice", async () => {
    let isDone = false;
    let sent = 0;
    const answers = new Set<number>();
    const sendOneByOne = async () => {
      while (!isDone) answers.add(await life.post("/c", { token, number: sent++ }));
    };
    const senders = Array.from({ length: 8 }, sendOneByOne);
    for (let i = 0; i < 12; i++) {
      const type = ["full", "flows", "nodes"][i % 3];
      await life.deploy(changed(flows, { c: { name: `${i}` }, "probe-c": { name: `${i}` } }), type);
    }
    isDone = true;
    await Promise.all(senders);
    assert.deepEqual([...answers], [200]);
    const messages = await life.api<EventMessage[]>("GET", `/probe/probe-c/${sent}`);
    const numbers = messages.map(({ payload }) => payload.number as number).sort((a, b) => a - b);
    assert.deepEqual(
      numbers,
      Array.from({ length: sent }, (_, i) => i),
    );
  });

  it("leave the editor its addresses, also where a radaro in has one of them", async () => {
    for (const name of ["1", "2", "3"]) await life.deploy(changed(flows, { c: { path: "/flows", name } }));
    assert.equal(await life.post("/c"), 404);
  });

  for (const [type, name] of [
    ["full", "Full"],
    ["flows", "Modified Flows"],
    ["nodes", "Modified Nodes"],
  ] as const) {
    describe(`of type ${name}`, () => {
      it("make a new token of the merchant good, for all its nodes, and the old one bad", async () => {
        await life.deploy(changed(flows, { acme: { credentials: { token: newToken } } }), type);
        for (const id of ["a", "b", "c"]) await life.status(id, waiting);
        assert.equal(await life.post("/radaro", { token: newToken }), 200);
        assert.deepEqual(await life.got("a", "b"), ["Acme", "Acme"]);
        await life.status("a", received);
        assert.equal(await life.post(), 401);
        await life.status("b", refused);
      });

      it("take a merchant without a token for one that nobody can be", async () => {
        await life.deploy(changed(flows, { acme: { credentials: { token: "" } } }), type);
        for (const id of ["a", "b", "c"]) await life.status(id, problem("the merchant has no token"));
        for (const body of [{ token }, { token: "" }]) assert.equal(await life.post("/radaro", body), 401);
      });

      it("give a node another merchant", async () => {
        await life.deploy(changed(flows, { a: { config: "other" } }), type);
        await life.status("a", waiting);
        assert.equal(await life.post("/radaro", { token: otherToken }), 200);
        assert.deepEqual(await life.got("a"), ["Other"]);
        await life.status("a", received);
        assert.equal(await life.post(), 200);
        assert.deepEqual(await life.got("b"), ["Acme"]);
      });

      it("move a node to another path, and leave the old one to the others that are on it", async () => {
        await life.deploy(changed(flows, { a: { path: "/moved" }, c: { path: "/moved" } }), type);
        await life.status("a", waiting);
        await life.status("c", waiting);
        assert.deepEqual([await life.post("/moved"), await life.post("/radaro")], [200, 200]);
        assert.deepEqual(await life.got("a", "b", "c"), ["Acme", "Acme", "Acme"]);
        assert.equal(await life.post("/c"), 404);
      });

      it("wire a node to another, and change its neighbours", async () => {
        await life.deploy(
          changed(flows, { a: { wires: [["probe-b"]] }, b: { wires: [[]] }, "probe-a": { name: "new" } }),
          type,
        );
        assert.deepEqual([await life.post(), await life.post("/c")], [200, 200]);
        assert.deepEqual(await life.got("b", "c"), ["Acme", "Acme"]);
        await life.status("a", received);
      });

      it("add nodes, and take nodes away", async () => {
        await life.deploy(
          [...changed(flows, { c: undefined }), receiver("d", "tab1", { path: "/d", wires: [["probe-a"]] })],
          type,
        );
        await life.status("d", waiting);
        assert.deepEqual([await life.post("/d"), await life.post("/c")], [200, 404]);
        assert.deepEqual(await life.got("a"), ["Acme"]);
        assert.equal(await life.post(), 200);
        assert.deepEqual(await life.got("a", "b"), ["Acme", "Acme"]);
      });

      it("disable and enable a node, its merchant and its tab", async () => {
        await life.deploy(changed(flows, { a: { d: true }, c: { d: true } }), type);
        assert.deepEqual([await life.post(), await life.post("/c")], [200, 404]);
        assert.deepEqual(await life.got("b"), ["Acme"]);

        await life.deploy(changed(flows, { acme: { d: true } }), type);
        for (const id of ["a", "b", "c"]) await life.status(id, problem("no merchant"));
        assert.deepEqual([await life.post(), await life.post("/c")], [401, 401]);

        await life.deploy(changed(flows, { tab2: { disabled: true } }), type);
        await life.status("a", waiting);
        assert.deepEqual([await life.post(), await life.post("/c")], [200, 404]);
        assert.deepEqual(await life.got("a"), ["Acme"]);

        await life.deploy(flows, type);
        await life.status("c", waiting);
        assert.deepEqual([await life.post(), await life.post("/c")], [200, 200]);
        assert.deepEqual(await life.got("a", "b", "c"), ["Acme", "Acme", "Acme"]);
      });
    });
  }

  it("of what is unchanged leave a node running as it was", async () => {
    assert.equal(await life.post("/c"), 200);
    assert.deepEqual(await life.got("c"), ["Acme"]);
    await life.status("c", received);
    await life.deploy(changed(flows, { a: { path: "/moved" }, "probe-c": { name: "new" } }), "nodes");
    await life.status("a", waiting);
    assert.deepEqual(
      life.comms.all.filter(({ topic }) => topic === "status/c"),
      [],
    );
  });

  it("of a single flow, by the API for that, add, change and delete it, and leave the others", async () => {
    const body = { token: newToken };
    const flow = (path: string) => ({
      label: "Single",
      nodes: [receiver("s", "", { config: "single", path, wires: [["probe-s"]] }), probe("s", "")],
      configs: [{ id: "single", type: "radaro-config", name: "Single", credentials: body }],
    });
    const { id } = await life.started(() => life.api<{ id: string }>("POST", "/flow", flow("/s")));
    await life.status("s", waiting);
    assert.equal(await life.post("/s", body), 200);
    assert.deepEqual(await life.got("s"), ["Single"]);
    await life.status("s", received);

    await life.started(() => life.api("PUT", `/flow/${id}`, { id, ...flow("/t") }));
    await life.status("s", waiting);
    assert.deepEqual([await life.post("/t", body), await life.post("/s", body)], [200, 404]);
    assert.deepEqual(await life.got("s"), ["Single"]);
    assert.ok(!JSON.stringify(await life.api("GET", `/flow/${id}`)).includes(newToken));

    await life.started(() => life.api("DELETE", `/flow/${id}`));
    assert.equal(await life.post("/t", body), 404);
    assert.equal(await life.post(), 200);
    assert.deepEqual(await life.got("a", "b"), ["Acme", "Acme"]);
  });

  it("of subflows give each instance the path, topic and merchant of its own environment", async () => {
    const env = (path: string, topic: string, config: string) => [
      { name: "PATH_NAME", type: "str", value: path },
      { name: "TOPIC", type: "str", value: topic },
      { name: "MERCHANT", type: "conf-type", value: config },
    ];
    const instance = (id: string, more: object = {}) => [
      { id, type: "subflow:sub", z: "tab1", ...place, wires: [[`probe-${id}`]], ...more },
      probe(id, "tab1"),
    ];
    const inside = { config: "${MERCHANT}", path: "${PATH_NAME}", topics: ["${TOPIC}"], wires: [[]] };
    const withSubflow: FlowNode[] = [
      ...flows,
      {
        id: "sub",
        type: "subflow",
        name: "Received",
        env: env("/default", "job.changed", "acme"),
        in: [],
        out: [{ wires: [{ id: "inside", port: 0 }] }],
        status: { wires: [{ id: "inside-status", port: 0 }] },
      },
      receiver("inside", "sub", inside),
      { id: "inside-status", type: "status", z: "sub", scope: null, ...place, wires: [[]] },
      ...instance("default"),
      ...instance("acmes", { env: env("/acmes", "job.changed", "acme") }),
      ...instance("others", { env: env("/others", "job.deleted", "other") }),
    ];
    await life.deploy(withSubflow, "flows");
    const byOther = { token: otherToken, topic: "job.deleted" };
    assert.deepEqual(
      [await life.post("/default"), await life.post("/acmes"), await life.post("/others", byOther)],
      [200, 200, 200],
    );
    assert.deepEqual(await life.got("default", "acmes", "others"), ["Acme", "Acme", "Other"]);
    assert.equal(await life.post("/others"), 401);
    await life.status("others", refused);
    assert.equal(await life.post("/others", { token: otherToken }), 200, "a topic that it does not want");
    assert.deepEqual(await life.api("GET", "/probe/probe-others/0"), []);

    const moved = { others: { env: env("/moved", "job.deleted", "other") }, acmes: undefined };
    await life.deploy(changed(withSubflow, moved), "nodes");
    assert.deepEqual(
      [await life.post("/moved", byOther), await life.post("/default"), await life.post("/acmes")],
      [200, 200, 404],
    );
    assert.equal(await life.post("/others", byOther), 404);
    assert.deepEqual(await life.got("default", "others"), ["Acme", "Other"]);
  });
});

describe("Node-RED", () => {
  let life: Life;
  const begin = async (settings: Record<string, unknown>) =>
    (life = await Life.begin({ flows, credentials, settings }));
  afterEach(() => life.end());

  it("with httpNodeRoot and httpNodeAuth takes the Basic credentials that Radaro sends from its URL", async () => {
    const pass = createHash("md5").update("secret").digest("hex");
    await begin({ httpNodeRoot: "/hooks", httpNodeAuth: { user: "radaro", pass } });
    const basic = (credentials: string) => ({
      Authorization: `Basic ${Buffer.from(credentials).toString("base64")}`,
    });
    const good = basic("radaro:secret");
    const post = (path: string, headers: object) => life.post(path, { token }, headers);
    assert.equal(await post("/hooks/radaro", good), 200);
    await life.status("a", received);
    assert.equal(await post("/hooks/radaro", basic("radaro:wrong")), 401);
    assert.equal(await post("/hooks/radaro", {}), 401);
    assert.equal(await post("/radaro", good), 404);
    await life.deploy(changed(flows, { a: { path: "/moved" } }), "nodes");
    assert.deepEqual([await post("/hooks/moved", good), await post("/hooks/moved", {})], [200, 401]);
  });

  it("with httpNodeRoot: false receives nothing, says so, and sends test events all the same", async () => {
    await begin({ httpNodeRoot: false });
    await life.status("a", problem("httpNodeRoot is false"));
    assert.equal(await life.post(), 404);
    const sent = await life.api("POST", "/radaro-in/a/test", { sample: "job-completed" });
    assert.equal((sent as { result: string }).result, "sent");
    assert.deepEqual(await life.got("a"), ["Acme"]);
    await life.deploy(changed(flows, { a: { path: "/moved" } }));
    await life.status("a", problem("httpNodeRoot is false"));
    assert.equal(await life.post("/moved"), 404);
  });

  it("with middleware that reads every body for its signature verifies each event all the same", async () => {
    const express = JSON.stringify(require.resolve("express"));
    const prepare = (userDir: string) => {
      install(userDir);
      const own = `module.exports.httpNodeMiddleware = require(${express}).raw({ type: "*/*" });`;
      appendFileSync(join(userDir, "settings.js"), own);
    };
    life = await Life.begin({ flows, credentials, prepare });
    for (let i = 0; i < 3; i++) {
      assert.equal(await life.post("/c"), 200);
      assert.deepEqual(await life.got("c"), ["Acme"]);
      assert.equal(await life.post("/c", { token: "wrong" }), 401);
    }
  });

  it("that logs metrics tells of answers what it tells of core http in's", async () => {
    life = await Life.begin({
      settings: { logging: { console: { level: "info", metrics: true, audit: false } } },
      flows: [
        ...flows,
        {
          id: "core",
          type: "http in",
          z: "tab1",
          url: "/core",
          method: "post",
          wires: [["answer"]],
          ...place,
        },
        { id: "answer", type: "http response", z: "tab1", statusCode: "200", wires: [], ...place },
      ],
      credentials,
    });
    const metrics = async (type: string) => {
      await life.nodeRed.printed(`node.${type}.response.content-length.bytes`);
      const lines = life.nodeRed
        .output()
        .matchAll(/\[metric\] (\{.*"event":"node\.(.*?)\.(response\..*?)".*\})/g);
      return Array.from(lines, ([, line, of, event]) => ({
        ...(JSON.parse(line!) as Metric),
        of,
        event,
      })).filter(({ of }) => of === type);
    };
    await life.post("/core");
    const core = await metrics("http in");
    await life.post("/c");
    const [message] = await life.api<{ _msgid: string }[]>("GET", "/probe/probe-c/1");
    const own = await metrics("radaro in");
    assert.deepEqual(
      own.map(({ event }) => event),
      core.map(({ event }) => event),
    );
    for (const { nodeid, msgid, value } of own) {
      assert.deepEqual([nodeid, msgid], ["c", message!._msgid]);
      assert.ok(Number(value) > 0);
    }
    assert.equal(own.find(({ event }) => event?.endsWith("bytes"))!.value, '{"ok":true}'.length);
  });

  it("answers 404 while its flows are stopped, and 200 again after that", async () => {
    await begin({ runtimeState: { enabled: true, ui: false } });
    assert.equal(await life.post(), 200);
    await life.api("POST", "/flows/state", { state: "stop" });
    assert.equal(await life.post(), 404);
    await life.api("POST", "/flows/state", { state: "start" });
    await life.nodeRed.printed("Started flows");
    assert.equal(await life.post(), 200);
  });
});

describe("A Node-RED with users", () => {
  // Their password is "dispatch".
  const password = "$2b$08$JjZRB6DuqjLgZOmoKVCpyOq6Q3XdN6E7GrBcIZtgMFbGXWPtxF0Pu";
  const users = [
    { username: "ada", password, permissions: "*" },
    { username: "ben", password, permissions: "*" },
    { username: "reader", password, permissions: "read" },
  ];
  let nodeRed: NodeRed;
  before(async () => {
    nodeRed = await startNodeRed({
      flows: [
        ...changed(flows, { other: { inbox: true } }),
        receiver("d", "tab2", { config: "other", path: "/d" }),
        probe("d", "tab2"),
      ],
      credentials,
      settings: { adminAuth: { type: "credentials", users } },
      prepare: install,
    });
  });
  after(() => nodeRed.stop());

  const api = (method: string, path: string, accessToken?: string, body?: object) =>
    fetch(nodeRed.url + path, {
      method,
      headers: {
        "Content-Type": "application/json",
        "Node-RED-API-Version": "v2",
        ...(accessToken && { Authorization: `Bearer ${accessToken}` }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
  async function logIn(username: string): Promise<string> {
    const client = { client_id: "node-red-editor", grant_type: "password", scope: "" };
    const response = await api("POST", "/auth/token", undefined, {
      ...client,
      username,
      password: "dispatch",
    });
    return ((await response.json()) as { access_token: string }).access_token;
  }
  const messages = async (id: string, count: number) =>
    (await (await api("GET", `/probe/probe-${id}/${count}`)).json()) as EventMessage[];

  it("shows statuses and deploys in two editors, and lets neither lose what the other has deployed", async () => {
    const editors = await Promise.all(
      ["ada", "ben"].map(async (username) => {
        const accessToken = await logIn(username);
        return { accessToken, comms: await connect(nodeRed.url, accessToken) };
      }),
    );
    const [ada, ben] = editors as [(typeof editors)[0], (typeof editors)[0]];
    const read = async ({ accessToken }: typeof ada) =>
      (await (await api("GET", "/flows", accessToken)).json()) as { flows: FlowNode[]; rev: string };
    const deploy = async ({ accessToken }: typeof ada, flows: FlowNode[], rev: string) => {
      const response = await api("POST", "/flows", accessToken, { flows, rev });
      return { status: response.status, rev: ((await response.json()) as { rev?: string }).rev };
    };
    const bothAreTold = async (revision: string | undefined) => {
      for (const { comms } of editors) {
        await comms.told<{ revision: string }>(
          "notification/runtime-deploy",
          (told) => told.revision === revision,
        );
        comms.all.splice(0);
      }
    };
    const post = async (path: string) => {
      const headers = { "Content-Type": "application/json" };
      const body = JSON.stringify({ token, topic: "job.changed" });
      return (await fetch(nodeRed.url + path, { method: "POST", headers, body })).status;
    };
    const bothSee = async (id: string) => {
      for (const { comms } of editors) {
        await comms.told<{ fill?: string }>(`status/${id}`, ({ fill }) => fill === "green");
      }
    };

    const [fromAda, fromBen] = [await read(ada), await read(ben)];
    const first = await deploy(ada, changed(fromAda.flows, { a: { path: "/ada" } }), fromAda.rev);
    assert.equal(first.status, 200);
    await bothAreTold(first.rev);
    assert.equal((await deploy(ben, changed(fromBen.flows, { c: undefined }), fromBen.rev)).status, 409);
    assert.deepEqual([await post("/ada"), await post("/c")], [200, 200]);
    await bothSee("a");
    await bothSee("c");

    const again = await read(ben);
    assert.equal(again.rev, first.rev);
    const second = await deploy(ben, changed(again.flows, { c: { path: "/ben" } }), again.rev);
    assert.equal(second.status, 200);
    await bothAreTold(second.rev);
    assert.deepEqual([await post("/ada"), await post("/ben"), await post("/c")], [200, 200, 404]);
    await bothSee("a");
    await bothSee("c");
    for (const { comms } of editors) comms.close();
    assert.deepEqual(
      (await Promise.all([messages("a", 2), messages("c", 2)])).map(({ length }) => length),
      [2, 2],
    );
  });

  it("lets only those send test events who may change flows, and only those see them who may read flows", async () => {
    const press = (accessToken?: string) =>
      api("POST", "/radaro-in/b/test", accessToken, { sample: "job-completed" });
    const look = (accessToken?: string) => api("GET", "/radaro-in/samples/job-completed", accessToken);
    const [ada, reader] = [await logIn("ada"), await logIn("reader")];
    assert.deepEqual([(await press()).status, (await look()).status], [401, 401]);
    assert.deepEqual([(await press("wrong")).status, (await look("wrong")).status], [401, 401]);
    assert.deepEqual([(await press(reader)).status, (await look(reader)).status], [401, 200]);
    assert.deepEqual(await messages("b", 0), []);
    assert.deepEqual([(await press(ada)).status, (await look(ada)).status], [200, 200]);
    assert.equal((await messages("b", 1))[0]?.radaro.test, true);
  });

  it("lets only those say where Radaro reaches it who may change flows, and only those see it who may read flows", async () => {
    const say = (accessToken: string | undefined, body: unknown) =>
      api("PUT", "/radaro-in/address", accessToken, body as object);
    const look = (accessToken?: string) => api("GET", "/radaro-in/address?node=b", accessToken);
    const [ada, reader] = [await logIn("ada"), await logIn("reader")];
    const address = "https://flows.example.com/hooks";
    assert.deepEqual([(await say(undefined, { address })).status, (await look()).status], [401, 401]);
    assert.equal((await say(reader, { address })).status, 401);
    for (const odd of [{}, [], { address: null }, { address: 42 }, { address: "javascript:alert(1)" }])
      assert.equal((await say(ada, odd)).status, 400, JSON.stringify(odd));
    assert.equal((await say(ada, { address })).status, 204);
    assert.deepEqual(await (await look(reader)).json(), { address, httpAdminRoot: "/", path: "/radaro" });
    assert.equal((await say(ada, { address: "" })).status, 204);
  });

  it("tells those who may read flows which merchants lack a token or share one, and nobody the token", async () => {
    const look = (accessToken?: string) => api("GET", "/radaro-config/tokens", accessToken);
    assert.deepEqual([(await look()).status, (await look("wrong")).status], [401, 401]);
    const answer = await look(await logIn("reader"));
    const text = await answer.text();
    assert.deepEqual(JSON.parse(text), [
      { id: "acme", sameAs: [] },
      { id: "other", sameAs: [] },
    ]);
    for (const secret of [token, newToken, otherToken]) assert.ok(!text.includes(secret));
  });

  it("lets only those run and delete events of an inbox who may change flows, and only those see them who may read flows", async () => {
    const customer = "Priya Ryan";
    const sent = await fetch(`${nodeRed.url}/d`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ token: otherToken, customer }),
    });
    assert.equal(sent.status, 200);
    await messages("d", 1);
    const [ada, reader] = [await logIn("ada"), await logIn("reader")];
    const list = async () => {
      const answer = await api("GET", "/radaro-inbox/other/events", reader);
      return ((await answer.json()) as { events: [{ seq: string; state: string }] }).events[0];
    };
    let event = await list();
    while (event.state !== "processed") event = await list();
    const path = `/radaro-inbox/other/events/${event.seq}`;
    const looks = ["/radaro-inbox", "/radaro-inbox/other/events", path];
    const changes = [`${path}/run`, "/radaro-inbox/other/run", "/radaro-inbox/other/clear"];
    const others = ["pause", "resume"].map((what) => `/radaro-inbox/other/${what}`);
    /** Of each request the status, and whether personal data came. */
    const statuses = async (accessToken?: string) => {
      const answers: [number, boolean][] = [];
      const ask = async (method: string, path: string, body?: object) => {
        const answer = await api(method, path, accessToken, body);
        answers.push([answer.status, (await answer.text()).includes(customer)]);
      };
      for (const path of looks) await ask("GET", path);
      for (const path of [...changes, ...others]) await ask("POST", path, { all: true });
      return answers;
    };
    const no = [401, false];
    for (const stranger of [undefined, "wrong"])
      assert.deepEqual(await statuses(stranger), Array(8).fill(no));
    const seen = [
      [200, false],
      [200, false],
      [200, true],
    ];
    assert.deepEqual(await statuses(reader), [...seen, ...Array<typeof no>(5).fill(no)]);
    assert.deepEqual(await messages("d", 0), []);
    const done = [200, false];
    assert.deepEqual(await statuses(ada), [...seen, ...Array<typeof done>(5).fill(done)]);
    assert.equal((await messages("d", 1))[0]?.radaro.redelivery, 1);
  });
});

describe("Node-RED's start", () => {
  it("holds an event that comes before the flows run", async () => {
    const env = { PROBE_FIRST: JSON.stringify({ token, topic: "first" }) };
    const life = await Life.begin({ flows, credentials, env });
    assert.equal(await life.api("GET", "/probe/first"), 200);
    assert.deepEqual(await life.got("a", "b"), ["Acme", "Acme"]);
    await life.end();
  });
});
