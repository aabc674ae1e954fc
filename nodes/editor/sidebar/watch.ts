/** How long nothing is asked after what is shown was asked for, at least, in milliseconds. */
const pause = 1000;

/**
 * Calls `refresh` while an element is shown: as it comes into view, and when something has changed
 * since; never twice at once, and with a pause between that is as long as it took. Whether the tab is
 * chosen and its sidebar open, each version of Node-RED says in its own way; the browser knows it of
 * the element itself.
 */
export function watchWhileShown(element: HTMLElement, refresh: () => Promise<void>, hidden: () => void) {
  let isShown = false;
  let isBusy = false;
  let hasChanged = false;
  let resting: number | undefined;

  const changed = () => {
    hasChanged = true;
    if (isShown && !isBusy && resting === undefined) void run();
  };
  const run = async () => {
    hasChanged = false;
    isBusy = true;
    const began = Date.now();
    await refresh();
    isBusy = false;
    if (!isShown) return;
    resting = window.setTimeout(rested, Math.max(pause, Date.now() - began));
  };
  const rested = () => {
    resting = undefined;
    if (hasChanged) changed();
  };
  new IntersectionObserver((entries) => {
    const wasShown = isShown;
    isShown = entries.at(-1)!.isIntersecting;
    if (isShown === wasShown) return;
    if (isShown) {
      changed();
    } else {
      clearTimeout(resting);
      resting = undefined;
      hidden();
    }
  }).observe(element);
  return { changed };
}
