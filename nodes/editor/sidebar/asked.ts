import { mayRun, type Inbox } from "./inbox";
import { button, fill, icon, part } from "./parts";
import { agoOf, t, timeOf, titleOf } from "./words";

/** How Radaro was asked for what never arrived, and what is wrong with that. */
export class Asked {
  readonly element = part("asked").hide();

  /** @param ask asks it now, of one merchant */
  constructor(private readonly ask: (id: string) => void) {}

  /** Shows it of each merchant that is shown and asks. */
  show(shown: Inbox[]): void {
    const asking = shown.filter(({ catchUp }) => catchUp !== null);
    const said = asking.map((inbox) => [inbox.id, textOf(inbox), inbox.catchUp!.problem?.text]);
    fill(this.element.toggle(asking.length > 0), [shown.length, said], () =>
      asking.map((inbox) => this.#lineOf(inbox, shown)),
    );
  }

  #lineOf(inbox: Inbox, shown: Inbox[]): JQuery {
    const { asked, isAsking, problem } = inbox.catchUp!;
    const text = textOf(inbox);
    const named = shown.length > 1 ? t("catchUp.name", { name: titleOf(inbox, shown), text }) : text;
    const now = button("ask", "search-plus").attr("title", t("tip.ask"));
    now.prop("disabled", isAsking).on("click", () => this.ask(inbox.id));
    const line = $("<span>", asked === null ? {} : { title: timeOf(asked) }).text(named);
    return $("<div>").append(
      part("line").append(line, mayRun() ? now : []),
      problem
        ? part("problem")
            .attr("role", "status")
            .append(icon("exclamation-triangle"), document.createTextNode(` ${problem.text}`))
        : [],
    );
  }
}

function textOf({ catchUp }: Inbox): string {
  const { isAsking, asked, found } = catchUp!;
  if (isAsking) return t("catchUp.going");
  return asked === null ? t("catchUp.never") : t("catchUp.asked", { ago: agoOf(asked), count: found });
}
