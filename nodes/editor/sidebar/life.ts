import type { EditorRED } from "node-red";
import { watchWhileShown } from "./watch";

declare const RED: EditorRED;

/** What a view does while it is shown. */
export interface Lives {
  /** Asks for what is shown. */
  refresh(): Promise<void>;
  hidden(): void;
  /** Is called now and then. */
  tick(): void;
}

/** How often something is looked at that nothing tells of, in milliseconds. */
const often = 2000;

/** What may have changed what is shown. */
const topics = [
  "radaro-inbox",
  // What is deployed may have an inbox or none.
  "notification/runtime-deploy",
];

/** Keeps a view up to date while it is shown, where it is by now. */
export function live(root: HTMLElement, { refresh, hidden, tick }: Lives) {
  const { document, window } = { document: root.ownerDocument, window: root.ownerDocument.defaultView! };
  const { changed, isShown, stop } = watchWhileShown(root, refresh, hidden);
  const timer = window.setInterval(() => {
    if (isShown() && !document.hidden) tick();
  }, often);
  for (const topic of topics) RED.comms.subscribe(topic, changed);
  RED.comms.on("connect", changed); // an answer may have been missed while there was no connection
  RED.events.on("login", changed);
  return {
    changed,
    /** Ends it, with its window. */
    stop: () => {
      stop();
      window.clearInterval(timer);
      for (const topic of topics) RED.comms.unsubscribe(topic, changed);
      RED.events.off("login", changed);
    },
  };
}
