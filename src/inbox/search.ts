import { isOfCause, type Delivery } from "./deliveries";
import type { Filter } from "./store";

/** How many events that no index finds are looked through in one go. */
export const maxLookedThrough = 20_000;

/** And where their text is looked through: how many, and how much of it, in bytes. */
export const maxSearched = { events: 2000, bytes: 4 * 1024 ** 2 };

/** How much of a text is looked for by the database, in characters: the rest is looked at afterwards. */
const maxPattern = 200;

/** Upper and lower case alike, and however a letter with its accent is made. */
const folded = (text: string) => text.normalize("NFC").toLowerCase();

/** How many digits a telephone number has at least that is found however it is written. */
const minDigits = 6;

/**
 * The digits of a text that may be a telephone number, or the end of one, without what stands before an
 * area code: `0370 104455` is the end of `+61 3 7010 4455`. `undefined`: it is none.
 */
function digitsOf(text: string): string | undefined {
  if (!/^[+(]?\d[\d\s()/.-]*$/.test(text)) return undefined;
  const digits = text.replace(/\D/g, "").replace(/^0+/, "");
  return digits.length >= minDigits ? digits : undefined;
}

/**
 * What a database looks for in the JSON of events, by LIKE with `!` as its escape character: all events
 * that have a text somewhere, and some more. It knows upper and lower case of a to z only, so other letters
 * may be anything.
 */
export function patternFor(text: string): string {
  const digits = digitsOf(text.slice(0, maxPattern));
  if (digits !== undefined) return `%${[...digits].join("%")}%`;
  const json = JSON.stringify(text.slice(0, maxPattern)).slice(1, -1);
  const known = json.replace(/[!%_]/g, "!$&").replace(/[^\x20-\x7e]+/g, "%");
  return `%${known}%`;
}

/**
 * Whether one of the texts or numbers in a value has a text somewhere, upper and lower case alike, and a
 * telephone number however it is written.
 */
export function hasText(value: unknown, text: string): boolean {
  const [wanted, digits] = [folded(text), digitsOf(text)];
  const has = (each: unknown): boolean => {
    if (typeof each === "string")
      return (
        folded(each).includes(wanted) || (digits !== undefined && digitsOf(each)?.includes(digits) === true)
      );
    if (typeof each === "number") return String(each).includes(wanted);
    return typeof each === "object" && each !== null && Object.values(each).some(has);
  };
  return has(value);
}

/** What is looked at of an event that a database has found; `undefined`: there is nothing to look at. */
export function whatFits({ text, node, error }: Filter) {
  const cause = { ...(node !== undefined && { node }), ...(error !== undefined && { error }) };
  return {
    text: text === undefined ? undefined : (body: string) => hasText(JSON.parse(body), text),
    delivery:
      node === undefined && error === undefined
        ? undefined
        : (deliveries: unknown) =>
            typeof deliveries === "string" &&
            (JSON.parse(deliveries) as Delivery[]).some((each) => isOfCause(each, cause)),
  };
}
