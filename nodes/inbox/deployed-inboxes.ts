import type { NodeAPI } from "node-red";
import { onDeploys } from "../receiving/deploys";
import type { MerchantInbox } from "./merchant-inbox";

/** The inboxes that are open, by the id of their merchant's node. */
export class DeployedInboxes extends Map<string, MerchantInbox> {
  /** While a deploy has stopped one that comes back. */
  #deploying: Promise<void> | undefined;

  constructor(private readonly RED: NodeAPI) {
    super();
  }

  /** A node is closed. @param removed whether it is deleted; otherwise a deploy may start it again */
  close(id: string, removed: boolean): void {
    this.delete(id);
    if (removed) return;
    this.#deploying ??= new Promise((resolve) => {
      const over = () => {
        leave();
        this.#deploying = undefined;
        resolve();
      };
      const leave = onDeploys(this.RED, { stopping: () => undefined, over });
    });
  }

  /** Waits until those that a deploy has stopped are there again, or are known not to come. */
  async deployed(): Promise<this> {
    await this.#deploying;
    return this;
  }
}
