import assert from "node:assert/strict";
import type { EventMessage } from "../../src/event/message";
import type { Cause, Filter, Refused } from "../../src/inbox/store";
import type { JsonObject } from "../../src/event/json";
import type { StoredEvent } from "../../src/inbox/stored-event";
import { readSamples } from "../events";
import { flowWith, InboxNodeRed, token } from "./inboxes";

interface Listed extends StoredEvent {
  event?: object;
}

describe("What is asked of an inbox", () => {
  /** Fails on one event, and on a second for another cause. */
  const func = `
    if (msg.payload.number === 1 && !msg.radaro.test) throw new Error("no such customer");
    if (msg.payload.number === 2) node.error("down", msg);
    else return msg;`;
  const flow = flowWith(
    { id: "next", type: "function", name: "Bill", func, outputs: 1, wires: [["probe"]] },
    { id: "probe", type: "probe" },
  );
  let running: InboxNodeRed;
  const all: JsonObject[] = [];
  before(async () => {
    running = await InboxNodeRed.start({ flows: flow });
    const job = { title: "Flowers for Zoë", customer: { name: "Zoë Ångström", phone: "+49895550199" } };
    const [completed, rated] = [readSamples()["job-completed"], readSamples()["job-confirmed"]];
    for (const [number, sample] of [completed, completed, completed, rated, rated].entries()) {
      const about = { order_id: 100 + number, ...(number === 3 && job), ...(number === 4 && { rating: 9 }) };
      const event = { ...sample, number, order_info: { ...(sample.order_info as JsonObject), ...about } };
      all.push(event);
      assert.equal((await running.post(event)).status, 200);
    }
    await running.says(({ counts }) => counts.processed === 3 && counts.failed === 2);
  });
  after(() => running.nodeRed.stop());

  const get = <T>(path: string, filter: Partial<Record<keyof Filter, string>> = {}) =>
    running.api<T>("GET", `/radaro-inbox/acme/${path}?${new URLSearchParams(filter).toString()}`);
  const list = async (filter: Partial<Record<keyof Filter, string>>) => {
    const { events, next } = await get<{ events: Listed[]; next: string | null }>("events", filter);
    assert.equal(next, null);
    return events;
  };

  for (const [filter, numbers] of [
    [{}, [5, 4, 3, 2, 1]],
    [{ text: "zoë å" }, [4]],
    [{ text: "ZOË" }, [4]],
    [{ text: "95550199" }, [4]],
    [{ text: "deliver_address" }, []], // the name of a field
    [{ meaning: "job-completed" }, [3, 2, 1]],
    [{ meaning: "job-completed", state: "failed" }, [3, 2]],
    [{ meaning: "job-rated" }, [5, 4]],
    [{ meaning: "job-rated-low" }, [4]],
    [{ text: "(089) 555-0199" }, [4]],
    [{ node: "next" }, [3, 2]],
    [{ error: "down" }, [3]],
    [{ node: "next", error: "down", state: "processed" }, []],
    [{ superseded: "true" }, []],
    [{ job: "103" }, [4]],
    [{ job: "103", text: "Flowers" }, [4]],
    [{ job: "103", text: "Bread" }, []],
    [{ from: "2020-01-01T00:00:00.000Z" }, [5, 4, 3, 2, 1]],
    [{ to: "2020-01-01T00:00:00.000Z" }, []],
  ] as [Partial<Record<keyof Filter, string>>, number[]][]) {
    it(`lists and counts those with ${JSON.stringify(filter)}`, async () => {
      const found = await list(filter);
      assert.deepEqual(
        found.map(({ seq }) => Number(seq)),
        numbers,
      );
      const rest = { ...filter };
      delete rest.state;
      const every = await list(rest);
      const { counts, next } = await get<{ counts: Record<string, number>; next: null }>("counts", filter);
      assert.equal(next, null);
      assert.deepEqual(
        counts,
        Object.fromEntries(
          ["waiting", "processed", "failed"].map((state) => [
            state,
            (filter.state ? found : every).filter((each) => each.state === state).length,
          ]),
        ),
      );
    });
  }

  for (const wrong of [
    "state=waiting%00",
    "state=lost",
    "before=abc",
    "before=99999999999999999999",
    "from=yesterday",
    "to=2026-13-01",
  ])
    it(`answers 400 to ${wrong}, and goes on`, async () => {
      for (const what of ["events", "counts", "export"]) {
        const response = await fetch(`${running.nodeRed.url}/radaro-inbox/acme/${what}?${wrong}`);
        assert.equal(response.status, 400);
        assert.match(((await response.json()) as { error: string }).error, /has to be|have to be/);
      }
      assert.equal((await list({})).length, all.length);
    });

  it("takes a time with any offset", async () => {
    const first = (await list({})).at(-1)!;
    const elsewhere = new Date(Date.parse(first.receivedAt) + 3_600_000).toISOString().replace("Z", "+01:00");
    assert.equal((await list({ from: elsewhere })).length, all.length);
    assert.equal((await list({ to: elsewhere })).length, 0);
  });

  it("says what a job is called, and who its customer is", async () => {
    const [found] = await list({ job: "103" });
    assert.deepEqual([found!.title, found!.customer], ["Flowers for Zoë", "Zoë Ångström"]);
  });

  it("says what has failed by cause, and runs one of them again", async () => {
    const causes = await get<Cause[]>("causes");
    assert.deepEqual(causes.map(({ node, error, count, again }) => [node.name, error, count, again]).sort(), [
      ["Bill", "down", 1, 0],
      ["Bill", "no such customer", 1, 0],
    ]);
    const run = await running.api("POST", "/radaro-inbox/acme/run", { node: "next", error: "down" });
    assert.deepEqual(run, { run: 1, nowhere: 0 });
    await running.says(({ counts }) => counts.failed === 2);
    const [again] = await list({ error: "down" });
    const [first, second] = again!.deliveries![0]!.tries!;
    assert.deepEqual([first?.outcome, first?.text, second?.outcome], ["failed", "down", "failed"]);
  });

  it("sends one to a radaro in as a test event, which no inbox follows", async () => {
    const [failed] = await list({ error: "no such customer" });
    await running.api("POST", `/radaro-inbox/acme/events/${failed!.seq}/test`, { node: "in" });
    const messages = await running.api<EventMessage[]>("GET", "/probe/probe/4");
    const { payload, radaro } = messages.find((each) => each.radaro.test)!;
    assert.deepEqual(payload, all[1]);
    assert.equal(radaro.receivedAt, failed!.receivedAt);
    assert.deepEqual([radaro.delivery, radaro.eventId], [undefined, undefined]);
    assert.deepEqual(await list({ error: "no such customer" }), [failed]);
    for (const [seq, node] of [
      [failed!.seq, "gone"],
      ["000000000000099", "in"],
    ])
      await assert.rejects(running.api("POST", `/radaro-inbox/acme/events/${seq}/test`, { node }), /404/);
  });

  it("exports those that fit as lines of JSON, without the token", async () => {
    const response = await fetch(`${running.nodeRed.url}/radaro-inbox/acme/export?meaning=job-completed`);
    assert.equal(response.headers.get("content-type"), "application/x-ndjson");
    const text = await response.text();
    assert.ok(!text.includes(token));
    const lines = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Listed);
    assert.deepEqual(
      lines.map(({ event }) => event),
      [all[2], all[1], all[0]],
    );
    assert.deepEqual(
      lines.map(({ seq }) => seq),
      (await list({ meaning: "job-completed" })).map(({ seq }) => seq),
    );
  });

  it("is answered when a deploy is over, where that has stopped it", async () => {
    const [first] = await list({});
    let deploying = true;
    const asking = [0, 1, 2, 3].map(async () => {
      while (deploying) {
        const { merchants } = await running.api<{ merchants: object[] }>("GET", "/radaro-inbox");
        assert.equal(merchants.length, 1);
        assert.equal((await list({})).length, all.length);
        assert.equal((await get<Listed>(`events/${first!.seq}`)).seq, first!.seq);
      }
    });
    for (let i = 0; i < 8; i += 1) await running.deploy(flow);
    deploying = false;
    await Promise.all(asking);
    await running.deploy(flow.map((node) => (node.id === "acme" ? { ...node, inbox: false } : node)));
    await assert.rejects(get("events"), /404/);
    await running.deploy(flow);
    await running.says(({ counts }) => counts.processed === 3);
  });

  it("counts what was refused, also over a restart, and says the first of an hour in the log", async () => {
    const refuse = () =>
      fetch(`${running.nodeRed.url}/radaro`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ token: "not the token", phone: "+61370104455" }),
      });
    for (let i = 0; i < 3; i += 1) assert.equal((await refuse()).status, 401);
    const said = /A request was refused: wrong token\./g;
    await running.nodeRed.printed("A request was refused: wrong token.");
    const output = running.nodeRed.output();
    assert.equal(output.match(said)?.length, 1);
    assert.ok(!output.includes("not the token") && !output.includes("+61370104455"));
    const refused = async () => {
      const { merchants } = await running.api<{ merchants: [{ refused: Refused[] }] }>(
        "GET",
        "/radaro-inbox",
      );
      return merchants[0].refused;
    };
    const before = await refused();
    assert.deepEqual(
      before.map(({ why, count }) => [why, count]),
      [["wrong-token", 3]],
    );
    await running.nodeRed.end();
    running = await running.next();
    await running.says(({ counts }) => counts.processed === 3);
    assert.deepEqual(await refused(), before);
  });
});
