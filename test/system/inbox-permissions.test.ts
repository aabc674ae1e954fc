import assert from "node:assert/strict";
import { startNodeRed, type NodeRed } from "../../scripts/node-red";
import { flowWith, token } from "./inboxes";
import { install } from "./package";

// Their password is "dispatch".
const password = "$2b$08$JjZRB6DuqjLgZOmoKVCpyOq6Q3XdN6E7GrBcIZtgMFbGXWPtxF0Pu";
const permissions = {
  all: "*",
  write: "radaro-inbox.write",
  read: "radaro-inbox.read",
  "all reading": "read",
  "the flows": ["flows.read", "flows.write"],
} as const;

type Who = keyof typeof permissions | "nobody";

const seq = "000000000000001";
const calls = {
  read: [
    "GET ",
    "GET /acme/events",
    `GET /acme/events/${seq}`,
    "GET /acme/counts",
    "GET /acme/causes",
    "GET /acme/export",
  ],
  write: [
    `POST /acme/events/${seq}/run`,
    "POST /acme/run",
    `POST /acme/events/${seq}/test`,
    `POST /acme/events/${seq}/settle`,
    "POST /acme/pause",
    "POST /acme/resume",
    "POST /acme/clear",
    `DELETE /acme/events/${seq}`,
  ],
};

describe("The Admin API of an inbox", () => {
  let nodeRed: NodeRed;
  const accessTokens = new Map<Who, string>();
  before(async () => {
    const users = Object.entries(permissions).map(([username, permissions]) => ({
      ...{ username, password, permissions },
    }));
    nodeRed = await startNodeRed({
      flows: flowWith({ id: "next", type: "probe" }),
      credentials: { acme: { token } },
      settings: { adminAuth: { type: "credentials", users } },
      prepare: install,
    });
    for (const { username } of users) accessTokens.set(username as Who, await logIn(username));
    const headers = { "Content-Type": "application/json" };
    const body = JSON.stringify({ token, topic: "job.changed" });
    assert.equal((await fetch(`${nodeRed.url}/radaro`, { method: "POST", headers, body })).status, 200);
  });
  after(() => nodeRed.stop());

  async function logIn(username: string): Promise<string> {
    const response = await fetch(`${nodeRed.url}/auth/token`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        ...{ client_id: "node-red-editor", grant_type: "password", scope: "" },
        ...{ username, password: "dispatch" },
      }),
    });
    return ((await response.json()) as { access_token: string }).access_token;
  }

  /** The status of a call's answer. */
  async function call(who: Who, which: string): Promise<number> {
    const [method = "", path = ""] = which.split(" ");
    const accessToken = accessTokens.get(who);
    const response = await fetch(`${nodeRed.url}/radaro-inbox${path}`, {
      method,
      headers: {
        "Content-Type": "application/json",
        ...(accessToken && { Authorization: `Bearer ${accessToken}` }),
      },
      ...(method === "POST" && { body: JSON.stringify({ node: "in" }) }),
    });
    await response.text();
    return response.status;
  }

  for (const [kind, who] of [
    ["read", ["all", "read", "all reading"]],
    ["write", ["all", "write"]],
  ] as [keyof typeof calls, Who[]][])
    for (const which of calls[kind])
      it(`answers ${which || "what there is"} to those who may ${kind}, and to no others`, async () => {
        for (const each of [...(Object.keys(permissions) as Who[]), "nobody"] as Who[]) {
          if (who.includes(each)) continue; // before it can be deleted by those who may
          assert.equal(await call(each, which), 401, each);
        }
        for (const each of who) assert.ok([200, 404].includes(await call(each, which)), each);
        assert.equal(await call(who[0]!, which.replace("acme", "none")), which === "GET " ? 200 : 404);
      });
});
