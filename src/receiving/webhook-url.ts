import { normalisePath } from "./endpoints";

/** Why Radaro could not deliver to a URL, or should not. */
export type UrlProblem = "this-machine" | "private-network" | "behind-login" | "not-https" | "too-long";

/** How many characters Radaro keeps of a webhook URL (observed). */
const maxUrlLength = 500;

/**
 * What is wrong with a webhook URL, as far as the URL itself tells.
 *
 * @param url absolute
 * @throws TypeError where it is no URL
 */
export function findUrlProblems(url: string): UrlProblem[] {
  const { protocol, hostname, pathname } = new URL(url);
  const problems: UrlProblem[] = [];
  if (isThisMachine(hostname)) problems.push("this-machine");
  else if (isPrivate(hostname)) problems.push("private-network");
  else if (isBehindLogin(pathname)) problems.push("behind-login");
  if (protocol !== "https:") problems.push("not-https");
  if (url.length > maxUrlLength) problems.push("too-long");
  return problems;
}

/**
 * The address of a Node-RED, as its editor shows it. A proxy may have put both below a path of its own.
 *
 * @param editor where the editor was loaded from
 * @param adminRoot Node-RED's `httpAdminRoot`
 * @returns without a `/` at its end
 */
export function addressOf(editor: { origin: string; pathname: string }, adminRoot: string): string {
  const path = withoutSlash(editor.pathname);
  const root = withoutSlash(adminRoot);
  return editor.origin + (path.endsWith(root) ? path.slice(0, path.length - root.length) : "");
}

/**
 * The URL that Radaro has to be given.
 *
 * @param address of Node-RED, without a `/` at its end
 * @param nodeRoot Node-RED's `httpNodeRoot`
 * @param path of a `radaro in`, as the user wrote it
 */
export function webhookUrl(address: string, nodeRoot: string, path: string): string {
  // Half of a character that needs two has no place in a URL.
  const whole = (withoutSlash(nodeRoot) + normalisePath(path)).replace(/\p{Surrogate}/gu, "\uFFFD");
  return address + encodeURI(whole);
}

/**
 * Takes a whole webhook URL apart, which people paste where the path alone is asked for.
 *
 * @param text what they entered
 * @param nodeRoot Node-RED's `httpNodeRoot`
 * @returns `webhookUrl` makes the same URL of it; `undefined` where it is no URL
 */
export function splitUrl(text: string, nodeRoot: string): { address: string; path: string } | undefined {
  const url = parseUrl(text);
  if (!url) return undefined;
  const { origin, pathname, search, hash } = url;
  const root = `${withoutSlash(nodeRoot)}/`;
  const at = Math.max(0, pathname.indexOf(root));
  const path = pathname.startsWith(root, at) ? pathname.slice(at + root.length - 1) : pathname;
  return { address: origin + pathname.slice(0, at), path: normalisePath(path) + search + hash };
}

/**
 * The address that a user entered, as it is kept.
 *
 * @returns without a `/` at its end, `""` where nothing is entered; `undefined` where it is none that
 *   Radaro can be given: not https, or with more in it than a host, a port and a path
 */
export function readAddress(text: string): string | undefined {
  if (text.trim() === "") return "";
  const url = parseUrl(text);
  if (url?.protocol !== "https:" || url.username || url.password || /[?#]/.test(text)) return undefined;
  return withoutSlash(url.href);
}

function parseUrl(text: string): URL | undefined {
  if (!/^\s*https?:\/\//i.test(text)) return undefined;
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

function withoutSlash(path: string): string {
  return path.replace(/\/$/, "");
}

function isThisMachine(host: string): boolean {
  return /^(localhost|.*\.localhost|127\..*|0\.0\.0\.0|\[::1?\])$/.test(host);
}

/** Addresses of RFC 1918, RFC 3927, RFC 4193 and RFC 4291, and names that only a local network knows. */
function isPrivate(host: string): boolean {
  return (
    /^(10\.|192\.168\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.)[\d.]+$/.test(host) ||
    /^\[f[cd][\da-f]{2}:|^\[fe[89ab][\da-f]:/.test(host) ||
    /\.(local|lan|internal|home\.arpa)$/.test(host) ||
    /^[^.[]+$/.test(host)
  );
}

/** Home Assistant shows the editor at a path that is for people who are logged in. */
function isBehindLogin(path: string): boolean {
  return path.startsWith("/api/hassio_ingress/");
}
