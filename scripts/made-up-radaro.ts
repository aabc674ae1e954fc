// A Radaro made up for npm start, the tests and the benchmarks: it has jobs with a life, sends the webhooks
// as the real one does, and answers the jobs API as that is described.
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import type { Ask } from "../src/inbox/asking";
import type { Answer } from "../src/inbox/radaro-api";
import { sortable } from "../src/inbox/stored-event";

export type Job = Record<string, unknown> & {
  customer: object;
  order_id: number;
  external_id: string;
  status: string;
  deliver_before: string;
  created_at: string;
  is_confirmed_by_customer: boolean;
  rating: number | null;
};

export type Event = Record<string, unknown> & { topic: string; updated_at: string; order_info: Job };

/** An answer of the jobs API. */
export interface Reply {
  status: number;
  body: object;
}

/** What it was like from a time on, in milliseconds; `job` is absent when it is deleted. */
interface Version {
  from: number;
  job: Job | undefined;
}

interface Options {
  /** What time it is, in milliseconds. */
  now?: () => number;
  /** By how much the jobs API is behind, in milliseconds. */
  lag?: () => number;
  /** Is told of each change that is announced: `build` shows the event as it would be sent now. */
  announce?: (build: () => Event) => void;
}

const sample = (name: string) =>
  JSON.parse(
    readFileSync(join(dirname(__dirname), "src", "event", "samples", `${name}.json`), "utf8"),
  ) as Event;

const [hour, offset] = [3_600_000, 11 * 3_600_000];

/** A time as Radaro writes it: with its merchant's offset, and microseconds. */
const written = (at: number, micros = 0) =>
  `${new Date(at + offset).toISOString().slice(0, -1)}${String(micros % 1000).padStart(3, "0")}+11:00`;

const withoutOffset = (time: string) => time.replace(/(\.\d+)?[+-]\d\d:\d\d$/, "");

/** The merchant's jobs, and what becomes of them. */
export class MadeUpRadaro {
  /** What a new job has besides what makes it another. */
  readonly template = sample("job-created").order_info;
  readonly #jobs = new Map<number, Version[]>();
  readonly #now: () => number;
  /** The jobs that the jobs API has shown. */
  readonly shown = new Set<number>();
  #last = 410077214;
  /** The time of the change before, in microseconds. */
  #before = 0;
  lag: () => number;

  constructor(private readonly options: Options = {}) {
    this.#now = options.now ?? (() => Date.now());
    this.lag = options.lag ?? (() => 0);
  }

