import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** An answer as it came over the wire. */
export interface RawAnswer {
  status: number;
  /** By name in lower case. */
  headers: Record<string, string>;
  body: string;
}

export interface RawRequest {
  method?: string;
  target?: string;
  /** Replaces or adds to what is sent otherwise; `undefined` leaves a header out. */
  headers?: Record<string, string | undefined>;
  body?: string | Buffer;
  /** The body in chunks of that many bytes, without `Content-Length`. */
  chunked?: number;
}

/** The bytes of a request: by default a POST of JSON to `/radaro`, on a connection that is kept. */
export function requestBytes({
  method = "POST",
  target = "/radaro",
  headers,
  body = "",
  chunked,
}: RawRequest): Buffer {
  const content = Buffer.from(body);
  const length = chunked ? { "Transfer-Encoding": "chunked" } : { "Content-Length": String(content.length) };
  const all = { Host: "127.0.0.1", "Content-Type": "application/json", ...length, ...headers };
  const lines = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}`],
  );
  const head = Buffer.from([`${method} ${target} HTTP/1.1`, ...lines, "", ""].join("\r\n"), "latin1");
  return Buffer.concat([head, chunked ? inChunks(content, chunked) : content]);
}

function inChunks(content: Buffer, size: number): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < content.length; at += size) {
    const part = content.subarray(at, at + size);
    parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from("\r\n"));
  }
  return Buffer.concat([...parts, Buffer.from("0\r\n\r\n")]);
}

/** A connection on which anything can be sent, also what no HTTP client would. */
export class RawConnection {
  /** Resolves when it is closed, by whichever side. */
  readonly closed: Promise<void>;
  #received = Buffer.alloc(0);
  #isClosed = false;
  #changed = (): void => undefined;

  private constructor(readonly socket: Socket) {
    socket.on("data", (data) => {
      this.#received = Buffer.concat([this.#received, data]);
      this.#changed();
    });
    // That the other side closes while something is being sent is what some tests are about.
    socket.on("error", () => undefined);
    this.closed = new Promise((resolve) => {
      socket.on("close", () => {
        this.#isClosed = true;
        this.#changed();
        resolve();
      });
    });
  }

  static async open(url: string): Promise<RawConnection> {
    const { hostname, port } = new URL(url);
    const connection = new RawConnection(connect({ host: hostname, port: Number(port), noDelay: true }));
    await once(connection.socket, "connect");
    return connection;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Resolves as soon as the bytes have left this process, or cannot leave it any more. */
  async send(bytes: string | Buffer): Promise<void> {
    const sent = new Promise((resolve) => this.socket.write(bytes, resolve));
    await Promise.race([sent, this.closed]);
  }

  /**
   * The next answer, in the order of the requests; `undefined` where the connection was closed before it.
   *
   * @param method of the request: an answer to HEAD has no body, whatever its headers say
   */
  async answer(method = "POST"): Promise<RawAnswer | undefined> {
    for (;;) {
      const found = readAnswer(this.#received, method, this.#isClosed);
      if (found) {
        this.#received = this.#received.subarray(found.length);
        return found.answer;
      }
      if (this.#isClosed) return undefined;
      await new Promise<void>((resolve) => (this.#changed = resolve));
    }
  }

  /** Sends one request and waits for its answer. */
  async ask(request: RawRequest): Promise<RawAnswer | undefined> {
    await this.send(requestBytes(request));
    return this.answer(request.method);
  }

  /** Closes it at once, in the middle of whatever it is doing. */
  async destroy(): Promise<void> {
    this.socket.destroy();
    await this.closed;
  }
}

/** The first answer in `bytes` and its length there; `undefined` where it is not complete. */
function readAnswer(
  bytes: Buffer,
  method: string,
  isClosed: boolean,
): { answer: RawAnswer; length: number } | undefined {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const [statusLine, ...lines] = bytes.toString("latin1", 0, headEnd).split("\r\n");
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine!)?.[1]);
  const headers = Object.fromEntries(
    lines.map((line) => {
      const [name, value] = line.split(/:\s*(.*)/, 2);
      return [name!.toLowerCase(), value!];
    }),
  );
  const start = headEnd + 4;
  const whole = (end: number, body: string) => ({ answer: { status, headers, body }, length: end });

  if (method === "HEAD" || status < 200 || status === 204 || status === 304) return whole(start, "");
  if (headers["content-length"] !== undefined) {
    const end = start + Number(headers["content-length"]);
    return bytes.length < end ? undefined : whole(end, bytes.toString("utf8", start, end));
  }
  if (headers["transfer-encoding"] === "chunked") {
    const body = readChunks(bytes, start);
    return body && whole(body.end, body.text);
  }
  // What Node's HTTP parser answers has neither length nor body: the connection's end ends it.
  return isClosed ? whole(bytes.length, bytes.toString("utf8", start)) : undefined;
}

/** A body in chunks, and where it ends; `undefined` where it is not complete. */
function readChunks(bytes: Buffer, start: number): { text: string; end: number } | undefined {
  const parts: Buffer[] = [];
  for (let at = start; ;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd < 0) return undefined;
    const size = parseInt(bytes.toString("latin1", at, lineEnd), 16);
    const end = lineEnd + 2 + size + 2;
    if (bytes.length < end) return undefined;
    if (size === 0) return { text: Buffer.concat(parts).toString(), end };
    parts.push(bytes.subarray(lineEnd + 2, end - 2));
    at = end;
  }
}
