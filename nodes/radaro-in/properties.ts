import type { EditorNodeInstance, EditorNodeProperties } from "node-red";
import { readText } from "../../src/event/values";

/** As a flow that was written by hand or by a program may have them: absent, or of any type. */
export interface Properties extends EditorNodeProperties {
  config: unknown;
  path: unknown;
  topics: unknown;
  sample: unknown;
  inOrder: unknown;
  done: unknown;
  limit: unknown;
}

export type InNode = EditorNodeInstance<Properties> & {
  /** Whether it is disabled. */
  d?: boolean;
};

/** Whether the editor holds changes of a node that are not deployed. */
export function isChanged(node: object): boolean {
  return "changed" in node && node.changed === true;
}

/** The path, with the contract's default where there is none. */
export function pathOf({ path }: Pick<Properties, "path">): string {
  return path === undefined || path === null ? "/radaro" : readText(path);
}

/** Likewise the test event that the button sends. */
export function sampleOf({ sample }: Pick<Properties, "sample">): string {
  return readText(sample) || "job-completed";
}
