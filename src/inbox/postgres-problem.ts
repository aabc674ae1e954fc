import { Unusable, type Problem } from "./store";

/** PostgreSQL's error codes (postgresql.org/docs/current/errcodes-appendix.html) that tell what is wrong, or their first two characters, which say what kind they are of. */
const byCode: Record<string, Problem> = {
  "08": "unreachable", // connection exception
  "28": "denied", // invalid authorization
  "3D": "denied", // no such database
  "42501": "denied", // insufficient privilege
  "3F": "gone", // no such schema
  "42P01": "gone", // no such table
  "42883": "gone", // no such function
  "25006": "read-only",
  "53100": "full", // disk full
  "53300": "too-many-connections",
  "53": "failing", // out of memory, or of something else
  "55P03": "slow", // a lock that was not had in time
  "57014": "slow", // a statement that took too long
  "57": "unreachable", // it is shut down, or starts
  "58": "failing", // the system reports errors
  XX: "failing", // it is damaged itself
};

/** What a connection says where none can be had, or it has ended: the system's codes, and the client's. */
const isConnections =
  /^(E[A-Z_]+|CONNECT|CONNECTION_|ERR_(TLS|SSL)|CERT_|.*_(CERT|SIGNATURE|ISSUER)|.*CERTIFICATE)/;

/**
 * Reads the errors of PostgreSQL, its client and the system. Of their texts nothing is kept: they may hold the
 * address, a name, or an event.
 */
export function unusable(error: unknown): Unusable {
  if (error instanceof Unusable) return error;
  const { code = "" } = error as { code?: unknown };
  if (typeof code !== "string" || code === "") return new Unusable("failing", new Error("no code"));
  const problem = byCode[code] ?? byCode[code.slice(0, 2)];
  const known = new Error(code);
  if (problem && code.length === 5) return new Unusable(problem, known);
  return new Unusable(isConnections.test(code) ? "unreachable" : "failing", known);
}

/** Whether the same may succeed at once: two transactions have waited for each other. */
export const isCollision = (error: unknown) =>
  ["40P01", "40001"].includes((error as { code?: string }).code ?? "");
