import type { EditorNodeProperties, EditorRED, EditorWidgetTypedInputTypeDefinition } from "node-red";
import { fields, type FieldType } from "../../src/event/catalog";
import { meaningOf, meanings, ruleOf, type Meaning } from "../../src/routing/meanings";
import {
  findRuleProblem,
  parseRule,
  type EventRule,
  type ParsedRule,
  type ValueType,
} from "../../src/routing/rules";
import { idsOf, nameOf } from "../editor/names";
import { validator } from "../editor/validation";

declare const RED: EditorRED;

interface Properties extends EditorNodeProperties {
  property: string;
  rules: unknown[];
  checkall: boolean;
  outputs: number;
}

/** A row of the list: the rule in it, and the output that it had before. */
interface Row {
  rule?: unknown;
  output?: number;
  /** Reads the rule as the row shows it; one that was not touched is what it was. */
  read?: () => unknown;
}

type Translate = (key: string, values?: Record<string, string>) => string;

RED.nodes.registerType<Properties>("radaro switch", {
  category: "radaro",
  color: "#9FD6C8",
  defaults: {
    name: { value: "" },
    property: {
      value: "payload",
      validate: validator((node, property) =>
        RED.utils.validatePropertyExpression(String(property))
          ? undefined
          : node._("radaro-switch.invalid.property"),
      ),
    },
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
      validate: validator((node, rules) => {
        if (!Array.isArray(rules)) return node._("radaro-switch.invalid.rules");
        const index = rules.findIndex((rule) => findRuleProblem(rule) !== undefined);
        if (index < 0) return undefined;
        const problem = node._(`radaro-switch.problem.${findRuleProblem(rules[index])}`);
        return node._("radaro-switch.problem.in-rule", { rule: String(index + 1), problem });
      }),
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
      : this._("radaro-switch.label.routes", { count: String(count) });
  },
  labelStyle() {
    return this.name ? "node_label_italic" : "";
  },
  paletteLabel: "radaro switch",
  outputLabels(index) {
    return sentence(this.rules[index], (key, values) => this._(`radaro-switch.${key}`, values));
  },
  oneditprepare() {
    const t: Translate = (key, values) => this._(`radaro-switch.${key}`, values);
    $("#node-input-property").typedInput({ default: "msg", types: ["msg"] });

    // Where each output of before has gone, so that its wires follow: read by the editor on saving.
    const outputs = $("#node-input-outputs").val("{}");
    const removed = new Set<number>();
    const list = $("#node-input-rule-container");
    const checkall = $("#node-input-checkall");
    const update = () => {
      const moved: Record<string, number> = {};
      for (const output of removed) moved[output] = -1;
      const items = list.editableList("items");
      items.each((i, item) => {
        const row = $(item).data("data") as Row;
        moved[row.output ?? `new${i}`] = i;
        $(item)
          .find(".radaro-switch-output")
          .text(`→ ${i + 1}`);
        $(item)
          .find(".radaro-switch-up")
          .prop("disabled", i === 0);
        $(item)
          .find(".radaro-switch-down")
          .prop("disabled", i === items.length - 1);
        const goesElsewhereToo =
          parseRule(row.read?.()) === "superseded" && (i > 0 || checkall.prop("checked") === true);
        $(item)
          .find(".radaro-switch-tip")
          .text(goesElsewhereToo ? t("label.superseded-tip") : "");
      });
      outputs.val(JSON.stringify(moved));
    };

    list.css("min-height", "150px").editableList({
      addItem(container: JQuery, _index: number, row: Row) {
        const isNew = row.rule === undefined;
        buildRow(container, row, t, update);
        update();
        if (isNew) container.find("select").first().trigger("focus");
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
    this.rules.forEach((rule, output) => list.editableList("addItem", { rule, output }));
    checkall.on("change", update);
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

/** A rule in words, for the label of its output. */
function sentence(rule: unknown, t: Translate): string {
  const meaning = meaningOf(rule);
  const parsed = parseRule(rule);
  if (typeof parsed === "string") return t(`meaning.${parsed}`);
  if (meaning === undefined || "problem" in parsed) return t("label.broken");
  if (meaning !== "changed" && meaning !== "event") return t(`meaning.${meaning}`);
  const parts = [
    parsed.topic && nameOf("topic", parsed.topic),
    meaning === "event" && parsed.eventType && nameOf("eventType", parsed.eventType),
    parsed.field && change(parsed, t),
  ];
  const known = parts.filter(Boolean).join(" · ");
  return known || t(meaning === "changed" ? "label.any-change" : "label.any-event");
}

/** What a rule says of its field. */
function change({ field, from, to }: ParsedRule, t: Translate): string {
  const said = {
    field: nameOf("field", field),
    from: valueName(field, from, t),
    to: valueName(field, to, t),
  };
  if (from === "any" && to === "any") return t("change.any", said);
  if (from === "any") return t("change.to", said);
  return t(to === "any" ? "change.from" : "change.from-to", said);
}

function valueName(field: string, wanted: ParsedRule["to"], t: Translate): string {
  if (wanted === "any") return "";
  const { value } = wanted;
  if (typeof value === "boolean") return t(value ? "label.yes" : "label.no");
  return field === "status" ? nameOf("status", String(value)) : String(value);
}

/** Fills a row of the list. */
function buildRow(container: JQuery, row: Row, t: Translate, changed: () => void): void {
  container.addClass("radaro-switch-rule");
  const line = $("<div>", { class: "radaro-switch-sentence" }).appendTo(container);
  const mover = (direction: "up" | "down") =>
    $("<button>", { type: "button", class: `red-ui-button red-ui-button-small radaro-switch-${direction}` })
      .attr({ title: t(`label.${direction}`), "aria-label": t(`label.${direction}`) })
      .append($("<i>", { class: `fa fa-arrow-${direction}` }))
      .on("click", function () {
        const item = container.closest("li");
        if (direction === "up") item.insertBefore(item.prev());
        else item.insertAfter(item.next());
        changed();
        $(this).trigger("focus");
      })
      .appendTo(container);
  mover("up");
  mover("down");
  $("<span>", { class: "radaro-switch-output" }).appendTo(container);

  const rule = row.rule ?? ruleOf("job-created");
  const problem = $("<div>", { class: "radaro-switch-problem", role: "alert" });
  const showProblem = (text: string) => {
    const found = findRuleProblem(row.read?.());
    problem.text(found === undefined ? "" : t(text, { problem: t(`problem.${found}`) }));
  };
  if (isEditable(rule)) {
    row.read = buildSentence(line, rule, t, () => {
      showProblem("problem.mend");
      changed();
    });
    showProblem("problem.mend");
  } else {
    $("<code>", { class: "radaro-switch-broken" }).text(JSON.stringify(rule)).appendTo(line);
    row.read = () => rule;
    showProblem("problem.kept");
  }
  problem.appendTo(line);
  $("<div>", { class: "radaro-switch-tip", role: "status" }).appendTo(line);
}

/** Whether the inputs can show all that a rule says, be it right or wrong. */
function isEditable(rule: unknown): rule is EventRule {
  if (findRuleProblem(rule) === undefined) return true;
  const { kind, topic, eventType, field, from, to, fromType, toType } = (rule ?? {}) as Record<
    string,
    unknown
  >;
  const isText = (value: unknown) => value === undefined || typeof value === "string";
  return (
    kind === "event" &&
    [topic, eventType, field, from, to].every(isText) &&
    [fromType, toType].every((type) => valueTypes.includes((type ?? "any") as ValueType))
  );
}

const valueTypes: ValueType[] = ["any", "str", "num", "bool", "null"];

/** The choice of what is meant, with the rule's parts where the choice does not say them all. */
function buildSentence(line: JQuery, rule: EventRule, t: Translate, edited: () => void): () => unknown {
  let read = (): unknown => rule;
  const select = $("<select>", { "aria-label": t("label.meaning") }).appendTo(line);
  const option = (meaning: string) => $("<option>", { value: meaning }).text(t(`meaning.${meaning}`));
  const group = (label: string, of: string[]) =>
    $("<optgroup>", { label }).append(of.map(option)).appendTo(select);
  const isChecklist = (meaning: string) => meaning.includes("checklist");
  const known = Object.keys(meanings);
  group(
    nameOf("topicGroup", "job"),
    known.filter((meaning) => !isChecklist(meaning)),
  );
  group(nameOf("topicGroup", "checklist"), known.filter(isChecklist));
  group(nameOf("topicGroup", "other"), ["changed", "event", "superseded", "otherwise"]);

  const showParts = (meaning: Meaning, from: EventRule) => {
    line.children(".radaro-switch-parts").remove();
    if (meaning !== "changed" && meaning !== "event") return;
    const readParts = buildParts(select, meaning, from, t, () => {
      read = readParts;
      edited();
    });
  };
  // One with a wrong value shows all its parts, to be mended.
  const meaning = meaningOf(rule) ?? "event";
  select.val(meaning);
  showParts(meaning, rule);

  select.on("change", () => {
    // As any other event, a rule keeps its parts, to be adapted.
    const chosen = select.val() as Meaning;
    const current = read() as EventRule;
    const next = chosen === "event" && current.kind === "event" ? current : (ruleOf(chosen) as EventRule);
    read = () => next;
    showParts(chosen, next);
    edited();
  });
  return () => read();
}

/** The inputs of a rule's parts. What is given back reads them; `edited` is called on every change. */
function buildParts(
  select: JQuery,
  meaning: "changed" | "event",
  rule: EventRule,
  t: Translate,
  edited: () => void,
): () => EventRule {
  const parts = $("<div>", { class: "radaro-switch-parts" }).insertAfter(select);
  const labelled = (key: string, input: JQuery) =>
    $("<label>")
      .append($("<span>").text(t(`label.${key}`)))
      .append(input)
      .appendTo(parts);

  const choice = (kind: "topic" | "eventType", value: string) => {
    const ids = idsOf(kind);
    const all = value === "" || ids.includes(value) ? ids : [...ids, value];
    return $("<select>")
      .append($("<option>", { value: "" }).text(t(`label.any-${kind}`)))
      .append(all.map((id) => $("<option>", { value: id }).text(nameOf(kind, id))))
      .val(value)
      .on("change", edited);
  };
  const topic = choice("topic", rule.topic ?? "");
  const eventType = choice("eventType", rule.eventType ?? "");
  if (meaning === "event") {
    labelled("topic", topic);
    labelled("eventType", eventType);
  }

  const list = `radaro-switch-fields-${RED.nodes.id()}`;
  const field = $("<input>", { type: "text", list, placeholder: t("label.any-field") }).val(rule.field ?? "");
  const options = idsOf("field").map((id) => $("<option>", { value: id }).text(nameOf("field", id)));
  parts.append($("<datalist>", { id: list }).append(options));
  labelled("field", field);

  const from = valueInput(labelled, "from", rule.from, rule.fromType, t);
  const to = valueInput(labelled, "to", rule.to, rule.toType, t);
  const fit = () => {
    const id = String(field.val()).trim();
    from.fit(id);
    to.fit(id);
    // What a field has changed from and to counts only with a field.
    from.label.add(to.label).toggle(id !== "");
  };
  fit();
  field.on("input change", () => {
    fit();
    edited();
  });
  // From here on what changes is the user's doing.
  from.input.on("change", edited);
  to.input.on("change", edited);

  return () => {
    const named = String(field.val()).trim();
    const value = ({ value, type }: typeof from) =>
      named ? ([value(), type()] as const) : (["", "any"] as const);
    const [[fromValue, fromType], [toValue, toType]] = [value(from), value(to)];
    return {
      kind: "event",
      topic: String(topic.val()),
      eventType: String(eventType.val()),
      field: named,
      from: fromValue,
      fromType,
      to: toValue,
      toType,
    };
  };
}

/** An input for a value of a field: statuses by their names, yes or no, or anything. */
function valueInput(
  labelled: (key: string, input: JQuery) => JQuery,
  key: "from" | "to",
  value: unknown,
  type: ValueType | undefined,
  t: Translate,
) {
  const any: EditorWidgetTypedInputTypeDefinition = {
    value: "any",
    label: t("label.any-value"),
    hasValue: false,
  };
  const none: EditorWidgetTypedInputTypeDefinition = {
    value: "null",
    label: t("label.nothing"),
    hasValue: false,
  };
  const yesOrNo: EditorWidgetTypedInputTypeDefinition = {
    value: "bool",
    label: t("label.yes-or-no"),
    options: [
      { value: "true", label: t("label.yes") },
      { value: "false", label: t("label.no") },
    ],
  };
  const status: EditorWidgetTypedInputTypeDefinition = {
    value: "status",
    label: nameOf("field", "status"),
    options: idsOf("status").map((id) => ({ value: id, label: nameOf("status", id) })),
  };
  const typesOf = (fieldType: FieldType | undefined) =>
    fieldType === "status"
      ? [any, status, "str" as const]
      : fieldType === "boolean"
        ? [any, yesOrNo, none]
        : [any, "str" as const, "num" as const, yesOrNo, none];

  const input = $("<input>", { type: "text", style: "width: 100%" });
  const label = labelled(key, $("<div>").append(input));
  input.typedInput({ default: "any", types: typesOf(undefined) });
  input.typedInput("type", type ?? "any");
  input.typedInput("value", String((value as string | number | boolean | undefined) ?? ""));

  let fieldType: FieldType | undefined;
  return {
    input,
    label,
    /** Offers what fits a field, and keeps what is entered as far as that can show it. */
    fit(field: string) {
      const known = Object.hasOwn(fields, field) ? fields[field as keyof typeof fields].type : undefined;
      if (known === fieldType) return;
      fieldType = known;
      const [oldType, oldValue] = [this.type(), this.value()];
      const types = typesOf(known);
      const asStatus = known === "status" && oldType === "str" && idsOf("status").includes(oldValue);
      const wanted = asStatus ? "status" : oldType;
      const offered = types.some((each) => (typeof each === "string" ? each : each.value) === wanted);
      // What a flow says is shown even where it does not fit the field.
      input.typedInput("types", offered ? types : [...types, ...typesOf(undefined).slice(1)]);
      input.typedInput("type", wanted);
      input.typedInput("value", oldValue);
    },
    type: () => {
      const chosen = input.typedInput("type");
      return (chosen === "status" ? "str" : chosen) as ValueType;
    },
    value: () => input.typedInput("value"),
  };
}
