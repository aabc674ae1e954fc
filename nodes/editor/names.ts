import type { EditorRED } from "node-red";
import * as catalog from "../../src/event/catalog";

declare const RED: EditorRED;

const ids = {
  topicGroup: catalog.topicGroups,
  topic: catalog.topics,
  eventType: catalog.eventTypes,
  field: catalog.fields,
  jobField: catalog.jobFields,
  status: catalog.statuses,
  sample: catalog.samples,
};

/**
 * The name of a catalog's entry in the editor's language. What the catalog does not know is shown as
 * it is: Radaro may have added it since.
 */
export function nameOf(kind: keyof typeof ids, id: string): string {
  return Object.hasOwn(ids[kind], id)
    ? RED._(`node-red-contrib-radaro/radaro-config:catalog.${kind}.${id}`)
    : id;
}

/** The ids of one kind, in the catalog's order. */
export function idsOf(kind: keyof typeof ids): string[] {
  return Object.keys(ids[kind]);
}
