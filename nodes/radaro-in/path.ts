import type { EditorRED } from "node-red";
import { addressOf, findUrlProblems, splitUrl, webhookUrl } from "../../src/webhook-url";
import type { Validated } from "../validation";
import type { Place } from "./address-api";
import { isChanged, pathOf, type InNode } from "./properties";

declare const RED: EditorRED & { settings: { httpNodeRoot: string } };

/** Where this Node-RED is, as it was told last. */
export const place: Place = { address: "", httpAdminRoot: "/" };

/**
 * The whole webhook URL for a path.
 *
 * @param address of Node-RED; `""`: the editor's
 */
export function urlOf(path: string, address = place.address): string {
  return webhookUrl(address || addressOf(location, place.httpAdminRoot), RED.settings.httpNodeRoot, path);
}

/** The environment variable that Node-RED takes a path from, if it does. */
function variableIn(path: string): string | undefined {
  return /^\$[{(](\S+)[})]$/.exec(path)?.[1];
}

/** What is wrong with a path, in the user's words. */
export function findPathProblem(node: Validated, value: unknown): string | undefined {
  if (value !== undefined && value !== null && typeof value !== "string" && typeof value !== "number")
    return node._("radaro-in.invalid.path");
  const path = pathOf({ path: value });
  if (variableIn(path) !== undefined) return undefined;
  if (splitUrl(path, "/")) return node._("radaro-in.invalid.path-url");
  if (path.includes("${")) return node._("radaro-in.invalid.path-variable");
  if (/^\s*$|[?#]/.test(path)) return node._("radaro-in.invalid.path");
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
export function readPath(node: InNode, written: string, deployed?: string): { path?: string; note: string } {
  const name = variableIn(written);
  if (name === undefined) return { path: written, note: "" };
  const t = (what: string, values = {}) => node._(`radaro-in.variable.${what}`, { name, ...values });
  if (RED.nodes.subflow(node.z)) return { note: t("of-instance") };
  if (deployed === undefined || written !== node.path || isChanged(node)) return { note: t("not-deployed") };
  if (deployed === written) return { note: t("unset") };
  return { path: deployed, note: t("value", { value: deployed }) };
}
