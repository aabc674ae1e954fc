import { Inbox, type Outcome } from "../../src/inbox/inbox";
import type { JsonObject } from "../../src/event/json";
import { Instance, PostgresStore, type times } from "../../src/inbox/postgres-store";
import { Unusable } from "../../src/inbox/store";
import type { StoredEvent } from "../../src/inbox/stored-event";
import { TestFlow } from "../unit/test-flow";
import { Postgres } from "./postgres";

export const done: Outcome = { state: "processed" };
export const down: Outcome = {
  state: "failed",
  error: { text: "down", node: { id: "n", type: "function" } },
};

/** In milliseconds: as in earnest, but so that no test waits for long. */
const soon = { look: 50, sign: 200, rest: 50 };

/** Of one that believes soon that another has ended; on a busy machine also of one that has not. */
export const impatient = { times: { live: 1500 } };

/** One of the inboxes that share a database, and the flow behind it. */
export class Sharer {
  readonly flow = new TestFlow();
  readonly inbox: Inbox;
  store: PostgresStore | undefined;
  #isDead = false;
  #wake: () => void = () => undefined;

  constructor(
    url: string,
    {
      retries = [],
      ...options
    }: { retries?: number[]; times?: Partial<typeof times>; answerWithin?: number; isAsking?: boolean } = {},
  ) {
    const instance = new Instance("acme");
    const open = async (opening: Parameters<ConstructorParameters<typeof Inbox>[0]>[0]) => {
      if (this.#isDead) throw new Unusable("unreachable");
      return (this.store = await PostgresStore.open(url, instance, opening, { ...soon, ...options.times }));
    };
    this.inbox = new Inbox(open, this.flow, {
      ...{ days: 7, retries, changed: () => this.#wake() },
      setAside: (node) => ({ text: "set aside", node: { id: node, type: "radaro in" } }),
      ...(options.answerWithin !== undefined && { answerWithin: options.answerWithin }),
      isAsking: options.isAsking ?? false,
    });
    this.flow.inbox = this.inbox;
  }

  /** As if its process had ended: nothing more comes from it, to the database or from its flow. */
  die(): void {
    this.#isDead = true;
    this.flow.running = false;
    this.store?.leave();
  }

  /** Resolves when something holds, which is looked at when the inbox says that it has changed. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => (this.#wake = resolve));
  }
}

/** Of a Sharer. */
export type SharerOptions = ConstructorParameters<typeof Sharer>[1];

/** Inboxes that share a database: an empty one for each test. To be made in a `describe`. */
export class Sharers {
  postgres!: Postgres;
  /** Of the database. */
  url = "";
  #all: Sharer[] = [];

  constructor() {
    before(async () => (this.postgres = await Postgres.start()));
    after(() => this.postgres.remove());
    beforeEach(() => {
      this.url = this.postgres.newDatabase();
      this.#all = [];
    });
    afterEach(() => Promise.all(this.#all.map(({ inbox }) => inbox.close())));
  }

  /** One more. @param url where it finds the database */
  join(options: SharerOptions = {}, url = this.url): Sharer {
    const sharer = new Sharer(url, options);
    this.#all.push(sharer);
    return sharer;
  }

  /** One more whose node wants the events of a job one after the other. */
  inOrder(options: SharerOptions = {}, url = this.url): Sharer {
    const sharer = this.join(options, url);
    sharer.flow.isInOrder = true;
    return sharer;
  }
}

let count = 0;

/** One accepts an event. @param body no other has the same */
export const accept = ({ inbox }: Sharer, event: JsonObject = {}, body = `{"n":${(count += 1)}}`) =>
  inbox.accept(event, { path: "/radaro", body: Buffer.from(body), receivedAt: new Date() });

/** An event of a job. @param second when it happened */
export const changeOf = (job: number, second: number, status = "delivered") => ({
  updated_at: new Date(Date.UTC(2026, 5, 1, 12, 0, second)).toISOString(),
  order_info: { order_id: job },
  new_values: { status },
});

/** All events, as one lists them. */
export const listed = async ({ inbox }: Sharer): Promise<StoredEvent[]> =>
  (await inbox.events.list({}, "")).events;

/** Resolves when they have the database open. */
export const ready = (...all: Sharer[]) =>
  Promise.all(all.map((each) => each.until(() => each.inbox.counts !== undefined)));
