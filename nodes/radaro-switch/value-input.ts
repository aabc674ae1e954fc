import type { EditorWidgetTypedInputTypeDefinition } from "node-red";
import type { FieldType } from "../../src/event/catalog";
import type { ValueType } from "../../src/routing/rules";
import { idsOf, nameOf } from "../editor/names";
import type { Translate } from "./sentence";

type Offered = ("str" | "num" | EditorWidgetTypedInputTypeDefinition)[];

/** What fits a field of some type, or one that is not known. */
type OfferedFor = (type: FieldType | undefined) => Offered;

/** What a field may have changed from or to: statuses by their names, yes or no, nothing, or anything. */
export function changesOffered(t: Translate): OfferedFor {
  const any = { value: "any", label: t("label.any-value"), hasValue: false };
  const none = { value: "null", label: t("label.nothing"), hasValue: false };
  const status = {
    value: "status",
    label: nameOf("field", "status"),
    options: idsOf("status").map((id) => ({ value: id, label: nameOf("status", id) })),
  };
  return (type) => {
    if (type === "status") return [any, status, "str"];
    if (type === "boolean") return [any, yesOrNo(t), none];
    if (type === "number") return [any, "num", none];
    return [any, "str", "num", yesOrNo(t), none];
  };
}

/** What a field of the job may be compared with. */
export function comparedOffered(t: Translate): OfferedFor {
  return (type) => {
    if (type === undefined) return ["str", "num", yesOrNo(t)];
    return type === "boolean" ? [yesOrNo(t)] : [type === "number" ? "num" : "str"];
  };
}

function yesOrNo(t: Translate): EditorWidgetTypedInputTypeDefinition {
  return {
    value: "bool",
    label: t("label.yes-or-no"),
    options: [
      { value: "true", label: t("label.yes") },
      { value: "false", label: t("label.no") },
    ],
  };
}

/**
 * An input for a value.
 *
 * @param put puts the input into the page, which it must be in before it can be made
 */
export function valueInput<Placed>(
  put: (input: JQuery) => Placed,
  offeredFor: OfferedFor,
  value: unknown,
  type: ValueType,
) {
  const input = $("<input>", { type: "text", style: "width: 100%" });
  const placed = put(input);
  input.typedInput({ default: type, types: offeredFor(undefined) });
  input.typedInput("type", type);
  input.typedInput("value", String((value as string | number | boolean | undefined) ?? ""));

  const isIn = (offered: Offered, wanted: string) => offered.some((each) => nameOfType(each) === wanted);
  let fieldType: FieldType | undefined;
  return {
    input,
    placed,
    /**
     * Offers what fits a field, and keeps what is entered as far as that can show it.
     *
     * @param keepType what a flow says is shown even where it does not fit the field
     */
    fit(known: FieldType | undefined, keepType: boolean) {
      if (known === fieldType) return;
      fieldType = known;
      const [oldType, oldValue] = [this.type() as string, this.value()];
      const offered = offeredFor(known);
      const asStatus = known === "status" && oldType === "str" && idsOf("status").includes(oldValue);
      const wanted = asStatus ? "status" : oldType;
      if (isIn(offered, wanted) || !keepType) {
        input.typedInput("types", offered);
        input.typedInput("type", isIn(offered, wanted) ? wanted : nameOfType(offered[0]!));
      } else {
        const others = offeredFor(undefined).filter((each) => !isIn(offered, nameOfType(each)));
        input.typedInput("types", [...offered, ...others]);
        input.typedInput("type", wanted);
      }
      input.typedInput("value", oldValue);
    },
    type: () => {
      const chosen = input.typedInput("type");
      return (chosen === "status" ? "str" : chosen) as ValueType;
    },
    value: () => input.typedInput("value"),
  };
}

function nameOfType(type: Offered[number]): string {
  return typeof type === "string" ? type : type.value;
}
