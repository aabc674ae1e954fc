import type { Delivery } from "./deliveries";
import type { Cause } from "./store";

/** How many causes are told of at most. */
const maxTold = 100;

/** Counts the failed deliveries of events: by the node that they are for, and by what they failed of. */
export class Failures {
  /** By node: how many deliveries to it are failed. */
  readonly byNode: Record<string, number> = {};
  readonly #causes = new Map<string, Cause>();

  /**
   * Counts an event's failed deliveries, or no more.
   *
   * @param deliveries as JSON
   * @param receivedAt when the event came: ISO-8601, UTC
   */
  count(deliveries: unknown, receivedAt: unknown, by: 1 | -1): void {
    if (typeof deliveries !== "string" || !deliveries.includes('"failed"')) return;
    for (const delivery of JSON.parse(deliveries) as Delivery[]) {
      if (delivery.state !== "failed") continue;
      this.byNode[delivery.node] = (this.byNode[delivery.node] ?? 0) + by;
      this.#countCause(delivery, receivedAt as string, by);
    }
  }

  #countCause({ error, againAt }: Delivery, receivedAt: string, by: 1 | -1): void {
    if (!error) return;
    const key = `${error.node.id}\n${error.text}`;
    const cause = this.#causes.get(key) ?? {
      ...{ node: error.node, error: error.text, count: 0, again: 0 },
      ...{ first: receivedAt, last: receivedAt },
    };
    cause.count += by;
    if (againAt !== undefined) cause.again += by;
    if (receivedAt < cause.first) cause.first = receivedAt;
    if (receivedAt > cause.last) cause.last = receivedAt;
    if (cause.count > 0) this.#causes.set(key, cause);
    else this.#causes.delete(key);
  }

  /** Those with the most events first. */
  get causes(): Cause[] {
    return [...this.#causes.values()].sort((a, b) => b.count - a.count).slice(0, maxTold);
  }
}
