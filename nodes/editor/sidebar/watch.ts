/** How long nothing is asked after what is shown was asked for, at least, in milliseconds. */
const pause = 1000;

/**
 * Runs something when something has changed since, where it is wanted: never twice at once, and with a
 * pause between that is as long as it took.
 *
 * @param window whose clock it goes by: the browser slows down that of one that nobody sees
 */
export function paced(window: Window, run: () => Promise<void>, isWanted: () => boolean) {
  let isBusy = false;
  let hasChanged = false;
  let resting: number | undefined;

  /** Runs it, where something has changed that it has not been run for. */
  const look = () => {
    if (hasChanged && !isBusy && resting === undefined && isWanted()) void begin();
  };
  const begin = async () => {
    hasChanged = false;
    isBusy = true;
    const began = Date.now();
    await run();
    isBusy = false;
    resting = window.setTimeout(rested, Math.max(pause, Date.now() - began));
  };
  const rested = () => {
    resting = undefined;
    look();
  };
  return {
    look,
    changed: () => {
      hasChanged = true;
      look();
    },
    /** Waits no more: the next change is looked at at once. */
    reset: () => {
      window.clearTimeout(resting);
      resting = undefined;
    },
  };
}

/**
 * Calls `refresh` while an element is shown: as it comes into view, and when something has changed
 * since, paced. Whether the tab is chosen and its sidebar open, each version of Node-RED says in its own
 * way; the browser knows it of the element itself.
 *
 * @param element in whichever window it is, and will be
 */
export function watchWhileShown(element: HTMLElement, refresh: () => Promise<void>, hidden: () => void) {
  const window = element.ownerDocument.defaultView!;
  let isShown = false;
  const pace = paced(window, refresh, () => isShown);
  const show = (isNowShown: boolean) => {
    const wasShown = isShown;
    isShown = isNowShown;
    if (isShown === wasShown) return;
    pace.reset();
    if (isShown) pace.changed();
    else hidden();
  };
  const observer = new window.IntersectionObserver((entries) => show(entries.at(-1)!.isIntersecting));
  observer.observe(element);
  return {
    changed: pace.changed,
    isShown: () => isShown,
    /** Ends it, with the element. */
    stop: () => {
      observer.disconnect();
      show(false);
    },
  };
}
