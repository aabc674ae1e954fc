import assert from "node:assert/strict";
import { Instance, PostgresStore } from "../../src/inbox/postgres-store";
import { prepare } from "../../src/inbox/stored-event";
import type { Delivery } from "../../src/inbox/deliveries";
import { Postgres } from "./postgres";

/** `EVENTS=…` takes as many: a million is filled in some minutes. */
const total = Number(process.env.EVENTS ?? 50_000);
const together = 500;

/** There is room for them. */
const max = { events: 2 * total, bytes: 2 ** 40 };

/** How many events are looked at in one go where an index finds them: a step of a list, and some. */
const few = 600;
/** And where all that waits or comes again by itself is asked for: there is less than this. */
const active = total / 50;
/** And where no index finds what is asked for. */
const lookedThrough = 20_000;

const since = Date.UTC(2026, 0, 1);
const at = (i: number) => new Date(since + i * 1000).toISOString();
const error = { text: "no price", node: { id: "bill", type: "function", name: "Bill it" } };

/** Of a hundred events one has failed, and is given again by itself; in a thousand one waits. */
function deliveryOf(i: number): Delivery {
  if (i % 1000 === 1) return { node: "in", state: "waiting", times: 0 };
  if (i % 100 === 0) return { node: "in", state: "failed", times: 1, error, againAt: at(total + i) };
  return { node: "in", state: "processed", times: 1 };
}

const eventOf = (i: number) => {
  const event = {
    topic: i % 5 === 0 ? "job.changed" : "job.status_changed",
    event_type: "updated",
    updated_at: at(i),
    new_values: { status: "delivered" },
    order_info: { order_id: i % 5000, external_id: `X-${i}`, title: "Two pallets" },
  };
  const body = Buffer.from(String(i));
  const about = { path: "/radaro", body, receivedAt: new Date(at(i)), deliveries: [deliveryOf(i)] };
  return prepare(event, { ...about, meaning: null });
};

describe(`An inbox in PostgreSQL with ${total} events`, function () {
  this.timeout(1_800_000);
  let postgres: Postgres;
  let url: string;
  let store: PostgresStore;
  before(async () => {
    postgres = await Postgres.start({
      ...{ shared_preload_libraries: "auto_explain", "auto_explain.log_min_duration": "0" },
      ...{ "auto_explain.log_analyze": "on", "auto_explain.log_timing": "off" },
      // Also those inside of functions. How it comes to be full is another matter.
      ...{ "auto_explain.log_nested_statements": "on", "auto_explain.sample_rate": "0" },
    });
    url = postgres.newDatabase();
    store = await PostgresStore.open(url, new Instance("acme"), { max });
    for (let first = 0; first < total; first += together)
      await store.write(
        Array.from({ length: together }, (_, i) => eventOf(first + i)),
        [],
      );
    await store.close();
    postgres.query(url, "ALTER SYSTEM SET auto_explain.sample_rate = 1");
    postgres.query(url, "SELECT pg_reload_conf()");
    // Which does not look at anything by itself meanwhile.
    store = await PostgresStore.open(url, new Instance("acme"), { max }, { look: 600_000 });
  });
  after(async () => {
    await store.close();
    await postgres.remove();
  });

  /** How PostgreSQL has found what was asked for: of each look at the events, how, and at how many rows. */
  async function looks(ask: () => Promise<unknown>): Promise<{ how: string; rows: number }[]> {
    const from = postgres.log.length;
    await ask();
    const asked = `asked ${from}`; // what was logged before that is there when this is
    postgres.query(url, `SELECT '${asked}'`);
    while (!postgres.log.includes(asked, from)) await new Promise(setImmediate);
    const lines = postgres.log.slice(from).split("\n");
    const found: { how: string; rows: number }[] = [];
    for (const line of lines) {
      const [, how, rows, loops] =
        /(\w[\w ]* Scan\b.* on (?:events|bodies)\b.*?) {2}\(.*\(actual rows=(\d+) loops=(\d+)\)/.exec(line) ??
        [];
      if (how) found.push({ how, rows: Number(rows) * Number(loops) });
      const [, removed] = /Rows Removed by (?:Filter|Index Recheck): (\d+)/.exec(line) ?? [];
      const last = found.at(-1);
      if (removed && last) last.rows += Number(removed);
    }
    return found;
  }

  const questions: [what: string, rows: number, ask: () => Promise<unknown>][] = [
    ["the first page", few, () => store.list({}, "", 50)],
    ["a page in the middle", few, () => store.list({}, "25000", 50)],
    ["those that have failed", few, () => store.list({ state: "failed" }, "", 50)],
    ["those that wait", few, () => store.list({ state: "waiting" }, "", 50)],
    ["a job by its number", few, () => store.list({ job: "77" }, "", 50)],
    ["a job by its external number", few, () => store.list({ job: "X-4321" }, "", 50)],
    ["a job that there is not", few, () => store.list({ job: "none" }, "", 50)],
    ["a topic", lookedThrough, () => store.list({ topic: "job.changed" }, "", 50)],
    ["a topic that there is not", lookedThrough, () => store.list({ topic: "none" }, "", 50)],
    ["a day", lookedThrough, () => store.list({ from: at(1000), to: at(1100) }, "", 50)],
    ["a text", lookedThrough, () => store.list({ text: "pallets" }, "", 50)],
    ["a text that there is not", lookedThrough, () => store.list({ text: "nobody" }, "", 50)],
    [
      "what has failed of a cause",
      lookedThrough,
      () => store.list({ node: "bill", error: "no price" }, "", 50),
    ],
    ["how many wait", lookedThrough, () => store.count({ state: "waiting" }, "")],
    ["how many fit", lookedThrough, () => store.count({ topic: "job.changed" }, "")],
    ["what has failed, by cause", 0, () => store.causes()],
    ["since when the oldest waits", active, () => store.times()],
    ["an event", few, () => store.read("000000000004321")],
    ["some of a state", few, () => store.some("failed", "")],
    ["what waits, to be given", few, () => store.open("")],
    ["what is due for a retry", few, () => store.due(at(2 * total), at(3 * total))],
    ["what is too old", few, () => store.someFrom(at(10_000), "")],
    ["the counts, and what others have done", few, () => store.check()],
    ["whether there is room for more", 0, () => store.makeRoom([1000])],
    ["a new event of a job", few, () => store.write([eventOf(total + 77)], [])],
  ];
  for (const [what, most, ask] of questions)
    it(`finds ${what}, and looks at no more than ${most} events for it, by an index`, async () => {
      const found = await looks(ask);
      assert.equal(found.length > 0, most > 0);
      for (const { how, rows } of found) {
        assert.doesNotMatch(how, /Seq Scan/);
        assert.ok(rows <= most, `${rows} rows by ${how}`);
      }
    });
});
