/** A moment by both clocks of a machine, in milliseconds. */
export interface Moment {
  /** Since 1970. It may be wrong, and is set now and then. */
  wall: number;
  /** Since anything: it runs evenly, and begins anew with each process. */
  steady: number;
}

/** A moment, with the event that had come last by then. */
export interface Mark extends Moment {
  seq: string;
}

/** From when on there can be an inbox, in milliseconds: the year in which the first version was made. */
export const earliest = Date.UTC(2026, 0);

/** How long a clock has to run evenly to be believed, in milliseconds. */
export const proof = 3_600_000;

/** How much it may be set, or others have been off, in milliseconds. */
const tolerance = 60_000;

const day = 86_400_000;

export function now(): Moment {
  return { wall: Date.now(), steady: performance.now() };
}

/**
 * Whether anything may be deleted for its age: the clock shows a time that can be, and has run evenly
 * for an hour. A board without a clock starts in 1970, or where it was switched off, and is set when it
 * finds the network.
 */
export function isBelieved(now: Moment, before: Moment): boolean {
  const { wall, steady } = { wall: now.wall - before.wall, steady: now.steady - before.steady };
  return now.wall >= earliest && steady >= proof && Math.abs(wall - steady) <= tolerance;
}

/**
 * When something can have come at all. What seems to have come at another time counts as if it had come
 * now.
 *
 * @returns in milliseconds, both included
 */
export function possible({ wall }: Moment): { from: number; to: number } {
  return { from: earliest, to: wall + tolerance };
}

/** Whether something that is kept for some days is too old, by when it was used last. Both in milliseconds. */
export function isOver(used: number, now: Moment, days: number): boolean {
  return now.wall - used >= days * day;
}

/**
 * What may be too old: it seems to be from before `before`, in milliseconds, and its seq is no later than
 * `seq`. What came later came while this process was watching, and is younger, whatever the clock says.
 *
 * @param marks of this process, in their order, at least one
 * @param days for how long events are kept
 */
export function tooOld(marks: Mark[], now: Moment, days: number): { before: number; seq: string } {
  const { seq } = marks.findLast(({ steady }) => now.steady - steady >= days * day) ?? marks[0]!;
  // However many days: nothing is from before 1970.
  return { before: Math.max(0, now.wall - days * day), seq };
}
