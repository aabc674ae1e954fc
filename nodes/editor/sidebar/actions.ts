import type { Counted } from "./counts";
import { mayRun } from "./inbox";
import { icon, part, press } from "./parts";
import { t } from "./words";

/** What can be done with all that failed, or with what the list shows of it. */
export class Actions {
  readonly element = part("actions");
  readonly #run = $("<button>", { type: "button", class: "red-ui-button red-ui-button-small" });
  readonly #label = $("<span>", { class: "radaro-sidebar-label" });
  readonly #number = $("<span>");
  readonly #causes = $("<button>", { type: "button", class: "red-ui-button red-ui-button-small" });

  /** @param does `run`: runs again; `causes`: shows what failed by its cause, or the events again */
  constructor(does: { run(): void; causes(): void }) {
    this.#run.append(icon("repeat"), this.#label, this.#number).on("click", () => does.run());
    const byCause = $("<span>", { class: "radaro-sidebar-label" }).text(t("button.causes"));
    this.#causes.attr("title", t("tip.causes")).append(icon("object-group"), byCause);
    press(this.#causes, false);
    this.#causes.on("click", () => does.causes());
    this.element.append(this.#run, this.#causes).hide();
  }

  /** @param isNarrowed whether the numbers are of what a filter lets through */
  show({ counts, isWhole }: Counted, isNarrowed: boolean, hasCauses: boolean): void {
    const failed = counts?.failed ?? 0;
    const key = isNarrowed ? "run-shown" : "run-failed";
    this.#label.text(t(`button.${key}`));
    this.#number.text(` (${t("number", { count: failed })})`);
    this.#run.attr("title", t(`button.${key}`));
    this.#run.toggle(mayRun() && failed > 0).prop("disabled", !isWhole);
    const isPressed = this.#causes.attr("aria-pressed") === "true";
    this.#causes.toggle(hasCauses || isPressed);
    this.element.toggle(hasCauses || isPressed || failed > 0);
  }

  showCauses(areShown: boolean): void {
    press(this.#causes, areShown);
  }
}
