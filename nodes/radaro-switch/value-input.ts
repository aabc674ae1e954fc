import type { EditorWidgetTypedInputTypeDefinition } from "node-red";
import { fields, type FieldType } from "../../src/catalog";
import type { ValueType } from "../../src/rules";
import { idsOf, nameOf } from "../names";
import type { Translate } from "./sentence";

/** An input for a value of a field: statuses by their names, yes or no, or anything. */
export function valueInput(
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
