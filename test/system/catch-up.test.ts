import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { JobsApi, MadeUpRadaro, sendWebhook, type Event } from "../../scripts/made-up-radaro";
import type { JsonObject } from "../../src/event/json";
import type { EventMessage } from "../../src/event/message";
import type { StoredEvent } from "../../src/inbox/stored-event";
import { flowWith, InboxNodeRed, token } from "./inboxes";

const key = "7c1f0a52-3d7e-4b0e-9a86-5e2f4c9d1b30";

/** Minutes between two looks here; then what differs is looked at again too. */
const catchUp = 0.005;

interface Asked {
  isAsking: boolean;
  asked: string | null;
  found: number;
  problem: { kind: string; text: string } | null;
}

const flowOf = (server: string, ...nodes: Record<string, unknown>[]) =>
  flowWith({ id: "next", type: "probe" }, ...nodes).map((node) =>
    node.id === "acme" ? { ...node, catchUp, server } : node,
  );

describe("A Node-RED whose inbox asks Radaro for what never arrived", function () {
  this.timeout(30_000);
  /** What Radaro would send now. */
  const announced: (() => Event)[] = [];
  /** By how much Radaro's clock is ahead, in milliseconds. */
  let ahead = 0;
  let radaro: MadeUpRadaro;
  let api: JobsApi;
  let red: InboxNodeRed;

  before(async () => {
    radaro = new MadeUpRadaro({
      announce: (build) => announced.push(build),
      now: () => Date.now() + ahead,
    });
    api = await JobsApi.start(radaro, key);
    for (let i = 0; i < 3; i += 1) radaro.create({ status: "assigned" });
    announced.splice(0);
    const watch = { id: "watch", type: "radaro watch", config: "acme", wires: [["told"]] };
    const told = { id: "told", type: "probe" };
    const credentials = { acme: { token, apiKey: key } };
    red = await InboxNodeRed.start({ flows: flowOf(api.url, watch, told), credentials });
    await asked();
  });
  after(async () => {
    await red.nodeRed.stop();
    await api.stop();
  });
  beforeEach(() => void (api.between = () => false));

  const probed = async <T = EventMessage>(id: string, count: number): Promise<T[]> =>
    (await (await fetch(`${red.nodeRed.url}/probe/${id}/${count}`)).json()) as T[];

  /** What asking says of itself, as soon as that fits. */
  async function says(fits: (asked: Asked) => boolean): Promise<Asked> {
    for (;;) {
      const { merchants } = await red.api<{ merchants: [{ catchUp: Asked }] }>("GET", "/radaro-inbox");
      if (fits(merchants[0].catchUp)) return merchants[0].catchUp;
    }
  }

  /** Asks, and resolves when all was asked for. */
  async function asked(): Promise<Asked> {
    const before = await says(() => true);
    await red.api("POST", "/radaro-inbox/acme/catch-up");
    return says(({ asked, isAsking }) => asked !== null && asked !== before.asked && !isAsking);
  }

  const list = async (query: string) =>
    (await red.api<{ events: StoredEvent[] }>("GET", `/radaro-inbox/acme/events?${query}`)).events;

  /** Lets Radaro send what it would send now, and the receiver get it. */
  async function send(): Promise<(number | undefined)[]> {
    const events = announced.splice(0).map((build) => build());
    const answers = [];
    for (const event of events) answers.push(await sendWebhook(`${red.nodeRed.url}/radaro`, event, token));
    return answers;
  }

  it("makes no event of the jobs that were there before", async () => {
    assert.deepEqual(await list(""), []);
    assert.equal((await asked()).found, 0);
  });

  it("begins anew where the inbox was off: what came meanwhile nobody knows of", async () => {
    const job = radaro.create();
    await send();
    await probed("next", 1);
    await asked();
    const flows = await red.api<JsonObject[]>("GET", "/flows");
    const inbox = (isOn: boolean) =>
      flows.map((node) => (node.id === "acme" ? { ...node, inbox: isOn } : node));
    const before = await list("caughtUp=true");
    await red.deploy(inbox(false));
    radaro.setStatus(job, "assigned");
    assert.deepEqual(await send(), [200]);
    await probed("next", 1);
    await red.deploy(inbox(true));
    assert.equal((await asked()).found, 0);
    assert.equal((await asked()).found, 0);
    assert.deepEqual(await list("caughtUp=true"), before);
  });

  it("gives the flow the events that never arrived, in their order, and says so", async () => {
    api.between = answer(503, "");
    await says(({ isAsking }) => !isAsking);
    const job = radaro.create();
    radaro.setStatus(job, "assigned", true);
    ahead += 1000;
    radaro.setStatus(job, "delivered");
    radaro.confirm(job, 4);
    const lost = announced.splice(0).map((build) => build());
    api.between = () => false;
    await red.api("POST", "/radaro-inbox/acme/catch-up");
    const got = await probed("next", 3);
    const [created, delivered, confirmed] = [lost[0]!, lost[1]!, lost[2]!];
    assert.deepEqual(
      got.map(({ topic, payload, radaro }) => ({ topic, payload, caughtUp: radaro.caughtUp })),
      [created, { ...delivered, old_values: null }, { ...confirmed, updated_at: undefined }].map((event) => {
        const { updated_at, ...rest } = { ...event, order_info: radaro.job(job) };
        const payload = { ...rest, ...(updated_at !== undefined && { updated_at }) };
        return { topic: rest.topic, payload, caughtUp: true };
      }),
    );
    const caughtUp = await list("caughtUp=true");
    assert.deepEqual(
      caughtUp.map(({ orderId, caughtUp, path }) => ({ orderId, caughtUp, path })),
      [1, 2, 3].map(() => ({ orderId: job, caughtUp: true, path: "/radaro" })),
    );
  });

  it("tells a deadline, and that a job was deleted, when that has stood for long enough", async () => {
    const job = radaro.create();
    const other = radaro.create();
    assert.deepEqual(await send(), [200, 200]);
    await probed("next", 2);
    await asked();
    const before = radaro.job(job)!.deliver_before.slice(0, 19);
    radaro.setDeadline(job, 7_200_000);
    radaro.delete(other);
    announced.splice(0);
    const got = await probed("next", 2);
    const deadline = got.find(({ topic }) => topic === "job.changed")!;
    assert.deepEqual(deadline.payload.new_values, {
      deliver_before: radaro.job(job)!.deliver_before.slice(0, 19),
    });
    assert.deepEqual(deadline.payload.old_values, { deliver_before: before });
    const deleted = got.find(({ topic }) => topic === "job.deleted")!;
    assert.equal(deleted.payload.event_type, "deleted");
    assert.equal(deleted.radaro.orderId, other);
    assert.match(String(deleted.radaro.externalId), /^SO-\d+$/);
  });

  it("answers 200 to what comes after all, keeps it, and gives the flow only what is new", async () => {
    const job = radaro.create();
    const late = announced.splice(0);
    await probed("next", 1);
    announced.push(...late);
    radaro.setStatus(job, "assigned");
    assert.deepEqual(await send(), [200, 200]);
    const [got] = await probed("next", 1);
    assert.deepEqual(got!.payload.new_values, { status: "assigned" });
    assert.equal(got!.radaro.caughtUp, undefined);
    const kept = await list(`job=${job}`);
    assert.deepEqual(
      kept.map(({ eventType, caughtUp, cameAfter, state, deliveries }) => [
        ...[eventType, caughtUp ?? false, cameAfter ?? false, state],
        deliveries!.length,
      ]),
      [
        ["updated", false, false, "processed", 1],
        ["created", false, true, "processed", 0],
        ["created", true, false, "processed", 1],
      ],
    );
  });

  it("asks as soon as an event comes after a silence, and when somebody presses the button", async () => {
    const { asked: before } = await asked();
    radaro.create();
    await send();
    await says(({ asked }) => asked !== before);
    await probed("next", 1);
  });

  /** Answers in the place of the jobs API. */
  const answer =
    (status: number, body: string, headers: Record<string, string> = {}) =>
    (_: unknown, response: ServerResponse) => {
      response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(body);
      return true;
    };
  const page = (jobs: unknown[], next: string | null = null, count = jobs.length) =>
    JSON.stringify({ count, next, previous: null, results: jobs });
  const newestFirst = () => [...radaro.jobs].reverse();
  const wrongAnswers: [what: string, kind: string, between: () => JobsApi["between"]][] = [
    ["401", "refused", () => answer(401, '{"detail": "Invalid API key.", "errors": null}')],
    ["404", "not-there", () => answer(404, '{"detail": "Not found.", "errors": null}')],
    ["400", "not-understood", () => answer(400, '{"detail": "Invalid.", "errors": {"page": ["?"]}}')],
    ["500", "failing", () => answer(500, "")],
    ["a redirect", "redirected", () => answer(302, "", { Location: "https://example.com/login" })],
    [
      "another year's date",
      "clocks",
      () => answer(200, page(newestFirst()), { Date: "Fri, 01 Feb 2036 00:00:00 GMT" }),
    ],
    ["HTML", "not-json", () => answer(200, "<html>Log in</html>", { "Content-Type": "text/html" })],
    ["half a JSON", "not-json", () => answer(200, page(radaro.jobs).slice(0, -100))],
    [
      "no answer",
      "unreachable",
      () =>
        ({ socket }) =>
          Boolean(socket.destroy()),
    ],
    ["200 MB", "too-large", () => flood],
    ["other fields", "other-shape", () => answer(200, page([{ id: 1, state: "done" }]))],
    ["another list", "other-shape", () => answer(200, JSON.stringify(radaro.jobs))],
    ["a page without end", "endless", () => answer(200, page(newestFirst(), "/next", 900))],
    ["everything instead of what a filter lets through", "unasked", () => answer(200, page(newestFirst()))],
  ];

  /** Writes until nobody reads any more. */
  const flood = (_: unknown, response: ServerResponse) => {
    const part = Buffer.alloc(1024 ** 2, " ");
    let left = 200;
    response.writeHead(200, { "Content-Type": "application/json" });
    const write = () => {
      while (left > 0 && !response.destroyed) if (((left -= 1), !response.write(part))) return;
      response.end();
    };
    response.on("drain", write);
    write();
    return true;
  };

  for (const [what, kind, between] of wrongAnswers)
    it(`makes no event where it is answered ${what}, says that in words, and goes on afterwards`, async () => {
      const events = await list("");
      radaro.create();
      announced.splice(0);
      api.between = between();
      await red.api("POST", "/radaro-inbox/acme/catch-up");
      const { problem } = await says(({ problem }) => problem?.kind === kind);
      assert.match(problem!.text, /^Radaro cannot be asked for what never arrived: /);
      assert.deepEqual(await list(""), events);
      assert.ok(red.nodeRed.output().includes(problem!.text));
      api.between = () => false;
      await red.api("POST", "/radaro-inbox/acme/catch-up");
      await says(({ problem }) => problem === null);
      assert.ok(red.nodeRed.output().includes("Radaro was asked for what never arrived."));
      await probed("next", 1);
    });

  it("is told of by radaro watch, when it begins and when it is over", async () => {
    const told = await probed<{ topic: string; payload: string; radaro: { cause: string; state: string } }>(
      "told",
      2,
    );
    assert.deepEqual(
      told.slice(0, 2).map(({ topic, radaro }) => [topic, radaro.cause, radaro.state]),
      [
        ["catch-up", "catch-up", "begun"],
        ["catch-up", "catch-up", "over"],
      ],
    );
    assert.match(told[0]!.payload, /^Acme: what never arrived is not caught up\. Radaro cannot be asked/);
  });

  it("gives the flow what was sent while Node-RED did not run, once it does", async () => {
    await red.nodeRed.end();
    const job = radaro.create();
    red = await red.next();
    const [got] = await probed("next", 1);
    assert.deepEqual([got!.radaro.orderId, got!.radaro.caughtUp], [job, true]);
  });

  it("has the key in no answer and in no line of its log", async () => {
    const { merchants } = await red.api<{ merchants: object[] }>("GET", "/radaro-inbox");
    for (const text of [JSON.stringify(merchants), red.nodeRed.output()]) assert.ok(!text.includes(key));
  });
});
