import { Actions } from "./actions";
import { Bulk } from "./bulk";
import { Causes } from "./causes";
import { count, type Counted } from "./counts";
import { Deeds } from "./deeds";
import { Filters } from "./filters";
import { Head } from "./head";
import { isNarrowed, readEvent, type Failure, type Filter, type Inbox, type StoredEvent } from "./inbox";
import type { Linked } from "./link";
import { watchWidth } from "./layout";
import { live } from "./life";
import { EventList } from "./list";
import { Merchants } from "./merchants";
import { part } from "./parts";
import { Progress } from "./progress";
import { Story } from "./story";
import { sum } from "./summary";
import { Talk } from "./talk";
import { reasonOf, t } from "./words";

/** The inboxes: in the sidebar, and in a window of their own. */
export class View {
  readonly root = $("<div>", { class: "radaro-sidebar" });
  readonly #message = part("message").attr("role", "status");
  readonly #inbox = part("inbox").hide();
  readonly #scroller = part("scroller");
  readonly #pane = part("pane").append(part("none").text(t("choose-event")));
  readonly #merchants = new Merchants();
  readonly #story = new Story(() => {
    this.#leaveStory();
    this.#choose();
  });
  readonly #talk = new Talk(this.root);
  readonly #deeds = new Deeds(this.#talk, () => this.changed());
  readonly #progress = new Progress();
  readonly #bulk = new Bulk(this.#talk, this.#deeds, this.#progress, () => ({
    inboxes: this.#shown,
    filter: this.#filter,
    counts: this.#counted.counts,
  }));
  readonly #filters = new Filters(() => this.#choose());
  readonly #actions = new Actions({ run: () => void this.#bulk.run(), causes: () => this.#toggleCauses() });
  readonly #causes = new Causes({
    show: (cause) => this.#filters.showCause(cause),
    run: (cause) => void this.#bulk.runCause(cause),
    merchantOf: (cause) => this.#merchants.nameOf(cause),
  });
  readonly #head: Head;
  readonly #list: EventList;
  #life: ReturnType<typeof live> | undefined;
  #counted: Counted = { counts: undefined, isWhole: true };
  #counting = 0;

  /**
   * @param readInboxes asks for all inboxes
   * @param openWindow absent: it is in one already
   */
  constructor(
    private readonly readInboxes: () => Promise<Inbox[]>,
    openWindow?: () => void,
  ) {
    this.#head = new Head({
      chooseMerchant: (id) => this.chooseMerchant(id),
      ...(openWindow && { openWindow }),
      pause: (isPaused) => void this.#bulk.pause(isPaused),
      catchUp: (id) => void this.#deeds.act([id], "catch-up"),
      clear: () => void this.#bulk.clear(),
      exportShown: () => void this.#bulk.exportShown(this.#document),
    });
    this.#list = new EventList(this.#scroller[0]!, {
      act: (event, deed) => void this.#deeds.do(event, deed),
      test: (event) => void this.#deeds.test(event),
      story: (event) => this.#showStory(event),
      copyLink: (event) => void this.#bulk.copyLink(event, this.#document.defaultView!.navigator),
      merchantOf: (event) => this.#merchants.nameOf(event),
      seen: (events) => this.#filters.topics.offer(events),
      failed: (failure) => {
        if (failure?.status === 404) this.changed(); // the merchant is not there any more
        this.#showProblem(failure);
      },
    });
    const { states, search, more, cause } = this.#filters;
    const narrowing = [this.#story.element, states.element, this.#actions.element, search, more, cause];
    this.#head.element.append(...narrowing, this.#progress.element, ...this.#head.notes);
    this.#scroller.append(this.#list.element, this.#causes.element);
    this.#inbox.append(this.#head.element, part("main").append(this.#scroller, this.#pane));
    this.root.prepend(this.#message, this.#inbox);
  }

  get #document(): Document {
    return this.root[0]!.ownerDocument;
  }

  /** Begins to show the inboxes, when it is where it will be. */
  start(): void {
    watchWidth(this.root, (isWide) => (this.#list.rows.pane = isWide ? this.#pane : undefined));
    this.#life = live(this.root[0]!, {
      refresh: () => this.#refresh(),
      hidden: () => {
        this.#filters.stop(); // what was typed is asked for when it is shown again
        this.#list.stop();
      },
      tick: () => this.#tick(),
    });
  }

  /** Ends it, with its window. */
  stop(): void {
    this.#life?.stop();
    this.#life = undefined;
  }

  /** Is to be called when something is another than it was. */
  readonly changed = (): void => this.#life?.changed();

  #tick(): void {
    if (this.#shown.length === 0) return;
    this.#head.show(this.#merchants.all, this.#merchants.chosen, this.#shown);
    if (this.#list.rows.detail.isMoving) void this.#list.rows.readOpened();
  }

  /** The inboxes whose events are shown. */
  get #shown(): Inbox[] {
    return this.#merchants.shown(this.#story.job?.merchant);
  }

  get #ids(): string[] {
    return this.#shown.map(({ id }) => id);
  }

  get #filter(): Filter {
    const { job } = this.#story.job ?? {};
    return job === undefined ? this.#filters.value : { job };
  }

  /** Begins anew with what is chosen. */
  #choose(opened?: Parameters<EventList["show"]>[1]): void {
    if (this.#shown.length === 0) return;
    this.#causes.hide();
    this.#actions.showCauses(false);
    this.#list.element.show();
    void this.#list.show(
      { merchants: this.#ids, filter: this.#filter, isStory: this.#story.job !== undefined },
      opened,
    );
    void this.#count();
  }

  async #count(): Promise<void> {
    const mine = ++this.#counting;
    const filter = this.#filter;
    const isWanted = () => mine === this.#counting;
    const tell = (counted: Counted) => {
      if (!isWanted()) return;
      this.#counted = counted;
      this.#filters.states.show(counted);
      this.#showActions();
    };
    try {
      await count(this.#shown, filter, tell, isWanted);
    } catch {
      tell({ counts: undefined, isWhole: true }); // why it could not be counted is why the list is not there
    }
  }

  #showActions(): void {
    const { failed } = sum(this.#shown.map(({ counts }) => counts));
    this.#actions.show(this.#counted, isNarrowed(this.#filter), failed > 0);
  }

  chooseMerchant(id: string): void {
    this.#merchants.choose(id);
    this.#leaveStory();
    this.#showInboxes();
    this.#choose();
  }

  /** Asks for what is shown. */
  async #refresh(): Promise<void> {
    try {
      this.#merchants.all = await this.readInboxes();
    } catch (failure) {
      this.#say(reasonOf(failure));
      return;
    }
    this.#merchants.chooseAgain();
    if (this.#merchants.chosen === "") {
      this.#say(t("no-inbox"));
      return;
    }
    this.#showInboxes();
    this.#progress.show(sum(this.#shown.map(({ counts }) => counts)));
    if (this.#ids.sort().join() !== this.#list.merchants.sort().join()) this.#choose();
    else if (this.#causes.isShown) await this.#loadCauses();
    else await Promise.all([this.#list.refresh(), this.#count()]);
  }

  /** Says something instead of showing an inbox. */
  #say(text: string): void {
    this.#message.text(text).show();
    this.#inbox.hide();
    this.#list.clear();
    this.#merchants.chosen = "";
  }

  #showInboxes(): void {
    this.#message.empty().hide();
    this.#inbox.show();
    this.#head.show(this.#merchants.all, this.#merchants.chosen, this.#shown);
    this.#showProblem(undefined);
  }

  #showProblem(failure: Failure | undefined): void {
    const problems = this.#shown.flatMap(({ problem }) => problem?.text ?? []);
    const text = failure?.problem?.text;
    this.#head.showProblem([...new Set([...(text ? [text] : []), ...problems])].join(" "));
  }

  #loadCauses(): Promise<void> {
    void this.#count();
    return this.#causes.load(this.#ids);
  }

  #toggleCauses(): void {
    if (this.#causes.isShown) {
      this.#choose();
      return;
    }
    this.#list.rows.close();
    this.#list.element.hide();
    this.#actions.showCauses(true);
    void this.#loadCauses();
  }

  /** Shows all events of a job, in their order. */
  #showStory(event: StoredEvent): void {
    this.#story.tell(event);
    this.#inbox.addClass("radaro-sidebar-telling");
    this.#choose();
  }

  #leaveStory(): void {
    this.#story.end();
    this.#inbox.removeClass("radaro-sidebar-telling");
  }

  /** Shows one event, wherever it is. */
  async showEvent(linked: Linked): Promise<void> {
    try {
      this.#merchants.all = await this.readInboxes();
      const event = await readEvent(linked);
      this.#leaveStory();
      this.#merchants.chosen = linked.merchant;
      this.#showInboxes();
      this.#filters.showCause(undefined);
      this.#choose(event);
    } catch (failure) {
      this.#talk.say([reasonOf(failure)], "error");
    }
  }
}
