/** Why Radaro could not deliver to a URL, or should not. */
export type UrlProblem = "this-machine" | "private-network" | "not-https";

/**
 * What is wrong with a webhook URL, as far as the URL itself tells.
 *
 * @param url absolute
 * @throws TypeError where it is no URL
 */
export function findUrlProblems(url: string): UrlProblem[] {
  const { protocol, hostname } = new URL(url);
  const problems: UrlProblem[] = [];
  if (isThisMachine(hostname)) problems.push("this-machine");
  else if (isPrivate(hostname)) problems.push("private-network");
  if (protocol !== "https:") problems.push("not-https");
  return problems;
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
