import assert from "node:assert/strict";
import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { isDeepStrictEqual } from "node:util";
import express from "express";
import helper from "node-red-node-test-helper";
import type { Node, NodeAPI, NodeDef } from "node-red";
import { readSamples, sampleNames } from "../events";
import { answered, start, stop, type Runtime, type Status } from "./runtime";

// The runtime's own, as the button in the editor that stops the flows calls it.
// eslint-disable-next-line @typescript-eslint/no-require-imports -- has no types
const { stopFlows } = require("@node-red/runtime/lib/flows") as { stopFlows(): Promise<void> };

const token = "Zk3vQ9cXw1LmT7yHs0RdNA";
const tab = { id: "tab", type: "tab", label: "Flow" };
const config = { id: "config", type: "radaro-config", name: "Acme" };
const receive = {
  id: "in",
  type: "radaro in",
  z: "tab",
  config: "config",
  path: "/radaro",
  topics: [],
  wires: [["out"]],
};
const out = { id: "out", type: "helper", z: "tab", wires: [] };
const credentials = { config: { token } };

const catching = [
  { id: "catch1", type: "catch", z: "tab", scope: null, uncaught: false, wires: [["caught"]] },
  { id: "caught", type: "helper", z: "tab", wires: [] },
];

describe("radaro in", () => {
  before(() => helper.startServer());
  after(() => helper.stopServer());
  afterEach(stop);

  for (const parsed of [true, false]) {
    describe(parsed ? "behind an application that has parsed the body" : "with nobody in front of it", () => {
      let runtime: Runtime;
      const begin = async (flow: object[] = [tab, config, receive, out, ...catching], settings = {}) =>
        (runtime = await start(flow, credentials, { parsed, settings }));

      for (const name of sampleNames) {
        it(`sends ${name} as the contract's message`, async () => {
          await begin();
          const { all: messages } = runtime.collect("out");
          const before = Date.now();
          const answer = await runtime.post("/radaro", { ...readSamples()[name], token });
          assert.deepEqual([answer.status, answer.body], [200, { ok: true }]);
          assert.equal(messages.length, 1);
          const { _msgid, topic, payload, radaro, ...rest } = messages[0]!;
          assert.ok(_msgid);
          assert.deepEqual(payload, readSamples()[name]);
          assert.equal(topic, payload.topic);
          const keys = ["eventType", "changed", "orderId", "externalId", "merchant", "receivedAt"];
          assert.deepEqual(Object.keys(radaro), keys);
          assert.equal(radaro.merchant, "Acme");
          assert.ok(Date.parse(radaro.receivedAt) >= before && Date.parse(radaro.receivedAt) <= Date.now());
          assert.deepEqual(rest, {});
        });
      }

      it("refuses what does not carry the token, and sends nothing", async () => {
        await begin();
        const { all: messages } = runtime.collect("out");
        for (const sent of ["wrong", `${token}x`, "", 1, null, [token], { token }, true, undefined]) {
          const answer = await runtime.post("/radaro", { ...readSamples()["job-created"], token: sent });
          assert.equal(answer.status, 401);
          assert.equal((answer.body as { ok: boolean }).ok, false);
        }
        assert.deepEqual(messages, []);
      });

      it("answers 405 to everything but a POST", async () => {
        await begin();
        for (const method of ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
          const answer = await answered(await fetch(`${runtime.url}/radaro`, { method }));
          assert.equal(answer.status, 405, method);
          assert.equal(answer.headers.get("allow"), "POST");
        }
      });

      it("answers 415 to a body that is not declared as JSON", async () => {
        await begin();
        const body = JSON.stringify({ token });
        for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""]) {
          const answer = await runtime.post("/radaro", body, { "Content-Type": type });
          assert.equal(answer.status, 415, type);
        }
        for (const type of [
          "application/json; charset=utf-8",
          "APPLICATION/JSON",
          "application/cloudevents+json",
        ]) {
          assert.equal((await runtime.post("/radaro", body, { "Content-Type": type })).status, 200, type);
        }
      });

      it("answers 400 to a list, and to a field of a wrong type after verification only", async () => {
        await begin();
        assert.equal((await runtime.post("/radaro", [{ token }])).status, 400);
        assert.equal((await runtime.post("/radaro", { topic: 1, token: "wrong" })).status, 401);
        const answer = await runtime.post("/radaro", { topic: 1, old_values: [], token });
        assert.equal(answer.status, 400);
        assert.match(JSON.stringify(answer.body), /topic must be .* old_values must be /);
      });

      it("raises a verified event with a field of a wrong type, with its message, for a Catch node", async () => {
        await begin();
        const [caught, sent] = [runtime.collect("caught"), runtime.collect("out")];
        await runtime.post("/radaro", {
          topic: "job.changed",
          new_values: "x",
          order_info: { order_id: 7 },
          token,
        });
        const message = await caught.find(() => true);
        assert.deepEqual(message.payload, {
          topic: "job.changed",
          new_values: "x",
          order_info: { order_id: 7 },
        });
        assert.equal(message.radaro.orderId, 7);
        assert.equal(message.error?.source.id, "in");
        assert.deepEqual(sent.all, []);
      });

      it("answers 404 on a path that no node has", async () => {
        await begin();
        for (const path of ["/", "/other", "/radaro/x"])
          assert.equal((await runtime.post(path, { token })).status, 404);
      });

      it("takes its path literally, with or without a / at the end", async () => {
        await begin([tab, config, { ...receive, path: "a/:b(*)+" }, out]);
        for (const path of ["/a/:b(*)+", "/a/:b(*)+/"]) {
          assert.equal((await runtime.post(path, { token })).status, 200, path);
        }
        for (const path of ["/a/c", "/a/:bb", "/a"])
          assert.equal((await runtime.post(path, { token })).status, 404);
      });
    });
  }

  describe("with nobody in front of it", () => {
    it("answers 400 to what is not JSON, and to a body of another length or encoding than it says", async () => {
      const { post } = await start([tab, config, receive, out], credentials);
      for (const body of ["", "{", "nonsense", '"text"', "1", "null", `{"token":"${token}"`]) {
        const { status } = await post("/radaro", body);
        assert.equal(status, body === "" ? 401 : 400, body);
      }
      assert.equal((await post("/radaro", "{}", { "Content-Encoding": "gzip" })).status, 400);
      assert.equal((await post("/radaro", "{}", { "Content-Encoding": "nonsense" })).status, 415);
      assert.equal((await post("/radaro", "{}", { "Content-Encoding": "Identity" })).status, 401);
    });

    it("answers 413 to a body over apiMaxLength, which is 5mb where it is not set", async () => {
      const body = (bytes: number) => {
        const empty = JSON.stringify({ token, filler: "" });
        return JSON.stringify({ token, filler: "x".repeat(bytes - empty.length) });
      };
      const limits = [
        [{ apiMaxLength: "1kb" }, 1024],
        [{}, 5 * 1024 * 1024],
      ] as const;
      for (const [settings, limit] of limits) {
        const { post } = await start([tab, config, receive, out], credentials, { settings });
        assert.equal((await post("/radaro", body(limit))).status, 200);
        assert.equal((await post("/radaro", body(limit + 1))).status, 413);
        await stop();
      }
    });
  });

  it("gives each merchant and each node on a path its own, on different tabs", async () => {
    const flow = [
      tab,
      { ...tab, id: "tab2" },
      config,
      { ...config, id: "config2", name: "Other" },
      receive,
      out,
      { ...receive, id: "in2", z: "tab2", path: "radaro/", wires: [["out2"]] },
      { ...out, id: "out2", z: "tab2" },
      { ...receive, id: "in3", z: "tab2", config: "config2", wires: [["out3"]] },
      { ...out, id: "out3", z: "tab2" },
    ];
    const { post, collect } = await start(flow, { ...credentials, config2: { token: "other" } });
    const [first, second, third] = [collect("out"), collect("out2"), collect("out3")];
    helper.getNode("out").on("input", (message) => {
      (message.payload as { order_info: { status: string } }).order_info.status = "changed";
    });
    await post("/radaro", { ...readSamples()["job-created"], token });
    await post("/radaro", { ...readSamples()["job-deleted"], token: "other" });
    const a = await first.find(() => true);
    const b = await second.find(() => true);
    const c = await third.find(() => true);
    assert.deepEqual(
      [first, second, third].map(({ all }) => all.length),
      [1, 1, 1],
    );
    assert.equal((a.payload.order_info as { status: string }).status, "changed");
    assert.deepEqual(b.payload, readSamples()["job-created"]);
    assert.deepEqual(
      [a, b, c].map(({ radaro }) => radaro.merchant),
      ["Acme", "Acme", "Other"],
    );
    assert.notEqual(a._msgid, b._msgid);
  });

  it("lets only its topics through, and answers 200 to the others", async () => {
    const { post, collect } = await start(
      [tab, config, { ...receive, topics: ["job.deleted", "later.topic"] }, out],
      credentials,
    );
    const { all: messages } = collect("out");
    for (const topic of ["job.changed", "job.deleted", "later.topic", undefined]) {
      assert.equal((await post("/radaro", { topic, token })).status, 200);
    }
    assert.deepEqual(
      messages.map(({ topic }) => topic),
      ["job.deleted", "later.topic"],
    );
  });

  it("takes tokens from the environment, and the previous token too", async () => {
    process.env.RADARO_TEST_TOKEN = "from-the-environment";
    const { post } = await start([tab, config, receive, out], {
      config: { token: "${RADARO_TEST_TOKEN}", previousToken: ` ${token}==\n` },
    });
    for (const sent of ["from-the-environment", token]) {
      assert.equal((await post("/radaro", { token: sent })).status, 200);
    }
    assert.equal((await post("/radaro", { token: "${RADARO_TEST_TOKEN}" })).status, 401);
    delete process.env.RADARO_TEST_TOKEN;
  });

  describe("status", () => {
    const refusedRing = { fill: "red", shape: "ring" };
    const look = ({ fill, shape }: Status) => ({ fill, shape });

    it("says what is not configured, and refuses everything", async () => {
      for (const [change, creds, expected] of [
        [{ config: "" }, credentials, "no-merchant"],
        [{ config: "gone" }, credentials, "no-merchant"],
        [{ config: "out" }, credentials, "no-merchant"],
        [{}, {}, "no-token"],
        [{}, { config: { token: "  " } }, "no-token"],
        [{}, { config: { token: "${RADARO_NOT_SET}" } }, "no-token"],
      ] as const) {
        const { post, statuses } = await start([tab, config, { ...receive, ...change }, out], creds);
        const [first] = statuses.all;
        assert.equal(first?.text, `radaro-in.problem.${expected}`);
        assert.deepEqual(look(first), refusedRing);
        for (const sent of [token, "", "${RADARO_NOT_SET}"]) {
          assert.equal((await post("/radaro", { token: sent })).status, 401);
        }
        await stop();
      }
    });

    const odd = [
      42,
      0,
      true,
      {},
      ["/radaro"],
      "${RADARO_NOT_SET}",
      "/a/${RADARO_NOT_SET}",
      "",
      null,
      undefined,
    ];
    it("says what is wrong, and lets later deploys be, whatever stands in the flow's JSON", async () => {
      for (const property of ["path", "topics", "config", "name", "sample"]) {
        for (const value of odd) {
          const { post, statuses, deploy } = await start([tab, config, receive, out], credentials);
          await statuses.find(({ text }) => text === "radaro-in.status.waiting");
          const said = statuses.all.length;
          await deploy([tab, config, { ...receive, [property]: value }, out]);
          const { text } = await statuses.find((each) => statuses.all.indexOf(each) >= said);
          if (text === "radaro-in.status.waiting") {
            const path = property === "path" ? `/${(value as string | null) ?? "radaro"}` : "/radaro";
            assert.equal((await post(path, { token })).status, 200, `${property} ${JSON.stringify(value)}`);
          } else {
            assert.match(text, /^radaro-in\.problem\./);
          }
          await deploy([tab, config, { ...receive, path: "/next" }, out]);
          assert.equal((await post("/next", { token })).status, 200);
          const logged = helper.log().args.flat() as { msg: unknown }[];
          assert.ok(!logged.some(({ msg }) => String(msg).includes("TypeError")), JSON.stringify(logged));
          await stop();
        }
      }
    });

    it("says which variable of its path or topics is not set, and takes the number in one", async () => {
      for (const [change, expected] of [
        [{ path: "${RADARO_NOT_SET}" }, "problem.path-variable"],
        [{ path: "/a/${RADARO_NOT_SET}" }, "problem.part-variable"],
        [{ path: {} }, "problem.path-not-text"],
        [{ topics: "${RADARO_NOT_SET}" }, "problem.topics-variable"],
        [{ topics: ["${RADARO_NOT_SET}"] }, "problem.topics-variable"],
        [{ topics: "job.deleted" }, "problem.topics-not-list"],
        [{ topics: ["job.deleted", "${RADARO_NOT_SET}"] }, "status.waiting"],
        [{ topics: ["job.deleted", 42] }, "status.waiting"],
        [{ path: "${SHOP}" }, "status.waiting"],
      ] as const) {
        const shop = { ...tab, env: [{ name: "SHOP", type: "num", value: "42" }] };
        const { statuses, post } = await start([shop, config, { ...receive, ...change }, out], credentials);
        const { text } = await statuses.find(() => true);
        assert.equal(text, `radaro-in.${expected}`);
        if ("path" in change && expected === "status.waiting")
          assert.equal((await post("/42", { token })).status, 200);
        await stop();
      }
    });

    it("says that a GET of Radaro's sender comes from a redirection, and counts it", async () => {
      const { url, statuses } = await start([tab, config, receive, out], credentials);
      for (const [agent, answer] of [
        ["python-requests/2.31.0", /redirects\. Enter the final https address/],
        ["Mozilla/5.0", /^Only POST/],
      ] as const) {
        const response = await answered(await fetch(`${url}/radaro`, { headers: { "User-Agent": agent } }));
        assert.deepEqual([response.status, response.headers.get("allow")], [405, "POST"]);
        assert.match((response.body as { error: string }).error, answer);
      }
      await statuses.find(({ text }) => text === "radaro-in.status.refused");
    });

    it("says that a path is missing, and that HTTP nodes are off", async () => {
      const noPath = await start([tab, config, { ...receive, path: " " }, out], credentials);
      assert.equal(noPath.statuses.all[0]?.text, "radaro-in.problem.no-path");
      assert.equal((await noPath.post("/", { token })).status, 404);
      await stop();
      const settings = { httpNodeRoot: false };
      const off = await start([tab, config, receive, out], credentials, { settings });
      assert.equal(off.statuses.all[0]?.text, "radaro-in.problem.http-off");
      assert.equal((await off.post("/radaro", { token })).status, 404);
    });

    it("goes from waiting to the last event, and to the last refusal", async () => {
      const { post, statuses } = await start([tab, config, receive, out], credentials);
      const waiting = await statuses.find(({ text }) => text === "radaro-in.status.waiting");
      assert.deepEqual(look(waiting), { fill: "grey", shape: "ring" });

      await post("/radaro", { ...readSamples()["job-completed"], token });
      const last = await statuses.find(({ fill }) => fill === "green");
      assert.equal(last.shape, "dot");
      assert.match(last.text, /^\d\d:\d\d:\d\d · job\.status_changed · 410077215$/);

      await post("/radaro", { token: "wrong" });
      assert.deepEqual(
        look(await statuses.find(({ text }) => text === "radaro-in.status.refused")),
        refusedRing,
      );
    });

    it("has the date before the time as soon as the day is over", async () => {
      const today = globalThis.Date;
      let ahead = 0;
      /** A clock that is ahead of this machine's. */
      class Clock extends today {
        constructor(...args: [] | [number | string]) {
          super(...((args.length > 0 ? args : [today.now() + ahead]) as [number]));
        }
        static override now() {
          return today.now() + ahead;
        }
      }
      globalThis.Date = Clock as DateConstructor;
      try {
        const { post, statuses } = await start([tab, config, receive, out], credentials);
        await statuses.find(({ text }) => text === "radaro-in.status.waiting");
        const now = new today();
        const justBefore = new today(now.getFullYear(), now.getMonth(), now.getDate(), 23, 59, 55);
        ahead = justBefore.getTime() - now.getTime();
        await post("/radaro", { topic: "last", token });
        await statuses.find(({ text }) => /^23:59:5\d · last$/.test(text));
        await statuses.find(({ text }) => /^\d{4}-\d\d-\d\d 23:59:5\d · last$/.test(text));
      } finally {
        globalThis.Date = today;
      }
    });

    it("changes no more than once a second, and ends with the latest", async () => {
      const { post, statuses } = await start([tab, config, receive, out], credentials);
      for (let i = 0; i < 100; i++) await post("/radaro", { topic: `t${i}`, token });
      await statuses.find(({ text }) => text.endsWith("· t99"));
      const times = statuses.all.map(({ at }) => at);
      // One that is late does not delay the next.
      assert.ok(times.length <= (times.at(-1)! - times[0]!) / 1000 + 2, String(times));
    });
  });

  describe("test event", () => {
    const press = (sample: unknown, id = "in") =>
      helper.request().post(`/radaro-in/${id}/test`).send({ sample });

    for (const name of sampleNames) {
      it(`sends ${name} through this node only, marked as a test`, async () => {
        const flow = [
          tab,
          config,
          receive,
          out,
          { ...receive, id: "in2", wires: [["out2"]] },
          { ...out, id: "out2" },
        ];
        const { collect } = await start(flow, credentials);
        const [mine, other] = [collect("out"), collect("out2")];
        const { status, body } = await press(name);
        const message = await mine.find(() => true);
        assert.deepEqual([status, body], [200, { result: "sent", message: message._msgid }]);
        assert.deepEqual(message.payload, readSamples()[name]);
        assert.equal(message.radaro.test, true);
        assert.deepEqual(other.all, []);
      });
    }

    it("is verified by whichever token the merchant has, as a variable holds it", async () => {
      process.env.RADARO_TEST_TOKEN = '"quoted"';
      for (const token of [12345, "${RADARO_TEST_TOKEN}", "${RADARO_NOT_SET}", ""]) {
        await start([tab, config, receive, out], { config: { token, previousToken: " previous== " } });
        const { body } = await press("job-created");
        assert.equal((body as { result: string }).result, "sent", String(token));
        await stop();
      }
      delete process.env.RADARO_TEST_TOKEN;
    });

    it("leaves what is not configured in the status", async () => {
      const other = { ...receive, id: "in2", wires: [] };
      const flow = [tab, config, { ...receive, path: "${RADARO_NOT_SET}" }, out, other];
      const { RED, collect, statuses } = await start(flow, credentials);
      const message = collect("out");
      const green = new Promise<void>((resolve) => {
        RED.events.on("node-status", ({ id, status }: { id: string; status: Status }) => {
          if (id === "in2" && status.fill === "green") resolve();
        });
      });
      await press("job-created");
      await message.find(() => true);
      await press("job-created", "in2");
      await green; // shown later than what that of the first would have been
      assert.deepEqual(
        statuses.all.map(({ text }) => text),
        ["radaro-in.problem.path-variable"],
      );
    });

    it("says why nothing was sent", async () => {
      await start([tab, config, { ...receive, topics: ["job.changed"] }, out], credentials);
      const refused = async (...args: Parameters<typeof press>) => {
        const { status, body } = await press(...args);
        return [status, (body as { result: string }).result];
      };
      assert.deepEqual(await refused("job-created"), [200, "not-let-through"]);
      assert.deepEqual(await refused("no-such"), [400, "unknown-sample"]);
      assert.deepEqual(await refused("constructor"), [400, "unknown-sample"]);
      assert.deepEqual(await refused(undefined), [400, "unknown-sample"]);
      assert.deepEqual(await refused("job-created", "gone"), [404, "not-deployed"]);
      assert.deepEqual(await refused("job-created", "out"), [404, "not-deployed"]);
      await stop();
      await start([tab, config, receive, out]);
      assert.deepEqual(await refused("job-created"), [200, "not-verified"]);
    });
  });

  it("honours httpNodeMiddleware, on its own paths only", async () => {
    const seen: string[] = [];
    const first = (req: { path: string }, _res: object, next: () => void) => {
      seen.push(req.path);
      next();
    };
    const second = (req: { headers: Record<string, string> }, _res: object, next: (error?: Error) => void) =>
      next(req.headers["x-bad"] ? new Error("refused by the user's middleware") : undefined);
    const { post } = await start([tab, config, receive, out], credentials, {
      settings: { httpNodeMiddleware: [first, second] },
    });
    assert.equal((await post("/radaro", { token })).status, 200);
    assert.equal((await post("/other", { token })).status, 404);
    const bad = await post("/radaro", { token }, { "X-Bad": "1" });
    assert.deepEqual([bad.status, (bad.body as { ok: boolean }).ok], [500, false]);
    assert.deepEqual(seen, ["/radaro", "/radaro"]);
  });

  describe("behind middleware that has read the body", () => {
    type Middleware = (
      req: IncomingMessage & { body?: unknown; rawBody?: unknown },
      res: object,
      next: () => void,
    ) => void;
    const consumed =
      (use: (req: Parameters<Middleware>[0], text: string) => void): Middleware =>
      (req, _res, next) => {
        const chunks: Buffer[] = [];
        req.on("data", (chunk: Buffer) => chunks.push(chunk));
        req.on("end", () => {
          use(req, Buffer.concat(chunks).toString());
          next();
        });
      };
    const every = { type: "*/*" };
    const kept: Record<string, Middleware> = {
      "as a Buffer, as for signatures": express.raw(every) as Middleware,
      "as text": express.text(every) as Middleware,
      "as an object": express.json(every) as Middleware,
      "without the mark of body-parser": consumed((req, text) => {
        req.body = JSON.parse(text);
      }),
      "as rawBody": consumed((req, text) => (req.rawBody = Buffer.from(text))),
      "to its encoding only": (req, _res, next) => {
        req.setEncoding("utf8");
        next();
      },
    };
    for (const [how, httpNodeMiddleware] of Object.entries(kept)) {
      it(`verifies each event that was kept ${how}`, async () => {
        const { post, collect } = await start([tab, config, receive, out], credentials, {
          settings: { httpNodeMiddleware },
        });
        const messages = collect("out");
        for (const name of ["job-created", "job-completed", "job-confirmed"] as const) {
          assert.equal((await post("/radaro", { ...readSamples()[name], token })).status, 200);
          await messages.find(({ payload }) => isDeepStrictEqual(payload, readSamples()[name]));
        }
        assert.equal((await post("/radaro", { token: "wrong" })).status, 401);
      });
    }

    const taken: Record<string, Middleware> = {
      "and thrown it away": consumed(() => undefined),
      "and left an empty object": consumed((req) => (req.body = {})),
      "as a form": express.urlencoded({ ...every, extended: false }) as Middleware,
    };
    for (const [how, httpNodeMiddleware] of Object.entries(taken)) {
      it(`says who took it ${how}`, async () => {
        const { post } = await start([tab, config, receive, out], credentials, {
          settings: { httpNodeMiddleware },
        });
        const { status, body } = await post("/radaro", { ...readSamples()["job-created"], token });
        assert.equal(status, 400);
        assert.match((body as { error: string }).error, /httpNodeMiddleware/);
      });
    }

    it("passes over what is no middleware, as http in does", async () => {
      for (const httpNodeMiddleware of [42, "text", {}, [null, undefined, 1]]) {
        const { post } = await start([tab, config, receive, out], credentials, {
          settings: { httpNodeMiddleware },
        });
        assert.equal((await post("/radaro", { token })).status, 200);
        await stop();
      }
    });
  });

  it("stays behind what another module has put in front of all HTTP nodes", async () => {
    const guard = (RED: NodeAPI) =>
      RED.httpNode.use((req, res, next) => (req.headers["x-key"] ? next() : res.sendStatus(403)));
    const { post } = await start([tab, config, receive, out], credentials, { before: [guard] });
    for (const [headers, status] of [
      [{ "X-Key": "1" }, 200],
      [{}, 403],
    ] as const)
      assert.equal((await post("/radaro", { token }, headers)).status, status);
  });

  describe("in a deploy", () => {
    let close: () => void = () => undefined;
    let recorded: string[];
    /** A node that closes when it is told to. */
    const slow = (RED: NodeAPI) =>
      RED.nodes.registerType("slow", function (this: Node, def: NodeDef) {
        RED.nodes.createNode(this, def);
        this.on("close", (done: () => void) => (close = done));
      });
    /** A node that notes what any of its instances got. */
    const recorder = (RED: NodeAPI) =>
      RED.nodes.registerType("recorder", function (this: Node, def: NodeDef & { mark: string }) {
        RED.nodes.createNode(this, def);
        this.on("input", ({ topic }) => void recorded.push(`${topic} to ${def.mark}`));
      });
    const flow = (mark: string, path = "/radaro") => [
      tab,
      config,
      { ...receive, path },
      { id: "out", type: "recorder", z: "tab", mark, wires: [] },
      { id: "slow1", type: "slow", z: "tab", wires: [] },
    ];

    /** POSTs an event while the flow is stopped, and lets it start again as another. */
    async function postWhileDeploying(next: object[], type?: "full" | "flows" | "nodes", path = "/radaro") {
      recorded = [];
      const { post, RED, requested, deploy } = await start(flow("old"), credentials, {
        nodes: [slow, recorder],
      });
      const stopping = once(RED.events, "flows:stopping");
      const deployed = deploy(next, type);
      await stopping;
      const arrived = requested();
      const answer = post(path, { topic: "event", token });
      await arrived;
      close();
      await deployed;
      return answer;
    }
    // The runtime waits for the node when the test's flow is stopped.
    afterEach(async () => {
      const stopped = stop();
      close();
      await stopped;
    });

    for (const type of ["full", "flows", "nodes"] as const) {
      it(`holds an event for the nodes that come after it (${type})`, async () => {
        const next = flow("new").map((node) => (node.id === "slow1" ? { ...node, changed: true } : node));
        const answer = await postWhileDeploying(next, type);
        assert.equal(answer.status, 200);
        assert.deepEqual(recorded, ["event to new"]);
      });
    }

    /** Deploys something, and POSTs while the old flow still closes: nobody tells it to go on. */
    async function postWhileClosing(next: object[], path = "/radaro") {
      recorded = [];
      const { post, RED, deploy } = await start(flow("old"), credentials, { nodes: [slow, recorder] });
      const stopping = once(RED.events, "flows:stopping");
      const deployed = deploy(next);
      await stopping;
      const answer = await post(path, { topic: "event", token });
      close();
      await deployed;
      assert.deepEqual(recorded, []);
      return answer.status;
    }

    for (const [what, next] of [
      ["whose node is removed", flow("new").filter(({ id }) => id !== "in")],
      ["whose node gets another path", flow("new", "/elsewhere")],
      ["whose node is disabled", flow("new").map((node) => (node.id === "in" ? { ...node, d: true } : node))],
      [
        "whose tab is disabled",
        flow("new").map((node) => (node === tab ? { ...node, disabled: true } : node)),
      ],
    ] as const) {
      it(`answers 404 at once on a path ${what}`, async () => {
        assert.equal(await postWhileClosing([...next]), 404);
      });
    }

    for (const [what, path] of [
      ["that is new", "/elsewhere"],
      ["from an environment variable", "${RADARO_TEST_PATH}"],
    ] as const) {
      it(`holds an event on a path ${what}`, async () => {
        process.env.RADARO_TEST_PATH = "radaro";
        const answer = await postWhileDeploying(
          flow("new", path),
          "full",
          path === "/elsewhere" ? path : "/radaro",
        );
        delete process.env.RADARO_TEST_PATH;
        assert.equal(answer.status, 200);
        assert.deepEqual(recorded, ["event to new"]);
      });
    }

    it("delivers an event whose sender has gone after the 12 seconds that Radaro waits", async () => {
      recorded = [];
      const { url, post, RED, requested, deploy } = await start(flow("old"), credentials, {
        nodes: [slow, recorder],
      });
      const stopping = once(RED.events, "flows:stopping");
      const deployed = deploy(flow("new"));
      await stopping;
      const arrived = requested() as Promise<[IncomingMessage]>;
      const sender = request(`${url}/radaro`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        signal: AbortSignal.timeout(12_000),
      }).on("error", () => undefined);
      sender.end(JSON.stringify({ topic: "gone", token }));
      const [req] = await arrived;
      await once(req.socket, "close");
      close();
      await deployed;
      // What waits goes on in its order.
      assert.equal((await post("/radaro", { topic: "next", token })).status, 200);
      assert.deepEqual(recorded, ["gone to new", "next to new"]);
    });

    it("sends nothing twice where Node-RED delivers at once", async () => {
      recorded = [];
      const { post, RED, deploy } = await start(flow("old"), credentials, {
        nodes: [slow, recorder],
        settings: { runtimeSyncDelivery: true },
      });
      const deployed = new Promise<void>((resolve, reject) => {
        RED.hooks.add("postDeliver.test", () => {
          RED.hooks.remove("postDeliver.test");
          RED.events.once("flows:stopping", () => setImmediate(() => close()));
          deploy(flow("new")).then(resolve, reject);
        });
      });
      assert.equal((await post("/radaro", { topic: "event", token })).status, 200);
      await deployed;
      assert.deepEqual(recorded, ["event to old"]);
    });

    it("leaves / to others, where a node has no path", async () => {
      const next = flow("new").map((node) => (node.id === "in" ? { ...node, path: " " } : node));
      assert.equal(await postWhileClosing(next, "/"), 404);
    });

    it("gives an event to the node that comes, where the one behind was stopped before it had it", async () => {
      for (const type of ["full", "flows", "nodes"] as const) {
        recorded = [];
        const { post, RED, deploy } = await start(flow("old"), credentials, { nodes: [slow, recorder] });
        // Node-RED has the message, and gives it to the next node at the end of this turn.
        const deployed = new Promise<void>((resolve, reject) => {
          RED.hooks.add("postDeliver.test", () => {
            RED.hooks.remove("postDeliver.test");
            RED.events.once("flows:stopping", () => setImmediate(() => close()));
            deploy(flow("new"), type).then(resolve, reject);
          });
        });
        assert.equal((await post("/radaro", { topic: "event", token })).status, 200);
        await deployed;
        assert.deepEqual(recorded, ["event to new"], type);
        assert.equal(RED.hooks.has("onReceive.radaro-in"), false);
        const stopped = stop();
        close();
        await stopped;
      }
    });

    it("lets requests go on with 404 as soon as the runtime has stopped for good", async () => {
      recorded = [];
      const { post, RED, requested } = await start(flow("old"), credentials, { nodes: [slow, recorder] });
      const stopping = once(RED.events, "flows:stopping");
      const stopped = stopFlows();
      await stopping;
      const arrived = requested();
      const answer = post("/radaro", { topic: "event", token });
      await arrived;
      close();
      await stopped;
      assert.equal((await answer).status, 404);
    });

    it("leaves no route, listener or timer more than before", async () => {
      const { RED, deploy } = await start([tab, config, receive, out], credentials);
      const { stack } = RED.httpNode._router as { stack: unknown[] };
      const count = () => ({
        layers: stack.length,
        listeners: RED.events.eventNames().map((name) => RED.events.listenerCount(name)),
        timers: process.getActiveResourcesInfo().filter((name) => name === "Timeout").length,
      });
      await deploy([tab, config, receive, out]);
      const before = count();
      for (let i = 0; i < 50; i++) await deploy([tab, config, receive, out]);
      assert.deepEqual(count(), before);
    });
  });
});
