import type { Node, NodeAPI } from "node-red";
import type { Settings } from "../../src/inbox/watch-settings";
import type { News } from "../../src/inbox/watching";
import { findInboxes } from "../inbox/open-inboxes";
import { onDeploys } from "../receiving/deploys";
import { MerchantWatch, type About, type First } from "./merchant-watch";
import { StateFile, type Known } from "./state-file";

/** What is watched, and how it is. */
export interface Watching {
  /** How many merchants. */
  merchants: number;
  /** How many things hold that were told. */
  holding: number;
}

interface Told {
  news(news: News, about: About): void;
  /** After each look. */
  looked(watching: Watching): void;
  /** What is known cannot be kept. */
  notKept(error: unknown): void;
}

/** Watches the merchants of one `radaro watch`, while the flows run. */
export class Watcher {
  readonly #file: StateFile;
  readonly #leave: () => void;
  readonly #watches = new Map<string, MerchantWatch>();
  /** Of those that are not watched for now. */
  #known: Known;
  #firsts = new Map<string, Map<string, First>>();

  /** @param config the merchant's node; `""`: all that keep events */
  constructor(
    private readonly RED: NodeAPI,
    node: Node,
    private readonly config: string,
    private readonly settings: Settings,
    private readonly told: Told,
  ) {
    this.#file = new StateFile(RED, node.id, (error) => told.notKept(error));
    this.#known = this.#file.read();
    // Meanwhile a merchant that is not there may be one that comes again.
    this.#leave = onDeploys(RED, { stopping: () => this.#stop(), over: () => this.#begin() });
  }

  #begin(): void {
    this.#stop();
    const [known, firsts] = [this.#known, this.#firsts];
    // What was told of a merchant that is gone, or keeps no events any more, nobody can do anything about.
    this.#known = {};
    this.#firsts = new Map();
    for (const [id, inbox] of findInboxes(this.RED)) {
      if (this.config !== "" && this.config !== id) continue;
      const before = { watched: known[id], firsts: firsts.get(id) };
      const watch = new MerchantWatch(inbox, this.settings, before, {
        news: (news, about) => this.told.news(news, about),
        looked: (isNew) => {
          if (isNew) this.#keep();
          this.#looked();
        },
      });
      this.#watches.set(id, watch);
    }
    if (Object.keys(known).some((id) => !this.#watches.has(id))) this.#keep();
    this.#looked();
  }

  #looked(): void {
    const all = [...this.#watches.values()].flatMap(({ watched }) => Object.values(watched?.things ?? {}));
    this.told.looked({ merchants: this.#watches.size, holding: all.filter(({ told }) => told).length });
  }

  #stop(): void {
    for (const [id, watch] of this.#watches) {
      watch.close();
      if (watch.watched) this.#known[id] = watch.watched;
      this.#firsts.set(id, watch.firsts);
    }
    this.#watches.clear();
  }

  #keep(): void {
    const now = [...this.#watches].flatMap(([id, { watched }]) => (watched ? [[id, watched] as const] : []));
    void this.#file.write(Object.fromEntries(now));
  }

  /** @param isRemoved whether its node is deleted, and with it what it knows */
  async close(isRemoved: boolean): Promise<void> {
    this.#leave();
    this.#stop();
    if (isRemoved) await this.#file.remove();
    else if (Object.keys(this.#known).length > 0) await this.#file.write(this.#known);
  }
}
