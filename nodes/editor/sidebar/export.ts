import { Failure, type Filter } from "./inbox";

/**
 * Reads events as lines of JSON, as the editor asks for all else.
 *
 * @throws {Failure}
 */
function read(merchant: string, filter: Filter): Promise<Blob> {
  return new Promise((resolve, reject) => {
    $.ajax({ url: `radaro-inbox/${merchant}/export?${$.param(filter)}`, xhrFields: { responseType: "blob" } })
      .done((lines: Blob) => resolve(lines))
      .fail(({ status }) => reject(new Failure(status)));
  });
}

/** Saves what a filter lets through of some merchants' events as a file, one line each. @throws {Failure} */
export async function save(merchants: string[], filter: Filter, document: Document): Promise<void> {
  const parts: Blob[] = [];
  for (const merchant of merchants) parts.push(await read(merchant, filter));
  const url = URL.createObjectURL(new Blob(parts, { type: "application/x-ndjson" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `radaro-${new Date().toISOString().slice(0, 10)}.jsonl`;
  document.body.append(link);
  link.click();
  link.remove();
  URL.revokeObjectURL(url);
}
