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

/**
 * Reads the JSON in a request's body, to its end: a sender hears an answer only after it has sent all.
 *
 * @param limit of the body's size, also when decompressed, in bytes
 * @returns an object without fields where the body is empty, as Node-RED's own parser makes of it
 * @throws Unreadable
 */
export async function readJson(req: IncomingMessage, limit: number): Promise<unknown> {
  let bytes = await readBytes(req, limit);
  const { "content-type": type = "", "content-encoding": encoding = "identity" } = req.headers;
  const decoder = decoderFor(type);
  if (encoding !== "identity") bytes = await decompress(bytes, encoding, limit);
  if (bytes.length === 0) return {};
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch {
    throw new Unreadable("not-json");
  }
}

function readBytes(req: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
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
  const decompressor = decompressors.get(encoding.toLowerCase());
  if (!decompressor) throw new Unreadable("not-readable");
  try {
    return await decompressor(bytes, { maxOutputLength: limit });
  } catch (error) {
    throw new Unreadable(
      (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE" ? "too-large" : "not-json",
    );
  }
}
