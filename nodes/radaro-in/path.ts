import type { EditorRED } from "node-red";
import { unsetVariable } from "../../src/event/values";
import { readPath, type PropertyProblem } from "../../src/receiving/properties";
import { addressOf, findUrlProblems, webhookUrl } from "../../src/receiving/webhook-url";
import type { Validated } from "../editor/validation";
import type { Place } from "./address-api";
import { isChanged, type InNode } from "./properties";

declare const RED: EditorRED & { settings: { httpNodeRoot: string } };

/** Where this Node-RED is, as it was told last. */
export const place: Place = { address: "", httpAdminRoot: "/" };

/** Where the editor was loaded from. */
export function editorAddress(): string {
  return addressOf(location, place.httpAdminRoot);
}

/**
 * The whole webhook URL for a path.
 *
 * @param address of Node-RED; `""`: the editor's
 */
export function urlOf(path: string, address = place.address): string {
  return webhookUrl(address || editorAddress(), RED.settings.httpNodeRoot, path);
}

/** What is wrong with a path, in the user's words. */
export function findPathProblem(node: Validated, value: unknown): string | undefined {
  const { path, problem } = readPath(value) as { path?: string; problem?: PropertyProblem };
  if (problem === "path-variable") return undefined; // what it holds is known when it is deployed
  if (problem === "part-variable") return node._("radaro-in.invalid.path-variable");
  if (path === undefined) return node._(`radaro-in.invalid.${problem === "path-url" ? problem : "path"}`);
  const isTooLong = findUrlProblems(urlOf(path)).includes("too-long");
  return isTooLong ? node._("radaro-in.invalid.path-long") : undefined;
}

/**
 * What a path is, where a variable stands for it.
 *
 * @param written what the input holds
 * @param deployed what the node's path was when it was deployed, as far as that is known
 * @returns `path`: absent where only the runtime knows it; `note`: what to say of it
 */
export function describePath(
  node: InNode,
  written: string,
  deployed?: string,
): { path?: string; note: string } {
  const name = unsetVariable(written);
  if (name === undefined) return { path: written, note: "" };
  const t = (what: string, values = {}) => node._(`radaro-in.variable.${what}`, { name, ...values });
  if (RED.nodes.subflow(node.z)) return { note: t("of-instance") };
  if (deployed === undefined || written !== node.path || isChanged(node)) return { note: t("not-deployed") };
  if (deployed === written) return { note: t("unset") };
  return { path: deployed, note: t("value", { value: deployed }) };
}
