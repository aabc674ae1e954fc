/**
 * Shows the latest value, at once or as soon as `interval` has passed since the last time: what
 * changes a thousand times a second is shown once a second, and the last is not missed.
 *
 * @param show what to do with a value
 * @param interval in milliseconds
 */
export function paced<T>(show: (value: T) => void, interval: number) {
  let next: (() => T) | undefined;
  let timer: NodeJS.Timeout | undefined;
  const showNext = () => {
    timer = undefined;
    if (!next) return;
    const make = next;
    next = undefined;
    timer = setTimeout(showNext, interval);
    show(make());
  };
  return {
    /** @param make makes the value, only when it is shown */
    show(make: () => T) {
      next = make;
      if (!timer) showNext();
    },
    /** Shows nothing more, and leaves no timer behind. */
    stop() {
      clearTimeout(timer);
      next = undefined;
    },
  };
}
