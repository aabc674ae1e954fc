import { createHash, timingSafeEqual } from "node:crypto";

/** A merchant's verification: which tokens are its own. */
export interface Merchant {
  name: string;
  /** Whether at least one token is known. Without one, `accepts` is always false. */
  hasToken: boolean;
  /**
   * Compares in constant time.
   *
   * @param digest of the token that arrived, from `digestToken`
   */
  accepts(digest: Buffer): boolean;
}

/**
 * The form in which tokens are compared: without the white space that pasting brings along, and
 * without the `==` at the end, which Radaro shows in some places and leaves out in others.
 */
export function normaliseToken(token: string): string {
  return token.trim().replace(/==$/, "");
}

/** Digests have one length whatever the token's, which `timingSafeEqual` needs. */
export function digestToken(token: string): Buffer {
  return createHash("sha256").update(normaliseToken(token)).digest();
}

/** `${NAME}` as it stays in a credential when Node-RED knows no such environment variable. */
const unresolved = /^\$\{[^}]*\}$/;

/**
 * @param name what `msg.radaro.merchant` will say
 * @param tokens the current and the previous token. Those that are missing, blank or name an
 *   environment variable that is not set do not count, so that nobody gets in by sending that.
 */
export function createMerchant(name: string, tokens: (string | undefined)[]): Merchant {
  const digests = tokens
    .map((token) => normaliseToken(token ?? ""))
    .filter((token) => token !== "" && !unresolved.test(token))
    .map(digestToken);
  return {
    name,
    hasToken: digests.length > 0,
    accepts(digest) {
      let found = false;
      // No early exit: how long it takes must not tell which token matched.
      for (const own of digests) found = timingSafeEqual(own, digest) || found;
      return found;
    },
  };
}
