import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { JobsApi, MadeUpRadaro, sendWebhook, type Event } from "../../scripts/made-up-radaro";

describe("The made-up Radaro", () => {
  it("sends no event of what is changed in bulk, and renames what is deleted", () => {
    const sent: Event[] = [];
    const radaro = new MadeUpRadaro({ announce: (build) => sent.push(build()) });
    const job = radaro.create({ external_id: "SO-7" });
    radaro.setStatus(job, "assigned", true);
    radaro.setStatus(job, "delivered");
    radaro.delete(job);
    assert.deepEqual(
      sent.map(({ event_type, new_values, order_info }) => [event_type, new_values, order_info.status]),
      [
        ["created", null, "not_assigned"],
        ["updated", { status: "delivered" }, "delivered"],
        ["deleted", null, "delivered"],
      ],
    );
    assert.match(sent[2]!.order_info.external_id, /^SO-7-deleted-\d{4}-\d\d-\d\dT/);
  });

  it("shows a job as it is when the event is sent", () => {
    const announced: (() => Event)[] = [];
    const radaro = new MadeUpRadaro({ announce: (build) => announced.push(build) });
    radaro.setStatus(radaro.create(), "assigned");
    assert.equal(announced[0]!().order_info.status, "assigned");
  });

  describe("sends a webhook", () => {
    let server: Server;
    let url: string;
    const got: { method: string; path: string; body: string }[] = [];
    const read = async (request: IncomingMessage) => {
      let body = "";
      for await (const part of request) body += String(part);
      return body;
    };
    before(async () => {
      server = createServer((request, response) => {
        void read(request).then((body) => {
          got.push({ method: request.method!, path: request.url!, body });
          const [, status] = /^\/(3\d\d)$/.exec(request.url!) ?? [];
          response.writeHead(Number(status ?? 200), status ? { Location: "/there" } : {}).end();
        });
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    });
    after(() => server.close());
    beforeEach(() => void got.splice(0));

    it("with its token, and all but ASCII escaped", async () => {
      assert.equal(await sendWebhook(`${url}/radaro`, { title: "Kühlschrank" }, "a token"), 200);
      const body = '{"title":"K\\u00fchlschrank","token":"a token"}';
      assert.deepEqual(got, [{ method: "POST", path: "/radaro", body }]);
    });

    for (const [status, method] of [
      [301, "GET"],
      [302, "GET"],
      [303, "GET"],
      [307, "POST"],
      [308, "POST"],
    ] as const)
      it(`that is redirected by ${status} as a ${method}`, async () => {
        assert.equal(await sendWebhook(`${url}/${status}`, {}, "a token"), 200);
        const [, last] = got;
        assert.deepEqual([last!.method, last!.body === ""], [method, method === "GET"]);
      });

    it("once, whether there is an answer or not", async () => {
      assert.equal(await sendWebhook("http://127.0.0.1:9/", {}, "a token"), undefined);
    });
  });

  describe("answers its jobs API", () => {
    let now = Date.now();
    let lag = 0;
    const radaro = new MadeUpRadaro({ now: () => now, lag: () => lag });
    let api: JobsApi;
    const ask = async (path: string, key = "a key") => {
      const response = await fetch(`${api.url}/api/webhooks/jobs/${path}`, { headers: { "X-API-Key": key } });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    const ids = async (path: string) =>
      ((await ask(path)).body.results as { order_id: number }[]).map(({ order_id }) => order_id);
    const jobs: number[] = [];
    before(async () => {
      api = await JobsApi.start(radaro, "a key");
      for (let i = 0; i < 12; i += 1) jobs.unshift(radaro.create({ status: i < 6 ? "assigned" : "pending" }));
    });
    after(() => api.stop());

    it("in pages, the newest first, 10 at a time where nothing is said", async () => {
      assert.deepEqual(await ids(""), jobs.slice(0, 10));
      assert.deepEqual(await ids("?page=2&page_size=5"), jobs.slice(5, 10));
      const { count, next } = (await ask("?page=3&page_size=5")).body;
      assert.deepEqual([count, next], [12, null]);
      assert.equal((await ask("?page=4&page_size=5")).status, 404);
    });

    it("narrowed by status and deadline, and by nothing that it does not know", async () => {
      assert.deepEqual(await ids("?page_size=20&status=pending"), jobs.slice(0, 6));
      assert.deepEqual(await ids("?page_size=20&status=pending&status=assigned"), jobs);
      assert.deepEqual(await ids("?page_size=20&updated_at_after=2099-01-01"), jobs);
      assert.deepEqual(await ids("?page_size=20&deliver_before_after=2099-01-01"), []);
      assert.equal((await ask("?deliver_before_after=soon")).status, 400);
    });

    it("one job, by its number or its external id, and no deleted one", async () => {
      const [job] = jobs as [number];
      assert.equal((await ask(`${job}?lookup_field=order_id`)).body.order_id, job);
      assert.equal((await ask(`SO-${job % 1_000_000}`)).body.order_id, job);
      radaro.delete(job);
      const { status, body } = await ask(`${job}?lookup_field=order_id`);
      assert.deepEqual([status, typeof body.detail], [404, "string"]);
    });

    it("to nobody without its key, and a little behind", async () => {
      assert.equal((await ask("", "another")).status, 401);
      lag = 1000;
      now += 500;
      const job = radaro.create();
      assert.ok(!(await ids("")).includes(job));
      now += 1000;
      assert.ok((await ids("")).includes(job));
    });
  });
});
