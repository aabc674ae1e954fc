import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** A line to a server that can be slow, or be cut: whatever goes through it, or just what the server says. */
export class Line {
  readonly #sockets = new Set<Socket>();
  /** Whether nothing that the server says arrives. */
  isDeaf = false;
  /** How long it takes from one end to the other, in milliseconds. */
  delay = 0;

  private constructor(private readonly server: Server) {}

  /** @param port of the server, on 127.0.0.1 */
  static async to(port: number): Promise<Line> {
    const server = createServer();
    const line = new Line(server);
    server.on("connection", (client) => {
      const upstream = connect(port, "127.0.0.1");
      for (const socket of [client, upstream]) {
        line.#sockets.add(socket);
        socket.on("error", () => undefined);
        socket.on("close", () => line.#sockets.delete(socket));
      }
      client.on("data", (data) => line.#carry(data, upstream));
      client.on("close", () => upstream.destroy());
      upstream.on("data", (data) => line.isDeaf || line.#carry(data, client));
      upstream.on("close", () => client.destroy());
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return line;
  }

  #carry(data: Buffer, to: Socket): void {
    if (this.delay === 0) to.write(data);
    else setTimeout(() => to.write(data), this.delay);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Cuts what is under way; what comes then goes through. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.isDeaf = false;
  }

  close(): void {
    this.cut();
    this.server.close();
  }
}
