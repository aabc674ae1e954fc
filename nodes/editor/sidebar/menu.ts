import { icon } from "./parts";
import { t } from "./words";

interface Item {
  icon: string;
  does: () => void;
}

/** A small menu: `button.<name>` is the text of each of its items. */
export function menu<N extends string>(label: string, items: Record<N, Item>) {
  const summary = $("<summary>", { class: "red-ui-button red-ui-button-small radaro-sidebar-icon" })
    .attr({ "aria-label": label, title: label })
    .append(icon("ellipsis-v"));
  const element = $("<details>", { class: "radaro-sidebar-menu" });
  const close = () => element.prop("open", false);
  const buttons = new Map(
    (Object.entries(items) as [N, Item][]).map(([name, item]) => {
      const button = $("<button>", { type: "button", title: t(`tip.${name}`) })
        .append(icon(item.icon), $("<span>").text(t(`button.${name}`)))
        .on("click", () => {
          close();
          summary.trigger("focus");
          item.does();
        });
      return [name, button] as const;
    }),
  );
  element.append(summary, $("<div>").append([...buttons.values()]));
  element.on("focusout", ({ relatedTarget }) => {
    if (!(relatedTarget && element[0]!.contains(relatedTarget as Element))) close();
  });
  element.on("keydown", ({ key }) => {
    if (key !== "Escape" || !element.prop("open")) return;
    close();
    summary.trigger("focus");
    return false;
  });
  return {
    element,
    /** Says which items there are now. */
    offer(offered: Record<N, boolean>) {
      for (const [name, button] of buttons) button.toggle(offered[name]);
    },
  };
}
