import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { askDirectly, MadeUpRadaro, type Event } from "../../scripts/made-up-radaro";
import { isJsonObject } from "../../src/event/json";
import { maxRequests } from "../../src/inbox/catch-up-run";
import { CatchingUp } from "../../src/inbox/catching-up";
import { Inbox } from "../../src/inbox/inbox";
import type { Answer } from "../../src/inbox/radaro-api";
import { SqliteStore } from "../../src/inbox/sqlite-store";
import { Unusable } from "../../src/inbox/store";
import { sortable } from "../../src/inbox/stored-event";
import { TestFlow } from "./test-flow";

/** How often it is asked here, in milliseconds: then what differs is looked at again too. */
const every = 40;

describe("an inbox that catches up", () => {
  let dir: string;
  let inbox: Inbox;
  let catchingUp: CatchingUp;
  let radaro: MadeUpRadaro;
  let announced: (() => Event)[];
  let requests = 0;
  let flow: TestFlow;
  /** What becomes of an answer on its way. */
  let change: (answer: Answer) => Answer = (answer) => answer;
  let isGone = false;
  let broken: unknown[] = [];
  let isBroken = false;
  let paths: string[] = [];
  /** The path for which nothing can be stored. */
  let refused: string | undefined;
  /** One that the jobs API shows to nobody. */
  let hiddenJob: string | undefined;
  /** Whether a job is looked for by the merchant's own number, whatever was asked. */
  let isLookupIgnored = false;
  /** By how much Radaro's jobs are older than now, in milliseconds. */
  let past = 0;

  /** The made events that the flow has got. */
  const made = () => flow.given.flatMap(({ stored }) => (stored.caughtUp ? stored : []));

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "radaro-catching-up-"));
    [announced, requests, isGone] = [[], 0, false];
    flow = new TestFlow();
    flow.answer = { state: "processed" };
    [broken, isBroken, paths, refused, isLookupIgnored, past] = [[], false, ["/radaro"], undefined, false, 0];
    change = (answer) => answer;
    radaro = new MadeUpRadaro({
      announce: (build) => announced.push(build),
      now: () => Date.now() - past,
    });
    flow.inbox = inbox = new Inbox((options) => SqliteStore.open(dir, options), flow, {
      ...{ days: 7, isAsking: true },
      changed: () => undefined,
      setAside: (node) => ({ text: "set aside", node: { id: node, type: "radaro in" } }),
    });
    const api = askDirectly(radaro, () => Promise.resolve(void (requests += 1)));
    catchingUp = new CatchingUp(
      {
        api: {
          list: async (ask) => change(await api.list(ask)),
          one: async (id) => {
            const answer = await api.one(id);
            const isAbsent =
              isGone ||
              id === hiddenJob ||
              (isLookupIgnored && !radaro.jobs.some((job) => job.external_id === id));
            return isAbsent ? { ...answer, json: undefined } : answer;
          },
          close: () => undefined,
        },
        ...{ jobs: inbox.jobs, whom: "radaro", changed: () => undefined },
        paths: () => (isBroken ? (null as never) : paths),
        broke: (error) => broken.push(error),
        accept: async ({ event, body, by }, path) => {
          if (path === refused) throw new Unusable("crowded");
          return inbox.accept({ ...event }, { path, body, by, receivedAt: new Date() });
        },
      },
      { every, days: 7, pause: 0 },
    );
  });
  afterEach(async () => {
    await catchingUp.close();
    await inbox.close();
    rmSync(dir, { recursive: true });
  });

  async function asked() {
    const before = catchingUp.state.asked;
    catchingUp.ask();
    while (catchingUp.state.asked === before || catchingUp.state.isAsking) await wait(1);
    return catchingUp.state;
  }
  async function send() {
    for (const build of announced.splice(0)) {
      const event = build();
      const body = Buffer.from(JSON.stringify(event));
      await inbox.accept(event, { path: "/radaro", body, receivedAt: new Date() });
    }
  }
  /** A list that shows no job, of however many it counts. */
  function hidden(answer: Answer): Answer {
    assert.ok(isJsonObject(answer.json));
    return { ...answer, json: { ...answer.json, results: [] } };
  }

  it("tells nothing of what only one look has shown", async () => {
    const job = radaro.create();
    await asked();
    radaro.setStatus(job, "delivered");
    // It is not so any more as soon as a look has shown it.
    change = (answer) => {
      const isShown = JSON.stringify(answer.json).includes('"status":"delivered"');
      if (isShown && radaro.job(job)!.status === "delivered") radaro.setStatus(job, "failed");
      return answer;
    };
    while (made().length === 0) await asked();
    assert.deepEqual(
      made().map(({ status }) => status),
      ["failed"],
    );
  });

  it("says where it broke off by a fault of its own, waits longer each time, and goes on without it", async () => {
    isBroken = true;
    catchingUp.ask();
    while (broken.length < 3) await wait(1);
    assert.ok(broken.every((error) => error instanceof TypeError));
    assert.equal(catchingUp.state.problem, "unexpected");
    isBroken = false;
    assert.equal((await asked()).problem, null);
  });

  it("tells that a job is deleted that was gone before it was certain that it is there", async () => {
    radaro.create();
    await send();
    await asked();
    const job = radaro.create();
    announced.length = 0; // no event of it comes
    radaro.setStatus(job, "assigned");
    await send();
    change = (answer) => {
      if (JSON.stringify(answer.json).includes(`"order_id":${job}`)) radaro.delete(job);
      change = (next) => next;
      return answer;
    };
    await asked();
    assert.equal(radaro.job(job), undefined);
    while (made().length === 0) await asked();
    assert.deepEqual(
      made().map(({ eventType }) => eventType),
      ["deleted"],
    );
  });

  it("says where a key does not see the jobs that events have told of, and takes none for deleted", async () => {
    await asked();
    change = hidden;
    isGone = true;
    for (let i = 0; i < 10; i += 1) radaro.create();
    await send();
    while ((await asked()).problem !== "partial") await wait(1);
    assert.deepEqual(made(), []);
    change = (answer) => answer;
    isGone = false;
    assert.equal((await asked()).problem, null);
  });

  it("gives each path what never arrived, also where it could be stored for another only", async () => {
    paths = ["/one", "/two"];
    const job = radaro.create();
    await asked();
    radaro.setStatus(job, "assigned", true);
    refused = "/two";
    const told = () => made().map(({ path, status }) => [path, status]);
    while (told().length === 0) {
      catchingUp.ask();
      await wait(every);
    }
    refused = undefined;
    while (told().length < 2) await asked();
    assert.deepEqual(told(), [
      ["/one", "assigned"],
      ["/two", "assigned"],
    ]);
  });

  it("asks one by one for those that no list shows, the longest first, before it takes most for gone", async () => {
    const day = 24 * 3_600_000;
    past = 5 * day;
    for (let i = 0; i < 250; i += 1) radaro.create({ status: "assigned" }, day);
    past = 0;
    await asked();
    for (const { order_id } of radaro.jobs) radaro.setStatus(order_id, "delivered", true);
    while (made().length < 250) await asked();
    assert.ok(made().every(({ status }) => status === "delivered"));
    assert.equal((await asked()).problem, null);
  });

  it("believes no absence of a job where the number is not looked for, and says so", async () => {
    const day = 24 * 3_600_000;
    past = 4 * day;
    const job = radaro.create({ status: "delivered" }, day);
    past = 0;
    radaro.create();
    await asked();
    isLookupIgnored = true;
    radaro.setStatus(job, "failed", true);
    catchingUp.ask();
    while (catchingUp.state.problem !== "unasked") await wait(1);
    assert.deepEqual(made(), []);
  });

  it("goes on with a job that was gone for a while", async () => {
    const job = radaro.create();
    radaro.create();
    await asked();
    const shown = change;
    change = (answer) => {
      const { results, ...page } = answer.json as { results: { order_id: number }[] };
      return { ...answer, json: { ...page, results: results.filter(({ order_id }) => order_id !== job) } };
    };
    hiddenJob = String(job);
    while (made().length === 0) await asked();
    change = shown;
    hiddenJob = undefined;
    radaro.setStatus(job, "assigned", true);
    while (made().length < 2) await asked();
    assert.deepEqual(
      made().map(({ eventType, status }) => [eventType, status]),
      [
        ["deleted", undefined],
        ["updated", "assigned"],
      ],
    );
  });

  it("takes no job for deleted where most are gone at once, and says so", async () => {
    for (let i = 0; i < 25; i += 1) radaro.create();
    assert.equal((await asked()).problem, null);
    change = hidden;
    isGone = true;
    assert.equal((await asked()).problem, "most-gone");
    assert.deepEqual(made(), []);
  });

  it(`asks ${maxRequests} times at most in a run, and goes on where it stopped`, async () => {
    const pages = maxRequests + 20;
    const asking: string[] = [];
    change = ({ at }) => {
      const [list, page] = [requests > 1 && requests <= pages + 1, requests - 1];
      const results = list ? [{ ...radaro.template, order_id: page, ...aroundNow }] : [];
      asking.push(list ? `page ${page}` : "none");
      const next = list && page < pages ? "more" : null;
      return { at, json: { count: list ? pages * 250 : 0, next, previous: null, results } };
    };
    const aroundNow = { deliver_before: new Date().toISOString(), status: "assigned" };
    catchingUp.ask();
    while (catchingUp.state.isAsking) await wait(1);
    assert.deepEqual([requests, catchingUp.state.asked], [maxRequests, null]);
    while (catchingUp.state.asked === null) await wait(1);
    assert.deepEqual(
      asking.slice(1, pages + 1),
      Array.from({ length: pages }, (_, i) => `page ${i + 1}`),
    );
  });

  it("keeps up to when it has asked over a restart, and begins with nothing before that", async () => {
    radaro.create();
    await asked();
    const asking = (await inbox.jobs.read())!;
    assert.ok(asking.since <= sortable(new Date().toISOString())!);
    await inbox.close();
    const store = await SqliteStore.open(dir);
    assert.deepEqual(store.settings.asking, asking);
    await store.close();
  });
});
