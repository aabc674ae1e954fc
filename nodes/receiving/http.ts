import { constants } from "node:buffer";
import bytes from "bytes";
import type { ErrorRequestHandler, Express, NextFunction, Request, RequestHandler, Response } from "express";
import type { NodeAPI } from "node-red";
import { normalisePath } from "../../src/receiving/endpoints";
import { copyJson } from "../../src/event/json";
import { paced } from "../../src/receiving/paced";
import type { Answer, Keeper, Receiver, Verified } from "../../src/receiving/receive";
import { readBody, Unreadable, type Body, type MaybeRead } from "./body";
import { DeployedEndpoints } from "./deploys";
import { loadReceiver } from "./receiver";

/** In seconds, for `Retry-After`: by then most deploys are over. */
const retryAfter = 5;

/** How often an error of the user's own middleware is logged at most, in milliseconds. */
const warningInterval = 1000;

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

  const limit = bytes.parse(RED.settings.apiMaxLength ?? "5mb") ?? constants.MAX_LENGTH;
  const passedAdmin = new Set<string>();
  const isOurs: RequestHandler = (req: Request & MaybeRead, _res, next) => {
    const goOn = () => next(endpoints.at(pathOf(req)) ? undefined : "route");
    // While Node-RED starts, this may be an event on a path that is not there yet.
    const size = req._body ? Number(req.headers["content-length"] ?? limit) : 0;
    if (endpoints.starting && isEvent(req)) void Promise.resolve(endpoints.running(size)).then(goOn);
    else goOn();
  };
  RED.httpNode
    .route(/.*/)
    .all(isOurs, ...middleware(RED), answerWith(endpoints, limit, passedAdmin), answerError(RED));

  // Whatever the user has put in front of nodes stays in front of ours.
  const settings = RED.settings as unknown as Record<string, unknown>;
  if (["httpAdminMiddleware", "httpAdminCors", "httpNodeCors", "requireHttps"].some((name) => settings[name]))
    return endpoints;
  // Express's own parsing of a query is all that ours may overtake, not what other modules put there.
  const { stack } = RED.httpNode._router as { stack: { name: string }[] };
  const others = stack.slice(0, -1).filter(({ name }) => name !== "query" && name !== "expressInit");
  if (others.length === 0 && !settings.httpNodeMiddleware) moveLastToFront(RED.httpNode);
  leaveAdminEarly(RED, endpoints, limit, passedAdmin);
  return endpoints;
}

/**
 * With Node-RED's default settings the admin application is mounted at `/` too, and comes first: an
 * event would pass its body parsers and all its routes, which is half of what an event costs, and
 * what its parsers refuse is logged with a part of the body. So an event leaves it at once.
 *
 * @param limit of a body's size, in bytes
 * @param passedAdmin paths to which a POST has come through all routes of the admin application: none
 *   of them wants it. `/flows` stays the editor's, also where a user has chosen it. Until a path is
 *   here, its events pass these routes, but not the parsers.
 */
function leaveAdminEarly(
  RED: NodeAPI,
  endpoints: DeployedEndpoints,
  limit: number,
  passedAdmin: ReadonlySet<string>,
): void {
  // Nodes are given a part of the admin application: this is its whole. Without that there is none.
  const admin = (RED.httpAdmin as Express & { parent?: Express }).parent;
  if (!admin) return;
  const root = RED.httpNode.path().replace(/\/$/, "");
  admin.use((req: Request & MaybeRead, res, next) => {
    const full = req.baseUrl + pathOf(req);
    const path = full.startsWith(root) ? full.slice(root.length) : "";
    const receivers = isEvent(req) ? endpoints.at(path) : undefined;
    if (!receivers) next();
    else if (passedAdmin.has(path)) next("router");
    else
      readBody(req, limit)
        .then(({ parse }) => {
          req.body = parse();
          req._body = true;
          next();
        })
        .catch((error: unknown) => {
          if (error instanceof Unreadable) send(loadReceiver().refuse(error.why, receivers), res);
          else next(error);
        });
  });
  moveLastToFront(admin);
}

