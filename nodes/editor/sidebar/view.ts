import type { EditorRED } from "node-red";
import { Actions } from "./actions";
import { Bulk } from "./bulk";
import { Causes } from "./causes";
import { count, type Counted } from "./counts";
import { Deeds } from "./deeds";
import { Filters } from "./filters";
import { allMerchants, Head } from "./head";
import {
  isNarrowed,
  readEvent,
  type Cause,
  type Failure,
  type Filter,
  type Inbox,
  type StoredEvent,
} from "./inbox";
import type { Linked } from "./link";
import { EventList } from "./list";
import { button, part } from "./parts";
import { Progress } from "./progress";
import { sum } from "./summary";
import { Talk } from "./talk";
import { watchWhileShown } from "./watch";
import { jobOf, keyOfJob, reasonOf, t, titleOf } from "./words";

declare const RED: EditorRED;

const rememberedMerchant = "radaro-inbox-merchant";

/** From which width on the open event is beside the list, in pixels. */
const wide = 760;

/** How often it is asked what has become of the event that is open, in milliseconds. */
const often = 2000;

/** The inboxes: in the sidebar, and in a window of their own. */
export class View {
  readonly root = $("<div>", { class: "radaro-sidebar" });
  readonly #message = part("message").attr("role", "status");
  readonly #inbox = part("inbox").hide();
  readonly #scroller = part("scroller");
  readonly #pane = part("pane").append(part("none").text(t("choose-event")));
  readonly #story = part("story").hide();
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
    show: (cause) => this.#showCause(cause),
    run: (cause) => void this.#bulk.runCause(cause),
    merchantOf: (cause) => this.#merchantOf(cause),
  });
  readonly #head: Head;
  readonly #list: EventList;
  #watch: ReturnType<typeof watchWhileShown> | undefined;
  #timer: number | undefined;
  #inboxes: Inbox[] = [];
  #chosen = "";
  #counted: Counted = { counts: undefined, isWhole: true };
  #counting = 0;
  #storyOf: StoredEvent | undefined;

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
      clear: () => void this.#bulk.clear(),
      exportShown: () => void this.#bulk.exportShown(this.#document),
    });
    this.#list = new EventList(this.#scroller[0]!, {
      act: (event, deed) => void this.#deeds.do(event, deed),
      test: (event) => void this.#deeds.test(event),
      story: (event) => this.#showStory(event),
      copyLink: (event) => void this.#bulk.copyLink(event, this.#document.defaultView!.navigator),
      merchantOf: (event) => this.#merchantOf(event),
      seen: (events) => this.#filters.topics.offer(events),
      failed: (failure) => this.#showProblem(failure),
    });
    const { states, search, more, cause } = this.#filters;
    this.#head.element.append(
      ...[this.#story, states.element, this.#actions.element, search, more, cause, this.#progress.element],
      ...this.#head.notes,
    );
    this.#scroller.append(this.#list.element, this.#causes.element);
    this.#inbox.append(this.#head.element, part("main").append(this.#scroller, this.#pane));
    this.root.prepend(this.#message, this.#inbox);
  }

  get #document(): Document {
    return this.root[0]!.ownerDocument;
  }

  /** Begins to show the inboxes, when it is where it will be. */
  start(): void {
    const root = this.root[0]!;
    const window = this.#document.defaultView!;
    this.#watch = watchWhileShown(
      root,
      () => this.#refresh(),
      () => {
        this.#filters.stop(); // what was typed is asked for when it is shown again
        this.#list.stop();
      },
    );
    this.#timer = window.setInterval(() => this.#tick(), often);
    new window.ResizeObserver(() => this.#layOut()).observe(root);
    RED.comms.subscribe("radaro-inbox", this.changed);
    // What is deployed may have an inbox or none, and an answer may have been missed while there was no connection.
    RED.comms.subscribe("notification/runtime-deploy", this.changed);
    RED.comms.on("connect", this.changed);
    RED.events.on("login", this.changed);
  }

  /** Ends it, with its window. */
  stop(): void {
    this.#watch?.stop();
    this.#watch = undefined;
    clearInterval(this.#timer);
    RED.comms.unsubscribe("radaro-inbox", this.changed);
    RED.comms.unsubscribe("notification/runtime-deploy", this.changed);
    RED.events.off("login", this.changed);
  }

  /** Is to be called when something is another than it was. */
  readonly changed = (): void => this.#watch?.changed();

  #layOut(): void {
    const isWide = this.root.width()! >= wide;
    if (this.root.hasClass("radaro-sidebar-wide") === isWide) return;
    this.root.toggleClass("radaro-sidebar-wide", isWide);
    this.#list.rows.pane = isWide ? this.#pane : undefined;
  }

  #tick(): void {
    if (!this.#watch?.isShown() || this.#document.hidden || this.#shown.length === 0) return;
    this.#head.show(this.#inboxes, this.#chosen, this.#shown);
    if (this.#list.rows.detail.isMoving) void this.#list.rows.readOpened();
  }

  /** The inboxes whose events are shown. */
  get #shown(): Inbox[] {
    const { merchant } = this.#storyOf ?? {};
    const id = merchant ?? this.#chosen;
    return id === allMerchants ? this.#inboxes : this.#inboxes.filter((inbox) => inbox.id === id);
  }

  get #filter(): Filter {
    const job = this.#storyOf && keyOfJob(this.#storyOf);
    return job === undefined ? this.#filters.value : { job };
  }

  #merchantOf({ merchant }: Pick<StoredEvent, "merchant">): string | undefined {
    const inbox = this.#inboxes.find(({ id }) => id === merchant);
    return this.#chosen === allMerchants && inbox ? titleOf(inbox, this.#inboxes) : undefined;
  }

  /** Begins anew with what is chosen. */
  #choose(opened?: Parameters<EventList["show"]>[1]): void {
    if (this.#shown.length === 0) return;
    this.#causes.hide();
    this.#actions.showCauses(false);
    this.#list.element.show();
    const merchants = this.#shown.map(({ id }) => id);
    void this.#list.show({ merchants, filter: this.#filter, isStory: this.#storyOf !== undefined }, opened);
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
    this.#chosen = id;
    RED.settings.setLocal(rememberedMerchant, id);
    this.#leaveStory();
    this.#showInboxes();
    this.#choose();
  }

  /** Asks for what is shown. */
  async #refresh(): Promise<void> {
    try {
      this.#inboxes = await this.readInboxes();
    } catch (failure) {
      this.#say(reasonOf(failure));
      return;
    }
    const before = this.#chosen;
    this.#chosen = this.#wanted(before || (RED.settings.getLocal(rememberedMerchant) ?? ""));
    if (this.#chosen === "") {
      this.#say(t("no-inbox"));
      return;
    }
    this.#showInboxes();
    this.#progress.show(sum(this.#shown.map(({ counts }) => counts)));
    if (this.#chosen !== before) this.#choose();
    else if (this.#causes.isShown) await this.#loadCauses();
    else await Promise.all([this.#list.refresh(), this.#count()]);
  }

  /** Of the merchants that there are the one that is wanted, or else all. */
  #wanted(id: string): string {
    const [first] = this.#inboxes;
    if (!first || this.#inboxes.some((inbox) => inbox.id === id)) return first ? id : "";
    return this.#inboxes.length > 1 ? allMerchants : first.id;
  }

  /** Says something instead of showing an inbox. */
  #say(text: string): void {
    this.#message.text(text).show();
    this.#inbox.hide();
    this.#list.clear();
    this.#chosen = "";
  }

  #showInboxes(): void {
    this.#message.empty().hide();
    this.#inbox.show();
    this.#head.show(this.#inboxes, this.#chosen, this.#shown);
    this.#showProblem(undefined);
  }

  #showProblem(failure: Failure | undefined): void {
    const problems = this.#shown.flatMap(({ problem }) => problem?.text ?? []);
    const text = failure?.problem?.text;
    this.#head.showProblem([...new Set([...(text ? [text] : []), ...problems])].join(" "));
  }

  #loadCauses(): Promise<void> {
    void this.#count();
    return this.#causes.load(this.#shown.map(({ id }) => id));
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

  #showCause(cause: Cause): void {
    this.#filters.showCause(cause);
  }

  /** Shows all events of a job, in their order. */
  #showStory(event: StoredEvent): void {
    this.#storyOf = event;
    const close = button("back", "arrow-left").on("click", () => {
      this.#leaveStory();
      this.#choose();
    });
    this.#story.empty().append(close, $("<h2>").text(t("story", { job: jobOf(event) })));
    this.#inbox.toggleClass("radaro-sidebar-telling", true);
    this.#story.show();
    this.#choose();
  }

  #leaveStory(): void {
    this.#storyOf = undefined;
    this.#story.hide();
    this.#inbox.toggleClass("radaro-sidebar-telling", false);
  }

  /** Shows one event, wherever it is. */
  async showEvent(linked: Linked): Promise<void> {
    try {
      this.#inboxes = await this.readInboxes();
      const event = await readEvent(linked);
      this.#leaveStory();
      this.#chosen = linked.merchant;
      this.#showInboxes();
      this.#filters.showCause(undefined);
      this.#choose(event);
    } catch (failure) {
      this.#talk.say([reasonOf(failure)], "error");
    }
  }
}
