import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import fc, { type Arbitrary } from "fast-check";
import { requestBytes, type RawRequest } from "./raw-http";

/** A request that must be refused. */
export interface BadRequest {
  /** What is bad about it. */
  what: string;
  method: string;
  bytes: Buffer;
  /**
   * Who refuses it: the package with one of these statuses; or Node's own HTTP parser before anybody
   * else, after which the connection is closed; or nobody, as the client leaves in the middle.
   */
  refusedBy: number[] | "node" | "nobody";
}

/** Keys that mean something to JavaScript, to Express, to Node-RED or to the package. */
const keys = [
  ..."__proto__ constructor prototype toString valueOf toJSON hasOwnProperty then length".split(" "),
  ..."token topic event_type updated_at new_values old_values order_info job_info".split(" "),
  ..."concatenated_order_info order_id external_id payload radaro _msgid req res error".split(" "),
];
const key = fc.oneof(fc.constantFrom(...keys), fc.string({ unit: "binary", maxLength: 8 }));

const number = fc.oneof(
  fc.constantFrom("-0", "1e400", "-1e400", "1e-400", "9007199254740993", "0.1e1", "1E+2"),
  fc.integer({ min: 1, max: 400 }).map((digits) => "9".repeat(digits)),
);

/** The text of any JSON value, also of those that nobody would write: duplicate keys, `__proto__`, huge numbers. */
export const { json, object } = fc.letrec<{ json: string; object: string }>((tie) => ({
  json: fc.oneof(
    { depthSize: "small" },
    number,
    fc.json({ stringUnit: "binary", maxDepth: 2 }),
    fc.array(tie("json"), { maxLength: 4 }).map((values) => `[${values.join()}]`),
    tie("object"),
  ),
  object: fc
    .array(fc.tuple(key, tie("json")), { maxLength: 6 })
    .map((entries) => `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join()}}`),
}));

/** An object with `token` as its last key: of several, the last is the one that counts. */
export function withToken(text: string, token: string): string {
  const more = text.trimEnd().slice(0, -1);
  return `${more}${more.endsWith("{") ? "" : ","}"token":${JSON.stringify(token)}}`;
}

/** A list or an object that is nested as deeply as fits into so many bytes. */
export function nested(kind: "list" | "object", bytes: number): string {
  const [open, close, inside] = kind === "list" ? ["[", "]", ""] : ['{"a":', "}", "0"];
  const depth = Math.floor((bytes - inside.length) / (open.length + close.length));
  return open.repeat(depth) + inside + close.repeat(depth);
}

/** Fields that the nodes rely on, each with a value of a wrong type. */
const wrongTypes = fc.record(
  {
    topic: fc.constantFrom(1, {}, []),
    event_type: fc.constantFrom(true, {}),
    updated_at: fc.constantFrom(0, []),
    new_values: fc.constantFrom("", [], 1),
    old_values: fc.constantFrom("", [], false),
    order_info: fc.constantFrom("x", [1], 1),
  },
  { requiredKeys: ["new_values"] },
);

/**
 * Requests that must be refused, whatever is bad about them.
 *
 * @param token a right one, for those that are bad in spite of it
 * @param limit of the body, in bytes
 */