/** Lets the handler that was added last come before all others, also before what Express does itself. */
function moveLastToFront(app: Express): void {
  const { stack } = app._router as { stack: unknown[] };
  stack.unshift(stack.pop());
}

/** A request's path below where its application is mounted, as it came. */
function pathOf(req: Request): string {
  const { url } = req;
  if (!url.startsWith("/")) return req.path; // a whole URL, as for a proxy
  const end = url.indexOf("?");
  return end < 0 ? url : url.slice(0, end);
}

/** Whether a path is one of two, so that a stranger cannot fill the memory with others. */
function isUsualSpelling(path: string): boolean {
  const normal = normalisePath(path);
  return path === normal || path === `${normal}/`;
}

/** The user's own, from settings.js: a function or a list of them, as for `http in`. */
function middleware(RED: NodeAPI): RequestHandler[] {
  const own: unknown[] = [RED.settings.httpNodeMiddleware].flat();
  return own.filter((each): each is RequestHandler => typeof each === "function");
}

/** An event on its way from its request to those who want it. */
interface Arrival {
  /** As it was asked for. */
  path: string;
  receivedAt: Date;
  body: Body;
  /** What has become of it in the inboxes that it is for; `undefined`: nothing yet. */
  kept?: Kept | undefined;
  /** Who is told of the answer. */
  answered: Answered[];
}

/**
 * From request to answer.
 *
 * @param limit of a body's size, in bytes
 * @param passedAdmin gets the paths that something was POSTed to through the admin application
 */
function answerWith(endpoints: DeployedEndpoints, limit: number, passedAdmin: Set<string>): RequestHandler {
  async function answerTo(req: Request & MaybeRead, answered: Answered[]): Promise<Answer | undefined> {
    const { keepersOf, refuse, verify } = loadReceiver();
    const receivedAt = new Date();
    const path = pathOf(req);
    const receivers = endpoints.at(path) ?? [];
    if (req.method !== "POST") return refuse(isRedirected(req) ? "redirected" : "not-post", receivers);
    if (!isDeclaredAsJson(req)) return refuse("not-declared", receivers);
    if (req._body && isUsualSpelling(path)) passedAdmin.add(path);
    try {
      // Read before it waits: it must not be lost where its sender waits less long.
      const arrival: Arrival = { path, receivedAt, body: await readBody(req, limit), answered };
      for (;;) {
        if (!(await endpoints.running(arrival.body.size))) return refuse("deploying", receivers);
        if (endpoints.deploying) continue; // again
        const body = arrival.body.parse();
        const current = endpoints.at(path);
        if (!current) {
          Object.assign(req, { body, _body: true }); // for a node of another type that has the path now
          return undefined;
        }
        const verified = verify(body, current);
        if ("status" in verified) return verified;
        const isToKeep = !arrival.kept && keepersOf(verified.verified).size > 0;
        const answer = await (isToKeep ? withInbox : withoutInbox)(endpoints, verified, arrival);
        if (answer) return answer;
      }
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      return refuse(error.why, receivers);
    }
  }

  return (req, res, next) => {
    const begun = performance.now();
    const answered: Answered[] = [];
    answerTo(req, answered)
      .then((answer) => {
        if (!answer) return next();
        const bytes = send(answer, res);
        for (const { receiver, message } of answered)
          receiver.answered?.(message, { milliseconds: performance.now() - begun, bytes });
      })
      .catch(next);
  };
}

/**
 * Has the inboxes store an event, which give it to their nodes.
 *
 * @returns `undefined` where it is to be looked at once more: meanwhile the flows can be others
 */
async function withInbox(
  endpoints: DeployedEndpoints,
  verified: Verified,
  arrival: Arrival,
): Promise<Answer | undefined> {
  const { keepersOf, refuse, refuseWrongType } = loadReceiver();
  const { path, receivedAt, body } = arrival;
  const kept = await keep(verified, keepersOf(verified.verified), {
    path: normalisePath(path),
    body: body.bytes(),
    receivedAt,
  });
  if (kept === "not-stored") return refuse("not-stored", verified.verified);
  if (kept === "closed") return endpoints.deploying ? undefined : refuse("deploying", verified.verified);
  arrival.kept = kept;
  if (verified.problem !== undefined) return refuseWrongType(verified, arrival);
  return withoutOwnInbox(verified).length > 0 ? undefined : withoutInbox(endpoints, verified, arrival);
}

