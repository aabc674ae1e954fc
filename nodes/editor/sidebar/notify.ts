import type { EditorRED } from "node-red";
import { t } from "./words";

declare const RED: EditorRED;

/** Says for a moment what was done. */
export function notify(texts: string[], type: "success" | "warning" | "error"): void {
  const content = $("<div>").append(texts.map((text) => $("<p>").text(text)));
  RED.notify(content, { type, id: "radaro-inbox", timeout: 4000 });
}

/** Asks before something is done, as the editor does. */
export function confirm(
  asker: JQuery,
  what: string,
  values: Record<string, string | number>,
  confirmed: () => void,
) {
  const close = () => {
    notification.close();
    asker.trigger("focus");
  };
  const notification = RED.notify($("<p>").text(t(`confirm.${what}`, values)), {
    type: "warning",
    modal: true,
    fixed: true,
    buttons: [
      { text: RED._("common.label.cancel"), click: close },
      {
        text: t(`confirm.button.${what}`),
        class: "primary",
        click: () => {
          close();
          confirmed();
        },
      },
    ],
  }) as unknown as HTMLElement & { close(): void };
  $(notification).find("button").first().trigger("focus");
}
