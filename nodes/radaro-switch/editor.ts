import type { EditorNodeProperties, EditorRED } from "node-red";
import { keepUntouched, rememberInputs } from "../editor/untouched";
import { validator, type Validated } from "../editor/validation";
import { buildList, readList, resizeList } from "./list";
import { findProblem } from "./problem";
import { sentence, type Translate } from "./sentence";

declare const RED: EditorRED;

/** As the flow has them: what has a default may be missing, and anything may stand there. */
interface Properties extends EditorNodeProperties {
  property?: string;
  rules?: unknown;
  checkall?: unknown;
  outputs: number;
}

const inputs = ["name", "property", "checkall"];

function translate(node: Pick<Validated, "_">): Translate {
  return (key, values) => node._(`radaro-switch.${key}`, values);
}

function rulesOf({ rules }: Properties): unknown[] {
  return Array.isArray(rules) ? rules : [];
}

RED.nodes.registerType<Properties>("radaro switch", {
  category: "radaro",
  color: "#9FD6C8",
  defaults: {
    name: { value: "" },
    property: {
      value: "payload",
      validate: validator((node, property) => {
        const path = (property as string | null | undefined) || "payload";
        return RED.utils.validatePropertyExpression(String(path))
          ? undefined
          : node._("radaro-switch.invalid.property");
      }),
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
        if (rules === undefined) return undefined;
        if (!Array.isArray(rules)) return node._("radaro-switch.invalid.rules");
        const problems = rules.map((rule) => findProblem(rule, translate(node)));
        const index = problems.findIndex((problem) => problem !== undefined);
        if (index < 0) return undefined;
        return node._("radaro-switch.problem.in-rule", {
          rule: String(index + 1),
          problem: problems[index]!,
        });
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
    const count = rulesOf(this).length;
    return count === 1
      ? this._("radaro-switch.label.route")
      : this._("radaro-switch.label.routes", { count: String(count) });
  },
  labelStyle() {
    return this.name ? "node_label_italic" : "";
  },
  paletteLabel: "radaro switch",
  outputLabels(index) {
    return sentence(rulesOf(this)[index], translate(this));
  },
  oneditprepare() {
    $("#node-input-property")
      .typedInput({ default: "msg", types: ["msg"] })
      .typedInput("value", this.property || "payload");
    // The core switch keeps it as a text.
    $("#node-input-checkall").prop("checked", this.checkall !== false && this.checkall !== "false");
    rememberInputs(inputs);
    const { rules } = this;
    if (rules !== undefined && !Array.isArray(rules))
      $("#radaro-switch-no-list").text(this._("radaro-switch.invalid.rules"));
    buildList(rulesOf(this), translate(this));
  },
  oneditsave() {
    const rules = readList();
    if (JSON.stringify(rules) !== JSON.stringify(rulesOf(this))) this.rules = rules;
    keepUntouched(inputs);
  },
  oneditresize: ({ height }) => resizeList(height),
});
