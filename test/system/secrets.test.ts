import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { JobsApi, MadeUpRadaro } from "../../scripts/made-up-radaro";
import { startNodeRed, type NodeRed } from "../../scripts/node-red";
import { readSamples } from "../events";
import { connect, type Comms } from "./editor-comms";
import { install } from "./package";

/** As Radaro gives them, without the `==` at their end. */
const tokens = {
  current: "Zk3vQ9cXw1LmT7yHs0RdNA",
  previous: "Yx2uP8bWv0KlS6xGr9QcMz",
  other: "Xw1tO7aVu9JkR5wFq8PbLy",
  fromEnvironment: "Vm9rM5yUs7HhP3uDo6NzJw",
  wrong: "Ul8qL4xTr6GgO2tCn5MyIv",
};
/** As secret as they are: made of what no other text here has. */
const apiKeys = {
  asking: "5f3c9b7e-81d2-4a6f-b0c4-e7d95a1832bf",
  refused: "9e4d7a21-6b0f-4c83-a5d7-2f18c06be94d",
};
/** Part of each event, and no secret: where this is found, a token would be found too. */
const canary = "canary-7f3a";

const receive = { type: "radaro in", z: "tab1", path: "/radaro", topics: [], x: 100, y: 100 };
const at = { z: "tab1", x: 300, y: 100 };
const debug = {
  ...at,
  type: "debug",
  active: true,
  tosidebar: true,
  console: true,
  tostatus: true,
  complete: "true",
  targetType: "full",
  statusVal: "payload",
  statusType: "msg",
};
/** A flow that keeps the whole message wherever Node-RED can keep one. */
const flows = [
  { id: "tab1", type: "tab", label: "One" },
  {
    id: "acme",
    type: "radaro-config",
    name: "Acme",
    inbox: true,
    catchUp: 0.005,
    credentials: {
      token: ` ${tokens.current}==\n`,
      previousToken: tokens.previous,
      apiKey: ` ${apiKeys.asking}\n`,
    },
  },
  {
    id: "other",
    type: "radaro-config",
    name: "Other",
    inbox: true,
    catchUp: 0.005,
    credentials: { token: tokens.other, apiKey: apiKeys.refused },
  },
  { id: "third", type: "radaro-config", name: "Third", credentials: { token: "${THIRD_TOKEN}" } },
  ...["acme", "other", "third"].map((config) => ({
    ...receive,
    id: `in-${config}`,
    config,
    wires: [["keep"]],
  })),
  {
    ...at,
    id: "keep",
    type: "function",
    outputs: 1,
    func: `for (const store of ["memory", "file"]) {
      for (const holder of [global, flow, context]) holder.set("last", msg, store);
    }
    node.warn(msg);
    return msg;`,
    wires: [["shown", "as-json", "got"]],
  },
  { ...debug, id: "shown", wires: [] },
  { ...at, id: "as-json", type: "json", property: "payload", action: "str", wires: [["to-file"]] },
  {
    ...at,
    id: "to-file",
    type: "file",
    filename: "events.jsonl",
    filenameType: "str",
    appendNewline: true,
    overwriteFile: "false",
    wires: [["kept"]],
  },
  { ...at, id: "kept", type: "probe", wires: [] },
  { ...at, id: "got", type: "probe", wires: [] },
  { ...at, id: "catch1", type: "catch", scope: null, uncaught: false, wires: [["shown", "caught"]] },
  { ...at, id: "status1", type: "status", scope: ["in-acme", "in-other", "in-third"], wires: [["states"]] },
  { ...at, id: "caught", type: "probe", wires: [] },
  { ...at, id: "states", type: "probe", wires: [] },
];

