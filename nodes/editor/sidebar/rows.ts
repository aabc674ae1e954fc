import type { JsonObject } from "../../../src/event/json";
import { contentOf } from "./content";
import type { Deed } from "./deeds";
import { Detail } from "./detail";
import { readEvent, type StoredEvent, type WholeEvent } from "./inbox";
import { byAge } from "./pages";
import { hasFocus } from "./parts";
import { Row } from "./row";
import { reasonOf, t } from "./words";

/** What is done with the events in a list. */
export interface RowsDo {
  act(event: StoredEvent, deed: Deed): void;
  test(event: StoredEvent): void;
  copyLink(event: StoredEvent): void;
  story(event: StoredEvent): void;
  /** The merchant of an event, where there are several. */
  merchantOf(event: StoredEvent): string | undefined;
}

/** The rows of a list, one of which may be open. */
export class Rows {
  readonly element = $("<ul>", { "aria-label": t("label.events") });
  readonly detail: Detail;
  readonly #rows = new Map<string, Row>();
  #opened: string | null = null;
  #pane: JQuery | undefined;
  isOldestFirst = false;

  /** @param scroller what they are in, and scrolls */
  constructor(
    private readonly scroller: HTMLElement,
    private readonly does: RowsDo,
  ) {
    this.detail = new Detail(does);
    this.element.on("keydown", (event) => this.#move(event));
  }

  /** The event that is open. */
  get openedEvent(): StoredEvent | undefined {
    return this.#opened === null ? undefined : this.#rows.get(this.#opened)?.event;
  }

  /** The events, the newest first. */
  get events(): StoredEvent[] {
    return [...this.#rows.values()].map(({ event }) => event).sort(byAge);
  }

  /** Whether their beginning is scrolled away. */
  get isAbove(): boolean {
    return this.element[0]!.getBoundingClientRect().top < this.scroller.getBoundingClientRect().top;
  }

  /** Whether somebody is in them, and not only looking at what comes in. */
  get isRead(): boolean {
    const isIn = this.element.is(":hover") || this.element.is(":focus-within");
    return this.isAbove || this.#opened !== null || isIn;
  }

  /** Where what is said of the open event is: beside the list, or with its row. */
  set pane(pane: JQuery | undefined) {
    this.#pane = pane;
    this.#placeDetail();
  }

  /** Shows these events, and moves nothing under the eyes or the hands of somebody who reads. */
  show(events: StoredEvent[]): void {
    const sorted = [...events].sort(byAge);
    if (this.isOldestFirst) sorted.reverse();
    const wanted = new Map(sorted.map((event) => [keyOf(event), event]));
    const anchor = this.isRead ? this.#findAnchor(wanted) : undefined;
    const before = anchor?.element.getBoundingClientRect().top;
    for (const [key, row] of this.#rows) if (!wanted.has(key)) this.#remove(key, row);
    this.#place(sorted);
    if (anchor && before !== undefined)
      this.scroller.scrollTop += anchor.element.getBoundingClientRect().top - before;
  }

  /** What stays where it is: what somebody points at, has opened, or sees first. */
  #findAnchor(wanted: Map<string, StoredEvent>): Row | undefined {
    const kept = [...this.#rows.values()].filter(({ event }) => wanted.has(keyOf(event)));
    const { top } = this.scroller.getBoundingClientRect();
    return (
      kept.find(({ element }) => element.matches(":hover, :focus-within")) ??
      kept.find(({ event }) => keyOf(event) === this.#opened && !this.#pane) ??
      kept.find(({ element }) => element.getBoundingClientRect().bottom > top)
    );
  }

  #remove(key: string, { element }: Row): void {
    if (hasFocus(element) || (key === this.#opened && hasFocus(this.detail.element[0]!))) {
      const neighbour = element.nextElementSibling ?? element.previousElementSibling;
      $(neighbour ?? [])
        .children(".radaro-sidebar-head")
        .trigger("focus");
    }
    if (key === this.#opened) this.close();
    element.remove();
    this.#rows.delete(key);
  }

  /** Adds those that are not there yet, and changes only what differs. */
  #place(events: StoredEvent[]): void {
    const items = this.element[0]!;
    let at = items.firstElementChild;
    for (const event of events) {
      const row = this.#rows.get(keyOf(event)) ?? this.#add(event);
      if (row.element === at) at = at.nextElementSibling;
      else items.insertBefore(row.element, at);
      if (JSON.stringify(row.event) !== JSON.stringify(event)) this.#update(row, event);
    }
  }

  #update(row: Row, event: StoredEvent): void {
    row.update(event);
    if (keyOf(event) === this.#opened) this.detail.update(event);
  }

  #add(event: StoredEvent): Row {
    const key = keyOf(event);
    const row = new Row(event, { ...this.does, toggle: () => this.#toggle(key) });
    this.#rows.set(key, row);
    return row;
  }

  #toggle(key: string): void {
    const isOpen = this.#opened === key;
    this.close();
    if (!isOpen) this.#open(key);
  }

  #open(key: string): Row | undefined {
    const row = this.#rows.get(key);
    if (!row) return undefined;
    this.#opened = key;
    row.setOpen(true);
    this.detail.show(row.event);
    this.#placeDetail();
    void this.readOpened();
    return row;
  }

  /** Opens an event that is in the list, and shows where it is. */
  openNow(event: StoredEvent): void {
    this.close();
    const row = this.#open(keyOf(event));
    row?.element.scrollIntoView({ block: "start" });
    row?.focus();
  }

  /** Asks what has become of the event that is open: the nodes that have it may be others by now. */
  async readOpened(): Promise<void> {
    const key = this.#opened;
    const row = key === null ? undefined : this.#rows.get(key);
    if (!row) return;
    const known = row.event;
    try {
      const { event, ...stored }: WholeEvent = await readEvent(known);
      if (this.#opened !== key) return;
      if (row.event === known) this.#update(row, stored);
      if (!this.detail.hasContent) this.detail.content(contentOf(event), event as JsonObject);
    } catch (failure) {
      if (this.#opened === key && !this.detail.hasContent)
        this.detail.content($("<div>").text(reasonOf(failure)));
    }
  }

  #placeDetail(): void {
    const element = this.detail.element.toggleClass("radaro-sidebar-beside", this.#pane !== undefined);
    const hadFocus = hasFocus(element[0]!) && element[0]!.ownerDocument.activeElement;
    const row = this.#opened === null ? undefined : this.#rows.get(this.#opened);
    if (!row) element.detach();
    else if (element.parent()[0] !== (this.#pane?.[0] ?? row.element))
      $(this.#pane ?? row.element).append(element);
    if (hadFocus instanceof Object) (hadFocus as HTMLElement).focus();
    this.#pane?.children(".radaro-sidebar-none").toggle(!row);
  }

  /** The arrow keys go from one event to the next. */
  #move(event: JQuery.KeyDownEvent): void {
    const step = event.key === "ArrowDown" ? "next" : event.key === "ArrowUp" ? "prev" : undefined;
    const head = $(event.target as HTMLElement);
    if (!step || !head.is(".radaro-sidebar-head")) return;
    const other = head.parent()[step]().children(".radaro-sidebar-head");
    if (other.length === 0) return;
    event.preventDefault();
    other.trigger("focus");
    if (this.#pane && this.#opened !== null) other.trigger("click");
  }

  focus(event: StoredEvent): void {
    this.#rows.get(keyOf(event))?.focus();
  }

  /** Closes the one that is open. */
  close(): void {
    if (this.#opened !== null) this.#rows.get(this.#opened)?.setOpen(false);
    this.#opened = null;
    this.detail.element.detach();
    this.#placeDetail();
  }

  empty(): void {
    this.close();
    this.#rows.clear();
    this.element.empty();
  }
}

function keyOf({ merchant, seq }: StoredEvent): string {
  return `${merchant}/${seq}`;
}
