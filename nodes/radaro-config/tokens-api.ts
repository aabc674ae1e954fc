import type { Node, NodeAPI } from "node-red";
import { readText } from "../../src/event/values";
import { createMerchant, normaliseToken } from "../../src/receiving/merchant";

/** What the editor is told of a merchant's tokens, and never the tokens themselves. */
export interface TokenState {
  id: string;
  /** `unset`: an environment variable stands for it that is not set. */
  problem?: "no-token" | "unset" | undefined;
  /** Ids of the other merchants that take a token of this one's. */
  sameAs: string[];
}

interface Credentials {
  token?: unknown;
  previousToken?: unknown;
}

/**
 * Serves the editor what is wrong with the tokens of all merchants that are deployed: it does not get
 * credentials itself, and so could not mark a merchant that has none.
 */
export function serveTokenStates(RED: NodeAPI): void {
  RED.httpAdmin.get("/radaro-config/tokens", RED.auth.needsPermission("radaro-config.read"), (_req, res) => {
    const ids: string[] = [];
    RED.nodes.eachNode(({ id, type }) => {
      if (type === "radaro-config") ids.push(id);
    });
    res.json(stateOf(ids.map((id) => ({ id, tokens: tokensOf(RED, id) }))));
  });
}

/** With the values of environment variables, where the merchant's node runs. */
function tokensOf(RED: NodeAPI, id: string): string[] {
  const running = RED.nodes.getNode(id) as Node<Credentials> | null;
  const credentials: Credentials = running?.credentials ?? RED.nodes.getCredentials(id) ?? {};
  return [credentials.token, credentials.previousToken]
    .map(readText)
    .filter((token) => normaliseToken(token) !== "");
}

function stateOf(merchants: { id: string; tokens: string[] }[]): TokenState[] {
  const known = merchants.map(({ id, tokens }) => ({ id, tokens, merchant: createMerchant("", tokens) }));
  return known.map(({ id, tokens, merchant }) => ({
    id,
    problem: tokens.length === 0 ? "no-token" : merchant.hasToken ? undefined : "unset",
    sameAs: known
      .filter((other) => other.id !== id && tokens.some((token) => other.merchant.accepts(token)))
      .map((other) => other.id),
  }));
}
