import assert from "node:assert/strict";
import { compare, make, readJob } from "../../src/inbox/catch-up";
import type { JsonObject } from "../../src/event/json";
import { sortable, type StoredEvent } from "../../src/inbox/stored-event";
import { readSamples } from "../events";
import { accept, changeOf, done, down, impatient, listed, ready, Sharers, type Sharer } from "./sharers";

describe("Inboxes that share a database", () => {
  const sharers = new Sharers();
  const join = (...options: Parameters<Sharers["join"]>) => sharers.join(...options);
  const inOrder = (...options: Parameters<Sharers["inOrder"]>) => sharers.inOrder(...options);

  it("give an event once: by the one that has accepted it", async () => {
    const [a, b] = [join(), join()];
    for (const each of [a, b, a]) assert.equal(await accept(each), "stored");
    await Promise.all([a.flow.got(2), b.flow.got(1)]);
    for (const { flow } of [a, b]) for (const { becomes } of flow.given) becomes(done);
    await Promise.all([a, b].map((each) => each.until(() => each.inbox.counts?.processed === 3)));
    assert.deepEqual([a.flow.given.length, b.flow.given.length], [2, 1]);
  });

  it("answer one that comes to two at the same moment with duplicate once, and give it once", async () => {
    const [a, b] = [join(), join()];
    await Promise.all([accept(a), accept(b)]);
    for (let i = 0; i < 20; i += 1) {
      const body = `{"same":${i}}`;
      const answers = await Promise.all([accept(a, {}, body), accept(b, {}, body)]);
      assert.deepEqual(answers.sort(), ["duplicate", "stored"]);
    }
    const given = [a, b].flatMap(({ flow }) => flow.given.map(({ stored }) => stored.eventId));
    assert.equal(given.length, 22);
    assert.equal(new Set(given).size, 22);
  });

  it("give what one had that has ended: what waited, what it had with its flow, and what was to come again", async () => {
    const a = join({ retries: [0.1] });
    await accept(a, { n: 1 });
    await accept(a, { n: 2 });
    await a.flow.got(2);
    a.flow.given[1]!.becomes(down);
    await a.until(() => a.inbox.counts?.failed === 1);
    await a.inbox.pause(true);
    await accept(a, { n: 3 });
    await a.inbox.pause(false).catch(() => undefined);
    a.die();
    const b = join({ retries: [0.1], ...impatient });
    b.flow.answer = done;
    await b.flow.got(3);
    assert.deepEqual(b.flow.given.map(({ event }) => event.n).sort(), [1, 2, 3]);
    await b.until(() => b.inbox.counts?.processed === 3);
    const tries = (await listed(b)).find(({ seq }) => seq === a.flow.given[0]!.stored.seq)!.deliveries![0]!
      .tries!;
    assert.deepEqual(
      tries.map(({ outcome }) => outcome),
      ["interrupted", "processed"],
    );
  });

  it("take over thousands that one had with its flow that has ended", async () => {
    const a = join();
    const count = 2000;
    for (let n = 0; n < count; n += 500)
      await Promise.all(
        Array.from({ length: 500 }, (_, i) => accept(a, { order_info: { order_id: n + i }, n: n + i })),
      );
    await a.flow.got(count);
    await a.until(() => a.inbox.counts?.waiting === count);
    const b = join(impatient);
    b.flow.answer = done;
    a.die();
    await b.flow.got(count);
  });

  it("know what another has caught up, and have the same change as one event, whoever has seen it", async () => {
    const [a, b] = [join({ isAsking: true }), join({ isAsking: true })];
    const { order_info, ...created } = readSamples()["job-created"];
    for (let number = 1; number <= 20; number += 1) {
      const whole = { ...(order_info as JsonObject), order_id: number };
      assert.equal(await accept([a, b][number % 2]!, { ...created, order_info: whole }), "stored");
      // Each looks at its own time, and no time is told of a rating.
      const all = await Promise.all([a, b].map(({ inbox }) => inbox.jobs.known([String(number)])));
      const answers = [a, b].map(({ inbox }, i) => {
        const at = sortable(new Date(Date.UTC(2026, 5, 1, 12, 0, i)).toISOString())!;
        const known = all[i]![number];
        const job = readJob({ ...whole, is_confirmed_by_customer: true, rating: 2 })!;
        const { differences } = compare(job, { known, since: at, at, settled: 0 });
        const { event, body, by } = make(differences[0]!, number, whole);
        return inbox.accept(event, { path: "/radaro", body, by, receivedAt: new Date() });
      });
      assert.deepEqual((await Promise.all(answers)).sort(), ["duplicate", "stored"]);
    }
    const given = [a, b].flatMap(({ flow }) => flow.given.filter(({ stored }) => stored.caughtUp));
    assert.equal(given.length, 20);
  });

  it("let no event wait for good, and keep the order, where one is closed that gives others of its job", async () => {
    for (let round = 0; round < 8; round += 1) {
      const b = join(impatient);
      b.flow.isInOrder = true;
      b.flow.answer = done;
      const a = join();
      a.flow.isInOrder = true;
      const job = (number: number) => ({ number, order_info: { order_id: `round ${round}` } });
      await accept(a, job(0));
      await a.flow.got(1);
      const closing = a.inbox.close();
      const accepted: Promise<unknown>[] = [];
      for (let number = 1; number <= 10; number += 1) {
        accepted.push(accept(b, job(number)));
        await new Promise(setImmediate);
      }
      await Promise.all([closing, ...accepted]);
      await b.flow.got(11);
      const numbers = b.flow.given.map(({ event }) => event.number);
      assert.deepEqual(
        numbers,
        numbers.toSorted((one, other) => Number(one) - Number(other)),
      );
      await b.inbox.close();
    }
  });

  it("give at once what one lets go that is closed", async () => {
    const a = join();
    a.flow.nodes = [];
    for (const n of [1, 2, 3]) await accept(a, { n });
    const b = join();
    await b.until(() => b.inbox.counts?.waiting === 3);
    assert.deepEqual(b.flow.given, []);
    b.flow.answer = done;
    await a.inbox.close();
    await b.flow.got(3);
  });

  it("take nothing while their flow is stopped, or for nodes that they do not have", async () => {
    const a = join();
    a.flow.nodes = ["in", "other"];
    await accept(a);
    await a.flow.got(2);
    const [b, c, d] = [join(impatient), join(impatient), join(impatient)];
    b.flow.running = false;
    c.flow.nodes = ["third"];
    d.flow.nodes = ["other"];
    a.die();
    await d.flow.got(1);
    assert.deepEqual([b.flow.given.length, c.flow.given.length], [0, 0]);
  });

  describe("of jobs whose events come one after the other", () => {
    it("never give two of a job at once, wherever they arrive, and keep their order", async () => {
      const all = [inOrder(), inOrder(), inOrder()];
      const given: number[] = [];
      let withFlow = 0;
      for (const { flow, inbox } of all) {
        const give = flow.give.bind(flow);
        flow.give = (stored, nodes, event) => {
          withFlow += 1;
          assert.equal(withFlow, 1);
          given.push(event.n as number);
          setImmediate(() => {
            withFlow -= 1;
            void inbox.heard(stored.seq, "in", done);
          });
          return give(stored, nodes, event);
        };
      }
      for (let n = 0; n < 60; n += 1) await accept(all[n % 3]!, { ...changeOf(1, n), n });
      const [a] = all as [Sharer];
      await a.until(() => a.inbox.counts?.processed === 60);
      assert.deepEqual(
        given,
        Array.from({ length: 60 }, (_, n) => n),
      );
    });

    it("wait with the one that has an earlier one of the job", async () => {
      const [a, b] = [inOrder(), inOrder()];
      await accept(a, { ...changeOf(1, 1), n: 1 });
      await a.flow.got(1);
      for (const n of [2, 3]) await accept(b, { ...changeOf(1, n), n });
      await accept(a, { ...changeOf(1, 4), n: 4 });
      await accept(b, { ...changeOf(2, 1), n: 5 });
      await b.flow.got(1);
      for (const n of [1, 2, 3]) {
        a.flow.given[n - 1]!.becomes(done);
        await a.flow.got(n + 1);
      }
      assert.deepEqual(
        [a, b].map(({ flow }) => flow.given.map(({ event }) => event.n)),
        [[1, 2, 3, 4], [5]],
      );
    });

    it("give again what one had failed that has ended, also where a later event of its job has brought it along", async () => {
      const a = inOrder({ retries: [0.02] });
      a.flow.answer = down;
      const job = (number: number) => ({ number, order_info: { order_id: "J" } });
      await accept(a, job(1));
      await a.until(() => a.inbox.counts?.failed === 1);
      // It does not look by itself as long as this takes.
      const b = inOrder({ times: { live: 500, look: 600_000, sign: 100 } });
      b.flow.answer = done;
      a.die();
      for (let number = 2; !b.flow.given.some(({ event }) => event.number === 1); number += 1)
        await accept(b, job(number));
    });

    it("keep it also of what one has accepted while its nodes were not there", async () => {
      const [a, b] = [inOrder(), inOrder()];
      await accept(a, { ...changeOf(1, 1), n: 1 });
      await a.flow.got(1);
      b.flow.nodes = [];
      await accept(b, { ...changeOf(1, 2), n: 2 });
      await accept(b, { ...changeOf(2, 1), n: 3 });
      b.flow.nodes = ["in"];
      b.inbox.start();
      await b.flow.got(1);
      a.flow.given[0]!.becomes(done);
      await a.flow.got(2);
      assert.deepEqual(
        [a, b].map(({ flow }) => flow.given.map(({ event }) => event.n)),
        [[1, 2], [3]],
      );
    });

    for (const [who, accepts] of Object.entries({ "the other one": 0, "the one that is asked": 1 }))
      it(`keep it where one is run again that ${who} has accepted`, async () => {
        const all = [inOrder(), inOrder()] as const;
        const [a, b] = all;
        await ready(a, b);
        await accept(all[accepts]!, { ...changeOf(1, 1), n: 1 });
        await all[accepts]!.flow.got(1);
        all[accepts]!.flow.given[0]!.becomes(down);
        await a.until(() => a.inbox.failures("in") === 1);
        await accept(a, { ...changeOf(1, 2), n: 2 });
        await a.flow.got(2 - accepts);
        assert.deepEqual(await b.inbox.events.runAll({}), { run: 1, nowhere: 0 });
        await accept(b, { ...changeOf(2, 1), n: 3 });
        await b.flow.got(1 + accepts);
        assert.deepEqual(a.flow.given.at(-1)!.event.n, 2);
        a.flow.given.at(-1)!.becomes(done);
        await a.flow.got(3 - accepts);
        assert.deepEqual([a.flow.given.at(-1)!.event.n, a.flow.given.at(-1)!.times], [1, 2]);
        assert.equal(b.flow.given.length, 1 + accepts);
      });

    it("keep the order where the one has ended that had them", async () => {
      const a = inOrder();
      for (const n of [1, 2, 3]) await accept(a, { ...changeOf(1, n), n });
      await a.flow.got(1);
      await a.inbox.events.causes(); // when all is written
      a.die();
      const b = inOrder(impatient);
      await accept(b, { ...changeOf(1, 4), n: 4 });
      b.flow.answer = done;
      for (const { becomes } of b.flow.given) becomes(done);
      await b.until(() => b.inbox.counts?.processed === 4);
      const given = b.flow.given.map(({ event }) => event.n);
      assert.deepEqual(given.slice(given.indexOf(1)), [1, 2, 3, ...(given[0] === 4 ? [] : [4])]);
    });
  });

  describe("where one is believed to have ended that has not", () => {
    /** One that gives no sign of life, and another that has taken what it had with its flow. */
    const mistaken = async () => {
      const a = join({ times: { sign: 1e9 } });
      await accept(a);
      await a.flow.got(1);
      const b = join(impatient);
      await b.flow.got(1);
      return [a, b] as const;
    };
    const deliveries = async (sharer: Sharer) => (await listed(sharer))[0]!.deliveries!;

    it("do not take a late failure for more than that the flow was done with it", async () => {
      const [a, b] = await mistaken();
      b.flow.given[0]!.becomes(done);
      await b.until(() => b.inbox.counts?.processed === 1);
      assert.equal(await a.inbox.heard(a.flow.given[0]!.stored.seq, "in", down), true);
      await a.inbox.events.causes(); // when all is written
      const [{ state, times } = {}] = await deliveries(b);
      assert.deepEqual([state, times], ["processed", 2]);
    });

    it("hear of it where that was done with the event after all", async () => {
      const [a, b] = await mistaken();
      assert.equal(await a.inbox.heard(a.flow.given[0]!.stored.seq, "in", done), true);
      await b.until(() => !b.inbox.isWithFlow(a.flow.given[0]!.stored.seq, "in", 2));
      assert.equal((await deliveries(b))[0]!.state, "processed");
      b.flow.given[0]!.becomes(done);
      await b.inbox.events.causes();
      assert.equal((await deliveries(a))[0]!.state, "processed");
    });

    for (const hears of [true, false])
      it(`begin nothing that the other has taken, where that is ${hears ? "" : "not "}heard`, async () => {
        const a = join({ times: { sign: 1e9 } });
        a.flow.isInOrder = true;
        for (const n of [1, 2]) await accept(a, { ...changeOf(1, n), n });
        await a.flow.got(1);
        if (!hears) a.store!.hear = () => undefined;
        const b = join(impatient);
        b.flow.isInOrder = true;
        await b.flow.got(1);
        a.flow.given[0]!.becomes(done);
        b.flow.given[0]!.becomes(done);
        await b.flow.got(2);
        for (const n of [3, 4, 5]) await accept(a, { ...changeOf(n, 1), n });
        await a.flow.got(4);
        assert.deepEqual(
          [a, b].map(({ flow }) => flow.given.map(({ event }) => event.n)),
          [
            [1, 3, 4, 5],
            [1, 2],
          ],
        );
      });
  });

  describe("hear what another has done, though what it said of that was lost:", () => {
    /** Two deliveries, one of which has failed, and what one is told is lost. */
    const deaf = async (lose: (a: Sharer) => void) => {
      const [a, b] = [join(), join()];
      for (const { flow } of [a, b]) flow.nodes = ["in", "other"];
      await accept(a);
      await a.flow.got(2);
      a.flow.given[0]!.becomes(down);
      await b.until(() => b.inbox.failures("in") === 1);
      lose(a);
      return [a, b, a.flow.given[0]!.stored.seq] as const;
    };
    for (const [how, lose] of Object.entries({
      "the message": (a: Sharer) => (a.store!.hear = () => undefined),
      "the connection": (a: Sharer) => a.store!.leave(),
    })) {
      it(`settle, by ${how}`, async () => {
        const [a, b, seq] = await deaf(lose);
        assert.ok(await b.inbox.events.settle(seq));
        await accept(a);
        await a.until(() => !a.inbox.isWithFlow(seq, "other", 1));
        await a.inbox.events.causes(); // when all is written
        const { deliveries } = (await listed(b)).find((stored) => stored.seq === seq)!;
        assert.deepEqual(
          deliveries!.map(({ state, settled }) => [state, settled]),
          [
            ["processed", true],
            ["processed", true],
          ],
        );
      });

      it(`run again, by ${how}`, async () => {
        const [a, b] = await deaf(lose);
        assert.deepEqual(await b.inbox.events.runAll({}), { run: 1, nowhere: 0 });
        await accept(a);
        await a.flow.got(5);
        const { node, times } = a.flow.given.find(({ times }) => times > 1)!;
        assert.deepEqual([node, times], ["in", 2]);
      });
    }

    it("delete, by the connection", async () => {
      const [a, b, seq] = await deaf(({ store }) => store!.leave());
      assert.ok(await b.inbox.events.delete(seq));
      await accept(a);
      await a.until(() => !a.inbox.isWithFlow(seq, "other", 1));
    });
  });

  describe("do for all what one is told:", () => {
    it("settle", async () => {
      const [a, b] = [join(), join()];
      await accept(a);
      await a.flow.got(1);
      const { seq } = a.flow.given[0]!.stored;
      assert.ok(await b.inbox.events.settle(seq));
      await a.until(() => !a.inbox.isWithFlow(seq, "in", 1));
      for (const each of [a, b]) {
        const [{ state, deliveries }] = (await listed(each)) as [StoredEvent];
        assert.deepEqual([state, deliveries![0]!.settled], ["processed", true]);
      }
    });

    it("run again where the other's flow has it for another node: that gets nothing twice", async () => {
      const [a, b] = [join(), join()];
      for (const { flow } of [a, b]) flow.nodes = ["in", "other"];
      await accept(a);
      await a.flow.got(2);
      a.flow.given[0]!.becomes(down);
      await b.until(() => b.inbox.failures("in") === 1);
      const { seq } = a.flow.given[0]!.stored;
      assert.deepEqual(await b.inbox.events.run([seq]), { run: 1, nowhere: 0 });
      await a.flow.got(3);
      for (const { becomes } of a.flow.given.slice(1)) becomes(done);
      await b.until(() => b.inbox.counts?.processed === 1);
      assert.deepEqual(
        a.flow.given.map(({ node, times }) => [node, times]),
        [
          ["in", 1],
          ["other", 1],
          ["in", 2],
        ],
      );
      assert.deepEqual(b.flow.given, []);
    });

    it("settle, in the moment in which the other's flow fails", async () => {
      const [a, b] = [join(), join()];
      for (const { flow } of [a, b]) flow.nodes = ["in", "other"];
      await accept(a);
      await a.flow.got(2);
      const { seq } = a.flow.given[0]!.stored;
      const settling = b.inbox.events.settle(seq);
      for (const { becomes } of a.flow.given) becomes(down);
      assert.ok(await settling);
      await a.until(() => a.inbox.counts?.processed === 1);
      await a.inbox.events.causes(); // when all is written
      for (const each of [a, b]) assert.equal((await listed(each))[0]!.state, "processed");
    });

    it("run again", async () => {
      const [a, b] = [join(), join()];
      await accept(a);
      await a.flow.got(1);
      a.flow.given[0]!.becomes(down);
      await a.until(() => a.inbox.failures("in") === 1);
      await b.until(() => b.inbox.failures("in") === 1);
      assert.deepEqual(
        (await b.inbox.events.causes()).map(({ error, count }) => [error, count]),
        [["down", 1]],
      );
      b.flow.answer = done;
      assert.deepEqual(await b.inbox.events.runAll({}), { run: 1, nowhere: 0 });
      await a.until(() => a.inbox.counts?.processed === 1);
      assert.equal(b.flow.given[0]!.times, 2);
      assert.deepEqual(await a.inbox.events.causes(), []);
    });

    it("delete", async () => {
      const [a, b] = [join(), join()];
      await accept(a);
      await a.flow.got(1);
      const { seq } = a.flow.given[0]!.stored;
      assert.ok(await b.inbox.events.delete(seq));
      await a.until(() => !a.inbox.isWithFlow(seq, "in", 1));
      assert.equal(await a.inbox.events.read(seq), undefined);
      await a.until(() => a.inbox.counts?.waiting === 0);
    });

    it("pause, and resume", async () => {
      const [a, b] = [join({ times: { look: 1e6 } }), join()];
      await ready(a, b);
      await b.inbox.pause(true);
      await a.until(() => a.inbox.isPaused);
      await accept(a);
      await b.until(() => b.inbox.counts?.waiting === 1);
      assert.deepEqual(a.flow.given, []);
      await b.inbox.pause(false);
      await a.flow.got(1);
    });

    it("count what was refused", async () => {
      const [a, b] = [join(), join()];
      await ready(a, b);
      const now = Date.now();
      for (const { inbox } of [a, a, b]) inbox.refusals.add("no-token", now);
      await a.inbox.close();
      await b.until(() => b.inbox.refusals.list(now)[0]!.count === 3);
      await b.inbox.close();
      const c = join();
      await ready(c);
      assert.deepEqual(
        c.inbox.refusals.list(now).map(({ why, count }) => [why, count]),
        [["no-token", 3]],
      );
    });
  });

  it("mark an event as superseded whose later one another has accepted before", async () => {
    const [a, b] = [join(), join()];
    for (let job = 0; job < 20; job += 1) {
      await accept(b, changeOf(job, 2));
      await accept(a, changeOf(job, 1));
    }
    assert.deepEqual(new Set(a.flow.given.map(({ stored }) => stored.superseded)), new Set([true]));
    assert.deepEqual(new Set(b.flow.given.map(({ stored }) => stored.superseded)), new Set([undefined]));
  });

  it("mark it also where it has waited until then", async () => {
    const [a, b] = [join(), join()];
    await a.inbox.pause(true);
    await b.until(() => b.inbox.isPaused);
    await accept(a, changeOf(1, 1));
    await accept(b, changeOf(1, 2));
    await b.inbox.pause(false);
    await a.flow.got(1);
    assert.equal(a.flow.given[0]!.stored.superseded, true);
  });

  it("set an event aside that alone was with the flow of three that have ended", async () => {
    let last = join(impatient);
    await ready(last);
    await accept(last);
    for (let times = 1; times <= 3; times += 1) {
      await last.flow.got(1);
      assert.equal(last.flow.given[0]!.times, times);
      last.die();
      last = join(impatient);
    }
    await last.until(() => last.inbox.counts?.failed === 1);
    assert.deepEqual(last.flow.given, []);
    assert.equal((await listed(last))[0]!.deliveries![0]!.error!.text, "set aside");
  });
});
