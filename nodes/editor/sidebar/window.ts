import { t, language } from "./words";
import type { View } from "./view";

const name = "radaro-inbox";

let opened: Window | undefined;

/**
 * Shows a view in a window of its own, which has the editor's styles and goes with the editor.
 *
 * @param create makes what it shows
 * @returns whether the browser has let it
 */
export function openWindow(create: () => View): boolean {
  if (opened && !opened.closed) {
    opened.focus();
    return true;
  }
  const other = window.open("", name, "popup,width=1200,height=800");
  if (!other) return false;
  opened = other;
  const { document } = other;
  document.head.replaceChildren();
  document.body.replaceChildren();
  document.title = t("window-title");
  document.documentElement.lang = language();
  copyStyles(document);
  const view = create();
  const frame = $("<main>", { class: "red-ui-editor radaro-window", "aria-label": t("window-title") });
  $(document.body).append(frame.append(view.root));
  view.start();
  const themes = copyTheme(document);
  other.addEventListener("pagehide", () => {
    themes.disconnect();
    view.stop();
  });
  window.addEventListener("pagehide", () => other.close());
  other.focus();
  return true;
}

/** The styles that the editor has by now. */
function copyStyles(document: Document): void {
  for (const each of window.document.querySelectorAll<HTMLElement>("link[rel~=stylesheet], style")) {
    const copy = document.importNode(each, true);
    if (each instanceof HTMLLinkElement) copy.setAttribute("href", each.href);
    document.head.append(copy);
  }
}

/** The editor's theme, as it is and as it becomes. */
function copyTheme(document: Document): MutationObserver {
  const copy = () => {
    document.documentElement.className = window.document.documentElement.className;
    document.body.className = window.document.body.className;
  };
  copy();
  const observer = new MutationObserver(copy);
  for (const each of [window.document.documentElement, window.document.body])
    observer.observe(each, { attributeFilter: ["class"] });
  return observer;
}
