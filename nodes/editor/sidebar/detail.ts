import { topics } from "../../../src/event/catalog";
import type { JsonObject } from "../../../src/event/json";
import { contactOf } from "../../../src/event/summary";
import { nameOf } from "../names";
import type { Deed } from "./deeds";
import { deliveriesOf, originOf } from "./deliveries";
import { mayRun, type StoredEvent } from "./inbox";
import { button, fill, hasFocus, icon, part, showState } from "./parts";
import type { RowsDo } from "./rows";
import { happened, jobOf, nameOfJob, t, timeOf } from "./words";

/** The buttons of an event, each where it makes sense. */
const buttons: { deed: Deed; icon: string; states: StoredEvent["state"][] }[] = [
  { deed: "run", icon: "repeat", states: ["failed"] },
  { deed: "settle", icon: "check", states: ["failed"] },
  { deed: "run-all", icon: "repeat", states: ["processed"] },
  { deed: "delete", icon: "trash", states: ["failed", "waiting", "processed"] },
];

/** What is said of the event that is open, and what can be done with it. */
export class Detail {
  readonly element = part("opened");
  readonly #heading = $("<h2>", { tabindex: "-1" });
  readonly #state = part("subheading");
  readonly #origin = part("marks");
  readonly #buttons = buttons.map((each) => ({
    ...each,
    element: button(each.deed, each.icon).attr("title", t(`tip.${each.deed}`)),
  }));
  readonly #test = button("test", "flask").attr("title", t("tip.test"));
  readonly #story = button("story", "list-ul").attr("title", t("tip.story"));
  readonly #link = button("link", "link").attr("title", t("tip.link"));
  readonly #deliveries = $("<div>");
  readonly #content = part("content");
  #event: StoredEvent | undefined;
  hasContent = false;

  constructor(private readonly does: RowsDo) {
    const withEvent = (what: (event: StoredEvent) => void) => () => this.#event && what(this.#event);
    for (const { deed, element } of this.#buttons)
      element.on(
        "click",
        withEvent((event) => does.act(event, deed)),
      );
    this.#test.on("click", withEvent(does.test));
    this.#story.on("click", withEvent(does.story));
    this.#link.on("click", withEvent(does.copyLink));
    const [run, settle, all, remove] = this.#buttons.map(({ element }) => element);
    this.element.append(
      part("title").append(this.#heading, this.#state, this.#origin),
      part("buttons").append([run!, all!, settle!, this.#test, this.#story, this.#link, remove!]),
      this.#deliveries,
      this.#content,
    );
  }

  /** Begins with another event. */
  show(event: StoredEvent): void {
    this.hasContent = false;
    this.#content.text(t("loading"));
    this.update(event);
  }

  /** Shows what has become of the event. */
  update(event: StoredEvent): void {
    const hadFocus = hasFocus(this.element[0]!);
    this.#event = event;
    this.#heading.text(happened(event));
    const said = [timeOf(event.receivedAt), jobOf(event), nameOfJob(event), this.does.merchantOf(event)];
    showState(this.#state, event.state);
    this.#state.append($("<span>").text(` · ${said.filter(Boolean).join(" · ")}`));
    this.#origin.empty().append(originOf(event));
    fill(this.#deliveries, [event.merchant, event.seq, event.deliveries], () =>
      deliveriesOf(event.deliveries, () => this.does.act(event, "run")),
    );
    for (const { element, states } of this.#buttons) element.toggle(mayRun() && states.includes(event.state));
    this.#test.toggle(mayRun());
    this.#story.toggle(jobOf(event) !== "");
    if (hadFocus && !hasFocus(this.element[0]!)) this.#heading.trigger("focus");
    else if (hadFocus && !$(this.element[0]!.ownerDocument.activeElement!).is(":visible"))
      this.#buttons.find(({ element }) => element.css("display") !== "none")?.element.trigger("focus");
  }

  /** Shows the event itself, once it is there, or why it is not. */
  content(content: JQuery, event?: JsonObject): void {
    this.hasContent = true;
    this.#content
      .empty()
      .append(event ? contact(event) : [], this.#event ? topicOf(this.#event) : [], content);
  }

  /** Whether the flow has it, so that the nodes that have it change. */
  get isMoving(): boolean {
    return this.#event?.deliveries?.some(({ since }) => since !== undefined) === true;
  }
}

/** Whom to ring and where to go, where the event says it. */
function contact(event: JsonObject): JQuery {
  const { phone, address } = contactOf(event);
  return part("contact").append(
    phone === null
      ? []
      : $("<a>", { href: `tel:${phone.replace(/[^+\d]/g, "")}` }).append(
          icon("phone"),
          ` `,
          $("<span>").text(phone),
        ),
    address === null ? [] : $("<span>").append(icon("map-marker"), ` `, $("<span>").text(address)),
  );
}

function topicOf({ topic, path }: StoredEvent): JQuery {
  return part("topic").append(
    Object.hasOwn(topics, topic) ? document.createTextNode(`${nameOf("topic", topic)} `) : [],
    topic ? [$("<code>").text(topic), document.createTextNode(" ")] : [],
    $("<code>").text(path),
  );
}
