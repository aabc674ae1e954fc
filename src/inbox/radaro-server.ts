import { readText, unsetVariable } from "../event/values";

/**
 * Reads which server it is.
 *
 * @param server a number, or the whole base URL of its API
 * @returns `undefined` where it is neither
 */
export function readServer(server: unknown): URL | undefined {
  const text = readText(server);
  if (/^[1-9]\d{0,3}$/.test(text))
    return new URL(text === "1" ? "https://api.radaro.com.au" : `https://api-${text}.radaro.com.au`);
  try {
    const url = new URL(text);
    const isPlain = url.username === "" && url.password === "" && url.search === "" && url.hash === "";
    return isPlain && /^https?:$/.test(url.protocol) ? url : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Reads an API key.
 *
 * @returns `undefined` where there is none, or a variable that is not set stands for it, or it can be none
 */
export function readApiKey(key: unknown): string | undefined {
  const text = readText(key);
  return /^[\x21-\x7e]{1,200}$/.test(text) && unsetVariable(text) === undefined ? text : undefined;
}

/**
 * Reads how often it is asked.
 *
 * @param minutes 0 or nothing: never
 * @returns `undefined` where it is no such number
 */
export function readMinutes(minutes: unknown): number | undefined {
  const number = Number(readText(minutes));
  const isNone = minutes === undefined || minutes === null || typeof minutes === "string";
  return (isNone || typeof minutes === "number") && Number.isFinite(number) && number >= 0
    ? number
    : undefined;
}
