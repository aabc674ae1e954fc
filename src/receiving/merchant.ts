import { timingSafeEqual } from "node:crypto";
import { readText, unsetVariable } from "../event/values";

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
 * The form in which tokens are compared: without the white space that pasting brings along, without
 * the quotes that docker takes for a part of the value in a file of environment variables, and
 * without the `==` at the end, which Radaro shows in some places and leaves out in others.
 */
export function normaliseToken(token: string): string {
  const trimmed = token.trim();
  const [, , quoted = trimmed] = /^(["'])(.*)\1$/.exec(trimmed) ?? [];
  return quoted.trim().replace(/==$/, "");
}

/** How many characters of a sent token are looked at, at least: more than any of Radaro's has, with what is around it. */
const longest = 1024;

/**
 * @param name what `msg.radaro.merchant` will say
 * @param tokens the current and the previous token, as a variable may hold them. Those that are no
 *   text, blank or name an environment variable that is not set do not count, so that nobody gets in
 *   by sending that.
 */
export function createMerchant(name: unknown, tokens: unknown[]): Merchant {
  const known = tokens
    .map((token) => normaliseToken(readText(token)))
    .filter((token) => token !== "" && unsetVariable(token) === undefined)
    .map((token) => Buffer.from(token));
  const limit = Math.max(longest, ...known.map((own) => 2 * own.length));
  return {
    name: readText(name),
    hasToken: known.length > 0,
    accepts(token) {
      // First: what a stranger sends may have megabytes, and is compared for each merchant of a path.
      if (token.length > limit) return false;
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
