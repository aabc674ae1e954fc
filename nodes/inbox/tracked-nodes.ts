import type { Node, NodeAPI } from "node-red";
import type { FlowError } from "../../src/inbox/deliveries";
import { listenToErrors } from "./node-errors";

/** What stands in the flows as they are deployed. */
interface FlowNode {
  id: string;
  z?: string;
  /** Whether it is disabled. */
  d?: boolean;
  /** Whether it is disabled, as a tab. */
  disabled?: boolean;
}

/** The nodes that an event of an inbox has reached: their errors, and whether they were stopped. */
export class TrackedNodes {
  readonly #listening = new Map<Node, () => void>();
  readonly #stopped = new WeakSet<Node>();
  /** Ids of the nodes that are meant to run; made when it is needed. */
  #meant: Set<string> | undefined;

  constructor(
    private readonly RED: NodeAPI,
    private readonly failed: (msg: object, error: FlowError, node: Node) => void,
  ) {}

  /** @param deploying flows are being stopped or started: it may have been stopped before it got anything */
  add(node: Node, deploying: boolean): void {
    if (this.#listening.has(node)) return;
    if (deploying && !this.#runs(node)) {
      this.#stopped.add(node);
      return;
    }
    const leaveErrors = listenToErrors(node, (msg, error) => this.failed(msg, error, node));
    const onClose = () => {
      this.#stopped.add(node);
      leaveErrors();
      this.#listening.delete(node);
    };
    node.on("close", onClose);
    this.#listening.set(node, () => {
      node.removeListener("close", onClose);
      leaveErrors();
    });
  }

  leave(): void {
    for (const leave of this.#listening.values()) leave();
    this.#listening.clear();
  }

  /** Whether a node was stopped since a message came to it, or was sent to it. */
  isStopped(node: Node): boolean {
    return this.#stopped.has(node) || !(this.#listening.has(node) || this.#runs(node));
  }

  #runs(node: Node): boolean {
    return this.RED.nodes.getNode(node.id) === node;
  }

  /** Whether no node is meant to be here: it is not in the flows, or is disabled. */
  isNowhere(id: string | null): boolean {
    this.#meant ??= this.#findMeant();
    return id === null || !this.#meant.has(id);
  }

  #findMeant(): Set<string> {
    const nodes: FlowNode[] = [];
    this.RED.nodes.eachNode((node) => nodes.push(node));
    const disabled = new Set(nodes.filter((node) => node.disabled).map(({ id }) => id));
    return new Set(nodes.filter(({ d, z }) => !d && !(z && disabled.has(z))).map(({ id }) => id));
  }

  /** The flows may be others now. */
  deployed(): void {
    this.#meant = undefined;
  }
}
