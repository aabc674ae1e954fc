import { isJsonObject } from "../event/json";
import { Troubled, type Ask } from "./asking";
import { sortable } from "./stored-event";

/** How far apart Radaro's clock and this machine's may be, in milliseconds. */
const apart = 24 * 3_600_000;

/** How long an answer is waited for, all of it, in milliseconds. */
const answerWithin = 30_000;

/** How much of an answer is read, in bytes: many times what a page of jobs has. */
const maxAnswer = 16 * 1024 ** 2;

/** How long a server may ask to be left alone, in milliseconds. */
const longestWait = 3_600_000;

/** An answer, as JSON. */
export interface Answer {
  /** `undefined`: what was asked for is not there. */
  json: unknown;
  /** When it was answered, by Radaro's clock where the answer tells it. */
  at: string;
}

/** Radaro's jobs API, as far as it is asked for what never arrived. */
export class RadaroApi {
  readonly #closing = new AbortController();

  constructor(
    private readonly server: URL,
    private readonly key: string,
  ) {}

  /** @throws Troubled */
  list({ page, size, window, statuses = [] }: Ask): Promise<Answer> {
    const query = new URLSearchParams({ page: String(page), page_size: String(size) });
    for (const status of statuses) query.append("status", status);
    if (window) {
      query.set("deliver_before_after", window[0]);
      query.set("deliver_before_before", window[1]);
    }
    // A page past the end, as where jobs were deleted meanwhile.
    return this.#get(`?${query.toString()}`, page > 1);
  }

  /** @throws Troubled */
  one(orderId: string): Promise<Answer> {
    return this.#get(`${encodeURIComponent(orderId)}?lookup_field=order_id`, true);
  }

  /** @param mayBeAbsent whether 404 says that it is not there */
  async #get(path: string, mayBeAbsent: boolean): Promise<Answer> {
    const base = this.server.href.replace(/\/$/, "");
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(answerWithin)]);
    let response: Response;
    try {
      response = await fetch(`${base}/api/webhooks/jobs/${path}`, {
        headers: { "X-API-Key": this.key, Accept: "application/json" },
        redirect: "manual", // the key goes nowhere else
        signal,
      });
    } catch {
      throw new Troubled("unreachable"); // what it says may have the address with it
    }
    const { status, headers } = response;
    const isAbsent = status === 404 && mayBeAbsent;
    if (status !== 200 && !isAbsent) {
      await response.body?.cancel().catch(() => undefined);
      throw troubleOf(status, headers);
    }
    const json = parse(await readAll(response));
    // One of a proxy, or of another server, is none of the API's.
    if (isAbsent && !(isJsonObject(json) && typeof json.detail === "string")) throw new Troubled("not-there");
    const [date, now] = [Date.parse(headers.get("date") ?? ""), Date.now()];
    if (Math.abs(date - now) > apart) throw new Troubled("clocks");
    // The header has whole seconds: at the latest then it was so.
    const at = sortable(new Date(Number.isNaN(date) ? now : date + 999).toISOString())!;
    return { json: isAbsent ? undefined : json, at };
  }

  /** Waits for nothing any more. */
  close(): void {
    this.#closing.abort();
  }
}

function troubleOf(status: number, headers: Headers): Troubled {
  if (status === 401 || status === 403) return new Troubled("refused");
  if (status === 404) return new Troubled("not-there");
  if (status >= 300 && status < 400) return new Troubled("redirected");
  const seconds = Number(headers.get("retry-after") ?? 0);
  const wait = Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0) * 1000, longestWait) : 0;
  if (status >= 500 || status === 429) return new Troubled("failing", wait);
  return new Troubled(status === 400 ? "not-understood" : "other-shape");
}

/** Reads an answer's text, as long as it is not too long. */
async function readAll(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let [text, bytes] = ["", 0];
  try {
    for await (const part of response.body ?? []) {
      bytes += part.length;
      if (bytes > maxAnswer) break; // which ends the connection
      text += decoder.decode(part, { stream: true });
    }
  } catch {
    throw new Troubled("unreachable");
  }
  if (bytes > maxAnswer) throw new Troubled("too-large");
  return text + decoder.decode();
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Troubled("not-json"); // what is wrong with it may be personal
  }
}
