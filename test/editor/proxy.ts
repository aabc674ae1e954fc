import { once } from "node:events";
import { createServer, request } from "node:http";
import { connect, type AddressInfo } from "node:net";

export interface Proxy {
  /** Without a `/` at the end. */
  url: string;
  close(): Promise<void>;
}

/**
 * A reverse proxy that serves another server below a path, and takes that path away, as nginx's
 * `location /nodered/ { proxy_pass http://…/; }`.
 *
 * @param prefix such as `/nodered`
 */
export async function startProxy(target: string, prefix: string): Promise<Proxy> {
  const { hostname, port } = new URL(target);
  const inner = (path = "") => path.replace(prefix, "");
  const server = createServer((req, res) => {
    const { method, headers } = req;
    const passed = request({ hostname, port, path: inner(req.url), method, headers }, (answer) => {
      res.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(res);
    });
    req.pipe(passed);
  });
  // What the editor is told as it happens comes over a WebSocket.
  server.on("upgrade", (req, socket) => {
    const passed = connect(Number(port), hostname, () => {
      const lines = req.rawHeaders.map((text, i) => (i % 2 === 0 ? `${text}: ` : `${text}\r\n`));
      passed.write(`GET ${inner(req.url)} HTTP/1.1\r\n${lines.join("")}\r\n`);
      passed.pipe(socket).pipe(passed);
    });
    passed.on("error", () => socket.destroy());
    socket.on("error", () => passed.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${prefix}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
