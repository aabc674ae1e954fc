import { topics } from "../../../src/event/catalog";
import { nameOf } from "../names";
import type { Deed } from "./deeds";
import { briefOf, deliveriesOf, marksOf } from "./deliveries";
import { mayRun, type StoredEvent } from "./inbox";
import { button, fill, icon, part, showState } from "./parts";
import { happened, jobOf, t, timeOf } from "./words";

/** The buttons of an event: each where it makes sense, and some only when the event is open. */
const buttons: { deed: Deed; icon: string; states: StoredEvent["state"][]; onlyOpen: boolean }[] = [
  { deed: "run", icon: "repeat", states: ["failed"], onlyOpen: false },
  { deed: "run-all", icon: "repeat", states: ["processed"], onlyOpen: true },
  { deed: "settle", icon: "check", states: ["failed"], onlyOpen: true },
  { deed: "delete", icon: "trash", states: ["failed", "waiting", "processed"], onlyOpen: true },
];

/** One event in the list. */
export class Row {
  readonly #root = $("<li>");
  readonly #time = $("<span>", { class: "radaro-sidebar-time" });
  readonly #state = $("<span>", { class: "radaro-sidebar-state" });
  readonly #title = $("<span>");
  readonly #job = part("job");
  readonly #head = $("<button>", { type: "button", class: "radaro-sidebar-head" });
  readonly #marks = part("marks");
  readonly #brief = part("brief");
  readonly #buttons = buttons.map((each) => ({
    ...each,
    element: button(each.deed, each.icon).attr("title", t(`tip.${each.deed}`)),
  }));
  readonly #deliveries = $("<div>");
  readonly #content = part("content");
  readonly #opened = part("opened").hide();

  /** @param does what the row's buttons do */
  constructor(
    public event: StoredEvent,
    does: { toggle(): void; act(deed: Deed, asker: JQuery): void },
  ) {
    const id = `radaro-sidebar-${event.seq}`;
    this.#head
      .attr({ "aria-expanded": "false", "aria-controls": id })
      .append(
        part("line").append(this.#time, this.#state),
        part("what").append(icon("angle-right"), this.#title),
        this.#job,
      )
      .on("click", () => does.toggle());
    for (const { deed, element } of this.#buttons) element.on("click", () => does.act(deed, element));
    this.#root.append(
      this.#head,
      this.#marks,
      this.#brief,
      part("buttons").append(this.#buttons.map(({ element }) => element)),
      this.#opened.attr("id", id).append(this.#deliveries, this.#content),
    );
    this.update(event);
  }

  get element(): HTMLElement {
    return this.#root[0]!;
  }

  get #isOpen(): boolean {
    return this.#head.attr("aria-expanded") === "true";
  }

  update(event: StoredEvent): void {
    const hadFocus = this.element.contains(document.activeElement);
    this.event = event;
    this.#root.attr("class", `radaro-sidebar-event radaro-sidebar-${event.state}`);
    this.#time.text(timeOf(event.receivedAt)).attr("title", event.receivedAt);
    showState(this.#state, event.state);
    this.#title.text(happened(event)).attr("title", event.topic);
    this.#job.text(jobOf(event)).attr("title", jobOf(event));
    this.#marks.empty().append(marksOf(event));
    const isOpen = this.#isOpen;
    const { deliveries } = event;
    fill(this.#brief.toggle(!isOpen), deliveries, () => briefOf(deliveries));
    fill(this.#deliveries, isOpen && deliveries, () => (isOpen ? deliveriesOf(deliveries) : []));
    for (const { element, states, onlyOpen } of this.#buttons)
      element.toggle(mayRun() && states.includes(event.state) && (isOpen || !onlyOpen));
    const focused = this.element.contains(document.activeElement) && document.activeElement;
    if (hadFocus && !(focused && $(focused).is(":visible"))) this.focus();
  }

  /** Shows the event itself, once it is there, below what is said of it. */
  open(): void {
    this.#head.attr("aria-expanded", "true");
    this.#content.text(t("loading"));
    this.#opened.show();
    this.update(this.event);
  }

  show(content: JQuery): void {
    this.#content.empty().append(topicOf(this.event), content);
  }

  close(): void {
    this.#head.attr("aria-expanded", "false");
    this.#content.empty();
    this.#opened.hide();
    this.update(this.event);
  }

  focus(): void {
    this.#head.trigger("focus");
  }
}

function topicOf({ topic, path }: StoredEvent): JQuery {
  return $("<div>").append(
    Object.hasOwn(topics, topic) ? document.createTextNode(`${nameOf("topic", topic)} `) : [],
    topic ? [$("<code>").text(topic), document.createTextNode(" ")] : [],
    $("<code>").text(path),
  );
}
