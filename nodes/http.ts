import { promisify } from "node:util";
import type { ErrorRequestHandler, Express, NextFunction, Request, RequestHandler, Response } from "express";
import type { NodeAPI } from "node-red";
import { Endpoints } from "../src/endpoints";
import { receive, refuse, type Answer, type Receiver, type Refusal } from "../src/receive";

/** In seconds, for `Retry-After`: by then most deploys are over. */
const retryAfter = 5;

/** The body before or after a parser ran; body-parser marks what it has read. */
interface WithBody extends Request {
  _body?: boolean;
}

/**
 * Endpoints by the Express application that serves them. One route for all paths stays for as long
 * as Node-RED runs, so that nothing has to be taken out of Express's router, and a path can outlive
 * a deploy.
 */
const mounted = new WeakMap<Express, DeployedEndpoints>();

/** The endpoints of this Node-RED, served below `httpNodeRoot`. */
export function mountEndpoints(RED: NodeAPI): DeployedEndpoints {
  const existing = mounted.get(RED.httpNode);
  if (existing) return existing;
  const endpoints = new DeployedEndpoints(RED);
  mounted.set(RED.httpNode, endpoints);

  const isOurs: RequestHandler = (req, _res, next) => next(endpoints.at(req.path) ? undefined : "route");
  RED.httpNode
    .route(/.*/)
    .all(
      isOurs,
      ...middleware(RED),
      answerWith(endpoints, RED.settings.apiMaxLength ?? "5mb"),
      answerError(RED),
    );
  return endpoints;
}

/** Endpoints that know of deploys. They listen to the runtime while there is a path only. */
class DeployedEndpoints extends Endpoints {
  readonly #stopping = () => this.hold();
  readonly #started = () => this.release();
  // A runtime that was stopped, or that cannot start, says so and nothing more.
  readonly #state = ({ id, payload }: { id: string; payload?: { state?: string; deploy?: boolean } }) => {
    if (id === "runtime-state" && payload?.state && payload.state !== "start" && !payload.deploy)
      this.release();
  };

  constructor(private readonly RED: NodeAPI) {
    super();
  }

  override add(path: string, receiver: Receiver): void {
    if (this.size === 0) {
      this.RED.events.on("flows:stopping", this.#stopping);
      this.RED.events.on("flows:started", this.#started);
      this.RED.events.on("runtime-event", this.#state);
    }
    // Nodes are made while flows start: those that this one is wired to may not be there yet.
    this.hold();
    super.add(path, receiver);
  }

  override release(): void {
    super.release();
    if (this.size > 0) return;
    this.RED.events.off("flows:stopping", this.#stopping);
    this.RED.events.off("flows:started", this.#started);
    this.RED.events.off("runtime-event", this.#state);
  }
}

/** The user's own, from settings.js: a function or a list of them, as for `http in`. */
function middleware(RED: NodeAPI): RequestHandler[] {
  const own = RED.settings.httpNodeMiddleware as RequestHandler | RequestHandler[] | undefined;
  return own ? [own].flat() : [];
}

/** From request to answer. */
function answerWith(endpoints: Endpoints, limit: string): RequestHandler {
  const readBody = bodyReader(limit);

  async function answerTo(req: Request, res: Response): Promise<Answer | undefined> {
    const receivers = endpoints.at(req.path) ?? [];
    if (req.method !== "POST") return refuse("not-post", receivers);
    if (!isDeclaredAsJson(req)) return refuse("not-declared", receivers);
    let body: unknown;
    try {
      body = await readBody(req, res);
    } catch (error) {
      return refuse(whyUnreadable(error), receivers);
    }
    if (!(await endpoints.running())) return refuse("deploying", receivers);
    const current = endpoints.at(req.path);
    return current && receive(body, current).answer;
  }

  return (req, res, next) => {
    answerTo(req, res).then((answer) => (answer ? send(answer, res) : next()), next);
  };
}

function send({ status, body }: Answer, res: Response): void {
  if (status === 405) res.set("Allow", "POST");
  if (status === 503) res.set("Retry-After", String(retryAfter));
  res.status(status).json(body);
}

function isDeclaredAsJson(req: Request): boolean {
  return /^application\/([\w.-]+\+)?json\s*(;|$)/i.test(req.headers["content-type"] ?? "");
}

/**
 * Where the admin application is mounted at `/` it has parsed the body before: with the parser and
 * the limit that are used here where nobody has.
 */
function bodyReader(limit: string): (req: WithBody, res: Response) => Promise<unknown> {
  let parser: RequestHandler | undefined;
  return async (req, res) => {
    if (!req._body) {
      parser ??= (await import("body-parser")).default.json({ limit, type: () => true });
      await promisify(parser)(req, res);
    }
    return req.body as unknown;
  };
}

/** @param error of body-parser, which has the status that it would answer */
function whyUnreadable(error: unknown): Refusal {
  switch ((error as { status?: number }).status) {
    case 413:
      return "too-large";
    case 415:
      return "not-readable";
    default:
      return "not-json";
  }
}

/** For errors of the user's own middleware: answered as by `http in`, in the form of our answers. */
function answerError(RED: NodeAPI): ErrorRequestHandler {
  // Express tells this from other handlers by its four parameters.
  return (error: unknown, _req: Request, res: Response, next: NextFunction) => {
    RED.log.warn(`radaro in: ${String(error)}`);
    if (res.headersSent) next(error);
    else res.status(500).json({ ok: false, error: "Node-RED could not handle the request." });
  };
}
