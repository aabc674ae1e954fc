import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { mock } from "node:test";
import { Inbox } from "../../src/inbox/inbox";
import type { JsonObject } from "../../src/event/json";
import { Connection } from "../../src/inbox/postgres-connection";
import { Instance, PostgresStore, type times } from "../../src/inbox/postgres-store";
import { steps } from "../../src/inbox/postgres-schema";
import { readUrl } from "../../src/inbox/postgres-url";
import { Unusable, type Problem } from "../../src/inbox/store";
import { needs } from "../inbox/needs";
import { TestFlow } from "../unit/test-flow";
import { Line } from "./cut";
import { Postgres } from "./postgres";

const problemOf = (error: unknown) => (error instanceof Unusable ? error.problem : error);

describe("An inbox in PostgreSQL", () => {
  let postgres: Postgres;
  let url: string;
  let flow: TestFlow;
  let inbox: Inbox | undefined;
  let wake: () => void;
  before(async () => (postgres = await Postgres.start({ max_connections: "20" })));
  after(() => postgres.remove());
  beforeEach(() => {
    url = postgres.newDatabase();
    flow = new TestFlow();
    wake = () => undefined;
  });
  afterEach(async () => {
    await inbox?.close();
    inbox = undefined;
  });

  const start = (at = url, some: Partial<typeof times> & { answerWithin?: number } = {}): Inbox => {
    const { answerWithin, ...soon } = { look: 50, rest: 50, ...some };
    const instance = new Instance("acme");
    inbox = flow.inbox = new Inbox((options) => PostgresStore.open(at, instance, options, soon), flow, {
      ...{ days: 7, changed: () => wake(), ...(answerWithin !== undefined && { answerWithin }) },
      setAside: (node) => ({ text: "set aside", node: { id: node, type: "radaro in" } }),
    });
    return inbox;
  };
  const until = async (holds: () => boolean) => {
    while (!holds()) await new Promise<void>((resolve) => (wake = resolve));
  };
  let count = 0;
  const accept = (event: JsonObject = {}, body = `{"n":${(count += 1)}}`) =>
    inbox!.accept(event, { path: "/radaro", body: Buffer.from(body), receivedAt: new Date() });
  const open = (at = url) => PostgresStore.open(at, new Instance("acme"));

  it("makes its schema once where several start at the same moment, and leaves the rest of the database alone", async () => {
    const stores = await Promise.all([open(), open(), open(), open()]);
    for (const each of stores) await each.close();
    const schemas =
      "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 1";
    assert.deepEqual(postgres.query(url, schemas), ["public", "radaro_inbox"]);
    assert.deepEqual(postgres.query(url, "SELECT step FROM radaro_inbox.schema"), [String(steps().length)]);
  });

  it("stores nothing where a newer version has made its schema, also while it is open", async () => {
    start();
    await until(() => inbox!.counts !== undefined);
    postgres.query(url, "UPDATE radaro_inbox.schema SET step = 99");
    await until(() => inbox!.problem?.problem === "newer");
    assert.equal(await accept().catch(problemOf), "newer");
    assert.deepEqual(postgres.query(url, "SELECT count(*) FROM radaro_inbox.events"), ["0"]);
  });

  it("keeps what PostgreSQL cannot hold: NUL and half characters, wherever they are", async () => {
    start();
    const odd = "a\0b\ud800c";
    const event = {
      topic: odd,
      event_type: odd,
      new_values: { [odd]: odd, status: odd },
      order_info: { order_id: odd, external_id: odd, title: odd, customer: { name: odd } },
    };
    assert.equal(await accept(event), "stored");
    await flow.got(1);
    assert.deepEqual(flow.given[0]!.event, event);
    flow.given[0]!.becomes({ state: "failed", error: { text: odd, node: { id: "n", type: "function" } } });
    await until(() => inbox!.counts?.failed === 1);
    const { events } = await inbox!.events.list({ job: odd, topic: odd }, "");
    assert.equal(events[0]?.title, "a\0b\ufffdc");
    assert.equal((await inbox!.events.causes()).length, 1);
  });

  it("goes by the clock of the database", async () => {
    mock.timers.enable({ apis: ["Date"], now: Date.now() - 3_600_000 });
    try {
      start();
      await until(() => inbox!.counts !== undefined);
      await accept();
      await flow.got(1);
    } finally {
      mock.timers.reset();
    }
    const { receivedAt, deliveries } = flow.given[0]!.stored;
    for (const time of [receivedAt, deliveries![0]!.since!])
      assert.ok(Math.abs(Date.parse(time) - Date.now()) < 5000, time);
  });

  describe("says what is wrong, and no word of its URL,", () => {
    const says = async (at: string, problem: Problem) => {
      const error: unknown = await open(at).then(
        (store) => store.close(),
        (error: unknown) => error,
      );
      assert.equal(problemOf(error), problem);
      const said = String((error as Error).message);
      for (const secret of [postgres.password, "127.0.0.1", String(postgres.port), "radaro"])
        assert.ok(!said.includes(secret), said);
    };

    for (const wrong of ["", "mysql://radaro:secret@127.0.0.1/radaro", "postgres://127.0.0.1:99999/radaro"])
      it(`where its URL is ${wrong || "none"}`, () => says(wrong, "no-url"));
    it("where nobody answers", () => says("postgres://radaro:secret@127.0.0.1:1/radaro", "unreachable"));
    it("where nothing is said to who connects", async () => {
      const silent = createServer().listen(0, "127.0.0.1");
      await once(silent, "listening");
      await says(
        `postgres://radaro:secret@127.0.0.1:${(silent.address() as AddressInfo).port}/radaro`,
        "unreachable",
      );
      silent.close();
    });
    it("where the password is wrong", () => says(postgres.url("postgres", "postgres", "wrong"), "denied"));
    it("where there is no such database", () => says(postgres.url("radaro nowhere"), "denied"));
    it("where the user may not make a schema, until there is one of its own", async () => {
      postgres.query(url, `CREATE ROLE poor LOGIN PASSWORD 'p'`);
      const own = postgres.url(decodeURIComponent(new URL(url).pathname.slice(1)), "poor", "p");
      await says(own, "denied");
      postgres.query(url, "CREATE SCHEMA radaro_inbox AUTHORIZATION poor");
      await (await PostgresStore.open(own, new Instance("acme"))).close();
      postgres.query(url, "DROP SCHEMA radaro_inbox CASCADE");
    });
    it("where nothing can be written", async () => {
      await (await open()).close();
      postgres.query(
        url,
        `ALTER DATABASE "${decodeURIComponent(new URL(url).pathname.slice(1))}" SET default_transaction_read_only = on`,
      );
      await says(url, "read-only");
    });
    it("where no TLS is there that has to be", () => says(`${url}?sslmode=verify-full`, "unreachable"));
    it("where all connections are taken", async () => {
      postgres.query(url, "CREATE ROLE guest LOGIN PASSWORD 'p'");
      const guest = readUrl(postgres.url("postgres", "guest", "p"));
      const taken: Connection[] = [];
      const more = async () => taken.push(await Connection.open(guest, 5000));
      let why: unknown;
      while (why === undefined) await more().catch((error: unknown) => (why = error));
      assert.equal(problemOf(why), "too-many-connections");
      for (const each of taken) each.close();
    });
  });

  it("answers in time where the database does not, and stores again when it does", async () => {
    start(url, { statement: 300, answerWithin: 1000 });
    assert.equal(await accept(), "stored");
    const other = await Connection.open(readUrl(url), 60_000);
    await other.run("BEGIN; LOCK TABLE radaro_inbox.events IN ACCESS EXCLUSIVE MODE");
    const from = performance.now();
    assert.equal(await accept().catch(problemOf), "slow");
    assert.ok(performance.now() - from < 3000);
    assert.equal(inbox!.problem?.problem, "slow");
    await other.run("ROLLBACK");
    other.close();
    for (let answer: unknown; answer !== "stored";) answer = await accept().catch(() => undefined);
    assert.equal(inbox!.problem, undefined);
  });

  it("is not held up by a server that is silent, and opens anew when the line is well", async () => {
    const line = await Line.to(postgres.port);
    const through = new URL(url);
    through.port = String(line.port);
    start(through.href, { statement: 300, answerWithin: 1000 });
    assert.equal(await accept(), "stored");
    line.isDeaf = true;
    assert.ok(["slow", "unreachable"].includes((await accept().catch(problemOf)) as string));
    line.cut();
    for (let answer: unknown; answer !== "stored";) answer = await accept().catch(() => undefined);
    line.close();
  });

  it("answers truly where the connection is cut after the event was committed: it is stored, given once, and no duplicate", async () => {
    const line = await Line.to(postgres.port);
    const through = new URL(url);
    through.port = String(line.port);
    start(through.href);
    await until(() => inbox!.counts !== undefined);
    const stored = () => postgres.query(url, "SELECT count(*) FROM radaro_inbox.events")[0];
    for (let n = 1; n <= 9; n += 2) {
      assert.equal(await accept({ n }), "stored"); // on a new connection more is said before
      line.isDeaf = true;
      const answer = accept({ n: n + 1 });
      while (stored() !== String(n + 1)) await new Promise(setImmediate);
      line.cut();
      assert.equal(await answer, "stored");
    }
    await flow.got(10);
    const given = flow.given.map(({ event }) => event.n as number);
    assert.deepEqual(
      given.sort((a, b) => a - b),
      Array.from({ length: 10 }, (_, n) => n + 1),
    );
    line.close();
  });

  it("loses nothing that it has answered, and gives nothing twice, while its connections are killed", async () => {
    flow.answer = { state: "processed" };
    start();
    await until(() => inbox!.counts !== undefined);
    const kill =
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'node-red-contrib-radaro' AND datname = current_database()";
    const answered: number[] = [];
    let isOver = false;
    const sending = (async () => {
      for (let n = 0; !isOver; n += 1)
        if ((await accept({ n }).catch(() => "refused")) === "stored") answered.push(n);
    })();
    for (let kills = 0; kills < 10; kills += 1) {
      const before = answered.length;
      while (answered.length < before + 5) await new Promise(setImmediate);
      postgres.query(url, kill);
    }
    isOver = true;
    await sending;
    await until(() => inbox!.counts?.waiting === 0);
    const given = flow.given.map(({ event }) => event.n as number);
    assert.deepEqual(
      answered.filter((n) => !given.includes(n)),
      [],
    );
    assert.ok(answered.length >= 50);
  });

  it("stores nothing while the database's disk is full, says so, and stores again when there is room", async () => {
    needs("strace");
    flow.answer = { state: "processed" };
    const large = { text: randomBytes(50_000).toString("hex") }; // it takes pages of its own
    start();
    assert.equal(await accept(large), "stored");
    const files = postgres.query(
      url,
      `SELECT pg_relation_filepath(oid) FROM pg_class WHERE relname = 'bodies'
        UNION SELECT pg_relation_filepath(reltoastrelid) FROM pg_class WHERE relname = 'bodies'`,
    );
    await postgres.stop();
    await postgres.start(files);
    const answer = async () => accept(large).catch(problemOf);
    let answered: unknown;
    while ((answered = await answer()) === "unreachable") await new Promise(setImmediate);
    assert.equal(answered, "full");
    assert.equal(inbox!.problem?.problem, "full");
    await postgres.stop("SIGQUIT");
    await postgres.start();
    while ((await answer()) !== "stored") await new Promise(setImmediate);
    assert.equal(inbox!.problem, undefined);
    await until(() => inbox!.counts?.processed === 2);
  });

  it("goes on by itself where the database is stopped and started again", async () => {
    flow.answer = { state: "processed" };
    start();
    assert.equal(await accept(), "stored");
    await postgres.stop("SIGQUIT");
    assert.equal(await accept().catch(problemOf), "unreachable");
    await postgres.start();
    for (let answer: unknown; answer !== "stored";) answer = await accept().catch(() => undefined);
    assert.equal(inbox!.problem, undefined);
    await until(() => inbox!.counts?.processed === 2);
  });
});
