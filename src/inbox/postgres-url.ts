import { readFileSync } from "node:fs";
import { checkServerIdentity, type ConnectionOptions } from "node:tls";
import { readParts } from "./database-url";
import { Unusable } from "./store";

/** Where a database is, and as whom to use it. */
export interface Address {
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
  /** `false`: in the clear; `prefer`: encrypted where the server can; else how its certificate is checked. */
  tls: false | "prefer" | ConnectionOptions;
}

/**
 * Reads the URL of a database, see `readParts`.
 *
 * @throws Unusable, which says nothing of what is in it
 */
export function readUrl(text: string): Address {
  const parts = readParts(text);
  if (!parts) throw new Unusable("no-url");
  const { settings, ...address } = parts;
  return { ...address, tls: readTls(settings, address.host) };
}

/** What `sslmode` and `sslrootcert` say, as in PostgreSQL's own client (postgresql.org/docs/current/libpq-ssl.html). */
function readTls(settings: URLSearchParams, host: string): Address["tls"] {
  const root = settings.get("sslrootcert");
  const mode = settings.get("sslmode") ?? (root === "system" ? "verify-full" : "prefer");
  const checked = (): ConnectionOptions => ({
    rejectUnauthorized: true,
    ...(root !== null && root !== "system" && { ca: readCertificate(root) }),
  });
  switch (mode) {
    case "disable":
      return false;
    case "allow":
    case "prefer":
      return host.startsWith("/") ? false : "prefer";
    case "require":
      // As there: with a certificate to check against it is checked.
      return root === null
        ? { rejectUnauthorized: false }
        : { ...checked(), checkServerIdentity: () => undefined };
    case "verify-ca":
      return { ...checked(), checkServerIdentity: () => undefined };
    case "verify-full":
      // By the name of this host: where that is an address, Node.js would take it for localhost.
      return {
        ...checked(),
        checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate),
      };
    default:
      throw new Unusable("no-url");
  }
}

function readCertificate(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    throw new Unusable("no-url", new Error("sslrootcert"));
  }
}
