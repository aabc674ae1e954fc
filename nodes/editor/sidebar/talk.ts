import type { EditorRED } from "node-red";
import { icon, part } from "./parts";
import { t, type Values } from "./words";

declare const RED: EditorRED;

/** How long it is said that something was done, in milliseconds. */
const shown = 8000;

/** What is asked and said where one has clicked: in the sidebar, or in a window of its own. */
export class Talk {
  readonly #notice = part("notice").attr("role", "status").hide();
  #hiding: number | undefined;

  /** @param root what dialogs and notices are part of */
  constructor(private readonly root: JQuery) {
    root.append(this.#notice);
  }

  /** Says what was done; what went wrong stays until it is closed. */
  say(texts: string[], type: "success" | "warning" | "error"): void {
    clearTimeout(this.#hiding);
    const close = $("<button>", {
      type: "button",
      class: "radaro-sidebar-close",
      "aria-label": t("button.close"),
    })
      .append(icon("times"))
      .on("click", () => this.#notice.hide().empty());
    this.#notice
      .attr("class", `radaro-sidebar-notice radaro-sidebar-notice-${type}`)
      .empty()
      .append($("<div>").append(texts.map((text) => $("<p>").text(text))), close)
      .show();
    if (type === "success") this.#hiding = window.setTimeout(() => this.#notice.hide().empty(), shown);
  }

  /**
   * Asks before something is done: `confirm.<what>` is the question, `confirm.button.<what>` the answer.
   *
   * @param choice what can be chosen besides
   */
  confirm(what: string, values: Values, choice?: JQuery): Promise<boolean> {
    const answer = $("<button>", { type: "button", class: "red-ui-button primary" }).text(
      t(`confirm.button.${what}`),
    );
    return this.#ask($("<p>").text(t(`confirm.${what}`, values)), choice, answer);
  }

  /** Shows a text that is to be copied, where the browser does not let it be copied at once. */
  async show(text: string, value: string): Promise<void> {
    const input = $("<input>", { type: "text", readonly: true, "aria-label": text }).val(value);
    input.on("focus", () => (input[0] as HTMLInputElement).select());
    await this.#ask($("<p>").text(text), input);
  }

  #ask(question: JQuery, choice: JQuery | undefined, answer?: JQuery): Promise<boolean> {
    const cancel = $("<button>", { type: "button", class: "red-ui-button", autofocus: true }).text(
      answer ? RED._("common.label.cancel") : t("button.close"),
    );
    const dialog = $("<dialog>", { class: "radaro-sidebar-dialog", "aria-label": question.text() }).append(
      question,
      choice ?? [],
      part("buttons").append(cancel, answer ?? []),
    );
    const element = dialog.appendTo(this.root)[0] as HTMLDialogElement;
    dialog.on("keydown", (event) => event.stopPropagation()); // no keys of the editor
    cancel.on("click", () => element.close(""));
    answer?.on("click", () => element.close("yes"));
    const answered = new Promise<boolean>((resolve) => {
      dialog.on("close", () => {
        dialog.remove();
        resolve(element.returnValue === "yes");
      });
    });
    element.showModal();
    return answered;
  }
}
