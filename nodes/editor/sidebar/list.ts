import { Failure, isNarrowed, readEvent, type Filter, type StoredEvent, type WholeEvent } from "./inbox";
import { find, isAtEnd, lookedBackTo, newestOf, type Cursor, type Page } from "./pages";
import { button, part } from "./parts";
import { Rows, type RowsDo } from "./rows";
import { reasonOf, t, timeOf } from "./words";

/** What a list shows. */
export interface Scope {
  /** The ids of the merchants whose events they are. */
  merchants: string[];
  filter: Filter;
  /** The oldest first, all of them: a job's story. */
  isStory?: boolean;
}

/** How many events are asked for at once, at least, and how many are shown, about. */
const pageSize = 50;
const maxShown = 200;

/** How near to its end a list goes on by itself, in pixels. */
const near = 200;

const isFull = ({ length }: StoredEvent[]) => length >= pageSize;

/** Events, the newest first. */
export class EventList {
  readonly element = part("list").attr("tabindex", "-1");
  readonly rows: Rows;
  readonly #newest = button("newest", "arrow-up");
  readonly #top = part("newest").append(this.#newest).hide();
  readonly #older = button("older", "arrow-down").addClass("radaro-sidebar-older").hide();
  readonly #status = part("status").attr("role", "status");
  #scope: Scope = { merchants: [], filter: {} };
  /** Where the list begins, and goes on. */
  #start: Cursor = {};
  #next: Cursor = {};
  /** Counts what was begun: what is left of something earlier is dropped. */
  #turn = 0;
  #queue = Promise.resolve();
  #isGoingOn = false;

  /**
   * @param scroller what it will be in, and scrolls
   * @param does `seen`: is told of the events that are shown; `failed`: is told why they are not, or that they are
   */
  constructor(
    private readonly scroller: HTMLElement,
    private readonly does: RowsDo & {
      seen(events: StoredEvent[]): void;
      failed(failure: Failure | undefined): void;
    },
  ) {
    this.rows = new Rows(scroller, does);
    this.element.append(this.#top, this.rows.element, this.#status, this.#older);
    $(scroller).on("scroll", () => {
      this.#showNewest();
      if (scroller.scrollTop + scroller.clientHeight > scroller.scrollHeight - near) this.#goOn();
    });
    this.#newest.on("click", () => this.#toNewest());
    this.#older.on("click", () => this.#goOn());
  }

  /** Begins anew, with something else. @param opened an event that is to be open, wherever it is */
  show(scope: Scope, opened?: WholeEvent): Promise<void> {
    if (scope.merchants.join() !== this.#scope.merchants.join()) this.#empty();
    this.rows.close();
    this.rows.isOldestFirst = scope.isStory === true;
    this.#turn += 1;
    this.#scope = scope;
    this.#start = newestOf(scope.merchants);
    this.#status.text(t("loading"));
    return this.#enqueue(async () => {
      await this.#load(opened);
      if (opened) this.rows.openNow(opened);
      else this.scroller.scrollTop = 0;
    });
  }

  /** Asks for what is shown again, and changes only what differs. */
  refresh(): Promise<void> {
    return this.#enqueue(() => this.#loadAgain());
  }

  /** Shows nothing, and asks no more. */
  clear(): void {
    this.#empty();
    this.#scope = { merchants: [], filter: {} };
  }

  /** Asks no more. */
  stop(): void {
    this.#turn += 1;
  }

  #empty(): void {
    this.#turn += 1;
    this.rows.empty();
    this.#status.empty();
    this.#older.hide();
    this.#top.hide();
    this.#start = this.#next = {};
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

