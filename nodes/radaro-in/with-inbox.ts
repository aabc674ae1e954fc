import type { EditorRED } from "node-red";
import { readBoolean, readText } from "../../src/event/values";
import type { Validated } from "../editor/validation";
import type { InNode } from "./properties";

declare const RED: EditorRED;

/** Fills what is asked only where the merchant keeps events. @returns shows it or hides it, as the merchant is now */
export function prepareInbox(node: InNode): () => void {
  $("#node-input-inOrder").prop("checked", readBoolean(node.inOrder, false));
  $("#node-input-done").val(readText(node.done) === "node" ? "node" : "");
  const limit = readText(node.limit);
  $("#node-input-limit").val(Number(limit) === 0 ? "" : limit);
  const merchant = $("#node-input-config");
  const show = () => $("#radaro-in-inbox").toggle(hasInbox(readText(merchant.val())));
  merchant.on("change", show);
  show();
  return show;
}

/** Why a limit is none, in the user's words. */
export function findLimitProblem(node: Validated, limit: unknown): string | undefined {
  if (limit === undefined || limit === null) return undefined;
  const text = readText(limit);
  const isText = typeof limit === "string" || typeof limit === "number";
  // A subflow's property, or a variable.
  if (isText && (text.startsWith("${") || (Number.isFinite(Number(text)) && Number(text) >= 0)))
    return undefined;
  return node._("radaro-in.invalid.limit");
}

/** Whether a merchant keeps events; one that only a subflow's instance names may. */
function hasInbox(id: string): boolean {
  const merchant = RED.nodes.node(id) as { type: string; inbox?: unknown } | null | undefined;
  return id.startsWith("${") || (merchant?.type === "radaro-config" && readBoolean(merchant.inbox, false));
}
