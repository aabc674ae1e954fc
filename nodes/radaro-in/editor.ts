import type { EditorRED } from "node-red";
import { merchantsInEditor, nameOfMerchant } from "../editor/names";
import { keepUntouched, rememberInputs } from "../editor/untouched";
import { validator, type Validated } from "../editor/validation";
import { findPathProblem } from "./path";
import { isChanged, pathOf, type Properties } from "./properties";
import { listenToSwitches, prepareTest, pressButton, stopListening } from "./test-event";
import { findTopicsProblem, prepareTopics } from "./topics";
import { prepareWebhook } from "./webhook";
import { findLimitProblem, prepareInbox } from "./with-inbox";

declare const RED: EditorRED;

/** What may change how many merchants there are, and their names. */
const merchantEvents = ["nodes:add", "nodes:remove", "nodes:change"];

/** How much of a merchant's name a node shows, in characters. */
const maxOnNode = 30;

const inputs = ["name", "config", "path", "sample", "inOrder", "done", "limit"];

/** What the open dialog does when it is left by Done. */
let onDone: (() => void)[] = [];

/** What it does when a merchant has changed. */
let showInbox: (() => void) | undefined;

RED.nodes.registerType<Properties>("radaro in", {
  category: "radaro",
  categoryDescription: "node-red-contrib-radaro/radaro-in:radaro-in.category",
  color: "#9FD6C8",
  defaults: {
    name: { value: "" },
    config: { value: "", type: "radaro-config", validate: validator(findMerchantProblem) },
    path: { value: "/radaro", validate: validator(findPathProblem) },
    topics: { value: [], validate: validator(findTopicsProblem) },
    sample: { value: "job-completed" },
    inOrder: { value: true },
    done: { value: "" },
    limit: { value: 0, validate: validator(findLimitProblem) },
  },
  inputs: 0,
  outputs: 1,
  icon: "radaro-in.svg",
  label() {
    if (this.name) return String(this.name);
    const merchants = merchantsInEditor();
    const merchant = merchants.length > 1 && merchants.find(({ id }) => id === this.config);
    const path = pathOf(this) || this._("radaro-in.label.node");
    return merchant ? `${path} · ${shortened(nameOfMerchant(merchant, merchants))}` : path;
  },
  labelStyle() {
    return this.name ? "node_label_italic" : "";
  },
  paletteLabel: "radaro in",
  outputLabels() {
    return this._("radaro-in.label.output");
  },
  button: {
    enabled() {
      return !isChanged(this);
    },
    onclick() {
      pressButton(this);
    },
  },
  oneditprepare() {
    sayMerchant("add", this._("radaro-in.label.add-merchant"));
    sayMerchant("edit", this._("radaro-in.label.edit-merchant"));
    onDone = [prepareWebhook(this), prepareTopics(this)];
    prepareTest(this);
    showInbox = prepareInbox(this);
    rememberInputs(inputs);
  },
  oneditsave() {
    for (const each of onDone) each();
    keepUntouched(inputs);
    showInbox = undefined;
  },
  oneditcancel() {
    showInbox = undefined;
  },
  onpaletteadd() {
    listenToSwitches();
    for (const event of merchantEvents) RED.events.on(event, onMerchant);
  },
  onpaletteremove() {
    stopListening();
    for (const event of merchantEvents) RED.events.off(event, onMerchant);
  },
});

/** A merchant's name on a node, which stands beside others in the flow. */
function shortened(name: string): string {
  const characters = Array.from(name);
  return characters.length > maxOnNode ? `${characters.slice(0, maxOnNode - 1).join("")}…` : name;
}

/** Why a node gets nothing of its merchant, in the user's words. */
function findMerchantProblem(node: Validated, id: unknown): string | undefined {
  if (typeof id !== "string" || id === "" || id === "_ADD_") return node._("radaro-in.invalid.no-merchant");
  const merchant = RED.nodes.node(id) as
    { type: string; d?: boolean; valid?: boolean; validationErrors?: string[] } | null | undefined;
  if (merchant?.type !== "radaro-config") return node._("radaro-in.invalid.merchant-gone");
  if (merchant.d) return node._("radaro-in.invalid.merchant-disabled");
  return merchant.valid === false ? merchant.validationErrors?.[0] : undefined;
}

/** Names a button beside the merchants in Radaro's words, and not by the type. */
function sayMerchant(what: "add" | "edit", text: string): void {
  const button = $(`#node-input-btn-config-${what}`)
    .off("mouseenter mouseleave")
    .attr({ role: "button", "aria-label": text });
  RED.popover.tooltip(button, text);
}

/** Draws the nodes anew: merchants are in their labels. The open dialog shows what one has. */
function onMerchant(changed: { type: string }): void {
  if (changed.type !== "radaro-config") return;
  showInbox?.();
  for (const node of RED.nodes.filterNodes({ type: "radaro in" }) as { dirty: boolean; resize: boolean }[]) {
    node.dirty = node.resize = true;
  }
  RED.view.redraw();
}
