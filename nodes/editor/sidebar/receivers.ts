import type { EditorRED } from "node-red";
import { readText } from "../../../src/event/values";
import type { StoredEvent } from "./inbox";

declare const RED: EditorRED;

interface InNode {
  id: string;
  type: string;
  config?: unknown;
  path?: unknown;
  d?: boolean;
}

/** The `radaro in` nodes of an event's merchant that receive on its path, by what the editor calls them. */
export function receiversOf({ merchant, path, deliveries }: StoredEvent): { id: string; name: string }[] {
  const nodes = RED.nodes.filterNodes({ type: "radaro in" }) as InNode[];
  const known = new Set(deliveries?.map(({ node }) => node));
  return nodes
    .filter((node) => !node.d && node.config === merchant)
    .filter((node) => known.has(node.id) || readPath(node.path) === readPath(path))
    .map(({ id }) => ({ id, name: labelOf(id) }));
}

/** A path as the receiver takes it: with a `/` before it, and none behind. */
function readPath(path: unknown): string {
  return `/${readText(path ?? "/radaro").replace(/^\/+|\/+$/g, "")}`;
}

/** The paths on which a merchant receives, for people who tell two of one name apart. */
export function pathsOf(merchant: string): string[] {
  const nodes = RED.nodes.filterNodes({ type: "radaro in" }) as InNode[];
  return [...new Set(nodes.filter(({ config }) => config === merchant).map(({ path }) => readPath(path)))];
}

/** What the editor calls a node. */
export function labelOf(id: string): string {
  const node = RED.nodes.node(id) as Parameters<typeof RED.utils.getNodeLabel>[0] | null;
  return (node && RED.utils.getNodeLabel(node, id)) || id;
}
