import assert from "node:assert/strict";
import { METHODS } from "node:http";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { startNodeRed, type NodeRed } from "../../scripts/node-red";
import type { JsonObject } from "../../src/event/json";
import type { EventMessage } from "../../src/event/message";
import { readSamples } from "../events";
import { json, nested, object, withToken } from "./bad-requests";
import { assertOfContract, assertOfNode } from "./contract";
import { install } from "../system/package";
import { RawConnection, requestBytes, type RawAnswer, type RawRequest } from "./raw-http";

const token = "Zk3vQ9cXw1LmT7yHs0RdNA";
const limit = 5 * 1024 * 1024;

const receive = { type: "radaro in", z: "tab1", path: "/radaro", config: "acme", topics: [], x: 100, y: 100 };
/** Two nodes on one path, and a Catch node for both. */
const flows = [
  { id: "tab1", type: "tab", label: "One" },
  { id: "acme", type: "radaro-config", name: "Acme" },
  { ...receive, id: "in-a", wires: [["a"]] },
  { ...receive, id: "in-b", wires: [["b"]] },
  { id: "a", type: "probe", z: "tab1", x: 300, y: 100, wires: [] },
  { id: "b", type: "probe", z: "tab1", x: 300, y: 200, wires: [] },
  {
    id: "catch1",
    type: "catch",
    z: "tab1",
    scope: null,
    uncaught: false,
    x: 100,
    y: 300,
    wires: [["caught"]],
  },
  { id: "caught", type: "probe", z: "tab1", x: 300, y: 300, wires: [] },
];

const event = (fields: object = {}) => JSON.stringify({ topic: "job.changed", ...fields, token });

