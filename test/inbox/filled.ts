import type { JsonObject } from "../../src/event/json";
import type { State } from "../../src/inbox/deliveries";
import { SqliteStore } from "../../src/inbox/sqlite-store";
import { prepare } from "../../src/inbox/stored-event";

/** How many are stored at a time. */
const step = 500;

const error = { text: "no such customer", node: { id: "ours", type: "bench end" } };

/** What an inbox is filled with. */
interface Filling {
  total: number;
  /** Where they were sent to, and the id of the `radaro in` there. */
  path: string;
  node: string;
  /** An event as it is sent. */
  bodyOf: (i: number) => string;
  stateOf: (i: number) => State;
}

/** Makes the folder of an inbox with many events, as if they had come now. */
export async function fillInbox(dir: string, { total, path, node, bodyOf, stateOf }: Filling): Promise<void> {
  const store = await SqliteStore.open(dir);
  for (let first = 0; first < total; first += step) {
    const accepted = Array.from({ length: Math.min(step, total - first) }, (_, i) => {
      const body = bodyOf(first + i);
      const event = JSON.parse(body) as JsonObject;
      delete event.token;
      return prepare(event, {
        path,
        body: Buffer.from(body),
        receivedAt: new Date(),
        deliveries: [{ node, state: "waiting", times: 1 }],
        meaning: null,
      });
    });
    const written = await store.write(accepted, []);
    const changed = accepted.map(({ stored }, i) => {
      const state = stateOf(first + i);
      return {
        ...stored,
        ...written[i],
        deliveries: [{ node, state, times: 1, ...(state === "failed" && { error }) }],
      };
    });
    await store.write(
      [],
      changed.filter((_, i) => stateOf(first + i) !== "waiting"),
    );
  }
  await store.close();
}
