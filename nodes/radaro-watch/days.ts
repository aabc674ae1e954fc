import type { EditorRED } from "node-red";
import { readSettings } from "../../src/inbox/watch-settings";

declare const RED: EditorRED;

/** A Sunday: days are numbered from there on. */
const sunday = { year: 2026, month: 0, day: 4 };

/**
 * Fills the days on which silence counts, in the order of the week where Monday is first.
 *
 * @returns to be called in `oneditsave`
 */
export function prepareDays(node: { days?: unknown }): () => void {
  const { days } = readSettings({ days: node.days }).settings.hours;
  const boxes = [1, 2, 3, 4, 5, 6, 0].map((day) => {
    const name = new Date(sunday.year, sunday.month, sunday.day + day).toLocaleDateString(RED.i18n.lang(), {
      weekday: "short",
    });
    const box = $("<input>", { type: "checkbox", value: day }).prop("checked", days.includes(day));
    return $("<label>", { class: "radaro-watch-choice" }).append(box, $("<span>").text(name));
  });
  const list = $("#radaro-watch-days").append(boxes);
  const read = () =>
    list
      .find("input:checked")
      .toArray()
      .map((input) => Number((input as HTMLInputElement).value))
      .sort((a, b) => a - b);
  const opened = read().join();
  return () => {
    const now = read();
    if (now.join() !== opened) node.days = now;
  };
}
