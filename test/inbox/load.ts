import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import type { JsonObject } from "../../src/event/json";
import { readSamples, sampleNames } from "../events";
import { token, type InboxNodeRed } from "../system/inboxes";

/** How many requests wait for their answer at most: a machine that is too slow for the rate sends fewer. */
const maxOpen = 200;

/** Of how many jobs events are. */
const jobs = 500;

/** The numbers of the events that a `recorder` in the flow has got. */
export function recorded({ nodeRed }: InboxNodeRed, file = "got.txt"): number[] {
  return readFileSync(join(nodeRed.userDir, file), "utf8").trimEnd().split("\n").map(Number);
}

/** The time as each process of this machine tells it, in milliseconds and parts of them. */
export const now = (): number => performance.timeOrigin + performance.now();

/** Sends events at a rate, whatever comes of them, each with a number of its own. */
export class Load {
  /** The numbers of the events that were answered 200. */
  readonly accepted = new Set<number>();
  /** Which Node-RED behind a proxy that tells it has answered one of them 200, and when: see `now`. */
  readonly answeredBy = new Map<number, { address: string; at: number }>();
  /** How many were answered something else, or nothing. */
  readonly others: Record<string, number> = {};
  readonly #agent = new Agent({ keepAlive: true });
  readonly #events: JsonObject[] = sampleNames.map((name) => readSamples()[name]);
  readonly #open = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #sent = 0;
  #answered = 0;
  /** What waits for the next answer. */
  #noted: (() => void)[] = [];

  /** @param rate in events a second */
  constructor(private readonly rate: number) {}

  /** Sends there from now on. */
  to(url: string): void {
    clearInterval(this.#timer);
    const begun = performance.now();
    let due = 0;
    this.#timer = setInterval(() => {
      for (; due < ((performance.now() - begun) / 1000) * this.rate; due++)
        if (this.#open.size < maxOpen) this.#send(`${url}/radaro`);
    }, 1);
  }

  /** Sends no more, and resolves when all that was sent has its answer, or will have none. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#open);
  }

  /** Sends no more, and asserts that the flows have got all that was answered 200, as soon as no event waits. */
  async isDelivered(...to: InboxNodeRed[]): Promise<void> {
    await this.stop();
    await Promise.all(to.map((each) => each.says(({ counts }) => counts.waiting === 0)));
    const got = to.flatMap((each) => recorded(each));
    const different = new Set(got);
    const lost = [...this.accepted].filter((number) => !different.has(number));
    assert.deepEqual(lost, [], "answered 200, and not delivered");
    console.log(
      `      ${this.accepted.size} events were answered 200 (others: ${JSON.stringify(this.others)}); ` +
        `${got.length - different.size} deliveries were repetitions`,
    );
  }

  /** Resolves when that many more have been answered 200. */
  async accepts(more: number): Promise<void> {
    for (const until = this.accepted.size + more; this.accepted.size < until;) await this.#next();
  }

  /** Resolves when some more have been answered, however. */
  async answers(more: number): Promise<void> {
    for (const until = this.#answered + more; this.#answered < until;) await this.#next();
  }

  #next(): Promise<void> {
    return new Promise((resolve) => this.#noted.push(resolve));
  }

  #send(url: string): void {
    const number = this.#sent++;
    const event = this.#events[number % this.#events.length]!;
    // Of many jobs: those of one come one after the other.
    const order_info = { ...(event.order_info as JsonObject | undefined), order_id: number % jobs };
    const body = JSON.stringify({ ...event, order_info, number, token });
    const headers = { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) };
    const answered = new Promise<number | string>((resolve) => {
      const req = request(url, { method: "POST", agent: this.#agent, headers }, (res) => {
        res.resume().on("close", () => {
          const [address] = [res.headers["x-answered-by"] ?? []].flat();
          if (res.complete && res.statusCode === 200 && address !== undefined)
            this.answeredBy.set(number, { address: address.split(", ").at(-1)!, at: now() });
          resolve(res.complete ? res.statusCode! : "cut off");
        });
      });
      req.on("error", ({ code }: NodeJS.ErrnoException) => resolve(String(code)));
      req.end(body);
    }).then((answer) => {
      if (answer === 200) this.accepted.add(number);
      else this.others[answer] = (this.others[answer] ?? 0) + 1;
      this.#answered += 1;
      this.#open.delete(answered);
      for (const note of this.#noted.splice(0)) note();
    });
    this.#open.add(answered);
  }
}
