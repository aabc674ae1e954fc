/** The hours of a week that count, in this machine's time zone. */
export interface Hours {
  /** In minutes after midnight. Where `to` is not later than `from`, it is that of the next day. */
  from: number;
  to: number;
  /** The days on which they begin: 0 is Sunday; empty: each. */
  days: readonly number[];
}

/** In milliseconds. */
const hour = 3_600_000;

/** For how many days it is looked ahead at most: more than anybody waits. */
const maxDays = 3660;

export const always: Hours = { from: 0, to: 1440, days: [] };

/**
 * When so many of the hours that count have passed since a time, the night and the days between left out. On
 * the day on which clocks are changed, an hour more or less passes between two times of day.
 *
 * @param since in milliseconds, as is what comes back
 * @returns `Infinity` where that takes years
 */
export function passedAt(since: number, hours: number, { from, to, days }: Hours): number {
  const first = new Date(since);
  let left = hours * hour;
  // From yesterday on: its hours may last until today.
  for (let day = -1; day < maxDays; day += 1) {
    const at = (minutes: number) =>
      new Date(first.getFullYear(), first.getMonth(), first.getDate() + day, 0, minutes);
    const begin = at(from);
    if (days.length > 0 && !days.includes(at(0).getDay())) continue;
    const end = at(to > from ? to : to + 1440);
    const start = Math.max(begin.getTime(), since);
    const there = end.getTime() - start;
    if (there <= 0) continue;
    if (there >= left) return start + left;
    left -= there;
  }
  return Infinity;
}

/** Reads a time of day, as `"08:00"`. @returns minutes after midnight; `undefined` where it is none */
export function readTime(text: string): number | undefined {
  const [, hours, minutes] = /^(\d{1,2}):(\d\d)(?::\d\d)?$/.exec(text) ?? [];
  if (hours === undefined || Number(hours) > 23 || Number(minutes) > 59) return undefined;
  return Number(hours) * 60 + Number(minutes);
}
