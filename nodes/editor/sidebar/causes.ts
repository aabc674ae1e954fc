import { ask, mayRun, type Cause } from "./inbox";
import { button, fill, lines, nodeLink, part } from "./parts";
import { reasonOf, t, timeOf } from "./words";

/** What failed, by its cause. */
export class Causes {
  readonly element = part("causes").hide();
  #turn = 0;

  /** @param does `show`: shows the events of a cause; `run`: runs those again, and only those */
  constructor(
    private readonly does: {
      show(cause: Cause): void;
      run(cause: Cause): void;
      merchantOf(cause: Cause): string | undefined;
    },
  ) {}

  get isShown(): boolean {
    return this.element.css("display") !== "none";
  }

  /** Asks for the causes of some merchants, and shows them. */
  async load(merchants: string[]): Promise<void> {
    this.element.show();
    const mine = ++this.#turn;
    if (this.element.is(":empty")) this.element.text(t("loading"));
    try {
      const found = await Promise.all(
        merchants.map(async (merchant) =>
          (await ask<Cause[]>(`/${merchant}/causes`)).map((cause) => ({ ...cause, merchant })),
        ),
      );
      if (mine === this.#turn) this.#show(found.flat().sort((a, b) => b.count - a.count));
    } catch (failure) {
      if (mine === this.#turn) fill(this.element, String(failure), () => lines([reasonOf(failure)]));
    }
  }

  hide(): void {
    this.#turn += 1;
    this.element.hide();
  }

  #show(causes: Cause[]): void {
    const today = new Date().toDateString(); // what is said of a time depends on it
    fill(this.element, [causes, today], () =>
      causes.length === 0
        ? [part("status").text(t("cause.none"))]
        : [
            $("<ul>", { "aria-label": t("label.causes") }).append(
              causes.map((cause) => this.#describe(cause)),
            ),
          ],
    );
  }

  #describe(cause: Cause): JQuery {
    const { node, error, count, again = 0, first, last } = cause;
    const show = button("show-cause", "list").on("click", () => this.does.show(cause));
    const run = $("<button>", { type: "button", class: "red-ui-button red-ui-button-small" })
      .text(t("button.run-cause", { count }))
      .on("click", () => this.does.run(cause));
    return $("<li>", { class: "radaro-sidebar-event radaro-sidebar-failed" }).append(
      part("what").text(t("cause.count", { count })),
      part("error").append($("<div>").text(error), nodeLink(node.id, node.name || node.type)),
      lines([
        this.does.merchantOf(cause),
        t("cause.since", { first: timeOf(first), last: timeOf(last) }),
        again > 0 && t("cause.again", { count: again }),
      ]),
      part("buttons").append(show, mayRun() ? run : []),
    );
  }
}