  /** The jobs as they are. */
  get jobs(): Job[] {
    return [...this.#jobs.values()].flatMap((versions) => versions.at(-1)!.job ?? []);
  }

  job(id: number): Job | undefined {
    return this.#jobs.get(id)?.at(-1)!.job;
  }

  /** Each time is another, so that changes have an order. */
  #time(): string {
    this.#before = Math.max(this.#before + 1, this.#now() * 1000);
    return written(Math.floor(this.#before / 1000), this.#before);
  }

  /** @param dueIn in milliseconds @returns its `order_id` */
  create(about: Partial<Job> = {}, dueIn = 4 * hour): number {
    const id = (this.#last += 1);
    const at = this.#time();
    const job = {
      ...this.template,
      ...{ order_id: id, external_id: `SO-${id % 1_000_000}`, created_at: at, updated_at: at },
      deliver_before: written(Math.floor((this.#now() + dueIn) / 1000) * 1000).replace(".000000", ""),
      ...about,
    } as Job;
    this.#jobs.set(id, [{ from: this.#now(), job }]);
    this.#announce(id, { topic: "job.status_changed", event_type: "created", updated_at: at });
    return id;
  }

  /** @param isBulk whether many are changed at once: then no event says so */
  setStatus(id: number, status: string, isBulk = false): void {
    const at = this.#time();
    const finished = status === "delivered" || status === "failed" ? { completed_at: at } : {};
    this.#update(id, { status, updated_at: at, ...finished }, isBulk ? undefined : { at, field: "status" });
  }

  confirm(id: number, rating: number | null): void {
    const at = this.#time();
    const changed = { is_confirmed_by_customer: true, rating };
    this.#update(id, changed, { at, field: "is_confirmed_by_customer" });
  }

  /** @param dueIn in milliseconds */
  setDeadline(id: number, dueIn: number): void {
    const at = this.#time();
    const deadline = written(Math.floor((this.#now() + dueIn) / 1000) * 1000).replace(".000000", "");
    this.#update(id, { deliver_before: deadline }, { at, field: "deliver_before" });
  }

  delete(id: number): void {
    const at = this.#time();
    const { external_id, ...job } = this.job(id)!;
    this.#jobs.get(id)!.push({ from: this.#now(), job: undefined });
    const order_info = { ...job, external_id: `${external_id}-deleted-${at}` } as Job;
    this.#announceAs(() => ({
      ...{ topic: "job.deleted", event_type: "deleted", updated_at: at },
      ...{ new_values: null, old_values: null, order_info },
    }));
  }

  #update(id: number, changed: Partial<Job>, told: { at: string; field: keyof Job } | undefined): void {
    const before = this.job(id)!;
    const job = { ...before, ...changed } as Job;
    const versions = this.#jobs.get(id)!;
    versions.push({ from: this.#now(), job });
    if (versions.length > maxVersions) versions.shift();
    if (!told) return;
    const { at, field } = told;
    const valueOf = (value: unknown) => (field === "deliver_before" ? withoutOffset(String(value)) : value);
    this.#announce(id, {
      topic: field === "deliver_before" ? "job.changed" : "job.status_changed",
      ...{ event_type: "updated", updated_at: at },
      ...{ new_values: { [field]: valueOf(job[field]) }, old_values: { [field]: valueOf(before[field]) } },
    });
  }

  /** The job is shown as it is when the event is sent. */
  #announce(id: number, about: Omit<Event, "order_info">): void {
    const before = this.job(id)!;
    this.#announceAs(() => ({
      ...{ new_values: null, old_values: null },
      ...(about as Event),
      order_info: this.job(id) ?? before,
    }));
  }

  #announceAs(build: () => Event): void {
    this.options.announce?.(build);
  }

  /** What the jobs API shows of a job now; `undefined`: it is not there. */
  #shownNow(id: number, lag: number): Job | undefined {
    const at = this.#now() - lag;
    return this.#jobs.get(id)?.findLast(({ from }) => from <= at)?.job;
  }

  /** Answers `GET /api/webhooks/jobs/…`. Parameters that it does not know are ignored. */
  answer(path: string, query: URLSearchParams): Reply {
    if (path !== "") return this.#one(decodeURIComponent(path), query.get("lookup_field") === "order_id");
    const [page, size] = [
      Number(query.get("page") ?? 1),
      Math.min(Number(query.get("page_size") ?? 10), 1000),
    ];
    const statuses = query.getAll("status");
    const [after, before] = ["after", "before"].map((end) => query.get(`deliver_before_${end}`));
    const [from, to] = [Date.parse(after ?? "0000-01-01"), Date.parse(before ?? "9999-01-01")];
    if (Number.isNaN(from) || Number.isNaN(to)) return badFilter;
    const lag = this.lag();
    const all: Job[] = [];
    for (const id of [...this.#jobs.keys()].reverse()) {
      const job = this.#shownNow(id, lag);
      if (!job || (statuses.length > 0 && !statuses.includes(job.status))) continue;
      const due = Date.parse(job.deliver_before);
      if (due >= from && due <= to) all.push(job);
    }
    const results = all.slice((page - 1) * size, page * size);
    if (results.length === 0 && page > 1) return notFound;
    for (const { order_id } of results) this.shown.add(order_id);
    const isLast = page * size >= all.length;
    const next = isLast ? null : `/api/webhooks/jobs/?page=${page + 1}&page_size=${size}`;
    return { status: 200, body: { count: all.length, next, previous: null, results } };
  }

  #one(id: string, isOrderId: boolean): Reply {
    const found = isOrderId ? Number(id) : this.jobs.find(({ external_id }) => external_id === id)?.order_id;
    const job = found === undefined ? undefined : this.#shownNow(found, this.lag());
    if (job) this.shown.add(job.order_id);
    return job ? { status: 200, body: job } : notFound;
  }
}

