import { unsetVariable } from "../event/values";

/** What `sslmode` may be, as in PostgreSQL's own client (postgresql.org/docs/current/libpq-ssl.html). */
const sslModes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

/** The parts of a database's URL. */
interface Parts {
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
  settings: URLSearchParams;
}

/**
 * Takes `postgres://user:password@host:port/database?sslmode=…` apart. Characters of the user and the password
 * may be escaped (`%40`), and need not be: what is before the last `@` is theirs, besides one in the settings.
 *
 * @param text white space around it is ignored
 * @returns `undefined` where it is none
 */
export function readParts(text: string): Parts | undefined {
  // Settings begin with the name of one: a password may have a question mark too.
  const [, address = "", query = ""] =
    /^([^]*?)(?:\?(?=(?:[a-z_]+=[^?]*)?$)([^?]*))?$/.exec(text.trim()) ?? [];
  const parts = /^postgres(?:ql)?:\/\/(?:([^]*)@)?(\[[^\]]*\]|[^@:/?[\]]*)(?::(\d*))?(?:\/([^?]*))?$/.exec(
    address,
  );
  if (!parts) return undefined;
  const [, login = "", host = "", port = "", database = ""] = parts;
  const [user = ""] = login.split(":", 1);
  const settings = new URLSearchParams(query);
  const read = {
    host: settings.get("host") ?? unescaped(host.replace(/^\[|\]$/g, "")),
    port: Number(port || "5432"),
    user: unescaped(user),
    password: unescaped(login.slice(user.length + 1)),
    database: unescaped(database) || unescaped(user),
    settings,
  };
  const isWell = read.host !== "" && read.user !== "" && read.port <= 65_535;
  return isWell && sslModes.includes(settings.get("sslmode") ?? "prefer") ? read : undefined;
}

/** A text with its escapes read; what looks like one and is none stays as it is. */
function unescaped(text: string): string {
  return text.replace(/(%[\da-f]{2})+/gi, (escapes) => {
    try {
      return decodeURIComponent(escapes);
    } catch {
      return escapes;
    }
  });
}

/**
 * What is wrong with the URL of a database.
 *
 * - `none`: there is none
 * - `unset`: an environment variable stands for it that is not set
 * - `not-postgres`: it is one of something else
 * - `unreadable`: it is none, or has no host or no user
 */
export type UrlProblem = "none" | "unset" | "not-postgres" | "unreadable";

/** What is wrong with the URL of a database, as far as can be told without asking it; `undefined`: nothing. */
export function findUrlProblem(url: string): UrlProblem | undefined {
  if (url === "") return "none";
  if (unsetVariable(url) !== undefined) return "unset";
  if (/^[a-z][a-z+.-]*:\/\//i.test(url) && !/^postgres(ql)?:/.test(url)) return "not-postgres";
  return readParts(url) ? undefined : "unreadable";
}
