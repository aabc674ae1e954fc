import type { Deed } from "./deeds";
import { ask, Failure, type Page, type StoredEvent } from "./inbox";
import { button } from "./parts";
import { Rows } from "./rows";
import { reasonOf, t } from "./words";

/** Which events to show: each part `""` for any. */
export interface Filter {
  state: string;
  topic: string;
  job: string;
}

/** How many events are asked for at once, at least, and how many are shown, about. */
const pageSize = 50;
const maxShown = 200;

const isFull = ({ length }: StoredEvent[]) => length >= pageSize;

/** The events of one merchant, the newest first. */
export class EventList {
  readonly element: JQuery;
  readonly #rows: Rows;
  readonly #newest = button("newest", "arrow-up").hide();
  readonly #older = button("older", "arrow-down").addClass("radaro-sidebar-older").hide();
  readonly #status = $("<div>", { class: "radaro-sidebar-status", role: "status" });
  #merchant = "";
  #filter: Filter = { state: "", topic: "", job: "" };
  /** Before which event the list begins, and goes on; `null`: with the newest, and nothing. */
  #start: string | null = null;
  #next: string | null = null;
  /** Counts what was begun: what is left of something earlier is dropped. */
  #turn = 0;
  #queue = Promise.resolve();

  /**
   * @param scroller what it will be in, and scrolls
   * @param does `act`: does something with an event; `seen`: is told of the events that are shown; `failed`: is
   *   told why they are not, or that they are
   */
  constructor(
    private readonly scroller: HTMLElement,
    private readonly does: {
      act(event: StoredEvent, deed: Deed, asker: JQuery): void;
      seen(events: StoredEvent[]): void;
      failed(failure: Failure | undefined): void;
    },
  ) {
    this.#rows = new Rows(scroller, {
      act: (...what) => does.act(...what),
      read: (seq) => ask<StoredEvent & { event: object }>(`/${this.#merchant}/events/${seq}`),
    });
    this.element = $("<div>", { class: "radaro-sidebar-list", tabindex: "-1" }).append(
      $("<div>", { class: "radaro-sidebar-newest" }).append(this.#newest),
      this.#rows.element,
      this.#status,
      this.#older,
    );
    $(scroller).on("scroll", () => this.#showNewest());
    this.#newest.on("click", () => this.#toNewest());
    this.#older.on("click", () => void this.#enqueue(() => this.#loadOlder()));
  }

  /** Begins anew, with another merchant or another filter. */
  show(merchant: string, filter: Filter): Promise<void> {
    if (merchant !== this.#merchant) this.#empty();
    this.#rows.close();
    this.#turn += 1;
    this.#merchant = merchant;
    this.#filter = filter;
    this.#start = null;
    this.#status.text(t("loading"));
    return this.#enqueue(() => this.#load());
  }

  /** Asks for what is shown again, and changes only what differs. */
  refresh(): Promise<void> {
    return this.#enqueue(() => this.#loadAgain());
  }

  /** Shows nothing, and asks no more. */
  clear(): void {
    this.#empty();
    this.#merchant = "";
  }

  /** Asks no more. */
  stop(): void {
    this.#turn += 1;
  }

  #empty(): void {
    this.#turn += 1;
    this.#rows.empty();
    this.#status.empty();
    this.#older.hide();
    this.#newest.hide();
    this.#start = this.#next = null;
  }

  /** Does one thing after the other, unless something else has been begun by then. */
  #enqueue(work: () => Promise<void>): Promise<void> {
    const mine = this.#turn;
    this.#queue = this.#queue.then(async () => {
      if (mine !== this.#turn) return;
      try {
        await work();
        if (mine === this.#turn) this.does.failed(undefined);
      } catch (failure) {
        if (mine !== this.#turn) return;
        // What is wrong with the inbox is said above the list.
        this.#status.text(failure instanceof Failure && failure.problem ? "" : reasonOf(failure));
        this.does.failed(failure as Failure);
      }
    });
    return this.#queue;
  }

  /** Asks until there are enough events or none is left; `undefined` where it is wanted no more. */
  async #find(
    from: string | null,
    isEnough: (found: StoredEvent[]) => boolean,
    searching = () => void this.#status.text(t("searching")),
  ): Promise<Page | undefined> {
    const mine = this.#turn;
    const found: StoredEvent[] = [];
    for (let before = from; ;) {
      const query = $.param({ ...this.#filter, ...(before !== null && { before }) });
      const page = await ask<Page>(`/${this.#merchant}/events?${query}`);
      if (mine !== this.#turn) return undefined;
      found.push(...page.events);
      before = page.next;
      if (before === null || isEnough(found)) return { events: found, next: before };
      searching();
    }
  }

  async #load(): Promise<void> {
    const page = await this.#find(this.#start, isFull);
    if (page) this.#display(page);
  }

  async #loadAgain(): Promise<void> {
    const oldest = this.#rows.isRead ? this.#rows.events.at(-1)?.seq : undefined;
    const reaches = (found: StoredEvent[]) => oldest === undefined || found.at(-1)!.seq <= oldest;
    const page = await this.#find(
      this.#start,
      (found) => found.length >= maxShown || (isFull(found) && reaches(found)),
      () => void this.#status.empty(), // nobody waits for it
    );
    if (!page) return;
    const mine = this.#turn;
    const events = await this.#withOpened(page.events);
    if (mine === this.#turn) this.#display({ events, next: page.next });
  }

  /** An event that is open stays, although the filter does not let it through any more. */
  async #withOpened(events: StoredEvent[]): Promise<StoredEvent[]> {
    const seq = this.#rows.opened;
    if (seq === null || events.some((event) => event.seq === seq)) return events;
    try {
      return [...events, await ask<StoredEvent>(`/${this.#merchant}/events/${seq}`)];
    } catch (failure) {
      if (failure instanceof Failure && failure.status === 404) return events; // deleted meanwhile
      throw failure;
    }
  }

  async #loadOlder(): Promise<void> {
    if (this.#next === null) return;
    const page = await this.#find(this.#next, isFull);
    if (!page) return;
    const shown = this.#rows.events;
    if (shown.length + page.events.length > maxShown)
      this.#start = shown.splice(0, page.events.length).at(-1)?.seq ?? this.#start;
    this.#display({ events: [...shown, ...page.events], next: page.next });
    if (page.next === null && page.events.length > 0) this.#rows.focus(page.events[0]!.seq);
  }

  #display({ events, next }: Page): void {
    this.#next = next;
    this.#rows.show(events);
    this.#older.toggle(next !== null);
    this.#showNewest();
    const isNarrowed = Object.values(this.#filter).some(Boolean);
    this.#status.text(events.length > 0 ? "" : t(isNarrowed ? "no-match" : "no-events"));
    this.does.seen(events);
  }

  /** The way back, where the list does not begin with the newest or is not at its beginning. */
  #showNewest(): void {
    this.#newest.toggle(this.#start !== null || this.#rows.isAbove);
  }

  #toNewest(): void {
    this.scroller.scrollTop = 0;
    this.element[0]!.focus({ preventScroll: true }); // as the button goes
    if (this.#start === null) return;
    this.#rows.close();
    this.#start = null;
    this.#turn += 1;
    void this.#enqueue(() => this.#load());
  }
}