/**
 * Gives an event to the nodes that have no inbox: at once, and in memory alone.
 *
 * @returns `undefined` where a deploy came between: what is answered 200 has come to a node that runs
 */
async function withoutInbox(
  endpoints: DeployedEndpoints,
  verified: Verified,
  arrival: Arrival,
): Promise<Answer | undefined> {
  const { receivedAt, kept, answered } = arrival;
  if (verified.problem !== undefined) return loadReceiver().refuseWrongType(verified, arrival);
  const receivers = withoutOwnInbox(verified);
  const delivered = loadReceiver().deliver(verified.event, receivers, { receivedAt });
  if (delivered.length > 0 && !(await endpoints.delivered(delivered))) return undefined;
  for (const receiver of verified.letThrough) {
    const message = (delivered[receivers.indexOf(receiver)] ?? {}) as Answered["message"];
    if (receiver.answered) answered.push({ receiver, message });
  }
  const isDuplicate = kept === "duplicate" && delivered.length === 0;
  return { status: 200, body: { ok: true, ...(isDuplicate && { duplicate: true }) } };
}

const withoutOwnInbox = ({ letThrough }: Verified) => letThrough.filter(({ keeper }) => !keeper);

/** Who is told how long an answer took, and the message that it has got; none where an inbox has the event. */
interface Answered {
  receiver: Receiver;
  message: { _msgid?: string };
}

/**
 * Whether a request is what Radaro's sender makes of a POST where its URL redirects: Python's
 * `requests` follows a 301, 302 or 303 with a GET without a body (observed).
 */
function isRedirected({ method, headers }: Request): boolean {
  return method === "GET" && /^python-requests\b/i.test(headers["user-agent"] ?? "");
}

/** What has become of an event in the inboxes that it is for. */
type Kept = Awaited<ReturnType<Keeper["accept"]>>;

/** Has all inboxes that an event is for store it, each with one of its own. */
async function keep(
  verified: Verified,
  keepers: Set<Keeper>,
  arrival: Parameters<Keeper["accept"]>[1],
): Promise<Kept> {
  const { event, problem } = verified;
  // A node that hears of a problem needs one too.
  const isAlone = problem === undefined && keepers.size + withoutOwnInbox(verified).length === 1;
  const results = await Promise.all(
    Array.from(keepers, (keeper) => keeper.accept(isAlone ? event : copyJson(event), arrival, problem)),
  );
  const order: Kept[] = ["closed", "not-stored", "stored"];
  return order.find((result) => results.includes(result)) ?? "duplicate";
}

/**
 * Writes an answer as it is: what Express adds to one, such as an ETag, nobody reads.
 *
 * @returns how long it is, in bytes
 */
function send({ status, body }: Answer, res: Response): number {
  const text = JSON.stringify(body);
  const length = Buffer.byteLength(text);
  res.writeHead(status, {
    "Content-Type": "application/json; charset=utf-8",
    "Content-Length": length,
    ...(status === 405 && { Allow: "POST" }),
    ...(status === 503 && { "Retry-After": retryAfter }),
  });
  res.end(text);
  return length;
}

/** Whether a request may be an event: whether it is what Radaro sends, whatever the path. */
function isEvent(req: Request): boolean {
  return req.method === "POST" && isDeclaredAsJson(req);
}

function isDeclaredAsJson(req: Request): boolean {
  return /^application\/([\w.-]+\+)?json\s*(;|$)/i.test(req.headers["content-type"] ?? "");
}

/** For errors of the user's own middleware: answered as by `http in`, in the form of our answers. */
function answerError(RED: NodeAPI): ErrorRequestHandler {
  const warnings = paced((text: string) => RED.log.warn(text), warningInterval);
  // Express tells this from other handlers by its four parameters.
  return (error: unknown, _req: Request, res: Response, next: NextFunction) => {
    warnings.show(() => `radaro in: ${String(error)}`);
    if (res.headersSent) next(error);
    else send({ status: 500, body: { ok: false, error: "Node-RED could not handle the request." } }, res);
  };
}
