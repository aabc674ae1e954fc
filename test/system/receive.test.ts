import assert from "node:assert/strict";
import { startNodeRed, type NodeRed } from "../../scripts/node-red";
import { maxHeld } from "../../src/receiving/endpoints";
import type { EventMessage } from "../../src/event/message";
import { readSamples, sampleNames } from "../events";
import { install } from "./package";

const tokens = {
  acme: "Zk3vQ9cXw1LmT7yHs0RdNA",
  previous: "Yx2uP8bWv0KlS6xGr9QcMz",
  other: "Xw1tO7aVu9JkR5wFq8PbLy",
};

const receive = { type: "radaro in", path: "/radaro", topics: [], sample: "job-completed" };
/** Two tabs and two merchants on one path; `a` and `b` belong to the same merchant. */
const flows = [
  { id: "tab1", type: "tab", label: "One" },
  { id: "tab2", type: "tab", label: "Two" },
  { id: "acme", type: "radaro-config", name: "Acme" },
  { id: "other", type: "radaro-config", name: "Other" },
  { ...receive, id: "in-a", z: "tab1", config: "acme", x: 100, y: 100, wires: [["a"]] },
  { ...receive, id: "in-b", z: "tab2", config: "acme", x: 100, y: 100, wires: [["b"]] },
  { ...receive, id: "in-c", z: "tab2", config: "other", x: 100, y: 200, wires: [["c"]] },
  { id: "a", type: "probe", z: "tab1", change: "topic", x: 300, y: 100, wires: [] },
  { id: "b", type: "probe", z: "tab2", x: 300, y: 100, wires: [] },
  { id: "c", type: "probe", z: "tab2", x: 300, y: 200, wires: [] },
  {
    id: "catch1",
    type: "catch",
    z: "tab1",
    scope: ["in-a"],
    uncaught: false,
    x: 100,
    y: 300,
    wires: [["caught"]],
  },
  { id: "caught", type: "probe", z: "tab1", x: 300, y: 300, wires: [] },
];
const credentials = {
  acme: { token: tokens.acme, previousToken: tokens.previous },
  other: { token: "${OTHER_TOKEN}" },
};

