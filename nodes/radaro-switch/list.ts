import { buildRow, isNew, type Row } from "./row";
import type { Translate } from "./sentence";

const find = () => $("#node-input-rule-container");

/** Fills the dialog's list with the rules, and tells the editor where each output has gone. */
export function buildList(rules: unknown[], t: Translate): void {
  // Where each output of before has gone, so that its wires follow: read by the editor on saving.
  // While none has gone anywhere it is empty, so that their number stays what the flow says.
  const outputs = $("#node-input-outputs").val("");
  const removed = new Set<number>();
  const list = find();
  const checkall = $("#node-input-checkall");
  const update = () => {
    if (list.editableList("length") > 0) $("#radaro-switch-no-list").empty();
    const moved: Record<string, number> = {};
    for (const output of removed) moved[output] = -1;
    const items = list.editableList("items");
    items.each((i, item) => {
      const row = $(item).data("data") as Row;
      moved[row.output ?? `new${i}`] = i;
      row.stand?.(i, items.length, checkall.prop("checked") === true);
    });
    const isAsBefore =
      items.length === rules.length && Object.entries(moved).every(([from, to]) => from === String(to));
    outputs.val(isAsBefore ? "" : JSON.stringify(moved));
  };

  list.css({ minHeight: "150px", minWidth: "500px" }).editableList({
    addItem(container: JQuery, _index: number, row: Row) {
      buildRow(container, row, t, update);
      update();
      if (isNew(row)) container.find("select").first().trigger("focus");
    },
    removeItem(row: Row) {
      if (row.output !== undefined) removed.add(row.output);
      update();
    },
    sortItems: update,
    scrollOnAdd: false, // a new rule comes into view as it gets the focus
    sortable: true,
    removable: true,
  });
  rules.forEach((rule, output) => list.editableList("addItem", { rule, output }));
  checkall.on("change", update);
}

/** The rules as the list shows them. */
export function readList(): unknown[] {
  return find()
    .editableList("items")
    .toArray()
    .map((item) => ($(item).data("data") as Row).read?.());
}

/** @param height what the dialog's form has, in pixels: the list takes what the rest of it leaves */
export function resizeList(height: number): void {
  const others = $("#dialog-form > div:not(.node-input-rule-container-row)").toArray();
  const left = others.reduce((left, row) => left - ($(row).outerHeight(true) ?? 0), height);
  find().editableList("height", left - 20);
}
