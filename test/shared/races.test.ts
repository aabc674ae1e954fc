import assert from "node:assert/strict";
import { Connection } from "../../src/inbox/postgres-connection";
import { readUrl } from "../../src/inbox/postgres-url";
import { Unusable } from "../../src/inbox/store";
import { Line } from "./cut";
import { accept, changeOf, done, down, impatient, listed, ready, Sharers, type Sharer } from "./sharers";

const [nobodys, mine] = ["0123456789abcdef", "fedcba9876543210"];

describe("Inboxes that share a database, of which two do something at the same moment", () => {
  const sharers = new Sharers();
  const pair = (options = {}) => [sharers.join(options), sharers.join(options)] as const;
  const pairInOrder = (options = {}) => [sharers.inOrder(options), sharers.inOrder(options)] as const;
  const quiet = { times: { look: 1e6 } };

  /** Resolves when each has given what it could until now: an event of a job of its own comes after that. */
  let jobs = 1000;
  const pass = async (...all: Sharer[]) => {
    for (const each of all) {
      jobs += 1;
      const own = jobs;
      await accept(each, changeOf(own, 1));
      while (!each.flow.given.some(({ event }) => jobOf(event) === own))
        await each.flow.got(each.flow.given.length + 1);
    }
  };
  const jobOf = ({ order_info }: { order_info?: unknown }) => (order_info as { order_id?: number })?.order_id;
  const line = async () => {
    const { postgres, url } = sharers;
    const opened = await Line.to(postgres.port);
    const through = new URL(url);
    through.port = String(opened.port);
    return { opened, through: through.href };
  };

  it("give what waits after the answer of a write of several was lost", async () => {
    const { opened, through } = await line();
    const a = sharers.join({}, through);
    await ready(a);
    a.flow.answer = done;
    await accept(a);
    const stored = () =>
      Number(sharers.postgres.query(sharers.url, "SELECT count(*) FROM radaro_inbox.events")[0]);
    opened.isDeaf = true;
    const answers = Array.from({ length: 100 }, () => accept(a));
    while (stored() < 2) await new Promise(setImmediate);
    opened.cut();
    assert.deepEqual(new Set(await Promise.all(answers)), new Set(["stored"]));
    await a.flow.got(101);
    await a.inbox.pause(true);
    await accept(a, { n: "paused" });
    await a.inbox.pause(false);
    await a.until(() => a.flow.given.some(({ event }) => event.n === "paused"));
    opened.close();
  });

  it("give what was committed after the connection was made anew", async () => {
    const { opened, through } = await line();
    const a = sharers.inOrder({}, through);
    await ready(a);
    await a.inbox.pause(true);
    const other = await Connection.open(readUrl(sharers.url), 60_000);
    const lock =
      "pg_advisory_lock(hashtext('jobs' || 'acme'), mod(hashtext('/radaro' || E'\\n' || '1'), 1024))";
    await other.run(`SELECT ${lock}`);
    const answer = accept(a, changeOf(1, 1));
    const waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
    while (sharers.postgres.query(sharers.url, waiting)[0] !== "1") await new Promise(setImmediate);
    const before = a.store;
    opened.cut();
    await a.until(() => a.store !== before && a.inbox.counts !== undefined);
    other.close();
    assert.equal(await answer, "stored");
    await a.inbox.pause(false);
    await a.flow.got(1);
    opened.close();
  });

  it("run again for one node in one, and for another in the other", async () => {
    const [a, b] = pair();
    for (const { flow } of [a, b]) [flow.nodes, flow.answer] = [["in", "other"], down];
    const many = 200;
    for (let n = 0; n < many; n += 1) await accept([a, b][n % 2]!);
    for (const each of [a, b])
      await each.until(() => ["in", "other"].every((node) => each.inbox.failures(node) === many));
    for (const { flow } of [a, b]) [flow.answer, flow.given] = [done, []];
    await Promise.all([a.inbox.events.runAll({ node: "in" }), b.inbox.events.runAll({ node: "other" })]);
    await a.until(() => a.inbox.counts?.processed === many);
    assert.equal(a.flow.given.length + b.flow.given.length, 2 * many);
  });

  it("run again one of a job, of which the other accepts the next: never both with their flows", async () => {
    const [a, b] = pairInOrder();
    await ready(a, b);
    for (let job = 0; job < 20; job += 1) {
      for (const { flow } of [a, b]) [flow.answer, flow.given] = [undefined, []];
      await accept(a, changeOf(job, 1));
      await a.flow.got(1);
      a.flow.given[0]!.becomes(down);
      await b.until(() => b.inbox.failures("in") === 1);
      a.flow.given = [];
      const running = a.inbox.events.run([(await listed(a))[0]!.seq]);
      for (let turns = 0; turns < 4 * job; turns += 1) await new Promise(setImmediate);
      await Promise.all([running, accept(b, changeOf(job, 2))]);
      await pass(a, b);
      const given = [a, b].flatMap(({ flow }) => flow.given);
      assert.equal(given.filter(({ event }) => jobOf(event) === job).length, 1);
      for (const { flow } of [a, b]) flow.answer = done;
      for (const { becomes } of given) becomes(done);
      for (const each of [a, b]) await each.until(() => each.inbox.counts?.processed === 4 * (job + 1));
    }
  });

  it("run again two of a job each: never both with their flows", async () => {
    const [a, b] = pairInOrder();
    a.flow.answer = down;
    for (let n = 0; n < 60; n += 1) await accept(a, changeOf(Math.floor(n / 2), 1 + (n % 2)));
    for (const each of [a, b]) await each.until(() => each.inbox.failures("in") === 60);
    const seqs = (await listed(a)).concat(
      (await a.inbox.events.list({}, (await listed(a)).at(-1)!.seq)).events,
    );
    const half = (place: number) => seqs.filter((_, i) => i % 2 === place).map(({ seq }) => seq);
    [a.flow.answer, a.flow.given] = [undefined, []];
    const runs = await Promise.all([a.inbox.events.run(half(0)), b.inbox.events.run(half(1))]);
    assert.deepEqual(
      runs.map(({ run }) => run),
      [30, 30],
    );
    // Each is given, and is done with, while none is with a flow of which another is.
    const withFlow = new Set<number>();
    for (let given = 0; given < 60;) {
      for (const { flow } of [a, b])
        for (const { event, becomes } of flow.given.splice(0)) {
          const job = jobOf(event)!;
          assert.ok(!withFlow.has(job));
          withFlow.add(job);
          given += 1;
          setImmediate(() => {
            withFlow.delete(job);
            becomes(done);
          });
        }
      await new Promise(setImmediate);
    }
    await b.until(() => b.inbox.counts?.processed === 60);
  });

  describe("keep a word where the connection is lost that it is written by:", () => {
    /** The next time that something is written like that, it does not come to the database, or `isDone` and not answered. */
    const cutNext = ({ store }: Sharer, how: "write" | "change", isDone = false) => {
      const write = store![how].bind(store) as (...args: unknown[]) => Promise<unknown>;
      const cut = async (...args: unknown[]) => {
        if (isDone) await write(...args);
        store!.leave();
        throw new Unusable("unreachable");
      };
      Object.assign(store!, { [how]: cut });
    };
    const failedOne = async () => {
      const a = sharers.join();
      await accept(a);
      await a.flow.got(1);
      a.flow.given[0]!.becomes(down);
      await a.until(() => a.inbox.counts?.failed === 1);
      return a;
    };

    it("settle", async () => {
      const a = await failedOne();
      cutNext(a, "change");
      assert.ok(await a.inbox.events.settle(a.flow.given[0]!.stored.seq));
      assert.equal((await listed(a))[0]!.state, "processed");
    });

    it("run again", async () => {
      const a = await failedOne();
      cutNext(a, "change");
      assert.deepEqual(await a.inbox.events.runAll({}), { run: 1, nowhere: 0 });
      await a.flow.got(2);
    });

    it("run again, which counts though only its answer was lost", async () => {
      const a = await failedOne();
      cutNext(a, "change", true);
      assert.deepEqual(await a.inbox.events.runAll({}), { run: 1, nowhere: 0 });
      await a.flow.got(2);
    });

    it("failed after all", async () => {
      const a = sharers.join();
      a.flow.answer = done;
      await accept(a);
      await a.until(() => a.inbox.counts?.processed === 1);
      cutNext(a, "write");
      a.flow.given[0]!.becomes(down);
      await a.until(() => a.inbox.counts?.failed === 1);
    });

    it("with the flow once more", async () => {
      const a = await failedOne();
      const before = a.store;
      cutNext(a, "write");
      a.flow.given[0]!.becomes({ state: "reopened" });
      await a.until(() => a.store !== before && a.inbox.counts?.waiting === 1);
      assert.ok(a.inbox.isWithFlow(a.flow.given[0]!.stored.seq, "in", 1));
    });
  });

  describe("where one closes while the other runs another delivery again", () => {
    const failedFor = async ([a, b]: readonly [Sharer, Sharer]) => {
      for (const { flow } of [a, b]) flow.nodes = ["in", "other"];
      await ready(a, b);
      await accept(a);
      await a.flow.got(2);
      a.flow.given[0]!.becomes(down);
      await b.until(() => b.inbox.failures("in") === 1);
      b.flow.answer = done;
      return a.flow.given[0]!.stored.seq;
    };

    it("lose no verdict, though it has not heard of that", async () => {
      const [a, b] = [sharers.join(quiet), sharers.join()];
      const seq = await failedFor([a, b]);
      a.store!.hear = () => undefined;
      await b.inbox.events.run([seq]);
      a.flow.given[1]!.becomes(done);
      await a.inbox.close();
      await b.until(() => b.inbox.counts?.processed === 1);
      assert.deepEqual(
        b.flow.given.map(({ node, times }) => [node, times]),
        [["in", 2]],
      );
    });

    it("lose no verdict, at whichever moment", async () => {
      for (let turns = 0; turns < 40; turns += 4) {
        const [a, b] = pair();
        const seq = await failedFor([a, b]);
        a.flow.given[1]!.becomes(done);
        const running = b.inbox.events.run([seq]);
        for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
        await Promise.all([a.inbox.close(), running]);
        await b.until(() => b.inbox.counts?.waiting === 0 && b.inbox.counts.failed === 0);
        assert.ok(!b.flow.given.some(({ node }) => node === "other"));
        await b.inbox.close();
      }
    });
  });

  describe("where something comes between the storing of an event and that one hears of it", () => {
    /** Lets something happen when the next event of one is stored, before it hears of that. */
    const between = ({ store }: Sharer, happens: () => Promise<unknown>) => {
      const write = store!.write.bind(store!);
      store!.write = async (accepted, changed) => {
        const written = await write(accepted, changed);
        if (accepted.length > 0) {
          store!.write = write;
          await happens();
        }
        return written;
      };
    };

    it("keep the order, though the next of its job comes by the other", async () => {
      const [a, b] = pairInOrder(quiet);
      await ready(a, b);
      const hear = a.store!.hear.bind(a.store!);
      const came = new Promise<void>((resolve) => {
        a.store!.hear = (payload) => {
          hear(payload);
          if (payload.includes("came")) resolve();
        };
      });
      between(a, async () => {
        await accept(b, { ...changeOf(1, 2), n: 2 });
        await came;
      });
      await accept(a, { ...changeOf(1, 1), n: 1 });
      await a.flow.got(1);
      a.flow.given[0]!.becomes(done);
      await a.flow.got(2);
      assert.deepEqual(
        a.flow.given.map(({ event }) => event.n),
        [1, 2],
      );
    });

    it("give it to nobody where it is settled by that", async () => {
      const [a, b] = pairInOrder(quiet);
      await ready(a, b);
      await a.inbox.pause(true);
      await accept(a, changeOf(1, 1));
      await a.inbox.pause(false);
      await a.flow.got(1);
      between(a, async () => {
        assert.ok(await b.inbox.events.settle((await listed(b))[0]!.seq));
      });
      await accept(a, changeOf(1, 2));
      a.flow.given[0]!.becomes(done);
      await pass(a);
      assert.equal(a.flow.given.filter(({ event }) => jobOf(event) === 1).length, 1);
      assert.ok((await listed(b)).some(({ deliveries }) => deliveries![0]!.settled));
    });
  });

  describe("give nothing of what is settled", () => {
    /** The next event that one reads to give it takes until something has happened. */
    const whileRead = ({ store }: Sharer, happens: (seq: string) => Promise<unknown>) => {
      const read = store!.read.bind(store!);
      store!.read = async (seq) => {
        store!.read = read;
        const found = await read(seq);
        await happens(seq);
        return found;
      };
    };
    const isSettled = async (sharer: Sharer) =>
      (await listed(sharer)).some(({ state }) => state === "processed");
    /** The event of job 1 that one has, as another one shows it: it may show it for a moment as it was read. */
    const staysSettled = async (a: Sharer, shown: Sharer) => {
      while (!(await isSettled(shown)));
      await pass(a);
      await a.inbox.events.causes(); // when all is written
      while (!(await isSettled(shown)));
      assert.ok(!a.flow.given.some(({ event }) => jobOf(event) === 1));
    };

    it("while it is read to be given", async () => {
      const a = sharers.join();
      await ready(a);
      await a.inbox.pause(true);
      await accept(a, changeOf(1, 1));
      whileRead(a, (seq) => a.inbox.events.settle(seq));
      await a.inbox.pause(false);
      await staysSettled(a, a);
    });

    it("before it is known which nodes it is for", async () => {
      const [a, b] = pair();
      a.flow.nodes = [];
      await ready(a, b);
      await accept(a, changeOf(1, 1));
      whileRead(a, () => {
        const store = a.store!;
        const write = store.write.bind(store);
        store.write = async (...args) => {
          store.write = write;
          await b.inbox.events.settle((await listed(b))[0]!.seq);
          return write(...args);
        };
        return Promise.resolve();
      });
      a.flow.nodes = ["in"];
      a.inbox.start();
      await staysSettled(a, b);
    });

    it("unless it is run again after that, also where it is found before one hears of both", async () => {
      const [a, b] = [sharers.join(quiet), sharers.join()];
      await ready(a, b);
      await accept(a, { ...changeOf(1, 1), n: 1 });
      await a.flow.got(1);
      a.flow.given[0]!.becomes(down);
      await accept(a, { ...changeOf(1, 2), n: 2 });
      await a.flow.got(2); // so that the first stays its own
      await b.until(() => b.inbox.failures("in") === 1);
      const { seq } = a.flow.given[0]!.stored;
      const hear = a.store!.hear.bind(a.store!);
      a.store!.hear = (payload) => void (payload.includes("became") || hear(payload));
      assert.ok(await b.inbox.events.settle(seq));
      assert.deepEqual(await b.inbox.events.run([seq], true), { run: 1, nowhere: 0 });
      a.inbox.start();
      await a.flow.got(3);
      assert.deepEqual([a.flow.given[2]!.event.n, a.flow.given[2]!.times], [1, 2]);
    });
  });

  it("take a word for a new one where the answer of the write before was lost", async () => {
    const { opened, through } = await line();
    const [a, b] = [sharers.join({}, through), sharers.join()];
    for (const { flow } of [a, b]) flow.nodes = ["in", "other"];
    await ready(a, b);
    await accept(a);
    await a.flow.got(2);
    a.flow.given[0]!.becomes(down);
    await b.until(() => b.inbox.failures("in") === 1);
    const { seq } = a.flow.given[0]!.stored;
    const write = a.store!.write.bind(a.store!);
    let isWritten = false;
    a.store!.write = (...args) => {
      if (!isWritten) opened.isDeaf = isWritten = true;
      return write(...args);
    };
    await b.inbox.events.run([seq]);
    const news = "SELECT count(*) FROM radaro_inbox.events WHERE has_news";
    while (!isWritten || sharers.postgres.query(sharers.url, news)[0] !== "0")
      await new Promise(setImmediate);
    assert.ok(await b.inbox.events.settle(seq));
    opened.cut();
    await a.until(() => a.inbox.counts?.processed === 1 && !a.inbox.isWithFlow(seq, "other", 1));
    await pass(a);
    assert.equal((await b.inbox.events.read(seq))!.stored.state, "processed");
    opened.close();
  });

  it("keep the order where one gets back what it has accepted itself", async () => {
    const [a, b] = pairInOrder({ times: { look: 1000 } });
    await ready(a, b);
    await accept(a, { ...changeOf(1, 1), n: 1 });
    await a.flow.got(1);
    a.flow.given[0]!.becomes(down);
    await b.until(() => b.inbox.failures("in") === 1);
    await b.inbox.events.runAll({});
    await b.flow.got(1);
    const hear = a.store!.hear.bind(a.store!);
    a.store!.hear = (payload) => void setTimeout(() => hear(payload), 100); // a slow line
    await b.inbox.close();
    await accept(a, { ...changeOf(1, 2), n: 2 });
    await a.flow.got(2);
    a.flow.given[1]!.becomes(done);
    await a.flow.got(3);
    assert.deepEqual(
      a.flow.given.map(({ event }) => event.n),
      [1, 1, 2],
    );
  });

  it("count the end of one with a thousand as one, and give new events at once", async () => {
    const a = sharers.join();
    for (let n = 0; n < 1200; n += 300) await Promise.all(Array.from({ length: 300 }, () => accept(a)));
    await a.flow.got(1200);
    await a.inbox.events.causes(); // when all is written
    a.die();
    const b = sharers.join(impatient);
    const left = "SELECT count(*) FROM radaro_inbox.events AS e WHERE owner = accepted_by AND is_given";
    while (sharers.postgres.query(sharers.url, left)[0] !== "0") await new Promise(setImmediate);
    await b.flow.got(1);
    await accept(b, { n: "new" });
    await b.until(() => b.flow.given.some(({ event }) => event.n === "new"));
    assert.deepEqual(sharers.postgres.query(sharers.url, "SELECT ends FROM radaro_inbox.inboxes"), ["1"]);
  });

  it("leave what another has run again while it is cleared", async () => {
    const [a, b] = pair();
    await ready(a, b);
    a.flow.answer = down;
    await accept(a);
    await b.until(() => b.inbox.failures("in") === 1);
    a.flow.answer = undefined;
    const some = b.store!.some.bind(b.store!);
    b.store!.some = async (state, after) => {
      const found = await some(state, after);
      if (state === "failed") await a.inbox.events.runAll({});
      return found;
    };
    assert.equal(await b.inbox.events.clear(), 0);
    assert.equal((await listed(a)).length, 1);
  });

  it("leave the database alone where what is asked for is no seq", async () => {
    const a = sharers.join();
    await ready(a);
    for (const odd of ["", "abc", "-1", "1.5", "9".repeat(20)]) {
      assert.equal(await a.inbox.events.delete(odd), false);
      assert.equal(await a.inbox.events.settle(odd), false);
      assert.deepEqual(await a.inbox.events.run([odd]), { run: 0, nowhere: 0 });
      assert.equal(a.inbox.problem, undefined);
    }
  });

  it("take what is for their nodes, whatever else is there that is for nobody's", async () => {
    const a = sharers.join();
    a.flow.nodes = [nobodys];
    await a.inbox.pause(true);
    for (let n = 0; n < 100; n += 1) await accept(a);
    const b = sharers.join({ times: { rest: 1e6 } });
    b.flow.nodes = [mine];
    await ready(b);
    await a.inbox.close();
    await b.inbox.pause(false);
    const c = sharers.join();
    c.flow.nodes = [mine];
    await c.inbox.pause(true);
    await accept(c, { n: 1 });
    await c.inbox.close();
    await b.until(() => b.inbox.isPaused);
    await b.inbox.pause(false);
    await b.flow.got(1);
    assert.deepEqual(
      b.flow.given.map(({ event }) => event.n),
      [1],
    );
  });
});
