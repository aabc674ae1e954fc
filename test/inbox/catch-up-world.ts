import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import { askDirectly, MadeUpRadaro, type Event, type Job } from "../../scripts/made-up-radaro";
import type { JsonObject } from "../../src/event/json";
import { Troubled } from "../../src/inbox/asking";
import { CatchingUp } from "../../src/inbox/catching-up";
import { Inbox, type Flow } from "../../src/inbox/inbox";
import { sameTime } from "../../src/inbox/known-job";
import { Unusable, type OpenStore } from "../../src/inbox/store";
import type { StoredEvent } from "../../src/inbox/stored-event";
import { randomFrom, seed } from "./random";

/** How many jobs live. */
const jobsOfEach = 5000;

/** In milliseconds: how often it is asked here, which is when it looks again too. */
const every = 80;

/** How much happens in a turn, and how many turns outages last, in all. */
const changesInATurn = 25;

/** What the flow got of a job. */
interface Got {
  isMade: boolean;
  isSuperseded: boolean;
  event: Event;
  /** When it happened, as far as somebody says it. */
  at: string | undefined;
}

/** A Radaro with its jobs, a receiver with an inbox, and all that can come between them. */
class World implements Flow {
  readonly running: boolean = true;
  readonly nodes = ["in"];
  readonly got = new Map<number, Got[]>();
  readonly #random: () => number;
  readonly #radaro: MadeUpRadaro;
  readonly #inbox: Inbox;
  readonly #catchingUp: CatchingUp;
  readonly #ids: number[] = [];
  readonly #underway = new Set<Promise<unknown>>();
  /** What cannot be reached now. */
  #isReceiverDown = false;
  #isApiDown = false;
  lost = 0;
  requests = 0;

