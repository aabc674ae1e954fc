import { createConnection, isIP, type Socket } from "node:net";
import { connect, type ConnectionOptions } from "node:tls";
import type { Address } from "./postgres-url";
import { Unusable } from "./store";

/** What asks the server for TLS (postgresql.org/docs/current/protocol-message-formats.html, SSLRequest). */
const tlsRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

/**
 * Connects to a database, encrypted where its address says so: the client that speaks over it does not look
 * after errors that come when it has closed it, and they would end the process.
 *
 * @param opened is given the socket, and that over it, before they are of use: whoever has them can end them
 */
export async function openSocket(address: Address, opened: (socket: Socket) => void): Promise<Socket> {
  const { host, port, tls } = address;
  const path = `${host}/.s.PGSQL.${port}`;
  const plain = host.startsWith("/") ? createConnection(path) : createConnection(port, host);
  opened(plain);
  plain.setNoDelay(true).setKeepAlive(true, 10_000);
  await happened(plain, "connect");
  const socket = tls !== false && (await takesTls(plain, tls)) ? encrypted(plain, host, tls) : plain;
  opened(socket);
  if (socket !== plain) await happened(socket, "secureConnect");
  // The client would also take away what hears of errors.
  socket.removeAllListeners = () => socket;
  return socket;
}

/** Asks the server whether it encrypts. @throws Unusable where it does not, and has to */
async function takesTls(plain: Socket, tls: Exclude<Address["tls"], false>): Promise<boolean> {
  plain.write(tlsRequest);
  const answer = (await happened(plain, "data")) as Buffer;
  plain.pause();
  if (answer.toString() === "S") return true; // and no more: that would not be encrypted
  if (answer.toString() === "N" && tls === "prefer") {
    plain.resume();
    return false;
  }
  throw new Unusable("unreachable", new Error("no TLS"));
}

function encrypted(plain: Socket, host: string, tls: Exclude<Address["tls"], false>): Socket {
  const checked: ConnectionOptions = tls === "prefer" ? { rejectUnauthorized: false } : tls;
  return connect({ socket: plain, ...(isIP(host) === 0 && { servername: host }), ...checked });
}

/** Resolves when something happens to a socket, and rejects where it ends before. */
function happened(socket: Socket, event: "connect" | "data" | "secureConnect"): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const over = (settle: () => void) => {
      socket.off(event, well).off("error", failed).off("close", closed);
      settle();
    };
    const well = (value: unknown) => over(() => resolve(value));
    // Where more comes, nobody waits for it any more.
    const failed = (error: Error) => over(() => socket.on("error", () => undefined) && reject(error));
    const closed = () => over(() => reject(new Unusable("unreachable")));
    socket.on(event, well).on("error", failed).on("close", closed);
  });
}
