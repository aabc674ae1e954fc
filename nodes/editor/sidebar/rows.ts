import { contentOf } from "./content";
import type { StoredEvent } from "./inbox";
import type { Deed } from "./deeds";
import { Row } from "./row";
import { reasonOf, t } from "./words";

/** The rows of a list, one of which may be open. */
export class Rows {
  readonly element = $("<ul>", { "aria-label": t("label.events") });
  readonly #rows = new Map<string, Row>();
  #opened: string | null = null;

  /**
   * @param scroller what they are in, and scrolls
   * @param does `act`: does something with an event, and asks the user before, with a button that gets the
   *   focus back; `read`: gets one with its `event`
   */
  constructor(
    private readonly scroller: HTMLElement,
    private readonly does: {
      act(event: StoredEvent, deed: Deed, asker: JQuery): void;
      read(seq: string): Promise<StoredEvent & { event: object }>;
    },
  ) {}

  /** The seq of the event that is open. */
  get opened(): string | null {
    return this.#opened;
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
    return (
      this.isAbove || this.#opened !== null || this.element.is(":hover") || this.element.is(":focus-within")
    );
  }

  /** Shows these events, and moves nothing under the eyes or the hands of somebody who reads. */
  show(events: StoredEvent[]): void {
    const wanted = new Map(events.sort(byAge).map((event) => [event.seq, event]));
    const anchor = this.isRead ? this.#findAnchor(wanted) : undefined;
    const before = anchor?.element.getBoundingClientRect().top;
    for (const [seq, row] of [...this.#rows].sort()) if (!wanted.has(seq)) this.#remove(seq, row);
    this.#place([...wanted.values()]);
    if (anchor && before !== undefined)
      this.scroller.scrollTop += anchor.element.getBoundingClientRect().top - before;
  }

  /** What stays where it is: what somebody points at, has opened, or sees first. */
  #findAnchor(wanted: Map<string, StoredEvent>): Row | undefined {
    const kept = [...this.#rows.values()].filter(({ event }) => wanted.has(event.seq));
    const { top } = this.scroller.getBoundingClientRect();
    return (
      kept.find(({ element }) => element.matches(":hover, :focus-within")) ??
      kept.find(({ event }) => event.seq === this.#opened) ??
      kept.find(({ element }) => element.getBoundingClientRect().bottom > top)
    );
  }

  #remove(seq: string, { element }: Row): void {
    if (element.contains(document.activeElement)) {
      const neighbour = element.nextElementSibling ?? element.previousElementSibling;
      $(neighbour ?? [])
        .children(".radaro-sidebar-head")
        .trigger("focus");
    }
    if (seq === this.#opened) this.#opened = null;
    element.remove();
    this.#rows.delete(seq);
  }

  /** Adds those that are not there yet, and changes only what differs. */
  #place(events: StoredEvent[]): void {
    const items = this.element[0]!;
    let at = items.firstElementChild;
    for (const event of events) {
      const row = this.#rows.get(event.seq) ?? this.#add(event);
      if (row.element === at) at = at.nextElementSibling;
      else items.insertBefore(row.element, at);
      if (JSON.stringify(row.event) !== JSON.stringify(event)) row.update(event);
    }
  }

  #add(event: StoredEvent): Row {
    const { seq } = event;
    const row: Row = new Row(event, {
      toggle: () => this.#toggle(seq),
      act: (deed, asker) => this.does.act(row.event, deed, asker),
    });
    this.#rows.set(seq, row);
    return row;
  }

  #toggle(seq: string): void {
    const isOpen = this.#opened === seq;
    this.close();
    const row = this.#rows.get(seq);
    if (isOpen || !row) return;
    this.#opened = seq;
    row.open();
    const known = row.event;
    this.does.read(seq).then(
      ({ event, ...stored }) => {
        if (this.#opened !== seq) return;
        if (row.event === known) row.update(stored); // the nodes that have it may be others by now
        row.show(contentOf(event));
      },
      (failure: unknown) => this.#opened === seq && row.show($("<div>").text(reasonOf(failure))),
    );
  }

  focus(seq: string): void {
    this.#rows.get(seq)?.focus();
  }

  /** Closes the one that is open. */
  close(): void {
    if (this.#opened !== null) this.#rows.get(this.#opened)?.close();
    this.#opened = null;
  }

  empty(): void {
    this.#rows.clear();
    this.element.empty();
    this.#opened = null;
  }
}

function byAge(a: StoredEvent, b: StoredEvent): number {
  return a.seq < b.seq ? 1 : -1;
}
