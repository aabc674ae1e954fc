import { mayRun, type Inbox } from "./inbox";
import { confirm } from "./notify";
import { button, fill, icon, part } from "./parts";
import { t } from "./words";

/** What can be done with a merchant's inbox as a whole, and that it is paused. */
export class Actions {
  readonly element = part("actions");
  readonly paused = part("paused").attr("role", "status").hide();
  readonly #runAll = button("run-failed", "repeat");
  readonly #clear = button("clear", "trash");
  readonly #pause = $("<button>", { type: "button", class: "red-ui-button red-ui-button-small" });
  #inbox: Inbox | undefined;
  #name = "";

  /** @param act has something done with the merchant's inbox */
  constructor(private readonly act: (path: string) => void) {
    this.element.append(this.#runAll, this.#pause, this.#clear);
    this.#runAll.on("click", () => this.#askToRun());
    this.#clear.on("click", () => this.#askToClear());
    this.#pause.on("click", () => this.act(this.#inbox?.paused ? "resume" : "pause"));
  }

  show(inbox: Inbox, name: string): void {
    this.#inbox = inbox;
    this.#name = name;
    const { paused, counts } = inbox;
    const { waiting, failed, processed } = counts;
    this.element.toggle(mayRun());
    this.#runAll.prop("disabled", failed === 0);
    this.#clear.prop("disabled", failed + processed === 0);
    const doing = paused ? "resume" : "pause";
    fill(this.#pause.attr("title", t(`tip.${doing}`)), doing, () => [
      icon(paused ? "play" : "pause"),
      $("<span>").text(t(`button.${doing}`)),
    ]);
    fill(this.paused.toggle(paused), paused && waiting, () => [
      icon("pause"),
      $("<span>").text(t("paused", { count: waiting })),
    ]);
  }

  #askToRun(): void {
    if (!this.#inbox) return;
    const values = { count: this.#inbox.counts.failed, name: this.#name };
    confirm(this.#runAll, "run-failed", values, () => this.act("run"));
  }

  #askToClear(): void {
    if (!this.#inbox) return;
    const { waiting, failed, processed } = this.#inbox.counts;
    const values = { count: failed + processed, waiting, name: this.#name };
    confirm(this.#clear, "clear", values, () => this.act("clear"));
  }
}