for (const { name, adminRoot } of [
  { name: "default settings", adminRoot: "" },
  { name: "an httpAdminRoot of its own", adminRoot: "/admin" },
]) {
  describe(`Tokens, in Node-RED with inboxes and ${name},`, () => {
    let nodeRed: NodeRed;
    let admin: string;
    let comms: Comms;
    let api: JobsApi;

    /**
     * Asserts that no part of a token is in something that has left.
     *
     * @param known what must be in it: otherwise this has looked at nothing
     */
    function scan(where: string, text: string, known: string) {
      assert.ok(text.includes(known), `${known} is not in ${where}: ${text.slice(0, 1000)}`);
      for (const [which, token] of Object.entries({ ...tokens, ...apiKeys }))
        assert.equal(findToken(text, token), undefined, `part of the ${which} token is in ${where}`);
    }

    before(async () => {
      api = await JobsApi.start(new MadeUpRadaro(), apiKeys.asking);
      nodeRed = await startNodeRed({
        settings: {
          ...(adminRoot && { httpAdminRoot: adminRoot }),
          credentialSecret: "for this test",
          logging: { console: { level: "trace", metrics: true, audit: true } },
          contextStorage: {
            default: "memory",
            memory: { module: "memory" },
            file: { module: "localfilesystem", config: { flushInterval: 0 } },
          },
        },
        env: { THIRD_TOKEN: `${tokens.fromEnvironment}==` },
        prepare: install,
      });
      admin = nodeRed.url + adminRoot;
      comms = await connect(admin);
      // As the editor deploys: with the credentials that the user has entered.
      const answer = await fetch(`${admin}/flows`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "Node-RED-API-Version": "v2" },
        body: JSON.stringify({
          flows: flows.map((node) => ("catchUp" in node ? { ...node, server: api.url } : node)),
        }),
      });
      scan("the answer to a deploy", await answer.text(), "rev");
      await nodeRed.printed("Started flows");
    });
    after(async () => {
      comms.close();
      await nodeRed.stop();
      await api.stop();
    });

    /** Sends a request and scans its answer. */
    async function send(expected: number, body: string | undefined, options: RequestInit = {}, query = "") {
      const response = await fetch(`${nodeRed.url}/radaro${query}`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body,
        ...options,
      });
      assert.equal(response.status, expected, `${body?.slice(0, 200)}`);
      const answer = JSON.stringify([[...response.headers], await response.text()]);
      scan(`the answer ${expected}`, answer, '"ok\\":');
    }
    const event = (token: unknown, fields: object = {}) =>
      JSON.stringify({ ...readSamples()["job-completed"], canary, ...fields, token });
    const probed = async (id: string, count: number) => (await fetch(`${admin}/probe/${id}/${count}`)).text();

    it("are in nothing that is said of an API key that is taken, or not", async () => {
      for (let text = ""; !/"asked":"20.*"kind":"refused"/.test(text);) {
        text = await (await fetch(`${admin}/radaro-inbox`)).text();
        scan("what asking says", text, "catchUp");
      }
    });

    it("verify events, and are in no answer, not even of a refused request", async () => {
      const { wrong, ...right } = tokens;
      for (const token of Object.values(right)) {
        for (const spelling of [token, `${token}==`, ` ${token}\n`]) await send(200, event(spelling));
        await send(400, event(token, { new_values: 1, order_info: "x" }));
        await send(401, event(`${token}x`));
        await send(401, event([token]));
        await send(401, event({ token }));
        await send(400, `[${event(token)}]`);
        await send(405, event(token), { method: "PUT" });
        await send(405, undefined, { method: "GET" }, `?token=${token}`);
        await send(415, event(token), { headers: { "Content-Type": "text/plain" } });
        await send(401, event(undefined), {
          headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}`, "X-Token": token },
        });
        for (const body of [
          `{"token":${token}}`,
          `{"token":"${token}"`,
          `"${token}"`,
          token,
          `{"${token}",}`,
        ])
          await send(400, body);
        await send(413, event(token, { filler: "x".repeat(5 * 1024 * 1024) }));
        await send(415, event(token), { headers: { "Content-Type": `application/json; charset=${token}` } });
        await send(415, event(token), {
          headers: { "Content-Type": "application/json", "Content-Encoding": token },
        });
      }
      await send(401, event(wrong));
    });

    it("are in no message: of radaro in, of a Catch node, of a Status node", async () => {
      // Four tokens in three spellings, and one event of a wrong type each.
      scan("messages", await probed("got", 12), canary);
      scan("messages of a Catch node", await probed("caught", 4), canary);
      scan("messages of a Status node", await probed("states", 1), "radaro in");
      await probed("kept", 12);
    });

    it("are in nothing that the editor is told: statuses, the debug sidebar, notifications", async () => {
      await comms.debugged(12);
      scan("the debug sidebar", JSON.stringify(comms.all.filter(({ topic }) => topic === "debug")), canary);
      const told = JSON.stringify(comms.all);
      for (const known of ["status/in-acme", "status/shown", "notification/"]) scan("comms", told, known);
    });

    it("are in no answer of the admin API, and in no exported flow", async () => {
      const get = async (path: string, known: string, headers: Record<string, string> = {}) =>
        scan(path, await (await fetch(admin + path, { headers })).text(), known);
      await get("/flows", "radaro-config", { "Node-RED-API-Version": "v1" });
      await get("/flows", "radaro-config", { "Node-RED-API-Version": "v2" });
      await get("/flow/tab1", "radaro in");
      await get("/flow/global", "radaro-config");
      for (const id of ["acme", "other", "third"])
        await get(`/credentials/radaro-config/${id}`, '"has_token":true');
      await get("/nodes", "node-red-contrib-radaro", { Accept: "application/json" });
      await get("/nodes", "radaro-config", { Accept: "text/html" });
      await get("/nodes/node-red-contrib-radaro", "radaro-in");
      await get("/settings", "version");
      await get("/settings/user", "{");
      await get("/diagnostics", "nodejs");
      await get("/radaro-in/samples/job-completed", "delivered");
      await get("/radaro-inbox", "Acme");
      const list = await (await fetch(`${admin}/radaro-inbox/acme/events`)).text();
      scan("the list of an inbox", list, "job-completed");
      for (const { seq } of (JSON.parse(list) as { events: { seq: string }[] }).events)
        await get(`/radaro-inbox/acme/events/${seq}`, canary);
      for (const scope of ["global", "flow/tab1", "node/keep"]) {
        await get(`/context/${scope}`, canary);
        await get(`/context/${scope}/last?store=file`, canary);
      }
      for (const id of ["in-acme", "in-other", "in-third", "acme"]) {
        const response = await fetch(`${admin}/radaro-in/${id}/test`, {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ sample: "job-failed" }),
        });
        scan("the answer to the test button", await response.text(), "result");
      }
      await probed("kept", 3);
    });

    it("are in no log, at any level", () => {
      // What the debug node wrote, a metric, an audit entry and a trace.
      for (const known of [canary, "node.radaro in.send", "flows.set", "[trace]"])
        scan("the log", nodeRed.output(), known);
    });

    it("are in no file below the user directory, with a credentialSecret not in flows_cred.json either", () => {
      const files = readdirSync(nodeRed.userDir, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && !entry.parentPath.includes("node_modules"))
        // Node-RED writes context to such a file and renames it then: it may be gone.
        .filter(({ name }) => !name.endsWith(".tmp"))
        .map((entry) => join(entry.parentPath, entry.name).slice(nodeRed.userDir.length + 1));
      const known: Record<string, string> = {
        "flows.json": "radaro-config",
        "flows_cred.json": '"$"',
        "settings.js": "credentialSecret",
        "events.jsonl": canary,
        [join("radaro-inbox", "acme", "inbox.sqlite-wal")]: canary,
        [join("context", "global", "global.json")]: "receivedAt",
        [join("context", "tab1", "flow.json")]: "receivedAt",
        [join("context", "tab1", "keep.json")]: "receivedAt",
      };
      for (const file of Object.keys(known)) assert.ok(files.includes(file), `${file}, of ${files.join()}`);
      for (const file of files)
        scan(file, readFileSync(join(nodeRed.userDir, file), "utf8"), known[file] ?? "");
    });
  });
}

describe("The scan for tokens", () => {
  const token = tokens.current;
  it("finds one in any text, whole or in part, also as base64 and hexadecimal", () => {
    for (const leaked of [
      token,
      `{"token":"${token}=="}`,
      `Unexpected token, "…${token.slice(0, 9)}" is not valid JSON`,
      Buffer.from(token).toString("base64"),
      Buffer.from(token).toString("hex"),
    ]) {
      assert.notEqual(findToken(`before ${leaked} after`, token), undefined, leaked);
    }
    assert.equal(findToken(JSON.stringify(readSamples()), token), undefined);
  });
});

/** The first part of a token, of 8 characters, that is in a text in any form. */
function findToken(text: string, token: string): string | undefined {
  const forms = [token, Buffer.from(token).toString("base64"), Buffer.from(token).toString("hex")];
  const parts = forms.flatMap((form) =>
    Array.from({ length: form.length - 7 }, (_, i) => form.slice(i, i + 8)),
  );
  return parts.find((part) => text.includes(part));
}
