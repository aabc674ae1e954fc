import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port";
import { needs } from "./needs";

/** A mosquitto of its own, which keeps what its subscribers have not got while it is stopped. */
export class Broker {
  readonly #dir = mkdtempSync(join(tmpdir(), "radaro-mosquitto-"));
  #process: ChildProcess | undefined;

  constructor() {
    needs("mosquitto");
  }

  /** Starts it. @returns its port */
  async start(): Promise<number> {
    for (;;) {
      const port = await freePort();
      const said = await this.#start(port);
      if (said === undefined) return port;
      // Somebody else may have taken the port meanwhile.
      if (!said.includes("Address already in use")) throw new Error(`mosquitto has ended:\n${said}`);
    }
  }

  /** @returns what it has said, where it does not run */
  async #start(port: number): Promise<string | undefined> {
    const file = join(this.#dir, "mosquitto.conf");
    const lines = [
      `listener ${port} 127.0.0.1`,
      "allow_anonymous true",
      "persistence true",
      `persistence_location ${this.#dir}/`,
      "max_queued_messages 0",
      "log_dest stderr",
      `user ${userInfo().username}`,
    ];
    writeFileSync(file, lines.join("\n") + "\n");
    const child = spawn("mosquitto", ["-c", file], { stdio: ["ignore", "ignore", "pipe"] });
    const exited = once(child, "exit");
    let said = "";
    const runs = new Promise<boolean>((resolve) => {
      child.stderr.on("data", (data: Buffer) => {
        said += data.toString();
        if (/mosquitto version \S+ running/.test(said)) resolve(true);
      });
      void exited.then(() => resolve(false));
    });
    if (!(await runs)) return said;
    this.#process = child;
    return undefined;
  }

  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child) return;
    const exited = once(child, "exit");
    child.kill();
    await exited;
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.#dir, { recursive: true });
  }
}

/** A line to a server on this machine, on which everything takes its time. */
export class Line {
  /** Where it leads; `undefined`: nowhere, who calls is hung up on. */
  to: number | undefined;
  readonly #sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly roundTrip: number,
  ) {
    server.on("connection", (socket: Socket) => this.#connect(socket));
  }

  /** @param roundTrip how long there and back takes, in milliseconds */
  static async open(roundTrip: number): Promise<Line> {
    const server = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Line(server, roundTrip);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  #connect(near: Socket): void {
    if (this.to === undefined) {
      near.destroy();
      return;
    }
    const far = connect({ host: "127.0.0.1", port: this.to, allowHalfOpen: true });
    this.#pass(near, far);
    this.#pass(far, near);
  }

  #pass(from: Socket, to: Socket): void {
    // Timers of one length end in the order in which they began.
    const later = (happens: () => void) => setTimeout(happens, this.roundTrip / 2);
    this.#sockets.add(from);
    from.setNoDelay();
    from.on("data", (data) => later(() => to.write(data)));
    from.on("end", () => later(() => to.end()));
    from.on("error", () => to.destroy());
    from.on("close", () => {
      this.#sockets.delete(from);
      later(() => to.destroy());
    });
  }

  async close(): Promise<void> {
    const closed = once(this.server, "close");
    this.server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
