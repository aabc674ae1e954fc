/** What a delivery's name is made of: the merchant's node, the event, and the `radaro in`. */
type Ids = [merchant: string, seq: string, node: string];

/** A delivery's name, as messages carry it. */
export const deliveryName = (...ids: Ids): string => ids.map(encodeURIComponent).join("/");

/** Reads such a name; `undefined`: it is none. */
export function readDeliveryName(name: unknown): Ids | undefined {
  if (typeof name !== "string") return undefined;
  try {
    const [merchant, seq, node, ...more] = name.split("/").map(decodeURIComponent);
    return merchant && seq && node && more.length === 0 ? [merchant, seq, node] : undefined;
  } catch {
    return undefined; // a % that stands for nothing
  }
}