export function badRequest(token: string, limit: number): Arbitrary<BadRequest> {
  const good = object.map((text) => withToken(text, token));
  const parts = fc.option(fc.integer({ min: 1, max: 4000 }), { nil: undefined, freq: 3 });

  /** With the body in one piece or in chunks. */
  const refused = (
    what: string,
    statuses: number[],
    requests: Arbitrary<RawRequest>,
  ): Arbitrary<BadRequest> =>
    fc.tuple(requests, parts).map(([request, chunked]) => ({
      what,
      method: request.method ?? "POST",
      bytes: requestBytes({ ...request, chunked }),
      refusedBy: statuses,
    }));
  const byNode = (what: string, requests: Arbitrary<Buffer>): Arbitrary<BadRequest> =>
    requests.map((bytes) => ({ what, method: "POST", bytes, refusedBy: "node" }));
  const header = (name: string, values: Arbitrary<string | undefined>, bodies: Arbitrary<string | Buffer>) =>
    fc.tuple(values, bodies).map(([value, body]): RawRequest => ({ body, headers: { [name]: value } }));
  const raw = (lines: string[]) => Buffer.from(["POST /radaro HTTP/1.1", "Host: x", ...lines].join("\r\n"));

  return fc.oneof(
    {
      weight: 30,
      arbitrary: refused(
        "no right token",
        [401],
        object.map((body) => ({ body })),
      ),
    },
    {
      weight: 10,
      arbitrary: refused(
        "not an object",
        [400],
        json.filter((text) => !text.startsWith("{")).map((body) => ({ body })),
      ),
    },
    {
      weight: 10,
      arbitrary: refused(
        "cut off",
        [400],
        fc
          .tuple(good, fc.double({ min: 0, max: 1, noNaN: true }))
          .map(([text, part]) => ({ body: text.slice(0, 1 + Math.floor(part * (text.length - 2))) })),
      ),
    },
    {
      weight: 5,
      arbitrary: refused(
        "not a text",
        // Among them may be what is JSON by chance, or nothing.
        [400, 401],
        fc.uint8Array({ maxLength: 300 }).map((bytes) => ({ body: Buffer.from(bytes) })),
      ),
    },
    {
      weight: 5,
      arbitrary: refused(
        "wrong types",
        [400],
        wrongTypes.map((event) => ({ body: JSON.stringify({ token, ...event }) })),
      ),
    },
    {
      weight: 1,
      arbitrary: refused(
        "nested deeply",
        [400, 401],
        fc
          .tuple(fc.constantFrom<"list" | "object">("list", "object"), fc.integer({ min: 9, max: limit }))
          .map(([kind, bytes]) => ({ body: nested(kind, bytes) })),
      ),
    },
    {
      weight: 10,
      arbitrary: refused(
        "not a POST",
        [405],
        fc
          .tuple(fc.constantFrom("GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"), good)
          .map(([method, body]) => ({ method, body })),
      ),
    },
    {
      weight: 10,
      arbitrary: refused(
        "not declared as JSON",
        [415],
        header(
          "Content-Type",
          fc.constantFrom(
            undefined,
            "",
            "text/plain",
            "application/jsonx",
            "multipart/form-data; boundary=x",
          ),
          good,
        ),
      ),
    },
    {
      weight: 3,
      arbitrary: refused(
        "a charset that there is not",
        [415],
        header(
          "Content-Type",
          fc.constantFrom("nonsense", "latin1", "utf-99").map((name) => `application/json; charset=${name}`),
          good,
        ),
      ),
    },
    {
      weight: 3,
      arbitrary: refused(
        "an encoding that there is not",
        [415],
        header("Content-Encoding", fc.constantFrom("nonsense", "gzip, gzip", "compress"), good),
      ),
    },
    {
      weight: 5,
      arbitrary: refused(
        "not compressed as it says",
        // Whether brotli is known depends on the parser.
        [400, 415],
        header(
          "Content-Encoding",
          fc.constantFrom("gzip", "deflate", "br"),
          fc.oneof(
            good,
            good.map((text) => gzipSync(text).subarray(0, -9)),
            good.map((text) => deflateSync(text).subarray(0, -5)),
            good.map((text) => brotliCompressSync(text).subarray(0, -2)),
          ),
        ),
      ),
    },
    {
      weight: 1,
      arbitrary: refused(
        "larger than it says",
        [413],
        good.map((text) => ({
          headers: { "Content-Encoding": "gzip" },
          body: gzipSync(text + " ".repeat(limit * 4)),
        })),
      ),
    },
    {
      weight: 1,
      arbitrary: refused(
        "too large",
        [413],
        good.map((text) => ({ body: text + " ".repeat(limit) })),
      ),
    },
    {
      weight: 3,
      arbitrary: byNode(
        "a length that cannot be",
        fc
          .tuple(fc.constantFrom("-1", "0x10", "1e3", "5, 5", "99999999999999999999", "x"), good)
          .map(([length, body]) => requestBytes({ body, headers: { "Content-Length": length } })),
      ),
    },
    {
      weight: 1,
      arbitrary: byNode(
        "two lengths",
        good.map((body) => requestBytes({ body, headers: { "content-length": "5" } })),
      ),
    },
    {
      weight: 1,
      arbitrary: byNode(
        "a length and chunks",
        good.map((body) => requestBytes({ body, headers: { "Transfer-Encoding": "chunked" } })),
      ),
    },
    {
      weight: 2,
      arbitrary: byNode(
        "chunks that cannot be",
        fc
          .constantFrom("x", "-1", "g\r\n{}", "2\r\n{}\r\n-1", "2\r\n{}}", "ffffffffffffffffffff")
          .map((chunks) =>
            raw(["Content-Type: application/json", "Transfer-Encoding: chunked", "", chunks, "", ""]),
          ),
      ),
    },
    {
      weight: 1,
      arbitrary: byNode(
        "not HTTP",
        fc
          .constantFrom(
            "\x16\x03\x01\x00\xa5\x01\x00",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "nonsense\r\n\r\n",
          )
          .map(Buffer.from),
      ),
    },
    {
      weight: 1,
      arbitrary: byNode(
        "headers without end",
        fc.integer({ min: 17_000, max: 40_000 }).map((length) => raw([`X: ${"x".repeat(length)}`, "", ""])),
      ),
    },
    {
      weight: 5,
      arbitrary: fc
        .tuple(good, fc.double({ min: 0, max: 0.99, noNaN: true }), parts)
        .map(([body, part, chunked]): BadRequest => {
          const bytes = requestBytes({ body, chunked });
          const sent = bytes.subarray(0, Math.floor(part * bytes.length));
          return { what: "given up in the middle", method: "POST", bytes: sent, refusedBy: "nobody" };
        }),
    },
  );
}
