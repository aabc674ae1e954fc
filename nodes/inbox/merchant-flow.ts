import type { NodeAPI } from "node-red";
import { deliveryName } from "../../src/inbox/delivery-name";
import type { FlowError } from "../../src/inbox/deliveries";
import type { Flow, Outcome } from "../../src/inbox/inbox";
import type { StoredEvent } from "../../src/inbox/stored-event";
import type { JsonObject } from "../../src/event/json";
import { normalisePath } from "../../src/receiving/endpoints";
import type { Receiver } from "../../src/receiving/receive";
import type { DeployedEndpoints } from "../receiving/deploys";
import { loadReceiver } from "../receiving/receiver";
import { Tracking } from "./tracking";

/** One for each Node-RED. */
const trackings = new WeakMap<object, Tracking>();

/** For how long a timer can be set, in milliseconds. */
const longestTimer = 2 ** 31 - 1;

/** A `radaro in` with an inbox, as the inbox sees it. */
export interface InboxReceiver extends Receiver {
  node: { id: string; name: string };
  /** Where it receives. */
  path: string;
  isInOrder: boolean;
  /** Whether a `radaro done` says that the flow is done. */
  isDoneByNode: boolean;
  /** Minutes after which a delivery counts as failed; 0: none. */
  limit: number;
}

/** What a merchant's flow tells, and asks. */
interface Told {
  /** The flows have started. */
  running(): void;
  /** What has become of a delivery to a node. */
  heard(seq: string, node: string, outcome: Outcome): void;
  /** Whether the flow has a delivery that was given so many times. */
  isWithFlow(seq: string, node: string, times: number): boolean;
  /** What a delivery has failed of that no node says. */
  says(why: string, node: string, about?: Record<string, number>): FlowError;
}

/** The `radaro in` nodes of a merchant with an inbox, and the flows behind them. */
export class MerchantFlow implements Flow {
  readonly #receivers = new Map<string, InboxReceiver>();
  readonly #limits = new Set<NodeJS.Timeout>();
  readonly #tracking: Tracking;
  readonly #leaveTracking: () => void;
  #endpoints: DeployedEndpoints | undefined;

  /** @param merchant the id of the merchant's node */
  constructor(
    private readonly RED: NodeAPI,
    private readonly merchant: string,
    private readonly told: Told,
  ) {
    this.#tracking = trackings.get(RED.hooks) ?? new Tracking(RED);
    trackings.set(RED.hooks, this.#tracking);
    this.#leaveTracking = this.#tracking.use(() => told.running());
  }

  /** One of the nodes is there, and receives. @returns what ends that */
  connect(endpoints: DeployedEndpoints, receiver: InboxReceiver): () => void {
    const { id } = receiver.node;
    this.#endpoints = endpoints;
    this.#receivers.set(id, receiver);
    return () => {
      if (this.#receivers.get(id) === receiver) this.#receivers.delete(id);
    };
  }

  get running(): boolean {
    return this.#endpoints?.deploying === false;
  }

  /** Where the merchant's events are sent to, while the flows run. */
  get paths(): string[] {
    return this.running
      ? [...new Set([...this.#receivers.values()].map(({ path }) => normalisePath(path)))]
      : [];
  }

  receivers(path: string, event: JsonObject): string[] | undefined {
    const receivers = this.running ? this.#receiversAt(path) : [];
    if (receivers.length === 0) return undefined;
    const { wants } = loadReceiver();
    return receivers.filter((receiver) => wants(receiver, event)).map(({ node }) => node.id);
  }

  give(stored: StoredEvent, nodes: string[], event: JsonObject): string[] {
    const endpoints = this.#endpoints;
    if (!endpoints || endpoints.deploying) return [];
    // Also one that receives on another path now: the delivery is its.
    const receivers = nodes.flatMap((id) => this.#receivers.get(id) ?? []);
    if (receivers.length === 0) return [];
    const { receivedAt, superseded, caughtUp, seq, deliveries } = stored;
    const about = { receivedAt: new Date(receivedAt), superseded, caughtUp };
    const messages = loadReceiver().messagesFor(receivers, event, about);
    const following = receivers.map((receiver, i) => {
      const { id } = receiver.node;
      const { times } = deliveries!.find(({ node }) => node === id)!;
      const message = Object.assign(messages[i]!, { _msgid: this.RED.util.generateId() });
      message.radaro.eventId = stored.eventId;
      message.radaro.delivery = deliveryName(this.merchant, seq, id);
      if (times > 1) message.radaro.redelivery = times - 1;
      return this.#follow(message._msgid, seq, receiver, times);
    });
    receivers.forEach((receiver, i) => receiver.deliver(messages[i]!));
    for (const { sent } of following) sent();
    void Promise.resolve(endpoints.delivered(messages)).then((delivered) => {
      if (!delivered) for (const { lost } of following) lost();
    });
    return receivers.map(({ node }) => node.id);
  }

  #follow(message: string, seq: string, { node: { id }, isDoneByNode, limit }: InboxReceiver, times: number) {
    if (limit > 0) {
      const timer = setTimeout(
        () => {
          this.#limits.delete(timer);
          if (!this.told.isWithFlow(seq, id, times)) return;
          const error = this.told.says("limit", id, { count: limit });
          this.told.heard(seq, id, { state: "failed", error, stays: true });
        },
        Math.min(limit * 60_000, longestTimer),
      ).unref();
      this.#limits.add(timer);
    }
    return this.#tracking.follow(message, deliveryName(this.merchant, seq, id), {
      isDoneByNode,
      heard: (outcome) => this.told.heard(seq, id, outcome),
      stuck: () => this.told.says("stuck", id),
    });
  }

  /** Sends an event to one of the nodes as a test event, which nobody follows. @returns whether it is there */
  test({ receivedAt, superseded, caughtUp }: StoredEvent, event: JsonObject, id: string): boolean {
    const receiver = this.receiver(id);
    if (!receiver || !this.running) return false;
    const about = { receivedAt: new Date(receivedAt), superseded, caughtUp, test: true };
    const [message] = loadReceiver().messagesFor([receiver], event, about);
    receiver.deliver(message!);
    return true;
  }

  /** Somebody says what has become of a delivery. */
  said(seq: string, id: string): void {
    this.#tracking.said(deliveryName(this.merchant, seq, id));
  }

  /** The nodes that have some of a delivery now. */
  nodesOf(seq: string, id: string) {
    return this.#tracking.nodesOf(deliveryName(this.merchant, seq, id));
  }

  /** What a node of this merchant is called; `undefined`: it is not there. */
  nameOf(id: string): string | undefined {
    return this.receiver(id)?.node.name;
  }

  get nodes(): string[] {
    return [...this.#receivers.keys()];
  }

  receiver(id: string): InboxReceiver | undefined {
    return this.#receivers.get(id);
  }

  #receiversAt(path: string): InboxReceiver[] {
    const all = this.#endpoints?.at(path) ?? [];
    return Array.from(all).filter(
      (each): each is InboxReceiver =>
        this.#receivers.get((each as Partial<InboxReceiver>).node?.id ?? "") === each,
    );
  }

  /** The nodes that let an event through, or where none does one of those on its path. */
  hearers(path: string, event: JsonObject): string[] {
    const wanting = this.receivers(path, event) ?? [];
    return wanting.length > 0
      ? wanting
      : this.#receiversAt(path)
          .slice(0, 1)
          .map(({ node }) => node.id);
  }

  close(): void {
    for (const timer of this.#limits) clearTimeout(timer);
    this.#leaveTracking();
  }
}
