import type { EditorRED } from "node-red";
import { ask, Failure, type Page, type StoredEvent } from "./inbox";
import { button, createRow, type Row } from "./row";
import { reasonOf, t } from "./words";

declare const RED: EditorRED;

/** Which events to show: each part `""` for any. */
export interface Filter {
  state: string;
  topic: string;
  job: string;
}

/** The events of one merchant, the newest first. */
export interface EventList {
  element: JQuery;
  /** Begins anew, with another merchant or another filter. */
  show(merchant: string, filter: Filter): Promise<void>;
  /** Asks for what is shown again, and changes only what differs. */
  refresh(): Promise<void>;
  /** Shows nothing, and asks no more. */
  clear(): void;
  /** Asks no more. */
  stop(): void;
}

/** How many events are asked for at once, at least, and how many are shown, about. */
const pageSize = 50;
const maxShown = 200;

/**
 * @param scroller what it will be in, and scrolls
 * @param does `run`: runs an event again; `seen`: is told of the events that are shown; `failed`: is
 *   told why they are not, or that they are
 */
export function createList(
  scroller: HTMLElement,
  does: {
    run(seq: string): void;
    seen(events: StoredEvent[]): void;
    failed(failure: Failure | undefined): void;
  },
): EventList {
  const newest = button("newest", "arrow-up").hide();
  const items = $("<ul>", { "aria-label": t("label.events") });
  const older = button("older", "arrow-down").addClass("radaro-sidebar-older").hide();
  const status = $("<div>", { class: "radaro-sidebar-status", role: "status" });
  const element = $("<div>", { class: "radaro-sidebar-list", tabindex: "-1" }).append(
    $("<div>", { class: "radaro-sidebar-newest" }).append(newest),
    items,
    status,
    older,
  );

  const rows = new Map<string, Row>();
  let merchant = "";
  let filter: Filter = { state: "", topic: "", job: "" };
  /** Before which event the list begins, and goes on; `null`: with the newest, and nothing. */
  let start: string | null = null;
  let next: string | null = null;
  let opened: string | null = null;
  /** Counts what was begun: what is left of something earlier is dropped. */
  let turn = 0;
  let queue = Promise.resolve();

  /** Does one thing after the other, unless something else has been begun by then. */
  const enqueue = (work: () => Promise<void>) => {
    const mine = turn;
    queue = queue.then(async () => {
      if (mine !== turn) return;
      try {
        await work();
        if (mine === turn) does.failed(undefined);
      } catch (failure) {
        if (mine !== turn) return;
        // What is wrong with the inbox is said above the list.
        status.text(failure instanceof Failure && failure.problem ? "" : reasonOf(failure));
        does.failed(failure as Failure);
      }
    });
    return queue;
  };

  /** Asks until there are enough events or none is left; `undefined` where it is wanted no more. */
  const find = async (
    from: string | null,
    isEnough: (found: StoredEvent[]) => boolean,
    searching = () => status.text(t("searching")),
  ) => {
    const mine = turn;
    const found: StoredEvent[] = [];
    for (let before = from; ;) {
      const query = $.param({ ...filter, ...(before !== null && { before }) });
      const page = await ask<Page>(`/${merchant}/events?${query}`);
      if (mine !== turn) return undefined;
      found.push(...page.events);
      before = page.next;
      if (before === null || isEnough(found)) return { events: found, next: before };
      searching();
    }
  };

  const isFull = ({ length }: StoredEvent[]) => length >= pageSize;

  const load = async () => {
    const page = await find(start, isFull);
    if (!page) return;
    next = page.next;
    display(page.events);
  };

  const isAbove = () => items[0]!.getBoundingClientRect().top < scroller.getBoundingClientRect().top;
  /** Whether somebody is in the list, and not only looking at what comes in. */
  const isRead = () => isAbove() || opened !== null || items.is(":hover") || items.is(":focus-within");

  const refresh = async () => {
    const oldest = isRead() ? [...rows.keys()].sort()[0] : undefined;
    const reaches = (found: StoredEvent[]) => oldest === undefined || found.at(-1)!.seq <= oldest;
    const page = await find(
      start,
      (found) => found.length >= maxShown || (isFull(found) && reaches(found)),
      () => status.empty(), // nobody waits for it
    );
    if (!page) return;
    const mine = turn;
    const events = await withOpened(page.events);
    if (mine !== turn) return;
    next = page.next;
    display(events);
  };

  /** An event that is open stays, although the filter does not let it through any more. */
  const withOpened = async (events: StoredEvent[]) => {
    const seq = opened;
    if (seq === null || events.some((event) => event.seq === seq)) return events;
    try {
      return [...events, await ask<StoredEvent>(`/${merchant}/events/${seq}`)];
    } catch (failure) {
      if (failure instanceof Failure && failure.status === 404) return events; // deleted meanwhile
      throw failure;
    }
  };

  const loadOlder = async () => {
    if (next === null) return;
    const page = await find(next, isFull);
    if (!page) return;
    const shown = [...rows.values()].map(({ event }) => event).sort(byAge);
    if (shown.length + page.events.length > maxShown) {
      start = shown.splice(0, page.events.length).at(-1)?.seq ?? start;
    }
    next = page.next;
    display([...shown, ...page.events]);
    if (next === null && page.events.length > 0) rows.get(page.events[0]!.seq)?.focus();
  };

  /** Shows these events, and moves nothing under the eyes or the hands of somebody who reads. */
  const display = (events: StoredEvent[]) => {
    const wanted = new Map(events.sort(byAge).map((event) => [event.seq, event]));
    const kept = [...rows.values()].filter(({ event }) => wanted.has(event.seq));
    const anchor = isRead()
      ? (kept.find(({ element }) => element.matches(":hover, :focus-within")) ??
        kept.find(({ event }) => event.seq === opened) ??
        kept.find(
          ({ element }) => element.getBoundingClientRect().bottom > scroller.getBoundingClientRect().top,
        ))
      : undefined;
    const before = anchor?.element.getBoundingClientRect().top;

    for (const [seq, row] of [...rows].sort()) {
      if (wanted.has(seq)) continue;
      if (row.element.contains(document.activeElement)) {
        const neighbour = row.element.nextElementSibling ?? row.element.previousElementSibling;
        $(neighbour ?? [])
          .children(".radaro-sidebar-head")
          .trigger("focus");
      }
      if (seq === opened) opened = null;
      row.element.remove();
      rows.delete(seq);
    }
    let at = items[0]!.firstElementChild;
    for (const event of wanted.values()) {
      const row = rows.get(event.seq) ?? addRow(event);
      if (row.element === at) at = at.nextElementSibling;
      else items[0]!.insertBefore(row.element, at);
      if (JSON.stringify(row.event) !== JSON.stringify(event)) row.update(event);
    }

    if (anchor && before !== undefined) {
      scroller.scrollTop += anchor.element.getBoundingClientRect().top - before;
    }
    older.toggle(next !== null);
    showNewest();
    status.text(wanted.size > 0 ? "" : t(Object.values(filter).some(Boolean) ? "no-match" : "no-events"));
    does.seen(events);
  };

  const addRow = (event: StoredEvent) => {
    const { seq } = event;
    const row = createRow(event, { toggle: () => toggle(seq), run: () => does.run(seq) });
    rows.set(seq, row);
    return row;
  };

  const close = () => {
    if (opened !== null) rows.get(opened)?.close();
    opened = null;
  };

  const toggle = (seq: string) => {
    const isOpen = opened === seq;
    close();
    const row = rows.get(seq);
    if (isOpen || !row) return;
    opened = seq;
    row.open();
    ask<{ event: object }>(`/${merchant}/events/${seq}`).then(
      ({ event }) => opened === seq && row.show(contentOf(event)),
      (failure: unknown) => opened === seq && row.show($("<div>").text(reasonOf(failure))),
    );
  };

  /** The way back, where the list does not begin with the newest or is not at its beginning. */
  const showNewest = () => newest.toggle(start !== null || isAbove());
  $(scroller).on("scroll", showNewest);
  newest.on("click", () => {
    scroller.scrollTop = 0;
    element[0]!.focus({ preventScroll: true }); // as the button goes
    if (start === null) return;
    close();
    start = null;
    turn += 1;
    void enqueue(load);
  });
  older.on("click", () => void enqueue(loadOlder));

  const empty = () => {
    turn += 1;
    rows.clear();
    items.empty();
    status.empty();
    older.hide();
    newest.hide();
    start = next = opened = null;
  };

  return {
    element,
    show(ofMerchant, withFilter) {
      if (ofMerchant !== merchant) empty();
      close();
      turn += 1;
      merchant = ofMerchant;
      filter = withFilter;
      start = null;
      status.text(t("loading"));
      return enqueue(load);
    },
    refresh: () => enqueue(refresh),
    clear() {
      empty();
      merchant = "";
    },
    stop() {
      turn += 1;
    },
  };
}

function byAge(a: StoredEvent, b: StoredEvent): number {
  return a.seq < b.seq ? 1 : -1;
}

/** An event as the debug sidebar shows it, and what has changed at a glance; by keys too. */
function contentOf(event: object): JQuery {
  try {
    return treeOf(event);
  } catch {
    // The editor's tree fails on some names, such as `hasOwnProperty`.
    return $("<pre>").text(JSON.stringify(event, null, 2));
  }
}

function treeOf(event: object): JQuery {
  const tree = RED.utils.createObjectElement(event, {
    path: "payload",
    rootPath: "payload",
    expandPaths: ["new_values.", "old_values."],
  });
  const content = $("<div>", { class: "radaro-sidebar-tree" }).append(tree);
  const makeAccessible = () => {
    content.find(".red-ui-debug-msg-expandable").each((_, part) => {
      const isOpen = !part.parentElement!.classList.contains("collapsed");
      $(part).attr({ role: "button", tabindex: "0", "aria-expanded": String(isOpen) });
    });
  };
  makeAccessible();
  return content.on("click", makeAccessible).on("keydown", ({ key, target }) => {
    if (key !== "Enter" && key !== " ") return;
    $(target).trigger("click");
    return false;
  });
}