for (const [name, settings, adminRoot] of [
  ["default settings", {}, ""],
  ["an httpAdminRoot of its own", { httpAdminRoot: "/admin" }, "/admin"],
] as const) {
  describe(`Node-RED with ${name}`, () => {
    let nodeRed: NodeRed;
    let admin: string;

    before(async () => {
      nodeRed = await startNodeRed({
        flows,
        credentials,
        settings,
        env: { OTHER_TOKEN: tokens.other },
        prepare: install,
      });
      admin = nodeRed.url + adminRoot;
    });
    after(() => nodeRed.stop());

    async function post(body: unknown, headers: Record<string, string> = {}, path = "/radaro") {
      const response = await fetch(nodeRed.url + path, {
        method: "POST",
        headers: { "Content-Type": "application/json", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      });
      return { status: response.status, headers: response.headers, text: await response.text() };
    }
    /** What a probe has got since the last time, as soon as it is at least `count` messages. */
    async function got(id: string, count: number): Promise<(EventMessage & { _msgid: string })[]> {
      return (await (await fetch(`${admin}/probe/${id}/${count}`)).json()) as (EventMessage & {
        _msgid: string;
      })[];
    }
    const nothing = async () =>
      assert.deepEqual(await Promise.all(["a", "b", "c", "caught"].map((id) => got(id, 0))), [
        [],
        [],
        [],
        [],
      ]);
    const deploy = (config: object[]) =>
      fetch(`${admin}/flows`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "Node-RED-Deployment-Type": "full" },
        body: JSON.stringify(config),
      });

    for (const sample of sampleNames) {
      it(`answers 200 to ${sample}, and each node of the merchant sends it as a message of its own`, async () => {
        const event = readSamples()[sample];
        const before = Date.now();
        const { status, text } = await post({ ...event, token: tokens.acme });
        assert.deepEqual([status, text], [200, '{"ok":true}']);
        const [[a], [b]] = await Promise.all([got("a", 1), got("b", 1)]);
        assert.equal(a!.topic, event.topic);
        assert.deepEqual(a!.payload, event);
        assert.deepEqual(a!.radaro, {
          eventType: event.event_type ?? null,
          changed: Object.keys(event.new_values ?? {}),
          orderId: a!.radaro.orderId,
          externalId: a!.radaro.externalId,
          merchant: "Acme",
          receivedAt: a!.radaro.receivedAt,
        });
        assert.ok(
          Date.parse(a!.radaro.receivedAt) >= before && Date.parse(a!.radaro.receivedAt) <= Date.now(),
        );
        assert.deepEqual(b?.payload, event, "what the flow of a did to its message does not show in b");
        await nothing();
      });
    }

    it("takes the job's ids from wherever the event carries them", async () => {
      const ids: Record<string, unknown> = {};
      for (const sample of sampleNames) {
        await post({ ...readSamples()[sample], token: tokens.other });
        const [message] = await got("c", 1);
        ids[sample] = [message?.radaro.orderId, message?.radaro.externalId];
      }
      const none = [null, null];
      const special = {
        "checklist-start-of-day": none,
        "checklist-end-of-day": none,
        "optimisation-completed": none,
        "optimisation-deleted": none,
        "concatenated-order-created": [410090001, null],
      };
      const usual = Object.fromEntries(sampleNames.map((sample) => [sample, [410077215, "SO-20418"]]));
      assert.deepEqual(ids, { ...usual, ...special });
    });

    it("gives each merchant its own, by its current and its previous token", async () => {
      await post({ topic: "for-other", token: tokens.other });
      await post({ topic: "for-acme", token: tokens.previous });
      const [[a], [b], [c]] = await Promise.all([got("a", 1), got("b", 1), got("c", 1)]);
      assert.deepEqual(
        [a, b, c].map((message) => message?.topic),
        ["for-acme", "for-acme", "for-other"],
      );
      assert.deepEqual(
        [a, b, c].map((message) => message?.radaro.merchant),
        ["Acme", "Acme", "Other"],
      );
      await nothing();
    });

    it("sends events without event_type, without topic, with unknown topics and fields whole", async () => {
      const text =
        '{"b":{"deep":[1,{"x":null}]},"__proto__":{"p":1},"new_values":{"later":[1]},"a":1.5e300,"":"ü"}';
      for (const event of [text, '{"topic":"later.topic"}', '{"event_type":"later"}', "{}"]) {
        const body =
          event === "{}" ? `{"token":"${tokens.acme}"}` : `${event.slice(0, -1)},"token":"${tokens.acme}"}`;
        assert.equal((await post(body)).status, 200);
        const [[message]] = await Promise.all([got("b", 1), got("a", 1)]);
        assert.equal(JSON.stringify(message?.payload), JSON.stringify(JSON.parse(event)));
      }
    });

    it("answers 401 where the token is wrong, missing or not a string, and sends nothing", async () => {
      for (const sample of sampleNames) {
        for (const token of [
          undefined,
          null,
          1,
          true,
          "",
          "wrong",
          `${tokens.acme}x`,
          [tokens.acme],
          { a: tokens.acme },
          "${OTHER_TOKEN}",
        ]) {
          const { status, text } = await post({ ...readSamples()[sample], token });
          assert.equal(status, 401);
          assert.match(text, /^{"ok":false,"error":"[^"]+"}$/);
        }
      }
      await nothing();
    });

    it("answers 400 to a field of a wrong type, names it, and gives the event to a Catch node", async () => {
      const event = { topic: "job.changed", new_values: [], order_info: "x", order_id: 5 };
      const { status, text } = await post({ ...event, token: tokens.acme });
      assert.equal(status, 400);
      assert.match(text, /new_values must be an object or null, order_info must be an object or null/);
      const [message] = (await got("caught", 1)) as unknown as (EventMessage & {
        error: { message: string };
      })[];
      assert.deepEqual(message?.payload, event);
      assert.equal(message?.radaro.orderId, 5);
      assert.match(message.error.message, /new_values must be an object or null/);
      await nothing();
    });

    it("answers 400 to what is no object", async () => {
      const { status, text } = await post([{ token: tokens.acme }]);
      assert.deepEqual([status, (JSON.parse(text) as { ok: boolean }).ok], [400, false]);
      await nothing();
    });

    it("answers 400 to what is not JSON", async () => {
      for (const body of ["{", "nonsense", `{"token":"${tokens.acme}"`]) {
        const { status, text } = await post(body);
        assert.deepEqual(
          [status, text],
          [400, '{"ok":false,"error":"The body is not complete, valid JSON."}'],
        );
      }
      await nothing();
    });

    it("answers 413 to what is over apiMaxLength", async () => {
      const { status, text } = await post({ token: tokens.acme, filler: "x".repeat(5 * 1024 * 1024) });
      assert.deepEqual([status, (JSON.parse(text) as { ok: boolean }).ok], [413, false]);
      await nothing();
    });

    it("answers 415 to what is not declared as JSON", async () => {
      for (const type of [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
      ]) {
        assert.equal((await post({ token: tokens.acme }, { "Content-Type": type })).status, 415);
      }
      await nothing();
    });

    it("answers 405 to what is not a POST, and says what is", async () => {
      for (const method of ["GET", "HEAD", "PUT", "PATCH", "DELETE"]) {
        const response = await fetch(`${nodeRed.url}/radaro`, { method });
        assert.deepEqual([response.status, response.headers.get("allow")], [405, "POST"], method);
      }
    });

    it("takes a trailing / as no difference, and knows no other path", async () => {
      assert.equal((await post({ token: tokens.other }, {}, "/radaro/")).status, 200);
      await got("c", 1);
      for (const path of ["/radaro/x", "/RADARO", "/rad"])
        assert.equal((await post({ token: tokens.acme }, {}, path)).status, 404);
    });

    it("holds events during a deploy, answers 503 where too many wait, and delivers the others", async () => {
      await fetch(`${admin}/probe/slow`, { method: "POST" });
      const deployed = deploy(flows);
      await fetch(`${admin}/probe/closing`);
      const answers = Array.from({ length: maxHeld + 1 }, (_, i) =>
        post({ topic: `held ${i}`, token: tokens.other }),
      );
      const first = await Promise.race(answers);
      assert.equal(first.status, 503);
      assert.match(first.headers.get("retry-after") ?? "", /^\d+$/);
      assert.equal((JSON.parse(first.text) as { ok: boolean }).ok, false);
      await fetch(`${admin}/probe/close`, { method: "POST" });
      await deployed;
      const statuses = (await Promise.all(answers)).map(({ status }) => status).sort();
      assert.deepEqual([statuses.filter((status) => status === 200).length, statuses.at(-1)], [maxHeld, 503]);
      const topics = (await got("c", maxHeld)).map(({ topic }) => topic);
      assert.equal(new Set(topics).size, maxHeld);
      assert.equal(topics.length, maxHeld);
    });

    it("holds as many layers, listeners and timers after 50 full deploys as after one", async () => {
      const count = async () => (await fetch(`${admin}/probe/count`)).json() as Promise<unknown>;
      const deployAndWait = async () => {
        assert.equal((await deploy(flows)).status, 204);
        await nodeRed.printed("Started flows");
      };
      await nodeRed.printed("Started flows"); // of the deploy before
      await deployAndWait();
      const before = await count();
      for (let i = 0; i < 50; i++) await deployAndWait();
      assert.deepEqual(await count(), before);
    });

    it("sends a test event by its button, and says what keeps it from it", async () => {
      const press = async (id: string, sample: string) => {
        const response = await fetch(`${admin}/radaro-in/${id}/test`, {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ sample }),
        });
        return [response.status, (await response.json()) as unknown];
      };
      const sent = await press("in-c", "job-failed");
      const [message] = await got("c", 1);
      assert.deepEqual(sent, [200, { result: "sent", message: message?._msgid }]);
      assert.deepEqual(message?.payload, readSamples()["job-failed"]);
      assert.equal(message?.radaro.test, true);
      assert.deepEqual(await press("gone", "job-failed"), [404, { result: "not-deployed" }]);
      await nothing();
    });
  });
}
