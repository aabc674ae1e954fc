import assert from "node:assert/strict";
import { failed, given, newDelivery, processed, type Delivery } from "../../src/inbox/deliveries";
import type { JsonObject } from "../../src/event/json";
import { bounds, step, type OpenOptions, type Store } from "../../src/inbox/store";
import { prepare, type StoredEvent } from "../../src/inbox/stored-event";

const start = Date.UTC(2026, 5, 1, 12);
const at = (second: number) => new Date(start + second * 1000).toISOString();
const waiting = [newDelivery("in")];
const down = { text: "down", node: { id: "n", type: "function", name: "Bill it" } };

/**
 * What any store must do.
 *
 * @param name of its kind
 * @param open opens a new one, or with the same `place` one again
 */
export function describeStore(
  name: string,
  open: (place: string, options?: OpenOptions) => Promise<Store>,
): void {
  describe(`an inbox's store in ${name}`, () => {
    let store: Store;
    let place = 0;
    beforeEach(async () => (store = await open(String((place += 1)))));
    afterEach(() => store.close());

    let count = 0;
    const prepared = (event: JsonObject = {}, deliveries: Delivery[] | undefined = waiting, second = 0) =>
      prepare(event, {
        ...{ path: "/radaro", body: Buffer.from(String((count += 1))), deliveries },
        meaning: typeof event.means === "string" ? event.means : null,
        receivedAt: new Date(start + second * 1000),
      });
    /** Stores events one by one. @returns what is kept of them */
    const add = async (...events: ReturnType<typeof prepared>[]): Promise<StoredEvent[]> => {
      for (const each of events) {
        const [written] = await store.write([each], []);
        Object.assign(each.stored, written);
      }
      return events.map(({ stored }) => stored);
    };
    const change = (job: number | string, second: number, fields: string[], deliveries = waiting) =>
      prepared(
        {
          updated_at: at(second),
          order_info: { order_id: job },
          new_values: Object.fromEntries(fields.map((field) => [field, 1])),
        },
        deliveries,
      );
    const seqs = (found: { seq: string }[]) => found.map(({ seq }) => seq);

    it("keeps an event as it was sent, and what is known of it", async () => {
      const event = {
        topic: "job.status_changed",
        event_type: "updated",
        updated_at: at(1),
        new_values: { status: "delivered" },
        order_info: { order_id: "A-1", external_id: "X-1", title: "Sofa", customer: { name: "Ada" } },
      };
      const [stored] = await add(prepared(event));
      const found = await store.read(stored!.seq);
      assert.deepEqual(JSON.parse(found!.text), event);
      assert.deepEqual(found!.stored, stored);
      assert.deepEqual(await store.get([stored!.seq]), [stored]);
      assert.equal(await store.read("000000000999999"), undefined);
      assert.equal(store.last, stored!.seq);
    });

    it("gives events places in the order of their arrival, and keeps one that comes twice once", async () => {
      const [a, b] = [prepared(), prepared()];
      const written = await store.write([a, b, a], []);
      assert.ok(written[0]!.seq < written[1]!.seq);
      assert.equal(written[2], undefined);
      assert.deepEqual(await store.write([b], []), [undefined]);
      assert.deepEqual(store.counts, { waiting: 2, processed: 0, failed: 0 });
    });

    it("counts events by state, and what has failed by node and by cause", async () => {
      const [a, b, c] = await add(
        prepared({}, waiting, 1),
        prepared({}, waiting, 2),
        prepared({}, waiting, 3),
      );
      const fail = (stored: StoredEvent, after: number[] = []) => ({
        ...stored,
        deliveries: [failed(given(newDelivery("in"), start), down, { now: start, after })],
      });
      await store.write([], [fail(a!), fail(b!, [5])]);
      assert.deepEqual(store.counts, { waiting: 1, processed: 0, failed: 2 });
      assert.deepEqual({ ...store.failures }, { in: 2 });
      assert.deepEqual(await store.causes(), [
        { node: down.node, error: "down", count: 2, again: 1, first: at(1), last: at(2) },
      ]);
      const done = [processed(given(newDelivery("in"), start), start)];
      await store.write(
        [],
        [a!, b!, c!].map((each) => ({ ...each, deliveries: done })),
      );
      assert.deepEqual(store.counts, { waiting: 0, processed: 3, failed: 0 });
      assert.equal(store.failures.in ?? 0, 0);
      assert.deepEqual(await store.causes(), []);
    });

    it("has all of that also when it was closed and opened again", async () => {
      const [stored] = await add(prepared());
      await store.write([], [{ ...stored!, deliveries: [failed(waiting[0]!, down, { now: start })] }]);
      await store.set({
        isPaused: true,
        ends: 2,
        refused: [{ why: "no-token", count: 3, first: at(0), last: at(1) }],
      });
      await store.letGo();
      await store.close();
      store = await open(String(place));
      assert.deepEqual(store.counts, { waiting: 0, processed: 0, failed: 1 });
      assert.deepEqual({ ...store.failures }, { in: 1 });
      assert.deepEqual(store.settings, {
        isPaused: true,
        ends: 2,
        refused: [{ why: "no-token", count: 3, first: at(0), last: at(1) }],
      });
      assert.equal(store.last, stored!.seq);
      assert.deepEqual((await store.list({}, "", 9)).events[0]!.deliveries![0]!.error, down);
    });

    it("lists what waits by the time of its change, then by arrival, in steps", async () => {
      const seconds = [...Array(step + 3).keys()].reverse();
      const events = seconds.map((second) => change(1, second, ["status"]));
      await store.write(events, []);
      await add(prepared({}, []));
      const first = await store.open("");
      assert.equal(first.events.length, step);
      const second = await store.open(first.last!);
      assert.equal(second.last, undefined);
      const found = await store.get(seqs([...first.events, ...second.events]));
      assert.deepEqual(
        found.map(({ changedAt }) => changedAt),
        events.map(({ stored }) => stored.changedAt).sort(),
      );
      assert.deepEqual(first.events[0]!.deliveries, waiting);
    });

    it("finds what a later event has changed again, and says so of one that comes after it", async () => {
      const [later, , early] = await add(
        change(1, 3, ["status", "driver"]),
        change(2, 9, ["status"]),
        change(1, 2, ["status"]),
      );
      assert.equal(early!.superseded, true);
      const [both, half] = await add(change(1, 1, ["driver", "status"]), change(1, 1, ["driver", "title"]));
      assert.deepEqual([both!.superseded, half!.superseded], [true, undefined]);
      assert.deepEqual(await store.later(both!, { job: "1", fields: ["driver", "status"] }), [
        { seq: later!.seq, state: "waiting" },
      ]);
      assert.equal(await store.later(half!, { job: "1", fields: ["driver", "title"] }), undefined);
    });

    it("does so among events that are stored together", async () => {
      const events = [change(1, 2, ["status"]), change(1, 1, ["status"]), change(1, 3, ["status"])];
      const written = await store.write(events, []);
      assert.deepEqual(
        written.map((each) => each!.superseded),
        [undefined, true, undefined],
      );
    });

    it("finds the earlier events of a job that wait", async () => {
      const [first, second, third] = await add(
        change("A", 1, ["status"]),
        change("A", 2, ["status"]),
        change("A", 3, ["status"]),
      );
      await add(change("B", 0, ["status"]), change("A", 0, ["status"], []));
      assert.deepEqual(seqs(await store.earlier(third!, "A")), [second!.seq, first!.seq]);
    });

    it("finds what is due, and when the next is", async () => {
      const all = await add(prepared(), prepared(), prepared());
      const fail = (stored: StoredEvent, minutes: number) => ({
        ...stored,
        deliveries: [failed(waiting[0]!, down, { now: start, after: [minutes] })],
      });
      await store.write([], [fail(all[0]!, 2), fail(all[1]!, 1), fail(all[2]!, 9)]);
      assert.deepEqual(await store.due(at(121), at(9999)), {
        seqs: [all[1]!.seq, all[0]!.seq],
        next: at(60),
      });
      assert.deepEqual(await store.due(at(0), at(500)), { seqs: [all[2]!.seq], next: at(60) });
    });

    it("lists some of a state, and of those that came before a time", async () => {
      const [a, b, c] = await add(prepared({}, [], 3), prepared({}, waiting, 1), prepared({}, [], 2));
      const processedOnes = await store.some("processed", "");
      assert.deepEqual(seqs(processedOnes.events), [a!.seq, c!.seq]);
      const { events } = await store.someFrom(at(3), "");
      assert.deepEqual(
        events.map(({ seq, isOpen }) => [seq, isOpen]),
        [
          [b!.seq, true],
          [c!.seq, false],
        ],
      );
      assert.deepEqual(await store.times(), { oldestWaiting: at(1), lastAccepted: at(2) });
    });

    it("says when the oldest that waits came, whenever it happened", async () => {
      await add(
        prepared({}, [], 0),
        prepared({ updated_at: "2026-03-02T12:00:00Z" }, waiting, 1),
        prepared({ updated_at: "2026-03-01T12:00:00Z" }, waiting, 2),
      );
      assert.deepEqual(await store.times(), { oldestWaiting: at(1), lastAccepted: at(2) });
    });

    it("dates what cannot have come when it seems to have", async () => {
      const [early, , late] = await add(prepared({}, [], -9), prepared({}, [], 1), prepared({}, [], 99));
      assert.equal(await store.redate(at(0), at(9), at(5)), 2);
      const found = await store.get([early!.seq, late!.seq]);
      assert.deepEqual(new Set(found.map(({ receivedAt }) => receivedAt)), new Set([at(5)]));
    });

    it("deletes, and passes over what has become of what is gone", async () => {
      const [a, b] = await add(prepared(), prepared());
      assert.equal(await store.delete([a!.seq, "000000000999999"]), 1);
      await store.write([], [{ ...a!, deliveries: [processed(waiting[0]!, start)] }]);
      assert.deepEqual(store.counts, { waiting: 1, processed: 0, failed: 0 });
      assert.equal(await store.read(a!.seq), undefined);
      assert.deepEqual(seqs((await store.list({}, "", 9)).events), [b!.seq]);
    });

    it("makes room by deleting the oldest that wait for nothing, and tells for how many there is none", async () => {
      await store.close();
      store = await open(String((place += 1)), { max: { ...bounds, events: step + 10 } });
      const old = await add(prepared({}, []), prepared({}, waiting));
      await store.write(
        Array.from({ length: step + 8 }, () => prepared({}, [])),
        [],
      );
      assert.equal(await store.makeRoom([1]), 1);
      assert.deepEqual(seqs(await store.get(seqs(old))), [old[1]!.seq]);
      await store.write(
        Array.from({ length: step }, () => prepared({}, waiting)),
        [],
      );
      assert.equal(await store.makeRoom(Array<number>(20).fill(1)), 9);
    });

    describe("lists and counts, newest first,", () => {
      let all: StoredEvent[];
      beforeEach(async () => {
        all = await add(
          prepared(
            { topic: "a", order_info: { order_id: "J1", external_id: "E1" }, note: "Käse_100%" },
            waiting,
            1,
          ),
          prepared(
            { topic: "b", order_info: { order_id: "J2", external_id: "J1" }, phone: "+61 3 7010 4455" },
            [],
            2,
          ),
          prepared({ topic: "a", means: "mean" }, [failed(waiting[0]!, down, { now: start })], 3),
          change(7, 5, ["status"], []),
          change(7, 4, ["status"], []),
        );
      });
      const filters: [string, Parameters<Store["list"]>[0], number[]][] = [
        ["all", {}, [4, 3, 2, 1, 0]],
        ["those in a state", { state: "processed" }, [4, 3, 1]],
        ["those with a topic", { topic: "a" }, [2, 0]],
        ["those of a job, by either number", { job: "J1" }, [1, 0]],
        ["those that a text is in", { text: "KÄSE_100%" }, [0]],
        ["none where a text is only like one", { text: "Käse-100%" }, []],
        ["those with a telephone number, however it is written", { text: "(03) 7010-4455" }, [1]],
        ["those that mean one of some things", { meaning: ["met", "mean"] }, [2]],
        ["none where they mean something else", { meaning: ["met"] }, []],
        ["those that failed of something", { node: "n", error: "down" }, [2]],
        ["those of a time", { from: at(2), to: at(3) }, [1]],
        ["the superseded", { superseded: true }, [4]],
      ];
      for (const [what, filter, wanted] of filters)
        it(what, async () => {
          const { events, next } = await store.list(filter, "", 50);
          assert.equal(next, null);
          assert.deepEqual(
            seqs(events),
            wanted.map((i) => all[i]!.seq),
          );
          const { counts } = await store.count(filter, "");
          assert.equal(counts.waiting + counts.failed + counts.processed, wanted.length);
        });

      it("page by page", async () => {
        const found: string[] = [];
        let before: string | null = "";
        while (before !== null) {
          const page: Awaited<ReturnType<Store["list"]>> = await store.list({}, before, 2);
          found.push(...seqs(page.events));
          before = page.next;
        }
        assert.deepEqual(found, seqs(all).reverse());
      });
    });
  });
}
