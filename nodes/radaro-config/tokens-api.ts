import type { Node, NodeAPI, NodeDef } from "node-red";
import { readText, unsetVariable } from "../../src/event/values";
import { findUrlProblem, type UrlProblem } from "../../src/inbox/database-url";
import { createMerchant, normaliseToken } from "../../src/receiving/merchant";

/** What the editor is told of a merchant's credentials, and never these themselves. */
export interface TokenState {
  id: string;
  /** `unset`: an environment variable stands for it that is not set. */
  problem?: "no-token" | "unset" | undefined;
  /** Ids of the other merchants that take a token of this one's. */
  sameAs: string[];
  /** What is wrong with the URL of its database, where it has one. */
  url?: UrlProblem | undefined;
}

interface Credentials {
  token?: unknown;
  previousToken?: unknown;
  inboxUrl?: unknown;
}

/**
 * Serves the editor what is wrong with the credentials of all merchants that are deployed: it does not get
 * them itself, and so could not mark a merchant that has none.
 */
export function serveTokenStates(RED: NodeAPI): void {
  RED.httpAdmin.get("/radaro-config/tokens", RED.auth.needsPermission("radaro-config.read"), (_req, res) => {
    const merchants: ConfigDef[] = [];
    RED.nodes.eachNode((node) => {
      if (node.type === "radaro-config") merchants.push(node);
    });
    res.json(stateOf(merchants.map((merchant) => ({ id: merchant.id, ...credentialsOf(RED, merchant) }))));
  });
}

interface ConfigDef extends NodeDef {
  inboxStore?: unknown;
}

interface Told {
  tokens: string[];
  /** `undefined`: it has no database. */
  url: string | undefined;
  /** Whether what stands for one of them is not known, as no node runs: that of a subflow's template. */
  isOpen: boolean;
}

/** With the values of environment variables, where the merchant's node runs. */
function credentialsOf(RED: NodeAPI, { id, inboxStore }: ConfigDef): Told {
  const running = RED.nodes.getNode(id) as Node<Credentials> | null;
  const credentials: Credentials = running?.credentials ?? RED.nodes.getCredentials(id) ?? {};
  const tokens = [credentials.token, credentials.previousToken]
    .map(readText)
    .filter((token) => normaliseToken(token) !== "");
  const url = readText(inboxStore) === "postgres" ? readText(credentials.inboxUrl) : undefined;
  const isOpen = !running && [...tokens, url ?? ""].some((each) => unsetVariable(each) !== undefined);
  return { tokens, url, isOpen };
}

function stateOf(merchants: (Told & { id: string })[]): TokenState[] {
  const known = merchants.map((each) => ({ ...each, merchant: createMerchant("", each.tokens) }));
  return known.map(({ id, tokens, url, isOpen, merchant }) => ({
    id,
    problem: tokens.length === 0 ? "no-token" : merchant.hasToken || isOpen ? undefined : "unset",
    sameAs: known
      .filter((other) => other.id !== id && tokens.some((token) => other.merchant.accepts(token)))
      .map((other) => other.id),
    url: isOpen || url === undefined ? undefined : findUrlProblem(url),
  }));
}
