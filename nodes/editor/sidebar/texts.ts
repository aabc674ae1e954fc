import type { EditorRED } from "node-red";

declare const RED: EditorRED;

export type Values = Record<string, string | number>;

/** A text of the sidebar. */
export function t(key: string, values: Values = {}): string {
  return RED._(`node-red-contrib-radaro/radaro-config:sidebar.${key}`, said(values));
}

/** The language of the texts, as the browser has it where it is the same one. */
export function language(): string {
  const locale = t("locale");
  const [primary] = locale.split("-");
  return navigator.languages.find((each) => each.split("-")[0] === primary) ?? locale;
}

/** Numbers as they are written in the texts' language. */
function said(values: Values): Record<string, string> {
  const entries = Object.entries(values).map(([name, value]) => [
    name,
    typeof value === "number" ? value.toLocaleString(language()) : value,
  ]);
  return Object.fromEntries(entries) as Record<string, string>;
}
