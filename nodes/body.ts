import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate } from "node:zlib";
import type { Refusal } from "../src/receive";

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

/** A request whose body may have been read before: body-parser marks it so, and what reads it here too. */
export interface MaybeRead extends IncomingMessage {
  body?: unknown;
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
  if (req._body) {
    const bytes = () => read.get(req) ?? Buffer.from(JSON.stringify(req.body));
    return { size: Number(announced), parse: () => req.body, bytes };
  }

  const encoding = req.headers["content-encoding"]?.toLowerCase() ?? "identity";
  const sent = await readBytes(req, limit);
  const decoder = decoderFor(type);
  const bytes = encoding === "identity" ? sent : await decompress(sent, encoding, limit);
  read.set(req, bytes);
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
    req.on("data", (chunk: Buffer) => {
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
