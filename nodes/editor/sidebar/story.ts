import type { StoredEvent } from "./inbox";
import { button, part } from "./parts";
import { jobOf, keyOfJob, t } from "./words";

/** Whose job's events are shown, where that is so. */
export class Story {
  readonly element = part("story").hide();
  #of: StoredEvent | undefined;

  /** @param left is called when the user goes back */
  constructor(private readonly left: () => void) {}

  /** The job that its events are found by, and its merchant. */
  get job(): { job: string; merchant: string } | undefined {
    const job = this.#of && keyOfJob(this.#of);
    return job === undefined ? undefined : { job, merchant: this.#of!.merchant };
  }

  tell(event: StoredEvent): void {
    this.#of = event;
    const back = button("back", "arrow-left").on("click", () => this.left());
    this.element.empty().append(back, $("<h2>").text(t("story", { job: jobOf(event) })));
    this.element.show();
  }

  end(): void {
    this.#of = undefined;
    this.element.hide();
  }
}
