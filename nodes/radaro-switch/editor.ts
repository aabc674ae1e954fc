import type { EditorNodeProperties, EditorRED, EditorWidgetTypedInputOptions } from "node-red";
import { eventTypes, fields, statuses, topics } from "../../src/catalog";
import { findRuleProblem, type EventRule, type ValueType } from "../../src/rules";

declare const RED: EditorRED;

interface Properties extends EditorNodeProperties {
  property: string;
  rules: unknown[];
  checkall: boolean;
  outputs: number;
}

/** A row of the list: the rule it started from, and the output that it had then. */
interface Row {
  rule?: unknown;
  output?: number;
  /** Reads the rule as the row shows it. */
  read?: () => unknown;
}

type Translate = (key: string) => string;

RED.nodes.registerType<Properties>("radaro switch", {
  category: "radaro",
  color: "#9FD6C8",
  defaults: {
    name: { value: "" },
    property: { value: "payload", required: true, validate: RED.validators.typedInput("msg") },
    rules: {
      value: [
        {
          kind: "event",
          topic: "",
          eventType: "updated",
          field: "status",
          from: "",
          fromType: "any",
          to: "delivered",
          toType: "str",
        },
      ],
      validate(rules: unknown) {
        return Array.isArray(rules) && rules.every((rule) => findRuleProblem(rule) === undefined);
      },
    },
    checkall: { value: true },
    outputs: { value: 1 },
  },
  inputs: 1,
  outputs: 1,
  icon: "radaro-switch.svg",
  label() {
    if (this.name) return this.name;
    const count = this.rules.length;
    return count === 1
      ? this._("radaro-switch.label.route")
      : this._("radaro-switch.label.routes", { count });
  },
  labelStyle() {
    return this.name ? "node_label_italic" : "";
  },
  paletteLabel: "radaro switch",
  outputLabels(index) {
    return describe(this.rules[index], (key) => this._(key));
  },
  oneditprepare() {
    const t: Translate = (key) => this._(key);
    $("#node-input-property").typedInput({ default: "msg", types: ["msg"] });

    // Where each output of before has gone, so that its wires follow: read by the editor on saving.
    const outputs = $("#node-input-outputs").val("{}");
    const list = $("#node-input-rule-container");
    const updateOutputs = (removed?: Row) => {
      const moved = JSON.parse(String(outputs.val())) as Record<string, number>;
      if (removed?.output !== undefined) moved[removed.output] = -1;
      for (const key of Object.keys(moved)) if (key.startsWith("new")) delete moved[key];
      list.editableList("items").each((i, item) => {
        const row = $(item).data("data") as Row;
        moved[row.output ?? `new${i}`] = i;
        $(item)
          .find(".radaro-switch-output")
          .text(`→ ${i + 1}`);
      });
      outputs.val(JSON.stringify(moved));
    };

    list.css({ "min-height": "150px", "min-width": "450px" }).editableList({
      addItem(container: JQuery, _index: number, row: Row) {
        buildRow(container, row, t);
        updateOutputs();
      },
      removeItem: (row: Row) => updateOutputs(row),
      sortItems: () => updateOutputs(),
      sortable: true,
      removable: true,
    });
    this.rules.forEach((rule, output) => list.editableList("addItem", { rule, output }));
  },
  oneditsave() {
    this.rules = $("#node-input-rule-container")
      .editableList("items")
      .toArray()
      .map((item) => ($(item).data("data") as Row).read?.());
  },
  oneditresize(size) {
    const list = $("#node-input-rule-container");
    const others = $("#dialog-form > div:not(.node-input-rule-container-row)").toArray();
    const height = others.reduce((left, row) => left - ($(row).outerHeight(true) ?? 0), size.height);
    list.editableList("height", height - 20);
  },
});

/** A rule in a few words, for the label of its output. */
function describe(rule: unknown, t: Translate): string {
  const { kind, topic, eventType, field, to, toType } = (rule ?? {}) as Partial<
    Record<keyof EventRule, string>
  >;
  if (kind === "otherwise") return t("radaro-switch.label.otherwise");
  const shown = {
    topic: topic && nameOf(topics, topic),
    type: eventType && (own(eventTypes, eventType) ?? eventType),
    field: field && nameOf(fields, field),
    to: !toType || toType === "any" ? "" : toType === "null" ? "null" : (own(statuses, to) ?? String(to)),
  };
  const change = shown.field && shown.to ? `${shown.field}: ${shown.to}` : shown.field;
  return [shown.topic, shown.type, change].filter(Boolean).join(" · ") || t("radaro-switch.label.any-event");
}

function own(names: Record<string, string>, key: string | undefined): string | undefined {
  return key !== undefined && Object.hasOwn(names, key) ? names[key] : undefined;
}

function nameOf(entries: Record<string, { name: string }>, key: string): string {
  return Object.hasOwn(entries, key) ? entries[key]!.name : key;
}

