import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate } from "node:zlib";
import { isJsonObject } from "../../src/event/json";
import type { Refusal } from "../../src/receiving/receive";

/** A body that cannot be read, and why. */
export class Unreadable extends Error {
  constructor(readonly why: Refusal) {
    super(why);
  }
}

/** What undoes a Content-Encoding. */
const decompressors = new Map([
  ["gzip", promisify(gunzip)],
  ["deflate", promisify(inflate)],
  ["br", promisify(brotliDecompress)],
]);

/**
 * A request whose body may have been read before: by Node-RED's own parser, by the user's
 * `httpNodeMiddleware`, or by the application that Node-RED is embedded in. body-parser marks it so,
 * and what reads it here too; others keep what was sent in `rawBody`.
 */
export interface MaybeRead extends IncomingMessage {
  body?: unknown;
  rawBody?: unknown;
  _body?: boolean;
}

/** A body that was read. */
export interface Body {
  /** In bytes, decompressed; as announced where it had been read before. */
  size: number;
  /**
   * What is in it takes many times its size, so that this is for when it is needed.
   *
   * @returns an object without fields where the body is empty, as Node-RED's own parser makes of it
   * @throws Unreadable
   */
  parse(): unknown;
  /** As it came, decompressed; where only what was parsed from it is left, that as JSON again. */
  bytes(): Buffer;
}

/** Bodies that were read here before, for another application. */
const read = new WeakMap<IncomingMessage, Buffer>();

/**
 * Reads a request's body, to its end: a sender hears an answer only after it has sent all.
 *
 * @param limit of the body's size, also when decompressed, in bytes
 * @throws Unreadable
 */
export async function readBody(req: MaybeRead, limit: number): Promise<Body> {
  const { "content-type": type = "", "content-length": announced = limit } = req.headers;
  if (isRead(req)) return ofWhatIsLeft(req, Number(announced), limit);

  const encoding = req.headers["content-encoding"]?.toLowerCase() ?? "identity";
  const sent = await readBytes(req, limit);
  const decoder = decoderFor(type);
  const bytes = encoding === "identity" ? sent : await decompress(sent, encoding, limit);
  read.set(req, bytes);
  return ofBytes(bytes, decoder);
}

/** Whether others have read the body. */
function isRead(req: MaybeRead): boolean {
  return req._body === true || req.readableEnded;
}

/**
 * The body in whatever form somebody has left it who has read it before.
 *
 * @param announced the body's size in bytes
 * @throws Unreadable where it is not there any more
 */
function ofWhatIsLeft(req: MaybeRead, announced: number, limit: number): Body {
  const left = req.body ?? req.rawBody;
  if (typeof left === "string" || left instanceof Uint8Array) {
    const bytes = Buffer.from(left as Uint8Array);
    if (bytes.length > limit) throw new Unreadable("too-large");
    return ofBytes(bytes, utf8);
  }
  const own = read.get(req);
  if (left === undefined || (!own && isNoEvent(left, req._body === true))) throw new Unreadable("taken");
  const bytes = () => own ?? Buffer.from(JSON.stringify(left));
  return { size: announced, parse: () => left, bytes };
}

/** Whether it cannot be what was sent: a form, in which an event is the name of a field, or an empty default. */
function isNoEvent(left: unknown, isParsed: boolean): boolean {
  if (!isJsonObject(left)) return false;
  const [first] = Object.keys(left);
  return first === undefined ? !isParsed : /^\s*\{\s*"/.test(first);
}

function ofBytes(bytes: Buffer, decoder: TextDecoder): Body {
  return {
    size: bytes.length,
    bytes: () => bytes,
    parse: () => {
      if (bytes.length === 0) return {};
      try {
        return JSON.parse(decoder.decode(bytes)) as unknown;
      } catch {
        throw new Unreadable("not-json");
      }
    },
  };
}

function readBytes(req: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (req.destroyed) reject(new Unreadable("not-json")); // its sender has gone while it waited
    let chunks: Buffer[] = [];
    let length = 0;
    let ended = false;
    req.on("data", (data: Buffer | string) => {
      // Text, where somebody has set an encoding.
      const chunk = typeof data === "string" ? Buffer.from(data, req.readableEncoding ?? "utf8") : data;
      length += chunk.length;
      if (length <= limit) chunks.push(chunk);
      else chunks = [];
    });
    req.on("end", () => {
      ended = true;
      if (length > limit) reject(new Unreadable("too-large"));
      else resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks));
    });
    req.on("close", () => {
      if (!ended) reject(new Unreadable("not-json"));
    });
  });
}

const utf8 = new TextDecoder();

/** For the charset that a Content-Type names: one of Unicode's, most often the one that JSON has. */
function decoderFor(contentType: string): TextDecoder {
  const [, charset = "utf-8"] = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(contentType) ?? [];
  if (/^utf-?8$/i.test(charset)) return utf8;
  if (!/^utf-16(le|be)?$/i.test(charset)) throw new Unreadable("not-readable");
  return new TextDecoder(charset);
}

async function decompress(bytes: Buffer, encoding: string, limit: number): Promise<Buffer> {
  const decompressor = decompressors.get(encoding);
  if (!decompressor) throw new Unreadable("not-readable");
  try {
    return await decompressor(bytes, { maxOutputLength: limit });
  } catch (error) {
    throw new Unreadable(
      (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE" ? "too-large" : "not-json",
    );
  }
}
