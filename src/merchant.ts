import { timingSafeEqual } from "node:crypto";

/** A merchant's verification: which tokens are its own. */
export interface Merchant {
  name: string;
  /** Whether at least one token is known. Without one, `accepts` is always false. */
  hasToken: boolean;
  /**
   * Compares in a time that tells nothing of this merchant's tokens.
   *
   * @param token as it arrived
   */
  accepts(token: string): boolean;
}

/**
 * The form in which tokens are compared: without the white space that pasting brings along, and
 * without the `==` at the end, which Radaro shows in some places and leaves out in others.
 */
export function normaliseToken(token: string): string {
  return token.trim().replace(/==$/, "");
}

/** `${NAME}` as it stays in a credential when Node-RED knows no such environment variable. */
const unresolved = /^\$\{[^}]*\}$/;

/**
 * @param name what `msg.radaro.merchant` will say
 * @param tokens the current and the previous token. Those that are missing, blank or name an
 *   environment variable that is not set do not count, so that nobody gets in by sending that.
 */
export function createMerchant(name: string, tokens: (string | undefined)[]): Merchant {
  const known = tokens
    .map((token) => normaliseToken(token ?? ""))
    .filter((token) => token !== "" && !unresolved.test(token))
    .map((token) => Buffer.from(token));
  return {
    name,
    hasToken: known.length > 0,
    accepts(token) {
      const sent = Buffer.from(normaliseToken(token));
      let found = false;
      // No early exit: how long it takes must not tell which token matched.
      for (const own of known) found = isSame(own, sent) || found;
      return found;
    },
  };
}

/** Compares as many bytes as `own` has, whatever was sent: only the sender's own text has a say in the time. */
function isSame(own: Buffer, sent: Buffer): boolean {
  const padded = Buffer.alloc(own.length);
  sent.copy(padded);
  return timingSafeEqual(own, padded) && own.length === sent.length;
}
