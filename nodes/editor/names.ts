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

interface Merchant {
  id: string;
  name?: unknown;
}

/** What a merchant is called: its name, and its id too where another of them has that name. */
export function nameOfMerchant(merchant: Merchant, all: Merchant[]): string {
  const unnamed = RED._("node-red-contrib-radaro/radaro-config:radaro-config.label.unnamed");
  const nameOf = ({ name }: Merchant) => (typeof name === "string" && name.trim()) || unnamed;
  const name = nameOf(merchant);
  const isUnique = !all.some((other) => other.id !== merchant.id && nameOf(other) === name);
  return isUnique ? name : `${name} (${merchant.id})`;
}

/** The merchants that the editor has, also those that are not deployed. */
export function merchantsInEditor(): Merchant[] {
  const merchants: Merchant[] = [];
  RED.nodes.eachConfig((config) => {
    if ((config as { type: string }).type === "radaro-config") merchants.push(config as Merchant);
    return true;
  });
  return merchants;
}
