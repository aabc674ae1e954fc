import type { Connections, Instance } from "./postgres-saying";
import { Unusable } from "./store";

/** How long nothing is taken at most where there is something, and nothing for this one, in milliseconds. */
const longestRest = 30_000;

/** What LIKE finds a node by among the deliveries of an event. */
const findBy = (node: string) => `%"node":${JSON.stringify(node).replace(/[\\%_]/g, "\\$&")}%`;

/** Where it takes too long to look through all of it, it is left for now. @throws what else was wrong */
function late(error: unknown): undefined {
  if (!(error instanceof Unusable) || error.problem !== "slow") throw error;
}

/** Lets an instance take what nobody gives, as those have ended or let it go that had it. */
export class Taking {
  /** What there was to be taken the last time, and until when it is left alone: longer each time that it is for nobody here. */
  #what = "";
  #rest = { until: -Infinity, next: 0 };
  #isTaking = false;

  /**
   * @param live see `Saying`
   * @param rest how long nothing is taken after there was nothing for this one, in milliseconds
   * @param taken is called when some was
   */
  constructor(
    private readonly connections: Connections,
    private readonly sharer: Instance,
    private readonly live: string,
    private readonly rest: number,
    private readonly taken: () => Promise<void>,
  ) {}

  /** Somebody has just let go of something. */
  again(): void {
    this.#what = "";
  }

  /** @param free the ids of those who give no more what they have @param nodes for which something can be given */
  async take(free: string[], nodes: string[]): Promise<void> {
    const what = JSON.stringify([free, nodes]);
    if (what !== this.#what) this.#rest = { until: -Infinity, next: this.rest };
    this.#what = what;
    if (nodes.length === 0 || this.#isTaking || performance.now() < this.#rest.until) return;
    this.#isTaking = true;
    await this.#takeAll(nodes).finally(() => (this.#isTaking = false));
  }

  async #takeAll(nodes: string[]): Promise<void> {
    const { reader, writer } = this.connections;
    const values = [this.sharer.merchant, this.sharer.id, this.live, JSON.stringify(nodes.map(findBy))];
    const of = "($1, $2, $3::interval, ARRAY(SELECT json_array_elements_text($4::text::json)))";
    // All may be for nobody's nodes: what writes does not wait for that.
    const found = await reader.one(`SELECT radaro_inbox.is_to_take${of} AS is_there`, ...values).catch(late);
    let isThere = found?.is_there === true;
    if (isThere) await writer.one("SELECT radaro_inbox.bury($1, $2, $3::interval)", ...values.slice(0, 3));
    while (isThere) {
      const row = await writer.one(`SELECT radaro_inbox.take${of} AS taken`, ...values);
      isThere = (row!.taken as number) > 0;
      if (isThere) {
        this.#rest.next = this.rest;
        await this.taken();
      }
    }
    this.#rest.until = performance.now() + this.#rest.next;
    this.#rest.next = Math.min(2 * this.#rest.next, longestRest);
  }
}