/** Fills a row of the list with the inputs of its rule. */
function buildRow(container: JQuery, row: Row, t: Translate): void {
  const rule = row.rule ?? { kind: "event" };
  container.css({ display: "flex", "align-items": "center", gap: "6px" });
  const inputs = $("<div>", { style: "flex: 1; display: grid; gap: 4px" }).appendTo(container);
  $("<span>", { class: "radaro-switch-output" }).appendTo(container);

  if (findRuleProblem(rule) !== undefined) {
    // Of another version, or broken: shown as it is, and kept.
    $("<code>", { class: "input-error", style: "white-space: normal" })
      .text(JSON.stringify(rule))
      .appendTo(inputs);
    row.read = () => rule;
    return;
  }

  const line = () => $("<div>", { style: "display: flex; gap: 6px; align-items: center" }).appendTo(inputs);
  const first = line();
  const kindSelect = select(
    first,
    t("radaro-switch.label.kind"),
    { event: t("radaro-switch.label.event"), otherwise: t("radaro-switch.label.otherwise") },
    (rule as { kind: string }).kind,
  );
  const parts = $("<div>", { style: "display: grid; gap: 4px" }).appendTo(inputs);
  const read = buildEventParts(parts, first, rule, t);
  const show = () => inputs.find(".radaro-switch-part").toggle(kindSelect.val() === "event");
  kindSelect.on("change", show);
  show();
  row.read = () => (kindSelect.val() === "event" ? read() : { kind: "otherwise" });
}

/** The inputs of a rule about events; what is given back reads them. */
function buildEventParts(
  parts: JQuery,
  first: JQuery,
  rule: Partial<EventRule>,
  t: Translate,
): () => EventRule {
  const topicNames = Object.fromEntries(Object.entries(topics).map(([topic, { name }]) => [topic, name]));
  const topic = select(
    first,
    t("radaro-switch.label.topic"),
    { "": t("radaro-switch.label.any-topic"), ...topicNames },
    rule.topic ?? "",
  );
  const eventType = select(
    first,
    t("radaro-switch.label.eventType"),
    { "": t("radaro-switch.label.any-type"), ...eventTypes },
    rule.eventType ?? "",
  );
  topic.add(eventType).addClass("radaro-switch-part");

  const labelled = (key: string) => {
    const label = $("<label>", {
      class: "radaro-switch-part",
      style: "display: flex; gap: 6px; width: auto; margin: 0; align-items: center",
    });
    $("<span>", { style: "width: 65px" })
      .text(t(`radaro-switch.label.${key}`))
      .appendTo(label);
    return label.appendTo(parts);
  };
  const known = $("<datalist>", { id: `radaro-switch-fields-${Math.random().toString(36).slice(2)}` });
  for (const [field, { name }] of Object.entries(fields))
    $("<option>", { value: field }).text(name).appendTo(known);
  const fieldLabel = labelled("field").append(known);
  const field = $("<input>", {
    type: "text",
    style: "flex: 1",
    list: known.attr("id"),
    placeholder: t("radaro-switch.label.any-field"),
  })
    .val(rule.field ?? "")
    .appendTo(fieldLabel);

  const value = (key: "from" | "to", type: ValueType | undefined, initial: unknown) => {
    const types: EditorWidgetTypedInputOptions["types"] = [
      { value: "any", label: t("radaro-switch.label.any-value"), hasValue: false },
      "str",
      "num",
      "bool",
      { value: "null", label: "null", hasValue: false },
    ];
    const input = $("<input>", { type: "text", style: "width: 100%" }).appendTo(
      $("<div>", { style: "flex: 1" }).appendTo(labelled(key)),
    );
    input.typedInput({ default: "any", types });
    input.typedInput("type", type ?? "any");
    input.typedInput("value", String((initial as string | number | boolean | undefined) ?? ""));
    return input;
  };
  const from = value("from", rule.fromType, rule.from);
  const to = value("to", rule.toType, rule.to);

  return () => ({
    kind: "event",
    topic: String(topic.val()),
    eventType: String(eventType.val()),
    field: String(field.val()).trim(),
    from: from.typedInput("value"),
    fromType: from.typedInput("type") as ValueType,
    to: to.typedInput("value"),
    toType: to.typedInput("type") as ValueType,
  });
}

/** A select with the options and, where it is none of them, the value that is there already. */
function select(parent: JQuery, label: string, options: Record<string, string>, value: string): JQuery {
  const element = $("<select>", { "aria-label": label, style: "flex: 1; min-width: 0" }).appendTo(parent);
  const all = Object.hasOwn(options, value) ? options : { ...options, [value]: value };
  for (const [option, text] of Object.entries(all))
    $("<option>", { value: option }).text(text).appendTo(element);
  return element.val(value);
}
