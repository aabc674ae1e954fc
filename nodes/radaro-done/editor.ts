import type { EditorNodeProperties, EditorRED } from "node-red";
import { readText } from "../../src/event/values";
import { keepUntouched, rememberInputs } from "../editor/untouched";
import { validator } from "../editor/validation";

declare const RED: EditorRED;

/** As the flow has them: what has a default may be missing, and anything may stand there. */
interface Properties extends EditorNodeProperties {
  verdict?: unknown;
  reason?: unknown;
  reasonType?: unknown;
}

const inputs = ["name", "verdict", "reason", "reasonType"];

const verdicts = ["processed", "failed"];

const defaultReason = "error.message";

const verdictOf = ({ verdict }: Properties) => readText(verdict) || "processed";

const reasonTypeOf = ({ reasonType }: Properties) => (reasonType === "str" ? "str" : "msg");

RED.nodes.registerType<Properties>("radaro done", {
  category: "radaro",
  color: "#9FD6C8",
  defaults: {
    name: { value: "" },
    verdict: {
      value: "processed",
      validate: validator((node, verdict) => {
        const isKnown = verdicts.includes(verdictOf({ verdict }));
        // A subflow's property, or a variable.
        const isVariable = readText(verdict).startsWith("${");
        return isKnown || isVariable ? undefined : node._("radaro-done.invalid.verdict");
      }),
    },
    reason: {
      value: defaultReason,
      validate: validator((node, reason) => {
        const done = node as unknown as Properties;
        if (verdictOf(done) !== "failed" || reasonTypeOf(done) === "str") return undefined;
        const path = readText(reason ?? defaultReason);
        return path === "" || RED.utils.validatePropertyExpression(path)
          ? undefined
          : node._("radaro-done.invalid.reason");
      }),
    },
    reasonType: { value: "msg" },
  },
  inputs: 1,
  outputs: 0,
  icon: "radaro-done.svg",
  align: "right",
  label() {
    if (this.name) return this.name;
    const verdict = verdictOf(this);
    return verdicts.includes(verdict) ? this._(`radaro-done.verdict.${verdict}`) : "radaro done";
  },
  labelStyle() {
    return this.name ? "node_label_italic" : "";
  },
  paletteLabel: "radaro done",
  oneditprepare() {
    const verdict = $("#node-input-verdict");
    // What is not known is shown, so that it is not changed unseen.
    const current = verdictOf(this);
    if (!verdicts.includes(current)) verdict.append($("<option>").val(current).text(current));
    verdict.val(current);
    const typed = {
      default: "msg" as const,
      types: ["msg" as const, "str" as const],
      typeField: $("#node-input-reasonType"),
    };
    const reason = $("#node-input-reason").typedInput(typed);
    reason.typedInput("type", reasonTypeOf(this));
    reason.typedInput("value", readText(this.reason ?? defaultReason));
    verdict.on("change", () => $("#radaro-done-reason").toggle(verdict.val() === "failed"));
    verdict.trigger("change");
    rememberInputs(inputs);
  },
  oneditsave() {
    keepUntouched(inputs);
  },
});
