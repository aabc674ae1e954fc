/**
 * Reads what a node is given. Whatever stands in a flow's JSON, an environment variable or a
 * subflow's property may come here: texts where a list should be, numbers where a text should be.
 */

/** A property as text without white space around it: a number too, as a variable may hold one; `""` for anything else. */
export function readText(value: unknown): string {
  if (typeof value === "string") return value.trim();
  return typeof value === "number" ? String(value) : "";
}

/** A property as a boolean, in both spellings; `otherwise` for anything else. */
export function readBoolean(value: unknown, otherwise: boolean): boolean {
  if (value === true || value === "true") return true;
  return value === false || value === "false" ? false : otherwise;
}

/** The name of a variable that stands in a text because Node-RED knows none of that name: `${NAME}`. */
export function unsetVariable(text: string): string | undefined {
  return /^\$[{(]([^})]*)[})]$/.exec(text)?.[1];
}
