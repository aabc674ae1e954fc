import { Asked } from "./asked";
import { mayRun, type Inbox } from "./inbox";
import { fill, icon, iconButton, part } from "./parts";
import { menu } from "./menu";
import { sum } from "./summary";
import { agoOf, refusal, t, timeOf, titleOf } from "./words";

/** What stands for all merchants among them. */
export const allMerchants = "*";

/** What can be done with the inboxes that are shown as a whole. */
export interface HeadDoes {
  chooseMerchant(id: string): void;
  /** Where there is no window yet. */
  openWindow?: () => void;
  pause(isPaused: boolean): void;
  /** Asks Radaro for what one of the merchants never got. */
  catchUp(id: string): void;
  clear(): void;
  exportShown(): void;
}

/** Whose inbox it is, how it is with it at a glance, and what can be done with it as a whole. */
export class Head {
  readonly element = part("top");
  readonly #merchant = $("<select>", { "aria-label": t("label.merchant") });
  readonly #glance = part("glance");
  readonly #asked: Asked;
  readonly #paused = part("paused").attr("role", "status").hide();
  readonly #problem = part("problem").attr("role", "alert").hide();
  readonly #refused = $("<details>", { class: "radaro-sidebar-refused" });
  readonly #menu: ReturnType<typeof menu>;

  constructor(does: HeadDoes) {
    this.#menu = menu(t("button.more"), {
      export: { icon: "download", does: () => does.exportShown() },
      pause: { icon: "pause", does: () => does.pause(true) },
      resume: { icon: "play", does: () => does.pause(false) },
      clear: { icon: "trash", does: () => does.clear() },
    });
    this.#asked = new Asked((id) => does.catchUp(id));
    const window = iconButton("window", "external-link").on("click", () => does.openWindow?.());
    window.toggle(does.openWindow !== undefined);
    this.#merchant.on("change", () => does.chooseMerchant(String(this.#merchant.val())));
    this.element.append(part("bar").append(this.#merchant, window, this.#menu.element));
  }

  /** How it is with it, which stands below the filters. */
  get notes(): JQuery[] {
    return [this.#glance, this.#asked.element, this.#refused, this.#paused, this.#problem];
  }

  /** Shows the merchants, and how it is with those that are chosen. */
  show(all: Inbox[], chosen: string, shown: Inbox[]): void {
    this.#showMerchants(all, chosen);
    this.#showGlance(shown);
    this.#asked.show(shown);
    this.#showPaused(shown);
    showRefused(this.#refused, shown);
    const [only] = shown.length === 1 ? shown : [];
    const { failed = 0, processed = 0 } = only?.counts ?? {};
    this.#menu.offer({
      export: true,
      pause: mayRun() && only?.paused === false,
      resume: mayRun() && only?.paused === true,
      clear: mayRun() && failed + processed > 0,
    });
  }

  #showMerchants(all: Inbox[], chosen: string): void {
    const options = all.map((inbox) => ({
      value: inbox.id,
      text: withFailed(titleOf(inbox, all), inbox),
    }));
    if (all.length > 1) {
      const counts = sum(all.map((inbox) => inbox.counts));
      options.unshift({ value: allMerchants, text: withFailed(t("all-merchants"), { counts }) });
    }
    const same = JSON.stringify(options);
    if (this.#merchant.data("shown") !== same) {
      const elements = options.map(({ value, text }) => $("<option>", { value }).text(text));
      this.#merchant.data("shown", same).empty().append(elements);
    }
    this.#merchant.val(chosen);
  }

  /** The last event and the oldest that waits, with their age. */
  #showGlance(shown: Inbox[]): void {
    const last = shown
      .flatMap(({ lastAccepted }) => lastAccepted ?? [])
      .sort()
      .at(-1);
    const oldest = shown.flatMap(({ oldestWaiting }) => oldestWaiting ?? []).sort()[0];
    const said = { last: last && agoOf(last), oldest: oldest && agoOf(oldest), at: [last, oldest] };
    fill(this.#glance, said, () => [
      ...(last ? [$("<span>", { title: timeOf(last) }).text(t("glance.last", { ago: agoOf(last) }))] : []),
      ...(oldest
        ? [$("<span>", { title: timeOf(oldest) }).text(t("glance.oldest", { ago: agoOf(oldest) }))]
        : []),
    ]);
  }

  #showPaused(shown: Inbox[]): void {
    const paused = shown.filter((inbox) => inbox.paused);
    const { waiting } = sum(paused.map(({ counts }) => counts));
    const names = shown.length > 1 ? paused.map((inbox) => titleOf(inbox, shown)).join(", ") : "";
    fill(this.#paused.toggle(paused.length > 0), [names, paused.length, waiting], () => [
      icon("pause"),
      $("<span>").text((names && `${names}: `) + t("paused", { count: waiting })),
    ]);
  }

  showProblem(text: string): void {
    if (this.#problem.text() !== text) this.#problem.text(text);
    this.#problem.toggle(text !== "");
  }
}

function withFailed(title: string, { counts: { failed } }: Pick<Inbox, "counts">): string {
  return failed > 0 ? t("merchant-failed", { name: title, count: failed }) : title;
}

/** How many requests were refused, why, and when the last was. */
function showRefused(element: JQuery, shown: Inbox[]): void {
  const refused = shown.flatMap((inbox) => inbox.refused.map((each) => ({ ...each, inbox })));
  const all = refused.reduce((sum, { count }) => sum + count, 0);
  const known = refused.map(({ why, count, first, last, inbox }) => [why, count, first, last, inbox.id]);
  fill(element.toggle(all > 0), known, () => {
    const list = refused.map(({ why, count, first, last, inbox }) => {
      const text = t("refused", { reason: refusal(why), count, first: timeOf(first), last: timeOf(last) });
      return $("<li>").text(shown.length > 1 ? `${titleOf(inbox, shown)}: ${text}` : text);
    });
    const summary = $("<summary>", { title: t("label.refused") }).append(
      icon("ban"),
      $("<span>", { class: "radaro-sidebar-label" }).text(t("label.refused")),
      document.createTextNode(` ${t("number", { count: all })}`),
    );
    return [summary, $("<ul>").append(list)];
  });
}