for (const { name, adminRoot } of [
  { name: "default settings", adminRoot: "" },
  { name: "an httpAdminRoot of its own", adminRoot: "/admin" },
]) {
  describe(`Node-RED with ${name}, under hostile input,`, () => {
    let nodeRed: NodeRed;
    let admin: string;
    /** Node-RED closes it after 5 seconds, as no node takes it. */
    let upgrading: RawConnection;

    before(async () => {
      nodeRed = await startNodeRed({
        flows,
        credentials: { acme: { token } },
        settings: adminRoot ? { httpAdminRoot: adminRoot } : {},
        prepare: install,
      });
      admin = nodeRed.url + adminRoot;
      upgrading = await open();
      const headers = { Connection: "Upgrade", Upgrade: "websocket" };
      await upgrading.send(requestBytes({ headers, body: event() }));
    });
    after(() => nodeRed.stop());

    const probe = async <T>(path: string) => (await (await fetch(`${admin}/probe/${path}`)).json()) as T;
    /** What a probe has got since the last time, as soon as it is at least `count` messages. */
    const got = (id: string, count: number) => probe<EventMessage[]>(`${id}/${count}`);

    /** Asserts that the next good event gets through at once, and that nothing else has. */
    async function nextGetsThrough(connection?: RawConnection) {
      const own = connection ?? (await RawConnection.open(nodeRed.url));
      assertAnswer(await own.ask({ body: event({ topic: "next" }) }), 200);
      for (const id of ["a", "b"]) {
        const topics = (await got(id, 1)).map(({ topic }) => topic);
        assert.deepEqual(topics, ["next"]);
      }
      if (!connection) await own.destroy();
    }
    /** Forgets what the probes have got. */
    const forget = () => Promise.all(["a", "b", "caught"].map((id) => got(id, 0)));

    afterEach(async () => {
      await forget();
      await nextGetsThrough();
      assert.deepEqual(await probe("prototypes"), [], "no prototype is polluted");
      assert.doesNotMatch(nodeRed.output(), /uncaught|unhandled/i);
    });

    /** Asserts an answer of the package. */
    function assertAnswer(answer: RawAnswer | undefined, expected: number | number[], method = "POST") {
      const statuses = [expected].flat();
      assert.ok(
        answer && statuses.includes(answer.status),
        `${JSON.stringify(answer)}, not ${statuses.join()}`,
      );
      assertOfContract(answer, method, [token, nodeRed.userDir]);
    }
    const open = () => RawConnection.open(nodeRed.url);
    /** Sends one request on a connection of its own. */
    async function ask(request: RawRequest): Promise<RawAnswer | undefined> {
      const connection = await open();
      const answer = await connection.ask(request);
      await connection.destroy();
      return answer;
    }

    it("answers any JSON without the right token with 401, and 400 where it is no object", async () => {
      const connection = await open();
      await fc.assert(
        fc.asyncProperty(json, async (body) => {
          assertAnswer(await connection.ask({ body }), body.startsWith("{") ? 401 : 400);
        }),
        { numRuns: 300 },
      );
      await connection.destroy();
      assert.deepEqual(await Promise.all(["a", "b", "caught"].map((id) => got(id, 0))), [[], [], []]);
    });

    it("answers any object with the right token with 200 and sends it whole, or with 400 to a Catch node", async () => {
      const connection = await open();
      await fc.assert(
        fc.asyncProperty(object, async (text) => {
          const body = withToken(text, token);
          const sent = JSON.parse(body) as JsonObject;
          delete sent.token;
          const answer = await connection.ask({ body });
          assertAnswer(answer, isRight(sent) ? 200 : 400);
          for (const id of isRight(sent) ? ["a", "b"] : ["caught"]) {
            const [message] = await got(id, 1);
            // What Catch nodes get is a copy that Node-RED makes, which leaves __proto__ out.
            if (id === "caught" && text.includes("__proto__")) continue;
            assert.equal(JSON.stringify(message?.payload), JSON.stringify(sent));
          }
          await forget();
        }),
        { numRuns: 300 },
      );
      await connection.destroy();
    });

    it("gives a job's ids to the flow as they are, also those that cannot be written as text", async () => {
      for (const order_id of [{ toString: 1, valueOf: 1 }, [{ toString: null }], { toString: {} }]) {
        assertAnswer(await ask({ body: event({ order_id }) }), 200);
        for (const id of ["a", "b"]) assert.deepEqual((await got(id, 1))[0]?.radaro.orderId, order_id);
      }
    });

    it("shows no more of an event in its status than has room there", async () => {
      const long = "x".repeat(100_000);
      assertAnswer(await ask({ body: event({ topic: long, order_id: long }) }), 200);
      await forget();
      // It is shown at most once a second.
      const status = async () =>
        (await fetch(`${admin}/probe-status/in-a`)).json() as Promise<{ text: string }>;
      let { text } = await status();
      while (!text.includes("xx")) ({ text } = await status());
      assert.ok(text.length <= 70, `${text.length} characters`);
    });

    it("takes the last of several tokens, as JSON.parse does", async () => {
      assertAnswer(await ask({ body: `{"token":"${token}","token":"wrong"}` }), 401);
      assertAnswer(await ask({ body: `{"token":"wrong","token":"${token}"}` }), 200);
      const [message] = await got("a", 1);
      assert.deepEqual(message?.payload, {});
    });

    it("takes no token out of __proto__ or constructor", async () => {
      for (const holder of ["__proto__", "constructor", "prototype"]) {
        assertAnswer(await ask({ body: `{"${holder}":{"token":"${token}"}}` }), 401);
        assertAnswer(await ask({ body: `{"constructor":{"${holder}":{"token":"${token}"}}}` }), 401);
      }
    });

    it("answers 400 to an event that is cut off anywhere", async () => {
      const body = JSON.stringify({ ...readSamples()["job-deleted"], token });
      const connection = await open();
      for (let length = 1; length < body.length; length += 7)
        assertAnswer(await connection.ask({ body: body.slice(0, length) }), 400);
      await connection.destroy();
    });

    for (const kind of ["list", "object"] as const) {
      it(`answers a body that is nothing but nested ${kind}s, as many as fit into it`, async () => {
        assertAnswer(await ask({ body: nested(kind, 100_000) }), kind === "list" ? 400 : 401);
        const before = '{"token":"wrong","x":';
        const body = `${before}${nested(kind, limit - before.length - 1)}}`;
        assertAnswer(await ask({ body }), 401);
      });

      it(`loses no verified event that holds nested ${kind}s, as many as fit into it`, async () => {
        const before = `{"token":"${token}","x":`;
        for (const bytes of [10_000, 100_000, limit]) {
          const answer = await ask({ body: `${before}${nested(kind, bytes - before.length - 1)}}` });
          assertAnswer(answer, [200, 400]);
          if (answer!.status === 200) await Promise.all([got("a", 1), got("b", 1)]);
          else await got("caught", 1);
        }
      });
    }

    it("takes the charsets of Unicode, with and without a BOM, and answers 415 to others", async () => {
      const text = event({ name: "Zoë 🚚" });
      const utf16be = (content: string) => Buffer.from(content, "utf16le").swap16();
      const sent = async (charset: string, body: Buffer | string, expected: number | number[]) => {
        const headers = { "Content-Type": `application/json${charset && `; charset=${charset}`}` };
        const answer = await ask({ headers, body });
        assertAnswer(answer, expected);
        if (answer!.status !== 200) return;
        for (const id of ["a", "b"]) assert.equal((await got(id, 1))[0]?.payload.name, "Zoë 🚚", charset);
      };
      await sent("", text, 200);
      await sent("utf-8", `\ufeff${text}`, 200);
      await sent('"UTF-8"', text, 200);
      await sent("utf-16le", Buffer.from(text, "utf16le"), 200);
      await sent("utf-16be", utf16be(text), 200);
      // Some parsers know UTF-32.
      const utf32 = Buffer.from(Uint32Array.from([...text], (character) => character.codePointAt(0)!).buffer);
      await sent("utf-32le", utf32, [200, 415]);
      for (const charset of ["latin1", "iso-8859-1", "windows-1252", "us-ascii", "nonsense", "utf-99"])
        await sent(charset, text, 415);
      // Not what they are declared as.
      await sent("", Buffer.from(text, "utf16le"), 400);
      await sent("", utf16be(text), 400);
      await sent("", utf32, 400);
      await sent("utf-16", text, 400);
    });

    it("puts U+FFFD for bytes that are not UTF-8, and takes no token that they are part of", async () => {
      const [before, after] = event({ name: "|" }).split("|");
      const body = Buffer.concat([
        Buffer.from(before!),
        Buffer.from([0xff, 0xc0, 0x80]),
        Buffer.from(after!),
      ]);
      assertAnswer(await ask({ body }), 200);
      assert.match(String((await got("a", 1))[0]?.payload.name), /^\ufffd+$/);
      const wrong = Buffer.concat([
        Buffer.from('{"token":"'),
        Buffer.from([0xff]),
        Buffer.from(`${token}"}`),
      ]);
      assertAnswer(await ask({ body: wrong }), 401);
    });

    it("takes gzip and deflate, and answers what is not compressed as it says", async () => {
      const text = event();
      for (const [encoding, body, expected] of [
        ["gzip", gzipSync(text), 200],
        ["GZIP", gzipSync(text), 200],
        ["deflate", deflateSync(text), 200],
        ["identity", text, 200],
        // Some parsers know brotli.
        ["br", brotliCompressSync(text), [200, 415]],
        ["br", text, [400, 415]],
        ["gzip", text, 400],
        ["gzip", "", 400],
        ["gzip", deflateSync(text), 400],
        ["gzip", gzipSync(text).subarray(0, -9), 400],
        ["gzip", gzipSync(text).subarray(0, 5), 400],
        ["gzip", gzipSync(gzipSync(text)), 400],
        ["deflate", deflateRawSync(text), 400],
        ["deflate", deflateSync(text).subarray(0, -5), 400],
        ["gzip, gzip", gzipSync(gzipSync(text)), 415],
        ["compress", text, 415],
        ["nonsense", text, 415],
      ] as const) {
        const answer = await ask({ headers: { "Content-Encoding": encoding }, body });
        assertAnswer(answer, [expected].flat());
      }
    });

    it("stops unpacking where the limit is reached, and answers 413", async () => {
      const unpacked = 100 * 1024 * 1024;
      const bomb = gzipSync(Buffer.alloc(unpacked, " "));
      const before = (await probe<{ used: number }>("memory")).used;
      for (let i = 0; i < 5; i++)
        assertAnswer(await ask({ headers: { "Content-Encoding": "gzip" }, body: bomb }), 413);
      const { used } = await probe<{ used: number }>("memory");
      // Five are sent. What is refused is freed in its own time, which some megabytes are left of.
      assert.ok(used - before < unpacked, `${used - before} bytes more in use`);
    });

    it("takes a body of exactly the limit, and answers 413 to one byte more, in whatever way it is sent", async () => {
      const body = (bytes: number) => event({ filler: "x".repeat(bytes - event({ filler: "" }).length) });
      for (const [bytes, expected] of [
        [limit - 1, 200],
        [limit, 200],
        [limit + 1, 413],
      ] as const) {
        assertAnswer(await ask({ body: body(bytes) }), expected);
        assertAnswer(await ask({ body: body(bytes), chunked: 65_536 }), expected);
        const headers = { "Content-Encoding": "gzip" };
        assertAnswer(await ask({ headers, body: gzipSync(body(bytes)) }), expected);
        await forget();
      }
    });

    it("takes an empty body for an event without a token", async () => {
      assertAnswer(await ask({ body: "" }), 401);
      assertAnswer(await ask({ body: "", chunked: 1 }), 401);
      assertAnswer(await ask({ body: "", headers: { "Content-Length": undefined } }), 401);
    });

    it("takes a body in chunks of one byte, with extensions and trailers", async () => {
      assertAnswer(await ask({ body: event(), chunked: 1 }), 200);
      const chunk = `${event().length.toString(16)};name="value"\r\n${event()}\r\n0\r\nToken: x\r\n\r\n`;
      const head = requestBytes({ chunked: 1 })
        .toString()
        .replace(/0\r\n\r\n$/, "");
      const connection = await open();
      await connection.send(head + chunk);
      assertAnswer(await connection.answer(), 200);
      await connection.destroy();
    });

    it("leaves lengths and chunks that cannot be to Node, which answers 400 and closes", async () => {
      const chunked = { headers: { "Content-Length": undefined, "Transfer-Encoding": "chunked" } };
      for (const request of [
        ...["-1", "+1", "1e3", "0x10", "5, 5", "99999999999999999999", "x"].map((length) => ({
          headers: { "Content-Length": length },
          body: event(),
        })),
        { headers: { "content-length": "5" }, body: event() },
        { headers: { "Transfer-Encoding": "chunked" }, body: event() },
        { headers: { "Content-Length": undefined, "Transfer-Encoding": "gzip" }, body: event() },
        { headers: { "Content-Length": undefined, "Transfer-Encoding": "chunked, gzip" }, body: event() },
        ...["x\r\n", "-1\r\n", "2\r\n{}}\r\n", "2\r\n{}\r\nx\r\n", "fffffffffffffffff\r\n"].map((body) => ({
          ...chunked,
          body,
        })),
        // Too short: what is left over is no request.
        { headers: { "Content-Length": "5" }, body: event() },
      ]) {
        const connection = await open();
        const answer = await connection.ask(request);
        if (answer?.status === 400 && answer.body !== "") assertAnswer(answer, 400);
        else assertOfNode(answer);
        await connection.closed;
      }
    });

    it("answers 400 where the client ends before the length that it announced", async () => {
      const connection = await open();
      await connection.send(requestBytes({ headers: { "Content-Length": "1000" }, body: event() }));
      connection.socket.end();
      const answer = await connection.answer();
      if (answer?.body === "") assertOfNode(answer);
      else if (answer) assertAnswer(answer, 400);
      await connection.closed;
    });

    it("lets good events through at once while others are sent byte by byte, and takes those in the end", async () => {
      const slow = await Promise.all(Array.from({ length: 50 }, open));
      const bytes = requestBytes({ body: event({ topic: "slow" }) });
      const quick = await open();
      for (const byte of bytes.subarray(0, -1)) {
        await Promise.all(slow.map((connection) => connection.send(Buffer.of(byte))));
        assertAnswer(await quick.ask({ body: event({ topic: "quick" }) }), 200);
      }
      const quicks = (await got("a", bytes.length - 1)).map(({ topic }) => topic);
      assert.deepEqual(
        quicks,
        Array.from({ length: bytes.length - 1 }, () => "quick"),
      );
      for (const connection of slow) {
        await connection.send(bytes.subarray(-1));
        assertAnswer(await connection.answer(), 200);
        await connection.destroy();
      }
      await quick.destroy();
      const slows = (await got("a", slow.length)).map(({ topic }) => topic);
      assert.deepEqual(
        slows,
        Array.from(slow, () => "slow"),
      );
    });

    it("stands hundreds of uploads at once that are given up in the middle, and keeps nothing of them", async () => {
      const connections = async () => (await probe<{ connections: number }>("memory")).connections;
      const before = await connections();
      for (const request of [
        { body: event({ filler: "x".repeat(100_000) }) },
        { body: event({ filler: "x".repeat(100_000) }), chunked: 1000 },
        { body: gzipSync(event({ filler: "x".repeat(100_000) })), headers: { "Content-Encoding": "gzip" } },
        { body: event(), headers: { "Content-Type": "text/plain", "Content-Length": "100000" } },
        { body: event(), method: "PUT", headers: { "Content-Length": "100000" } },
      ]) {
        const bytes = requestBytes(request);
        const aborted = await Promise.all(Array.from({ length: 200 }, open));
        await Promise.all(aborted.map((connection, i) => connection.send(bytes.subarray(0, -1 - (i % 60)))));
        await Promise.all(aborted.map((connection) => connection.destroy()));
      }
      // That they are closed is told to the other side a moment later.
      while ((await connections()) > before);
      const [a, caught] = await Promise.all([got("a", 0), got("caught", 0)]);
      assert.deepEqual([a, caught], [[], []]);
    });

    it("goes on where the client waits for 100 Continue, and leaves other expectations to Node", async () => {
      const connection = await open();
      const bytes = requestBytes({ body: event(), headers: { Expect: "100-continue" } });
      const head = bytes.indexOf("\r\n\r\n") + 4;
      await connection.send(bytes.subarray(0, head));
      assert.equal((await connection.answer())?.status, 100);
      await connection.send(bytes.subarray(head));
      assertAnswer(await connection.answer(), 200);
      await connection.destroy();
      assertOfNode(await ask({ body: event(), headers: { Expect: "nonsense" } }));
    });

    it("answers requests that come in one go in their order", async () => {
      const connection = await open();
      const wrong = JSON.stringify({ topic: "x", token: "wrong" });
      const requests: [RawRequest, number][] = [
        [{ body: event({ topic: "1" }) }, 200],
        [{ body: wrong }, 401],
        [{ body: "{" }, 400],
        [{ body: event({ topic: "2" }), chunked: 3 }, 200],
        [{ body: event(), method: "PUT" }, 405],
        [{ body: event(), headers: { "Content-Type": "text/plain" } }, 415],
        [{ body: gzipSync(event({ topic: "3" })), headers: { "Content-Encoding": "gzip" } }, 200],
        [{ body: event({ filler: "x".repeat(limit) }) }, 413],
        [{ body: "[]" }, 400],
        [{ body: event({ topic: "4" }) }, 200],
      ];
      await connection.send(Buffer.concat(requests.map(([request]) => requestBytes(request))));
      for (const [, expected] of requests) assertAnswer(await connection.answer(), expected);
      await connection.destroy();
      // Their messages may overtake each other: some bodies take longer to read.
      const topics = (await got("a", 4)).map(({ topic }) => topic);
      assert.deepEqual(topics.sort(), ["1", "2", "3", "4"]);
    });

    it("takes a good event on the same connection after each kind of refusal", async () => {
      const refusals: [RawRequest, number][] = [
        [{ body: "{}" }, 401],
        [{ body: "{" }, 400],
        [{ body: "{", chunked: 1 }, 400],
        [{ body: event({ new_values: 1 }) }, 400],
        [{ body: event({ filler: "x".repeat(100_000) }), method: "PUT" }, 405],
        [{ body: event({ filler: "x".repeat(limit / 2) }), method: "DELETE", chunked: 5000 }, 405],
        [{ body: event({ filler: "x".repeat(limit) }), headers: { "Content-Type": "text/plain" } }, 415],
        [{ body: event(), headers: { "Content-Encoding": "nonsense" } }, 415],
        [{ body: event(), headers: { "Content-Type": "application/json; charset=nonsense" } }, 415],
        [{ body: event({ filler: "x".repeat(100_000) }), headers: { "Content-Encoding": "gzip" } }, 400],
        [{ body: gzipSync(" ".repeat(2 * limit)), headers: { "Content-Encoding": "gzip" } }, 413],
        [{ body: event({ filler: "x".repeat(limit) }) }, 413],
        [{ body: event({ filler: "x".repeat(limit) }), chunked: 5000 }, 413],
      ];
      let connection = await open();
      for (const [request, expected] of refusals) {
        assertAnswer(await connection.ask(request), expected);
        await forget();
        // The server may rather close it than read on.
        if (connection.isClosed) connection = await open();
        await nextGetsThrough(connection);
      }
      await connection.destroy();
    });

    it("answers 405 to every other method that Node knows, and a foreign one is Node's", async () => {
      // Without a body of its own, CONNECT is a tunnel; Node-RED's admin application answers OPTIONS.
      const others = METHODS.filter((method) => method !== "POST" && method !== "CONNECT");
      for (const method of others) {
        const answer = await ask({ method, body: method === "GET" ? "" : event() });
        if (method === "OPTIONS" && adminRoot === "") assert.equal(answer?.status, 204);
        else assertAnswer(answer, 405, method);
      }
      for (const method of ["CONNECT", "NONSENSE", "post", "POST\tX"])
        assertOfNode(await ask({ method, body: event() }));
    });

    it("takes its path in every spelling that is the same, and no other", async () => {
      for (const target of [
        "/radaro",
        "/radaro/",
        "//radaro",
        "/%72adaro",
        "/radaro?x",
        `/radaro?${"x".repeat(10_000)}`,
        "/radaro?__proto__[x]=1&constructor[prototype][x]=1",
        "/radaro?%ff%00",
        "http://127.0.0.1/radaro",
        "http://elsewhere.example/radaro",
      ])
        assertAnswer(await ask({ target, body: event() }), 200);
      for (const target of [
        "/radaro/../radaro",
        "/./radaro",
        "/x/../radaro",
        "/radaro%2f..",
        "/radaro%00",
        "/%ff",
        "/%",
        "/radaro;x",
        "/RADARO",
        "*",
        "http://",
      ]) {
        const answer = await ask({ target, body: event() });
        assert.equal(answer?.status, 404, target);
        assert.ok(!JSON.stringify(answer).includes(token));
      }
      for (const target of ["radaro", "/rad\xe4ro", "/radaro x", ""])
        assertOfNode(await ask({ target, body: event() }));
    });

    it("leaves headers and addresses without end to Node, and takes many that are in bounds", async () => {
      assertOfNode(await ask({ target: `/radaro?${"x".repeat(20_000)}`, body: event() }));
      assertOfNode(await ask({ headers: { "X-Long": "x".repeat(20_000) }, body: event() }));
      const many = (length: number) =>
        Object.fromEntries(Array.from({ length: 600 }, (_, i) => [`x${i}`, "y".repeat(length)]));
      assertOfNode(await ask({ headers: many(40), body: event() }));
      assertAnswer(await ask({ headers: many(0), body: event() }), 200);
      assertAnswer(
        await ask({ headers: { __proto__x: "1", Constructor: "1", Token: token }, body: "{}" }),
        401,
      );
    });

    it("closes a connection that asks for another protocol, as Node-RED does", async () => {
      assert.equal(await upgrading.answer(), undefined);
    });
  });
}

/** Whether the fields that the nodes rely on have the types that the contract says. */
function isRight(event: JsonObject): boolean {
  const isOf = (fields: string[], fits: (value: unknown) => boolean) =>
    fields.every((field) => !Object.hasOwn(event, field) || event[field] === null || fits(event[field]));
  return (
    isOf(["topic", "event_type", "updated_at"], (value) => typeof value === "string") &&
    isOf(
      ["new_values", "old_values", "order_info"],
      (value) => typeof value === "object" && !Array.isArray(value),
    )
  );
}