  constructor(open: OpenStore, seed: number) {
    this.#random = randomFrom(seed);
    this.#radaro = new MadeUpRadaro({
      announce: (build) => this.#send(build),
      lag: () => Math.floor(this.#random() * (every / 2)),
    });
    this.#inbox = new Inbox(open, this, {
      ...{ days: 7, isAsking: true },
      changed: () => undefined,
      setAside: (node) => ({ text: "set aside", node: { id: node, type: "radaro in" } }),
    });
    this.#catchingUp = new CatchingUp(
      {
        api: askDirectly(this.#radaro, () => this.#asking()),
        jobs: this.#inbox.jobs,
        whom: "radaro",
        paths: () => ["/radaro"],
        accept: ({ event, body, by }, path) =>
          this.#inbox.accept(event, { path, body, by, receivedAt: new Date() }),
        changed: () => undefined,
        broke: (error) => {
          throw error;
        },
      },
      { every, days: 7, pause: 0 },
    );
  }

  async #asking(): Promise<void> {
    this.requests += 1;
    await wait(1);
    if (this.#isApiDown) throw new Troubled("unreachable");
  }

  /** Workers send events: some come late, or after others. */
  #send(build: () => Event): void {
    const isLate = this.#random() < 0.02;
    const delay = this.#random() * (isLate ? 4 * every : 5);
    const sent = wait(delay).then(async () => {
      const event = build();
      const body = Buffer.from(JSON.stringify(event));
      if (this.#isReceiverDown || this.#random() < 0.002) this.lost += 1;
      else {
        const arrival = { path: "/radaro", body, receivedAt: new Date() };
        // What a slow disk refuses is answered 503, and lost too.
        await this.#inbox.accept(event, arrival).catch((error: unknown) => {
          if (!(error instanceof Unusable)) throw error;
          this.lost += 1;
        });
        this.#catchingUp.heard();
      }
    });
    this.#underway.add(sent);
    void sent.finally(() => this.#underway.delete(sent));
  }

  receivers(): string[] {
    return ["in"];
  }

  receiver() {
    return { isInOrder: false };
  }

  give(stored: StoredEvent, nodes: string[], event: JsonObject): string[] {
    const { seq, caughtUp = false, superseded = false, changedAt } = stored;
    const told = event as Event;
    const { order_id } = told.order_info;
    const at = told.updated_at === undefined ? undefined : changedAt;
    const got: Got = { isMade: caughtUp, isSuperseded: superseded, event: told, at };
    this.got.set(order_id, [...(this.got.get(order_id) ?? []), got]);
    queueMicrotask(() => void this.#inbox.heard(seq, "in", { state: "processed" }));
    return nodes;
  }

  /** Jobs live, while what is between fails now and then. */
  async live(): Promise<void> {
    this.#catchingUp.ask();
    await this.#asked();
    let created = 0;
    for (let turn = 0; created < jobsOfEach || turn % 100 !== 0; turn += 1) {
      for (let i = 0; i < changesInATurn; i += 1) {
        if (created < jobsOfEach && this.#random() < 0.2) created += this.#create();
        else this.#change();
      }
      if (this.#random() < 0.01) this.#isReceiverDown = !this.#isReceiverDown;
      if (this.#random() < 0.02) this.#isApiDown = !this.#isApiDown;
      await wait(1);
    }
    this.#isReceiverDown = this.#isApiDown = false;
    await Promise.all(this.#underway);
  }

  #create(): 1 {
    const status = this.#random() < 0.1 ? "pending" : "not_assigned";
    this.#ids.push(this.#radaro.create({ status }));
    return 1;
  }

  /** What is done to a job at once counts as what it was created with. */
  #pick(): Job | undefined {
    const id = this.#ids[Math.floor(this.#random() * this.#ids.length)];
    const job = id === undefined ? undefined : this.#radaro.job(id);
    return job && Date.parse(job.created_at) + 2 * sameTime < Date.now() ? job : undefined;
  }

  #change(): void {
    const job = this.#pick();
    if (!job) return;
    const { order_id: id, status } = job;
    const next: Record<string, string> = {
      ...{ pending: "not_assigned", not_assigned: "assigned", assigned: "in_progress" },
      in_progress: this.#random() < 0.1 ? "failed" : "delivered",
    };
    const dice = this.#random();
    if (dice < 0.02) this.#radaro.delete(id);
    else if (dice < 0.1) this.#radaro.setDeadline(id, (1 + Math.floor(this.#random() * 8)) * 1_800_000);
    else if (dice < 0.15 && status === "assigned") this.#radaro.setStatus(id, "not_assigned", true);
    else if (next[status]) this.#radaro.setStatus(id, next[status], status === "not_assigned" && dice > 0.8);
    else if (status === "delivered" && !job.is_confirmed_by_customer)
      this.#radaro.confirm(id, dice < 0.5 ? null : Math.ceil(dice * 10));
  }

  /** Resolves when all was asked, from now on. */
  async #asked(): Promise<void> {
    const before = this.#catchingUp.state.asked;
    while (this.#catchingUp.state.asked === before || this.#catchingUp.state.isAsking) await wait(5);
    assert.equal(this.#catchingUp.state.problem, null);
  }

  /** Asks until nothing is found, and what is known has stood for long enough. */
  async settle(): Promise<void> {
    await wait(11 * every);
    let quiet = 0;
    while (quiet < 2) {
      this.#catchingUp.ask();
      await this.#asked();
      quiet = this.#catchingUp.state.found === 0 ? quiet + 1 : 0;
    }
  }

  /** What is wrong with what the flow has got. */
  findWrong(): string[] {
    const wrong: string[] = [];
    const now = new Map(this.#radaro.jobs.map((job) => [job.order_id, job]));
    for (const id of new Set([...now.keys(), ...this.got.keys()])) {
      const got = this.got.get(id) ?? [];
      // It was gone before the jobs API could show it: nobody can tell that from a key that sees too little.
      if (!now.has(id) && !this.#radaro.shown.has(id)) continue;
      for (const each of [missing(got, now.get(id)), ...late(got), ...twice(got)])
        if (each) wrong.push(`job ${id}: ${each}: ${JSON.stringify(got.map(brief))}`);
    }
    return wrong;
  }

  get made(): number {
    return [...this.got.values()].flat().filter(({ isMade }) => isMade).length;
  }

  get events(): number {
    return [...this.got.values()].flat().length;
  }

  async close(): Promise<void> {
    await this.#catchingUp.close();
    await this.#inbox.close();
  }
}

const brief = ({ isMade, isSuperseded, event, at }: Got) => [
  ...[event.event_type, event.new_values, at],
  ...(isMade ? ["made"] : []),
  ...(isSuperseded ? ["superseded"] : []),
];

const valueOf = ({ event }: Got, field: string) =>
  (event.new_values as JsonObject | null | undefined)?.[field];

/** The last that was not superseded. */
const lastOf = (got: Got[], field: string) =>
  valueOf(got.filter((each) => !each.isSuperseded && valueOf(each, field) !== undefined).at(-1)!, field);

/** What of the state of a job now the flow has not seen. */
function missing(got: Got[], job: Job | undefined): string | undefined {
  const has = (type: string) => got.some(({ event }) => event.event_type === type);
  if (!job) return has("deleted") ? undefined : "it is deleted";
  const created = got.find(({ event }) => event.event_type === "created")?.event.order_info;
  if (!created) return "it was created";
  const saw = (field: keyof Job) => got.some((each) => valueOf(each, String(field)) !== undefined);
  const status = saw("status") ? lastOf(got, "status") : created.status;
  if (status !== job.status) return `it is ${job.status}`;
  if (job.is_confirmed_by_customer && !saw("is_confirmed_by_customer")) return "it is confirmed";
  const deadline = saw("deliver_before") ? lastOf(got, "deliver_before") : created.deliver_before;
  const wall = (time: unknown) => String(time).slice(0, 19);
  return wall(deadline) === wall(job.deliver_before) ? undefined : `it is due ${job.deliver_before}`;
}

/** States that came after a later one, and do not say so. */
function late(got: Got[]): string[] {
  return ["status", "deliver_before"].flatMap((field) => {
    let last = "";
    return got.flatMap((each) => {
      if (valueOf(each, field) === undefined || each.at === undefined) return [];
      const isLate = each.at < last && !each.isSuperseded;
      if (each.at > last) last = each.at;
      return isLate ? `${field} came after a later one` : [];
    });
  });
}

/** Events that were made of what had come, or came after they were made and were given again. */
function twice(got: Got[]): string[] {
  return got.flatMap((made, i) => {
    if (!made.isMade) return [];
    const isSame = (other: Got) =>
      other !== made &&
      other.event.event_type === made.event.event_type &&
      JSON.stringify(other.event.new_values) === JSON.stringify(made.event.new_values) &&
      (other.event.event_type !== "updated" || isSameChange(other, made, got.indexOf(other) < i));
    return got.some(isSame) ? ["it came, and was made too"] : [];
  });
}

/** What is dated is the same at the same time; a rating may come after the customer has confirmed. */
function isSameChange(other: Got, made: Got, isBefore: boolean): boolean {
  if (valueOf(made, "status") !== undefined) return other.at === made.at;
  const ratingOf = ({ event }: Got) => event.order_info.rating;
  if (valueOf(made, "is_confirmed_by_customer") !== undefined) return ratingOf(other) === ratingOf(made);
  return isBefore && other.at === undefined;
}

/**
 * Lets jobs live beside an inbox that catches up, once for each seed.
 *
 * @param kind of its store
 * @param runs how many times
 * @param open opens a new one, for each
 */
export function describeCatchUp(kind: string, runs: number, open: (run: number) => OpenStore): void {
  describe(`An inbox in ${kind} that catches up with ${jobsOfEach} jobs`, function () {
    this.timeout(300_000);

    for (let run = 0; run < runs; run += 1)
      it(`gives the flow the last state of each, in order, and nothing that had come (SEED=${seed + run})`, async () => {
        const world = new World(open(run), seed + run);
        try {
          await world.live();
          await world.settle();
          const { events, made, lost, requests } = world;
          console.log(
            `      ${events} events, ${made} made of ${lost} lost and bulk changes; ${requests} requests`,
          );
          const wrong = world.findWrong();
          assert.deepEqual(wrong, [], `${wrong.length} are wrong`);
        } finally {
          await world.close();
        }
      });
  });
}
