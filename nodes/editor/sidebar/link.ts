import type { StoredEvent } from "./inbox";

/** Which event a link to the editor opens. */
export type Linked = Pick<StoredEvent, "merchant" | "seq">;

/** The link that opens an event in the editor. */
export function linkTo({ merchant, seq }: Linked): string {
  return `${location.href.replace(/#.*$/, "")}#radaro-inbox/${merchant}/${seq}`;
}

/** Which event the address of the page names. */
export function readLink(hash: string): Linked | undefined {
  const [, merchant, seq] = /^#radaro-inbox\/([^/]+)\/([^/]+)$/.exec(hash) ?? [];
  return merchant && seq
    ? { merchant: decodeURIComponent(merchant), seq: decodeURIComponent(seq) }
    : undefined;
}
