import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import type { JsonObject } from "../../src/event/json";
import { flowWith, InboxNodeRed } from "../system/inboxes";
import { freePort } from "./free-port";
import { recorded } from "./load";
import { again, SetClock } from "./set-clock";

const count = 300;
const numbers = Array.from({ length: count }, (_, i) => i);
const sorted = (some: number[]) => [...some].sort((a, b) => a - b);

/** A bookkeeping service, which is down first. */
class Bookkeeping {
  /** Where nothing else looks for a port: what is down comes up where it was. */
  readonly #host = "127.0.0.2";
  #port = 0;
  #server: Server | undefined;
  /** The numbers of all events that it was asked to bill, and of those that it has billed. */
  readonly asked: number[] = [];
  readonly billed: number[] = [];
  /** What it answers; or nothing, as long as it is "silent". */
  answers: number | "silent" = 200;
  #noted: () => void = () => undefined;

  static async prepare(): Promise<Bookkeeping> {
    const bookkeeping = new Bookkeeping();
    bookkeeping.#port = await freePort(bookkeeping.#host);
    return bookkeeping;
  }

  get url(): string {
    return `http://${this.#host}:${this.#port}/bill`;
  }

  async comesUp(): Promise<void> {
    this.#server = createServer((req, res) => {
      void json(req).then((event) => this.#bill((event as { number: number }).number, res));
    }).listen(this.#port, this.#host);
    await once(this.#server, "listening");
  }

  #bill(number: number, res: ServerResponse): void {
    this.asked.push(number);
    const { answers } = this;
    if (answers !== "silent") {
      if (answers === 200) this.billed.push(number);
      res.writeHead(answers).end();
    }
    this.#noted();
  }

  /** Resolves as soon as that fits. */
  async has(fits: () => boolean): Promise<void> {
    while (!fits()) await new Promise<void>((resolve) => (this.#noted = resolve));
  }

  stop(): void {
    this.#server?.close();
    this.#server?.closeAllConnections();
  }
}

describe("An inbox whose flow cannot do it for a while", function () {
  this.timeout(120_000);
  let clock: SetClock;
  let running: InboxNodeRed;
  before(() => (clock = new SetClock()));
  beforeEach(() => clock.set(0));
  afterEach(() => running.nodeRed.stop());
  after(() => clock.remove());

  const start = async (flows: JsonObject[]) => {
    running = await InboxNodeRed.start({ flows, env: clock.env });
  };
  const restart = async (how: "end" | "kill" = "end") => {
    await running.nodeRed[how]();
    clock.set(0);
    running = await running.next({ env: clock.env });
  };
  const post = async (some: number[]) => {
    for (const number of some) assert.equal((await running.post({ number })).status, 200);
  };
  const says = async (fits: (counts: Record<string, number>) => boolean) =>
    (await again(() => running.says(({ counts }) => fits({ ...counts })))).counts;

  describe("as a bookkeeping service is down", () => {
    let bookkeeping: Bookkeeping;
    let flows: JsonObject[];
    beforeEach(async () => {
      bookkeeping = await Bookkeeping.prepare();
      const { url } = bookkeeping;
      const other = { type: "radaro in", config: "acme", path: "/radaro", topics: [], wires: [["got"]] };
      const func = 'if (msg.statusCode !== 200) throw new Error("answered " + msg.statusCode);';
      flows = flowWith(
        { id: "next", type: "http request", method: "POST", url, senderr: true, wires: [["check"]] },
        { id: "check", type: "function", func },
        { id: "other", ...other },
        { id: "got", type: "recorder", file: "got.txt" },
      ).map((node) => (node.id === "acme" ? { ...node, inboxRetries: "1, 5, 30, 120" } : node));
    });
    afterEach(() => bookkeeping.stop());

    it("bills all when that comes up, each once, over restarts and a deploy, and gives another flow nothing twice", async () => {
      await start(flows);
      await post(numbers.slice(0, 100));
      await says(({ failed }) => failed === 100);
      await restart();
      await post(numbers.slice(100, 200));
      await says(({ failed }) => failed === 200);
      await running.deploy(flows);
      await post(numbers.slice(200));
      await says(({ failed }) => failed === count);

      await bookkeeping.comesUp();
      clock.pass(61);
      // Node-RED ends in the middle: what the service is asked then, and does not answer, it is asked again.
      await bookkeeping.has(() => bookkeeping.billed.length === 50);
      bookkeeping.answers = "silent";
      await bookkeeping.has(() => bookkeeping.asked.length > bookkeeping.billed.length);
      await says(({ processed }) => processed === bookkeeping.billed.length);
      await restart();
      const open = bookkeeping.asked.length - bookkeeping.billed.length;
      bookkeeping.answers = 200;
      await says(({ processed }) => processed === count);

      assert.deepEqual(sorted(bookkeeping.billed), numbers);
      assert.equal(bookkeeping.asked.length, count + open);
      assert.deepEqual(sorted(recorded(running)), numbers);
    });

    it("bills all when it answers 200 after having answered 503", async () => {
      bookkeeping.answers = 503;
      await bookkeeping.comesUp();
      await start(flows);
      await post(numbers);
      await says(({ failed }) => failed === count);
      bookkeeping.answers = 200;
      clock.pass(61);
      await says(({ processed }) => processed === count);
      assert.deepEqual(sorted(bookkeeping.billed), numbers);
      assert.deepEqual(sorted(bookkeeping.asked), sorted([...numbers, ...numbers]));
      assert.deepEqual(sorted(recorded(running)), numbers);
    });
  });

  describe("as a node needs a second to connect", () => {
    const holding = flowWith({ id: "next", type: "function", func: "if (false) node.done();" });
    const connecting = flowWith({ id: "next", type: "connecting", file: "got.txt" });
    beforeEach(async () => {
      await start(holding);
      await post(numbers);
      await says(({ waiting }) => waiting === count);
    });

    for (const [after, happen] of Object.entries({
      "a restart": async () => {
        await running.nodeRed.end();
        writeFileSync(join(running.nodeRed.userDir, "flows.json"), JSON.stringify(connecting));
        running = await running.next({ env: clock.env });
      },
      "Node-RED was killed": async () => {
        writeFileSync(join(running.nodeRed.userDir, "flows.json"), JSON.stringify(connecting));
        await restart("kill");
      },
      "a deploy": () => running.deploy(connecting),
    }))
      it(`gives it what failed once more a minute later, after ${after}`, async () => {
        await happen();
        const { failed, processed } = await says(
          ({ failed = 0, processed = 0 }) => failed + processed === count,
        );
        console.log(`      ${failed} failed, and ${processed} did not`);
        assert.ok(failed > 0);
        // It begins with one, and goes on as that succeeds.
        assert.ok(failed < 10, `${failed} failed`);
        clock.pass(61);
        await says((counts) => counts.processed === count);
        assert.deepEqual(sorted(recorded(running)), numbers);
      });
  });
});
