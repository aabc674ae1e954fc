import { pipeline } from "node:stream";
import type { Request, RequestHandler } from "express";
import type { NodeAPI } from "node-red";
import type { Filter } from "../../src/inbox/store";
import { sortable, type StoredEvent } from "../../src/inbox/stored-event";
import type { MerchantInbox } from "./merchant-inbox";
import { DeployedInboxes } from "./deployed-inboxes";

/** What is asked of one merchant's inbox. */
type Handle = (inbox: MerchantInbox, req: Request<{ id: string; seq: string }>) => Promise<unknown>;

/** What the list of events, and what runs all failed ones, can be narrowed to. */
const narrowing = ["state", "topic", "meaning", "job", "text", "node", "error", "from", "to"] as const;

/** Those of some names that something asks for, as text. */
function read<N extends string>(names: readonly N[], asked: unknown): Partial<Record<N, string>> {
  const from = (asked ?? {}) as Record<string, unknown>;
  const given = names.filter((name) => typeof from[name] === "string" && from[name] !== "");
  return Object.fromEntries(given.map((name) => [name, from[name]])) as Partial<Record<N, string>>;
}

const states = ["waiting", "processed", "failed"];

/** What has to be what, and is not, of what is asked for; `undefined`: all is well. */
function findWrong(asked: unknown): string | undefined {
  const { state, before, from, to } = read(["state", "before", "from", "to"], asked);
  if (state !== undefined && !states.includes(state)) return `state has to be one of ${states.join(", ")}`;
  if (before !== undefined && !/^\d{15}$/.test(before)) return "before has to be a seq: text of 15 digits";
  const isTime = (time = "1970-01-01T00:00:00Z") => sortable(time) !== undefined;
  return isTime(from) && isTime(to) ? undefined : "from and to have to be times: ISO-8601";
}

/** What of the events is asked for. */
function readFilter(asked: unknown): Filter {
  const { superseded, caughtUp } = (asked ?? {}) as Record<string, unknown>;
  const isSet = (value: unknown) => value === true || value === "true";
  const { meaning, from, to, ...others } = read(narrowing, asked);
  return {
    ...(others as Filter),
    ...(from !== undefined && { from: new Date(from).toISOString() }),
    ...(to !== undefined && { to: new Date(to).toISOString() }),
    // What is rated low is rated too.
    ...(meaning !== undefined && {
      meaning: meaning === "job-rated" ? [meaning, "job-rated-low"] : [meaning],
    }),
    ...(isSet(superseded) && { superseded: true as const }),
    ...(isSet(caughtUp) && { caughtUp: true as const }),
  };
}

const readBefore = (asked: unknown) => read(["before"], asked).before ?? "";

/** What may be read of a merchant's inbox, by its path. */
const reads: Record<string, Handle> = {
  async events(of, { query }) {
    const { events, next } = await of.inbox.events.list(readFilter(query), readBefore(query));
    return { events: events.map((stored) => describe(of, stored)), next };
  },
  async "events/:seq"(of, { params }) {
    const found = await of.inbox.events.read(params.seq);
    return found && { ...describe(of, found.stored), event: found.event };
  },
  counts: ({ inbox }, { query }) => inbox.events.count(readFilter(query), readBefore(query)),
  causes: ({ inbox }) => inbox.events.causes(),
};

/** What may be done with it. */
const deeds: Record<string, Handle> = {
  "events/:seq/run": ({ inbox }, { params, body }) =>
    inbox.events.run([params.seq], (body as { all?: unknown } | undefined)?.all === true),
  "events/:seq/test": async (of, { params, body }) =>
    isThere(await of.test(params.seq, read(["node"], body).node ?? "")),
  "events/:seq/settle": async ({ inbox }, { params }) => isThere(await inbox.events.settle(params.seq)),
  run: ({ inbox }, { body }) => inbox.events.runAll(readFilter(body)),
  pause: ({ inbox }) => pause(inbox, true),
  resume: ({ inbox }) => pause(inbox, false),
  "catch-up": (of) => Promise.resolve(isThere(of.catchUp())),
  clear: async ({ inbox }) => ({ deleted: await inbox.events.clear() }),
};

const remove: Handle = async ({ inbox }, { params }) => isThere(await inbox.events.delete(params.seq));

const isThere = (was: boolean) => (was ? {} : undefined);

