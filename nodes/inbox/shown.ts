import type { NodeAPI } from "node-red";
import { paced } from "../../src/receiving/paced";

/** How often the editor hears that something has changed at most, in milliseconds. */
const publishInterval = 1000;

/** Tells whoever shows how an inbox is that this may be another: statuses at once, the editor and others once a second. */
export class Shown {
  /** The statuses of its nodes, by their ids, and what each shows. */
  readonly #statuses = new Map<string, { show: () => void; shows: string }>();
  readonly #listeners = new Set<() => void>();
  readonly #published: ReturnType<typeof paced<object>>;

  /** @param merchant the id of its node @param shows what the status of a node shows, as text that is another when that is */
  constructor(
    RED: NodeAPI,
    private readonly merchant: string,
    private readonly shows: (id: string) => string,
  ) {
    this.#published = paced((about: object) => {
      RED.comms.publish("radaro-inbox", about, false);
      for (const changed of this.#listeners) changed();
    }, publishInterval);
  }

  /** A node has a status. @param show is called when that may be another @returns what ends it */
  status(id: string, show: () => void): () => void {
    const status = { show, shows: this.shows(id) };
    this.#statuses.set(id, status);
    return () => {
      if (this.#statuses.get(id) === status) this.#statuses.delete(id);
    };
  }

  /** Somebody hears when something has changed, no more than once a second. @returns what ends it */
  listen(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  /** Something has changed, also what statuses show. */
  changed(): void {
    for (const [id, status] of this.#statuses) {
      const shows = this.shows(id);
      if (shows === status.shows) continue;
      status.shows = shows;
      status.show();
    }
    this.publish();
  }

  /** Something has changed that no status shows. */
  publish(): void {
    this.#published.show(() => ({ id: this.merchant }));
  }

  stop(): void {
    this.#published.stop();
  }
}
