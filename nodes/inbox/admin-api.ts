import type { Request, RequestHandler } from "express";
import type { NodeAPI } from "node-red";
import type { Filter } from "../../src/inbox/store";
import type { StoredEvent } from "../../src/inbox/stored-event";
import type { MerchantInbox } from "./merchant-inbox";

/** What is asked of one merchant's inbox. */
type Handle = (inbox: MerchantInbox, req: Request<{ id: string; seq: string }>) => Promise<unknown>;

/**
 * Serves the inboxes to the editor's sidebar: reading needs Node-RED's read permission, all else its
 * write permission.
 *
 * @returns the inboxes to be served, by the id of their merchant's node
 */
export function serveInboxes(RED: NodeAPI): Map<string, MerchantInbox> {
  const inboxes = new Map<string, MerchantInbox>();
  const mayRead = RED.auth.needsPermission("radaro-inbox.read");
  const mayWrite = RED.auth.needsPermission("radaro-inbox.write");

  /** Answers what `handle` gives, 404 where it gives nothing. */
  const answer =
    (handle: Handle): RequestHandler<{ id: string; seq: string }> =>
    (req, res) => {
      const inbox = inboxes.get(req.params.id);
      if (!inbox) {
        res.sendStatus(404);
        return;
      }
      handle(inbox, req)
        .then((result) => (result === undefined ? res.sendStatus(404) : res.json(result)))
        .catch(() => res.status(503).json({ problem: inbox.problem ?? null }));
    };

  RED.httpAdmin.get("/radaro-inbox", mayRead, (_req, res) => {
    res.json({ merchants: Array.from(inboxes.values(), (inbox) => inbox.summary) });
  });
  RED.httpAdmin.get(
    "/radaro-inbox/:id/events",
    mayRead,
    answer(async (flow, { query }) => {
      const asked = (name: string) => (typeof query[name] === "string" && query[name]) || undefined;
      const filter = { state: asked("state"), topic: asked("topic"), job: asked("job") } as Filter;
      const { events, next } = await flow.inbox.list(filter, asked("before") ?? "");
      return { events: events.map((stored) => describe(flow, stored)), next };
    }),
  );
  RED.httpAdmin.get(
    "/radaro-inbox/:id/events/:seq",
    mayRead,
    answer(async (flow, { params }) => {
      const found = await flow.inbox.read(params.seq);
      return found && { ...describe(flow, found.stored), event: found.event };
    }),
  );
  RED.httpAdmin.post(
    "/radaro-inbox/:id/events/:seq/run",
    mayWrite,
    answer(({ inbox }, { params }) => inbox.runAgain([params.seq])),
  );
  for (const state of ["failed", "handed-over"] as const) {
    const run: Handle = ({ inbox }) => inbox.runAll(state);
    RED.httpAdmin.post(`/radaro-inbox/:id/run-${state}`, mayWrite, answer(run));
  }
  RED.httpAdmin.post(
    "/radaro-inbox/:id/clear",
    mayWrite,
    answer(async ({ inbox }) => ({ deleted: await inbox.clear() })),
  );
  return inboxes;
}

/** What the sidebar shows of an event. */
function describe(flow: MerchantInbox, stored: StoredEvent) {
  const { seq, path, receivedAt, topic, eventType, changed, orderId, externalId, state, times } = stored;
  const { unwanted, superseded, error, meaning, status } = stored;
  return {
    ...{ seq, path, receivedAt, topic, eventType, changed, orderId, externalId, state, times },
    ...{ meaning, status },
    nowhere: state === "waiting" && !flow.receives(path) ? true : undefined,
    ...{ unwanted, superseded, error },
  };
}
