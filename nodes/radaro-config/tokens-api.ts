import type { Node, NodeAPI } from "node-red";
import { readText, unsetVariable } from "../../src/event/values";
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
    res.json(stateOf(ids.map((id) => ({ id, ...tokensOf(RED, id) }))));
  });
}

interface Tokens {
  tokens: string[];
  /** Whether what stands for one of them is not known, as no node runs: that of a subflow's template. */
  isOpen: boolean;
}

/** With the values of environment variables, where the merchant's node runs. */
function tokensOf(RED: NodeAPI, id: string): Tokens {
  const running = RED.nodes.getNode(id) as Node<Credentials> | null;
  const credentials: Credentials = running?.credentials ?? RED.nodes.getCredentials(id) ?? {};
  const tokens = [credentials.token, credentials.previousToken]
    .map(readText)
    .filter((token) => normaliseToken(token) !== "");
  return { tokens, isOpen: !running && tokens.some((token) => unsetVariable(token) !== undefined) };
}

function stateOf(merchants: (Tokens & { id: string })[]): TokenState[] {
  const known = merchants.map((each) => ({ ...each, merchant: createMerchant("", each.tokens) }));
  return known.map(({ id, tokens, isOpen, merchant }) => ({
    id,
    problem: tokens.length === 0 ? "no-token" : merchant.hasToken || isOpen ? undefined : "unset",
    sameAs: known
      .filter((other) => other.id !== id && tokens.some((token) => other.merchant.accepts(token)))
      .map((other) => other.id),
  }));
}
