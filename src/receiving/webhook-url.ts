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
  const host = hostname.replace(/\.$/, ""); // a name may end with a dot
  const problems: UrlProblem[] = [];
  if (isThisMachine(host)) problems.push("this-machine");
  else if (isPrivate(host)) problems.push("private-network");
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
 * @param addresses at which this Node-RED is known to be: what they have of a path is none of the node's
 * @returns `webhookUrl` makes the same URL of it; `undefined` where it is no URL, or has a user or a
 *   password in it, which would be lost
 */
export function splitUrl(
  text: string,
  nodeRoot: string,
  addresses: string[] = [],
): { address: string; path: string } | undefined {
  const url = parseUrl(text);
  if (!url || url.username || url.password) return undefined;
  const { origin, pathname, search, hash } = url;
  const [whole, root] = [`${withoutSlash(pathname)}/`, `${withoutSlash(nodeRoot)}/`];
  const isBelow = (address: string) => (origin + whole).startsWith(address + root);
  const known = addresses.filter(isBelow).sort((a, b) => b.length - a.length)[0];
  const at = known ? known.length - origin.length : Math.max(0, whole.indexOf(root));
  const path = whole.startsWith(root, at) ? whole.slice(at + root.length - 1) : whole;
  return { address: origin + pathname.slice(0, at), path: normalisePath(path) + search + hash };
}

/**
 * The address in a whole webhook URL, which people paste where the address alone is asked for.
 *
 * @param path of the node, as the user wrote it
 * @returns `undefined` where the text does not end as the webhook URL of that path does
 */
export function addressIn(text: string, nodeRoot: string, path: string): string | undefined {
  const url = parseUrl(text);
  const end = webhookUrl("", nodeRoot, path);
  const whole = url && withoutSlash(url.href);
  return end !== "/" && whole?.endsWith(end) ? whole.slice(0, -end.length) : undefined;
}

/**
 * Why what a user wrote is not the path of a URL: `url`: it is a whole one, or has one in it; `path`:
 * nothing can arrive at it, as those who send to a URL cut it, or resolve its dots.
 */
export function findPathMistake(path: string): "url" | "path" | undefined {
  if (/:\/\/|^\/?https?:|^\/\/[^/]+\.[a-z]{2,}(:\d+)?(\/|$)/i.test(path)) return "url";
  return /[?#]|(^|\/)(\.|%2e){1,2}(\/|$)/i.test(path) ? "path" : undefined;
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
  // An address is copied without https:// from many a browser.
  const isAddress = /^\s*(www\.[^/]+|[^/\s]+\.[a-z]{2,}(:\d+)?\/|[\w.-]+:\d+(\/|$))/i.test(text);
  if (!isAddress && !/^\s*https?:\/\//i.test(text)) return undefined;
  try {
    return new URL(isAddress ? `https://${text.trim()}` : text);
  } catch {
    return undefined;
  }
}

function withoutSlash(path: string): string {
  return path.replace(/\/+$/, "");
}

function isThisMachine(host: string): boolean {
  return /^(localhost|.*\.localhost|127\..*|0\.0\.0\.0|\[::1?\]|\[::ffff:7f.*)$/.test(host);
}

/**
 * Addresses of RFC 1918, RFC 3927, RFC 4193, RFC 4291 and RFC 6598, and names that only a local network
 * knows.
 */
function isPrivate(host: string): boolean {
  return (
    /^(10\.|192\.168\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)[\d.]+$/.test(
      host,
    ) ||
    /^\[f[cd][\da-f]{2}:|^\[fe[89ab][\da-f]:/.test(host) ||
    /\.(local|localdomain|lan|internal|home\.arpa|fritz\.box)$/.test(host) ||
    /^[^.[]+$/.test(host)
  );
}

/** Home Assistant shows the editor at a path that is for people who are logged in. */
function isBehindLogin(path: string): boolean {
  return path.startsWith("/api/hassio_ingress/");
}