async function pause(inbox: MerchantInbox["inbox"], isPaused: boolean) {
  await inbox.pause(isPaused);
  return { paused: inbox.isPaused };
}

/**
 * Serves the inboxes to the editor's sidebar: reading needs Node-RED's read permission, all else its
 * write permission. What is asked while a deploy has stopped them is answered when it has started them again.
 *
 * @returns the inboxes to be served
 */
export function serveInboxes(RED: NodeAPI): DeployedInboxes {
  const inboxes = new DeployedInboxes(RED);
  const mayRead = RED.auth.needsPermission("radaro-inbox.read");
  const mayWrite = RED.auth.needsPermission("radaro-inbox.write");

  const find = async (id: string) => (await inboxes.deployed()).get(id);

  const handleOnce = async (handle: Handle, req: Parameters<Handle>[1]): Promise<unknown> => {
    const inbox = await find(req.params.id);
    try {
      return inbox && (await handle(inbox, req));
    } catch (error) {
      if (inbox === inboxes.get(req.params.id)) throw error;
      return handleOnce(handle, req); // a deploy has closed it meanwhile
    }
  };

  /** Answers what `handle` gives, 404 where it gives nothing. */
  const answer =
    (handle: Handle): RequestHandler<{ id: string; seq: string }> =>
    (req, res) => {
      const wrong = findWrong(req.query) ?? findWrong(req.body);
      if (wrong !== undefined) {
        res.status(400).json({ error: wrong });
        return;
      }
      handleOnce(handle, req)
        .then((result) => (result === undefined ? res.sendStatus(404) : res.json(result)))
        .catch(() => res.status(503).json({ problem: inboxes.get(req.params.id)?.problem ?? null }));
    };

  RED.httpAdmin.get("/radaro-inbox", mayRead, (_req, res, next) => {
    inboxes
      .deployed()
      .then(() => Promise.all(Array.from(inboxes.values(), (inbox) => inbox.summary())))
      .then((merchants) => res.json({ merchants }))
      .catch(next);
  });
  for (const [path, handle] of Object.entries(reads))
    RED.httpAdmin.get(`/radaro-inbox/:id/${path}`, mayRead, answer(handle));
  for (const [path, handle] of Object.entries(deeds))
    RED.httpAdmin.post(`/radaro-inbox/:id/${path}`, mayWrite, answer(handle));
  RED.httpAdmin.delete("/radaro-inbox/:id/events/:seq", mayWrite, answer(remove));
  RED.httpAdmin.get("/radaro-inbox/:id/export", mayRead, (req: Request<{ id: string }>, res) => {
    const wrong = findWrong(req.query);
    void find(req.params.id).then((of) => {
      if (wrong !== undefined) res.status(400).json({ error: wrong });
      else if (!of) res.sendStatus(404);
      else if (!of.inbox.counts) res.status(503).json({ problem: of.problem ?? null });
      // Where it breaks off, so does the connection.
      else pipeline(linesOf(of, readFilter(req.query)), res.type("application/x-ndjson"), () => undefined);
    });
  });
  return inboxes;
}

/** Events that fit, newest first: each a line of JSON. */
async function* linesOf(of: MerchantInbox, filter: Filter): AsyncGenerator<string> {
  for await (const events of of.inbox.events.all(filter))
    for (const { seq } of events) {
      const found = await of.inbox.events.read(seq);
      // It may have been deleted meanwhile.
      if (found) yield `${JSON.stringify({ ...describe(of, found.stored), event: found.event })}\n`;
    }
}

/** What the sidebar shows of an event. */
function describe(of: MerchantInbox, stored: StoredEvent) {
  const { seq, path, receivedAt, topic, eventType, changed, orderId, externalId, state } = stored;
  const { superseded, caughtUp, cameAfter, meaning, status, title, customer, deliveries } = stored;
  return {
    ...{ seq, path, receivedAt, topic, eventType, changed, orderId, externalId, state },
    ...{ meaning, status, title, customer, superseded, caughtUp, cameAfter },
    deliveries: deliveries?.map((delivery) => ({
      ...delivery,
      name: of.flow.nameOf(delivery.node) ?? null,
      ...(delivery.since !== undefined && { at: of.flow.nodesOf(seq, delivery.node) }),
    })),
  };
}
