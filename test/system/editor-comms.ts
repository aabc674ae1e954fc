import { once } from "node:events";
import WebSocket from "ws";

/** What Node-RED tells the editor: statuses, and what debug nodes show. */
export interface Comms {
  all: { topic: string; data: unknown }[];
  /** Resolves with the first `count` texts that debug nodes showed, by the nodes' names. */
  debugged(count: number): Promise<[name: string, text: unknown][]>;
  close(): void;
}

interface DebugData {
  id: string;
  name?: string;
  msg: unknown;
}

/** Connects as the editor does. @param adminUrl without a `/` at the end */
export async function connect(adminUrl: string): Promise<Comms> {
  const socket = new WebSocket(`${adminUrl.replace(/^http/, "ws")}/comms`);
  const all: Comms["all"] = [];
  socket.on("message", (data: Buffer) => {
    all.push(...([JSON.parse(data.toString())].flat() as Comms["all"]));
  });
  await once(socket, "open");
  for (const topic of ["debug", "status/#", "notification/#"])
    socket.send(JSON.stringify({ subscribe: topic }));
  // Retained messages come after a subscription: with the first of them, it holds.
  await once(socket, "message");
  return {
    all,
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
