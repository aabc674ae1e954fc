import type { EditorNodeProperties, EditorRED } from "node-red";
import { readBoolean, readText } from "../../src/event/values";
import { readSettings, type Given, type Wrong } from "../../src/inbox/watch-settings";
import { keepUntouched, rememberInputs } from "../editor/untouched";
import { nodeValidator, validator, type Validated } from "../editor/validation";
import { prepareDays } from "./days";

declare const RED: EditorRED;

/** As the flow has them: absent, or of any type. */
type Properties = EditorNodeProperties & Given & { config?: unknown };

const ticks = ["failed", "store", "refused"] as const;

const inputs = ["name", "config", ...ticks, "waiting", "silence", "from", "to"];

/** What the open dialog does when it is left by Done. */
let onDone: () => void;

RED.nodes.registerType<Properties>("radaro watch", {
  category: "radaro",
  color: "#9FD6C8",
  defaults: {
    // Marks the node: nothing of it alone is wrong.
    name: { value: "", validate: nodeValidator(findNothing) },
    config: { value: "", type: "radaro-config", required: false, validate: validator(findMerchantProblem) },
    failed: { value: true },
    store: { value: true },
    refused: { value: true },
    waiting: { value: 0, validate: validatorOf("waiting") },
    silence: { value: 0, validate: validatorOf("silence") },
    from: { value: "", validate: validatorOf("from") },
    to: { value: "", validate: validatorOf("to") },
    days: { value: [], validate: validatorOf("days") },
  },
  inputs: 0,
  outputs: 1,
  icon: "radaro-watch.svg",
  label() {
    return this.name ? String(this.name) : "radaro watch";
  },
  labelStyle() {
    return this.name ? "node_label_italic" : "";
  },
  paletteLabel: "radaro watch",
  outputLabels() {
    return this._("radaro-watch.label.output");
  },
  oneditprepare() {
    const merchant = $("#node-input-config");
    // None is all; the editor makes its options anew where a merchant has changed.
    const sayAll = () => merchant.find('option[value="_ADD_"]').text(this._("radaro-watch.label.all"));
    merchant.on("change", sayAll);
    sayAll();
    for (const tick of ticks) $(`#node-input-${tick}`).prop("checked", readBoolean(this[tick], true));
    for (const amount of ["waiting", "silence"] as const) {
      const text = readText(this[amount]);
      $(`#node-input-${amount}`).val(Number(text) === 0 ? "" : text);
    }
    const silence = $("#node-input-silence");
    const show = () => $("#radaro-watch-hours").toggle(String(silence.val()) !== "");
    silence.on("input change", show);
    show();
    onDone = prepareDays(this);
    rememberInputs(inputs);
  },
  oneditsave() {
    onDone();
    keepUntouched(inputs);
  },
});

/** Makes a validator of a property that can be wrong. */
function validatorOf(property: Wrong) {
  return validator((node, value) => {
    // A subflow's property, or a variable.
    if (readText(value).startsWith("${")) return undefined;
    const { wrong } = readSettings({ [property]: value });
    return wrong.length > 0 ? node._(`radaro-watch.invalid.${property}`) : undefined;
  });
}

function findNothing(node: Validated): string | undefined {
  const { settings, wrong } = readSettings(node as Given);
  const { failed, store, refused, waiting, silence } = settings;
  // A variable is none that can be read here.
  const isAmount = wrong.some((property) => property === "waiting" || property === "silence");
  const isAny = failed || store || refused || waiting > 0 || silence > 0 || isAmount;
  return isAny ? undefined : node._("radaro-watch.invalid.nothing");
}

/** Why a merchant cannot be watched, in the user's words. None: all are. */
function findMerchantProblem(node: Validated, id: unknown): string | undefined {
  if (readText(id) === "" || id === "_ADD_") return undefined;
  const merchant = RED.nodes.node(readText(id)) as
    { type: string; d?: boolean; inbox?: unknown } | null | undefined;
  if (merchant?.type !== "radaro-config") return node._("radaro-watch.invalid.merchant-gone");
  if (merchant.d) return node._("radaro-watch.invalid.merchant-disabled");
  return readBoolean(merchant.inbox, false) ? undefined : node._("radaro-watch.invalid.no-inbox");
}
