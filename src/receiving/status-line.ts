/**
 * When something happened, for a status: the time of day, with the date before where that is not
 * today's. In this machine's time zone.
 *
 * @param now when the status is shown
 */
export function statusTime(at: Date, now: Date): string {
  const two = (part: number) => String(part).padStart(2, "0");
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":");
  if (at.toDateString() === now.toDateString()) return time;
  return `${[at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join("-")} ${time}`;
}

/** In how many milliseconds the day ends: from then on a status of today says another time. */
export function untilTomorrow(now: Date): number {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1).getTime() - now.getTime();
}

/** Longest text of a status that still fits below a node, in characters. */
const maxLength = 48;

/**
 * One line about an event, the time first. What does not fit is cut: the topic before the job.
 *
 * @param parts said before the topic, with the time as the first
 */
export function statusLine(parts: string[], topic: string, job: string): string {
  const shownJob = cut(job, 24);
  const around = [...parts, ...(shownJob ? [shownJob] : [])].join(" · ").length + 3;
  const shownTopic = cut(topic, Math.max(12, maxLength - around));
  return [...parts, shownTopic, shownJob].filter((part) => part !== "").join(" · ");
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
