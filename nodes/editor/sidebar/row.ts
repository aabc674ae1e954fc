import { briefOf, marksOf } from "./deliveries";
import { mayRun, type StoredEvent } from "./inbox";
import { button, fill, hasFocus, icon, link, part, showState } from "./parts";
import type { RowsDo } from "./rows";
import { happened, jobOf, nameOfJob, t, timeOf } from "./words";

/** One event in the list. */
export class Row {
  readonly #root = $("<li>");
  readonly #time = $("<span>", { class: "radaro-sidebar-time" });
  readonly #state = $("<span>", { class: "radaro-sidebar-state" });
  readonly #what = $("<span>");
  readonly #name = $("<span>", { class: "radaro-sidebar-name" });
  readonly #head = $("<button>", { type: "button", class: "radaro-sidebar-head" });
  readonly #job = link("", t("tip.story")).addClass("radaro-sidebar-job");
  readonly #marks = part("marks");
  readonly #brief = part("brief");
  readonly #run = button("run", "repeat").attr("title", t("tip.run"));
  readonly #buttons = part("buttons").append(this.#run);

  /** @param does what the row's buttons do */
  constructor(
    public event: StoredEvent,
    private readonly does: Pick<RowsDo, "act" | "story" | "merchantOf"> & { toggle(): void },
  ) {
    this.#head
      .attr("aria-expanded", "false")
      .append(
        part("line").append(this.#time, this.#state),
        part("what").append(icon("angle-right"), this.#what),
      )
      .on("click", () => does.toggle());
    this.#job.on("click", () => does.story(this.event));
    this.#run.on("click", () => does.act(this.event, "run"));
    const about = part("about").append(this.#job, this.#name);
    this.#root.append(this.#head, about, this.#marks, part("foot").append(this.#brief, this.#buttons));
    this.update(event);
  }

  get element(): HTMLElement {
    return this.#root[0]!;
  }

  get #isOpen(): boolean {
    return this.#head.attr("aria-expanded") === "true";
  }

  update(event: StoredEvent): void {
    const hadFocus = hasFocus(this.element);
    this.event = event;
    const isOpen = this.#isOpen;
    this.#root
      .attr("class", `radaro-sidebar-event radaro-sidebar-${event.state}`)
      .toggleClass("radaro-sidebar-open", isOpen);
    this.#time.text(timeOf(event.receivedAt)).attr("title", event.receivedAt);
    showState(this.#state, event.state);
    this.#what.text(happened(event)).attr("title", event.topic);
    const names = [nameOfJob(event), this.does.merchantOf(event)].filter(Boolean);
    this.#name.text(names.join(" · ")).toggle(names.length > 0);
    this.#job.text(jobOf(event)).toggle(jobOf(event) !== "");
    this.#marks.empty().append(marksOf(event));
    const { deliveries } = event;
    fill(this.#brief.toggle(!isOpen), deliveries, () => briefOf(deliveries));
    this.#buttons.toggle(mayRun() && event.state === "failed" && !isOpen);
    const focused = this.element.ownerDocument.activeElement;
    if (hadFocus && !(focused && this.element.contains(focused) && $(focused).is(":visible"))) this.focus();
  }

  setOpen(isOpen: boolean): void {
    this.#head.attr("aria-expanded", String(isOpen));
    this.update(this.event);
  }

  focus(): void {
    this.#head.trigger("focus");
  }
}