  /** Finds events, as long as nothing else is wanted. */
  #find(
    from: Cursor,
    isEnough: (found: StoredEvent[]) => boolean,
    searching = (next: Cursor) => this.#saySearching(next),
  ): Promise<Page | undefined> {
    const mine = this.#turn;
    return find(this.#scope.filter, from, { isEnough, searching, isWanted: () => mine === this.#turn });
  }

  /** Says how far back was looked by now: what is found by then can be read meanwhile. */
  async #saySearching(next: Cursor): Promise<void> {
    const mine = this.#turn;
    const date = await lookedBackTo(next);
    if (mine === this.#turn) this.#status.text(date ? t("looking", { date: timeOf(date) }) : t("searching"));
  }

  async #load(opened?: StoredEvent): Promise<void> {
    const { isStory } = this.#scope;
    const page = await this.#find(this.#start, (found) =>
      isStory ? found.length >= maxShown : isFull(found),
    );
    if (!page) return;
    const isThere = page.events.some(
      ({ merchant, seq }) => merchant === opened?.merchant && seq === opened.seq,
    );
    this.#display(opened && !isThere ? { ...page, events: [...page.events, opened] } : page);
  }

  async #loadAgain(): Promise<void> {
    const { events } = this.rows;
    const oldest = this.#scope.isStory || this.rows.isRead ? events.at(-1) : undefined;
    const reaches = (found: StoredEvent[]) => !oldest || found.at(-1)!.receivedAt <= oldest.receivedAt;
    const page = await this.#find(
      this.#start,
      (found) => found.length >= maxShown || (isFull(found) && reaches(found)),
      async () => {
        if (this.rows.events.length > 0) this.#status.empty(); // nobody waits for it
        return Promise.resolve();
      },
    );
    if (!page) return;
    const mine = this.#turn;
    const withOpened = await this.#withOpened(page.events);
    if (mine === this.#turn) this.#display({ events: withOpened, next: page.next });
  }

  /** An event that is open stays, although the filter does not let it through any more. */
  async #withOpened(events: StoredEvent[]): Promise<StoredEvent[]> {
    const opened = this.rows.openedEvent;
    if (!opened || events.some(({ merchant, seq }) => merchant === opened.merchant && seq === opened.seq))
      return events;
    try {
      return [...events, await readEvent(opened)];
    } catch (failure) {
      if (failure instanceof Failure && failure.status === 404) return events; // deleted meanwhile
      throw failure;
    }
  }

  /** Goes on with older events, one page at a time. */
  #goOn(): void {
    if (this.#isGoingOn || this.#scope.isStory || isAtEnd(this.#next)) return;
    this.#isGoingOn = true;
    void this.#enqueue(() => this.#loadOlder()).finally(() => (this.#isGoingOn = false));
  }

  async #loadOlder(): Promise<void> {
    const hadFocus = this.#older[0] === this.scroller.ownerDocument.activeElement;
    const page = await this.#find(this.#next, isFull);
    if (!page) return;
    const shown = this.rows.events;
    if (shown.length + page.events.length > maxShown)
      for (const { merchant, seq } of shown.splice(0, page.events.length)) this.#start[merchant] = seq;
    this.#display({ events: [...shown, ...page.events], next: page.next });
    if (hadFocus && page.events[0]) this.rows.focus(page.events[0]);
  }

  #display({ events, next }: Page): void {
    this.#next = next;
    this.rows.show(events);
    this.#older.toggle(!isAtEnd(next) && !this.#scope.isStory);
    this.#showNewest();
    const { filter } = this.#scope;
    const none = t(isNarrowed(filter) || filter.state ? "no-match" : "no-events");
    this.#status.text(events.length > 0 ? "" : none);
    this.does.seen(events);
  }

  get #isAtStart(): boolean {
    return Object.values(this.#start).every((before) => before === "");
  }

  /** The way back, where the list does not begin with the newest or is not at its beginning. */
  #showNewest(): void {
    const isWanted = !this.#scope.isStory && (!this.#isAtStart || this.rows.isAbove);
    if (isWanted === (this.#top.css("display") !== "none")) return;
    const before = this.rows.element[0]!.getBoundingClientRect().top;
    this.#top.toggle(isWanted);
    this.scroller.scrollTop += this.rows.element[0]!.getBoundingClientRect().top - before; // nothing moves
  }

  #toNewest(): void {
    this.scroller.scrollTop = 0;
    this.element[0]!.focus({ preventScroll: true }); // as the button goes
    if (this.#isAtStart) return;
    this.rows.close();
    this.#start = newestOf(this.#scope.merchants);
    this.#turn += 1;
    void this.#enqueue(() => this.#load());
  }
}
