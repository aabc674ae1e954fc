import type { Filter } from "./inbox";
import { part } from "./parts";
import { t } from "./words";

/** Periods by how many days before today they begin, and end. */
const days: Record<string, { from: number; to?: number }> = {
  today: { from: 0 },
  yesterday: { from: 1, to: 0 },
  week: { from: 6 },
};

/** When events have come: one of some periods, or one's own. */
export function periodFilter(chosen: () => void) {
  const choices = ["", ...Object.keys(days), "own"];
  const options = choices.map((each) => $("<option>", { value: each }).text(t(`period.${each || "any"}`)));
  const select = $("<select>", { "aria-label": t("label.period") }).append(options);
  const [from, to] = (["from", "to"] as const).map((each) =>
    $("<input>", { type: "datetime-local", "aria-label": t(`label.${each}`), title: t(`label.${each}`) }),
  ) as [JQuery, JQuery];
  const own = part("own").append(from, to).hide();
  const element = part("period").append(select, own);
  const changed = () => {
    own.toggle(select.val() === "own");
    chosen();
  };
  select.on("change", changed);
  for (const each of [from, to]) each.on("change", changed);

  return {
    element,
    value: (): Pick<Filter, "from" | "to"> => {
      const period = String(select.val());
      if (period === "own") return { from: isoOf(from), to: isoOf(to) };
      const chosenDays = days[period];
      if (!chosenDays) return {};
      return {
        from: midnight(chosenDays.from).toISOString(),
        ...(chosenDays.to !== undefined && { to: midnight(chosenDays.to).toISOString() }),
      };
    },
    reset() {
      select.val("");
      own.hide();
    },
  };
}

/** When a day began, so many days ago, where the user is. */
function midnight(daysAgo: number): Date {
  const date = new Date();
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() - daysAgo);
}

function isoOf(input: JQuery): string {
  const date = new Date(String(input.val()));
  return Number.isNaN(date.getTime()) ? "" : date.toISOString();
}