/** How many versions of a job are kept: more than it has within any lag. */
const maxVersions = 20;

const notFound: Reply = { status: 404, body: { detail: "Not found.", errors: null } };
const badFilter: Reply = {
  status: 400,
  body: { detail: "Invalid input.", errors: { deliver_before_after: ["Enter a valid date."] } },
};
const badKey: Reply = { status: 401, body: { detail: "Invalid API key.", errors: null } };

/** The jobs API without HTTP between, for many jobs. @param before is called before each answer */
export function askDirectly(radaro: MadeUpRadaro, before: () => Promise<void>) {
  const ask = async (path: string, query: URLSearchParams): Promise<Answer> => {
    await before();
    const { status, body } = radaro.answer(path, query);
    // A copy, as what has come over HTTP is.
    const json: unknown = status === 200 ? JSON.parse(JSON.stringify(body)) : undefined;
    return { json, at: sortable(new Date().toISOString())! };
  };
  return {
    list({ page, size, window, statuses = [] }: Ask): Promise<Answer> {
      const query = new URLSearchParams({ page: String(page), page_size: String(size) });
      for (const status of statuses) query.append("status", status);
      if (window) query.set("deliver_before_after", window[0]);
      if (window) query.set("deliver_before_before", window[1]);
      return ask("", query);
    },
    one: (id: string) => ask(id, new URLSearchParams({ lookup_field: "order_id" })),
    close: () => undefined,
  };
}

/** How long an answer is waited for, in milliseconds, as the real one does. */
const answerWithin = 12_000;

/**
 * Sends an event to a URL as the real one does: once, with redirects followed as Python's `requests` does it.
 *
 * @returns the status of the last answer; `undefined`: none came
 */
export async function sendWebhook(url: string, event: object, token: string): Promise<number | undefined> {
  const body = JSON.stringify({ ...event, token }).replace(
    /[\u0080-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  const headers = {
    "User-Agent": "python-requests/2.32.3",
    "Content-Type": "application/json",
    Accept: "*/*",
    Connection: "close",
  };
  let [to, isPost] = [url, true];
  try {
    for (let redirects = 0; redirects < 30; redirects += 1) {
      const signal = AbortSignal.timeout(answerWithin);
      const method = isPost ? "POST" : "GET";
      const response = await fetch(to, {
        ...{ method, headers, signal, redirect: "manual" },
        ...(isPost && { body }),
      });
      await response.text();
      const location = response.headers.get("location");
      if (![301, 302, 303, 307, 308].includes(response.status) || location === null) return response.status;
      if (response.status < 307) isPost = false;
      to = new URL(location, to).href;
    }
  } catch {
    // Counted there, and that is all.
  }
  return undefined;
}

/** What stands between the jobs API and who asks: returns true where it has answered itself. */
export type Between = (request: IncomingMessage, response: ServerResponse) => boolean;

/** A jobs API over HTTP, on loopback. */
export class JobsApi {
  /** All that it was asked: path and query. */
  readonly asked: string[] = [];
  between: Between = () => false;

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  /** @param key that it takes */
  static async start(radaro: MadeUpRadaro, key: string): Promise<JobsApi> {
    const server = createServer((request, response) => api.#answer(radaro, key, request, response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const api = new JobsApi(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    return api;
  }

  #answer(radaro: MadeUpRadaro, key: string, request: IncomingMessage, response: ServerResponse): void {
    this.asked.push(request.url!);
    if (this.between(request, response)) return;
    const { pathname, searchParams } = new URL(request.url!, this.url);
    const [, path] = /^\/api\/webhooks\/jobs\/(.*)$/.exec(pathname) ?? [];
    const { status, body } =
      request.headers["x-api-key"] !== key
        ? badKey
        : path === undefined || request.method !== "GET"
          ? notFound
          : radaro.answer(path, searchParams);
    response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
