import type { EditorRED } from "node-red";

declare const RED: EditorRED;

/** An event as the debug sidebar shows it, and what has changed at a glance; by keys too. */
export function contentOf(event: object): JQuery {
  try {
    return treeOf(event);
  } catch {
    // The editor's tree fails on some names, such as `hasOwnProperty`.
    return $("<pre>").text(JSON.stringify(event, null, 2));
  }
}

function treeOf(event: object): JQuery {
  const tree = RED.utils.createObjectElement(event, {
    path: "payload",
    rootPath: "payload",
    expandPaths: ["new_values.", "old_values."],
  });
  const content = $("<div>", { class: "radaro-sidebar-tree" }).append(tree);
  const makeAccessible = () => {
    content.find(".red-ui-debug-msg-expandable").each((_, part) => {
      const isOpen = !part.parentElement!.classList.contains("collapsed");
      $(part).attr({ role: "button", tabindex: "0", "aria-expanded": String(isOpen) });
    });
  };
  makeAccessible();
  return content.on("click", makeAccessible).on("keydown", ({ key, target }) => {
    if (key !== "Enter" && key !== " ") return;
    $(target).trigger("click");
    return false;
  });
}
