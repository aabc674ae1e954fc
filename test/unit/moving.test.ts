import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Delivery, State } from "../../src/inbox/deliveries";
import { moveOpen } from "../../src/inbox/moving";
import { SqliteStore } from "../../src/inbox/sqlite-store";
import { Unusable, type Store } from "../../src/inbox/store";
import { prepare, type AcceptedEvent } from "../../src/inbox/stored-event";

const now = Date.UTC(2026, 10, 28, 12);
const receivedAt = new Date(now);
const error = { text: "no price", node: { id: "bill", type: "function" } };
const deliveryOf: Record<State, Delivery> = {
  waiting: { node: "in", state: "waiting", times: 1, since: receivedAt.toISOString() },
  failed: {
    node: "in",
    state: "failed",
    times: 2,
    error,
    againAt: new Date(now + 60_000).toISOString(),
    retries: 1,
  },
  processed: { node: "in", state: "processed", times: 1 },
};

const eventOf = (number: number, state: State, filler = "") => {
  const event = {
    number,
    filler,
    topic: "job.status_changed",
    event_type: "updated",
    updated_at: new Date(now - number * 1000).toISOString(),
    new_values: { status: `of ${number}` },
    order_info: { order_id: 7, title: "Two pallets" },
  };
  const body = Buffer.from(JSON.stringify({ ...event, token: "t" }));
  return prepare(event, {
    path: "/radaro",
    body,
    receivedAt,
    deliveries: [deliveryOf[state]],
    meaning: null,
  });
};

describe("What an inbox had in another store", () => {
  let dir: string;
  let from: Store;
  let to: Store;
  /** How many events came together. */
  let parts: number[];
  const take = async (events: AcceptedEvent[]) => {
    parts.push(events.length);
    await to.write(events, []);
  };
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "radaro-moving-"));
    from = await SqliteStore.open(join(dir, "from"));
    to = await SqliteStore.open(join(dir, "to"));
    parts = [];
  });
  afterEach(async () => {
    await Promise.all([from.close(), to.close()]);
    rmSync(dir, { recursive: true });
  });

  it("comes along where it waits or has failed, as it was, and is there no more; the rest stays", async () => {
    const states: State[] = ["waiting", "failed", "processed"];
    await from.write(
      Array.from({ length: 600 }, (_, i) => eventOf(i, states[i % 3]!)),
      [],
    );
    const [{ seq: last } = { seq: "" }] = (await from.list({ state: "failed" }, "", 1)).events;
    const before = await from.read(last);
    await moveOpen(from, take);
    assert.deepEqual(from.counts, { waiting: 0, failed: 0, processed: 200 });
    assert.deepEqual(to.counts, { waiting: 200, failed: 200, processed: 0 });
    const [{ seq } = { seq: "" }] = (await to.list({ state: "failed" }, "", 1)).events;
    const after = await to.read(seq);
    assert.deepEqual({ ...after, stored: { ...after?.stored, seq: last } }, before);
    const waiting = (await to.list({ state: "waiting" }, "", 1)).events[0]!;
    const tries = [{ since: receivedAt.toISOString(), outcome: "interrupted" }];
    assert.deepEqual(waiting.deliveries, [{ node: "in", state: "waiting", times: 1, tries }]);
  });

  it("is given in the order of the changes, and knows what supersedes it", async () => {
    await from.write([eventOf(2, "waiting"), eventOf(3, "waiting")], []);
    await to.write([eventOf(1, "waiting")], []);
    await moveOpen(from, take);
    const { events } = await to.open("");
    const numbers = await Promise.all(
      events.map(async ({ seq }) => JSON.parse((await to.read(seq))!.text) as { number: number }),
    );
    assert.deepEqual(
      numbers.map(({ number }) => number),
      [3, 2, 1],
    );
    assert.deepEqual((await to.list({ superseded: true }, "", 9)).events.length, 2);
  });

  it("is there once where it has come along before, and was not deleted", async () => {
    await from.write([eventOf(1, "waiting")], []);
    await to.write([eventOf(1, "waiting")], []);
    await moveOpen(from, take);
    assert.deepEqual(to.counts, { waiting: 1, failed: 0, processed: 0 });
    assert.deepEqual(from.counts, { waiting: 0, failed: 0, processed: 0 });
  });

  it("stays where it cannot be stored", async () => {
    await from.write(
      Array.from({ length: 250 }, (_, i) => eventOf(i, "waiting")),
      [],
    );
    const crowded = new Unusable("crowded");
    const full = async (events: AcceptedEvent[]) => {
      if (parts.length === 2) throw crowded;
      await take(events);
    };
    await assert.rejects(moveOpen(from, full), crowded);
    assert.deepEqual([from.counts.waiting, to.counts.waiting], [50, 200]);
  });

  it("comes in parts, however large its events are", async () => {
    const large = "x".repeat(1024 ** 2);
    await from.write(
      Array.from({ length: 10 }, (_, i) => eventOf(i, "waiting", large)),
      [],
    );
    await moveOpen(from, take);
    assert.deepEqual(parts, [3, 3, 3, 1]);
  });
});
