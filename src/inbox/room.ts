import { step, type bounds } from "./store";

type Amount = typeof bounds;

/**
 * What has to go before new events have room.
 *
 * @param used how much is there
 * @param sizes how much of the store each new one takes, in bytes
 * @returns `undefined`: nothing
 */
export function lackingOf(used: Amount, sizes: readonly number[], max: Amount): Amount | undefined {
  const events = used.events + sizes.length - max.events;
  const bytes = used.bytes + sizes.reduce((sum, size) => sum + size, 0) - max.bytes;
  return events > 0 || bytes > 0 ? { events, bytes } : undefined;
}

/** For how many of them, from the first on, there is room. See `lackingOf`: something lacks. */
export function fitting(used: Amount, sizes: readonly number[], max: Amount): number {
  let { events, bytes } = used;
  return sizes.findIndex((size) => (events += 1) > max.events || (bytes += size) > max.bytes);
}

/**
 * How many of the oldest go: what is lacking, and some more, so that not each write has to.
 *
 * @param sizes of the oldest, a step at most, in bytes
 */
export function tooMany(lacking: Amount, sizes: readonly number[], max: Amount): number {
  let events = lacking.events > 0 ? step : 0;
  let bytes = lacking.bytes > 0 ? lacking.bytes + max.bytes / 256 : 0;
  const end = sizes.findIndex((size) => {
    if (events <= 0 && bytes <= 0) return true;
    events -= 1;
    bytes -= size;
    return false;
  });
  return end < 0 ? step : end;
}
