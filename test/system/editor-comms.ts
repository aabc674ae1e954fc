import { once } from "node:events";
import WebSocket from "ws";

/** What Node-RED tells the editor: statuses, and what debug nodes show. */
export interface Comms {
  all: { topic: string; data: unknown }[];
  /** Resolves with what has come of the first topic that fits, also if it has come already. */
  told<T>(topic: string, fits?: (data: T) => boolean): Promise<T>;
  /** Resolves with the first `count` texts that debug nodes showed, by the nodes' names. */
  debugged(count: number): Promise<[name: string, text: unknown][]>;
  close(): void;
}

interface DebugData {
  id: string;
  name?: string;
  msg: unknown;
}

/**
 * Connects as the editor does.
 *
 * @param adminUrl without a `/` at the end
 * @param accessToken of a user, where Node-RED asks for one
 */
export async function connect(adminUrl: string, accessToken?: string): Promise<Comms> {
  const socket = new WebSocket(`${adminUrl.replace(/^http/, "ws")}/comms`);
  const all: Comms["all"] = [];
  socket.on("message", (data: Buffer) => {
    all.push(...([JSON.parse(data.toString())].flat() as Comms["all"]));
  });
  await once(socket, "open");
  if (accessToken) {
    socket.send(JSON.stringify({ auth: accessToken }));
    await once(socket, "message");
  }
  for (const topic of ["debug", "status/#", "notification/#"])
    socket.send(JSON.stringify({ subscribe: topic }));
  // Retained messages come after a subscription: with the first of them, it holds.
  await once(socket, "message");
  return {
    all,
    told: async <T>(topic: string, fits: (data: T) => boolean = () => true) => {
      for (;;) {
        const found = all.find((each) => each.topic === topic && fits(each.data as T));
        if (found) return found.data as T;
        await once(socket, "message");
      }
    },
    debugged: async (count) => {
      for (;;) {
        const shown = all.filter(({ topic }) => topic === "debug").map(({ data }) => data as DebugData);
        if (shown.length >= count) return shown.map(({ name, msg }) => [name ?? "", msg]);
        await once(socket, "message");
      }
    },
    close: () => socket.terminate(),
  };
}
