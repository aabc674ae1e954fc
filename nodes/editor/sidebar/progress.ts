import type { Counts } from "./inbox";
import { iconButton, part } from "./parts";
import { t } from "./words";

/** How far the flow is with what is run again, by how many wait. */
export class Progress {
  readonly element = part("progress").attr("role", "status").hide();
  readonly #bar = $("<progress>", { max: 1, "aria-label": t("label.progress") });
  readonly #text = $("<span>");
  readonly #close = iconButton("close", "times").on("click", () => this.stop());
  #of: { count: number; before: Counts } | undefined;

  constructor() {
    this.element.append(this.#text, this.#bar, this.#close);
  }

  /** @param before how many events were in each state when `count` of them were run again */
  begin(count: number, before: Counts): void {
    this.#of = count > 0 ? { count, before } : undefined;
    if (this.#of) this.show(before, false);
  }

  /** @param hasBegun whether these are counts from after it began */
  show(counts: Counts | undefined, hasBegun = true): void {
    if (!this.#of || !counts) return;
    const { count, before } = this.#of;
    const left = hasBegun ? Math.min(count, Math.max(0, counts.waiting - before.waiting)) : count;
    const failed = Math.min(count, Math.max(0, counts.failed - Math.max(0, before.failed - count)));
    const key = left > 0 ? "going" : failed > 0 ? "failed" : "done";
    this.#text.text(t(`progress.${key}`, { count, done: count - left, failed }));
    this.#bar.val(1 - left / count).toggle(left > 0);
    this.element.show();
    if (left === 0) this.#of = undefined;
  }

  stop(): void {
    this.#of = undefined;
    this.element.hide();
  }
}
