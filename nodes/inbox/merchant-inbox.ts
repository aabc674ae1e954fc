import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Node, NodeAPI } from "node-red";
import type { Moment } from "../../src/inbox/age";
import { fateOf, folderName, labelPath, parseLabel } from "../../src/inbox/folder";
import { Closed, Inbox, type Flow, type Given, type Outcome } from "../../src/inbox/inbox";
import type { JsonObject } from "../../src/event/json";
import { paced } from "../../src/receiving/paced";
import { readText } from "../../src/event/values";
import type { Keeper, Receiver, Refusal } from "../../src/receiving/receive";
import { meanings, ruleOf, type Meaning } from "../../src/routing/meanings";
import { compileRules } from "../../src/routing/rules";
import { SqliteStore } from "../../src/inbox/sqlite-store";
import { Unusable, type Finding, type Problem } from "../../src/inbox/store";
import type { StoredEvent } from "../../src/inbox/stored-event";
import type { DeployedEndpoints } from "../receiving/deploys";
import { inboxesDir } from "./dir";
import { loadReceiver } from "../receiving/receiver";
import { Tracking } from "./tracking";

/** How often the editor hears that something has changed at most, in milliseconds. */
const publishInterval = 1000;

/** One for each Node-RED. */
const trackings = new WeakMap<object, Tracking>();

/** The directories that are in use. */
const open = new Set<string>();

/** What an event means in words, by its place in `route`. */
const known = Object.keys(meanings) as Meaning[];
const { route } = compileRules(known.map(ruleOf), false);

function meaningOf(event: JsonObject): Meaning | null {
  const [place] = route(event);
  return place === undefined ? null : known[place]!;
}

/** A merchant's inbox in this Node-RED: gives its events to the `radaro in` nodes of this merchant. */
export class MerchantInbox implements Keeper, Flow {
  /** Requests that were refused since it was opened. */
  readonly #refusals = new Map<Refusal, { count: number; last: Date }>();
  readonly inbox: Inbox;
  /** What shows that there is a problem, or no more. */
  readonly #shown = new Set<() => void>();
  readonly #tracking: Tracking;
  readonly #leaveTracking: () => void;
  readonly #published: ReturnType<typeof paced<object>>;
  #endpoints: DeployedEndpoints | undefined;
  #problem: Problem | undefined;
  /** Whether it has said what it found on disk. */
  #opened = false;

  /**
   * @param node the merchant's
   * @param days events are kept
   */
  constructor(
    private readonly RED: NodeAPI,
    private readonly node: Node,
    days: number,
  ) {
    open.add(this.#dir);
    this.#tracking = trackings.get(RED.hooks) ?? new Tracking(RED);
    trackings.set(RED.hooks, this.#tracking);
    this.#leaveTracking = this.#tracking.use(() => void this.inbox.giveAgain());
    this.#published = paced(
      (about: object) => RED.comms.publish("radaro-inbox", about, false),
      publishInterval,
    );
    const label = { merchant: node.id, days };
    this.inbox = new Inbox((options) => SqliteStore.open(this.#dir, options, label), this, {
      days,
      changed: () => this.#changed(),
      found: (finding) => this.#found(finding),
      meaningOf,
    });
  }

  get #dir(): string {
    return join(inboxesDir(this.RED), folderName(this.node.id));
  }

  /** The paths that the merchant's nodes receive on; `show` is called when `problem` is another. */
  connect(endpoints: DeployedEndpoints, show: () => void): () => void {
    this.#endpoints = endpoints;
    this.#shown.add(show);
    return () => this.#shown.delete(show);
  }

  /** Why nothing can be stored: shortly, and with what to do. */
  get problem(): { kind: Problem; title: string; text: string } | undefined {
    const kind = this.#problem;
    return (
      kind && {
        kind,
        title: this.RED._(`radaro-config.inbox.title.${kind}`),
        text: this.RED._(`radaro-config.inbox.problem.${kind}`, {
          dir: this.#dir,
          node: process.versions.node,
        }),
      }
    );
  }

  /** What the sidebar shows above the events. */
  get summary() {
    const { waiting = 0, failed = 0, processed = 0, "handed-over": handedOver = 0 } = this.inbox.counts ?? {};
    return {
      id: this.node.id,
      name: readText(this.node.name),
      problem: this.problem ?? null,
      counts: { waiting, failed, handedOver, processed },
      refused: Array.from(this.#refusals, ([why, { count, last }]) => ({ why, count, last })),
    };
  }

  async accept(...arrival: Parameters<Keeper["accept"]>): ReturnType<Keeper["accept"]> {
    try {
      return await this.inbox.accept(...arrival);
    } catch (error) {
      if (error instanceof Closed) return "closed";
      // Known, where the store cannot be used; it remains that the event cannot be written.
      if (!(error instanceof Unusable)) this.node.error(this.RED._("radaro-config.inbox.too-deep"));
      return "not-stored";
    }
  }

  refused(why: Refusal): void {
    this.#refusals.set(why, { count: (this.#refusals.get(why)?.count ?? 0) + 1, last: new Date() });
    this.#publish();
  }

  get running(): boolean {
    return this.#endpoints?.deploying === false;
  }

  give(stored: StoredEvent, event: JsonObject, settled: (outcome: Outcome) => void): Given {
    const { messagesFor, wants } = loadReceiver();
    const endpoints = this.#endpoints;
    if (!endpoints || endpoints.deploying) return "nobody";
    const receivers = this.#receiversAt(stored.path);
    if (receivers.length === 0) return "nobody";
    const wanting = receivers.filter((receiver) => wants(receiver, event));
    if (wanting.length === 0) return "unwanted";

    const { receivedAt, times, superseded } = stored;
    const about = { receivedAt: new Date(receivedAt), redelivery: times - 1, superseded };
    const messages = messagesFor(wanting, event, about).map((message) =>
      Object.assign(message, { _msgid: this.RED.util.generateId() }),
    );
    const following = this.#tracking.follow(
      messages.map(({ _msgid }) => _msgid),
      settled,
    );
    wanting.forEach((receiver: Receiver, i) => receiver.deliver(messages[i]!));
    following.sent();
    void Promise.resolve(endpoints.delivered(messages)).then((delivered) => {
      if (!delivered) following.lost();
    });
    return "given";
  }

  receives(path: string): boolean {
    return !this.running || this.#receiversAt(path).length > 0;
  }

  #receiversAt(path: string): Receiver[] {
    return Array.from(this.#endpoints?.at(path) ?? []).filter(({ keeper }) => keeper === this);
  }

  #found(finding: Finding): void {
    const { what, ...about } = finding;
    this.node.warn(this.RED._(`radaro-config.inbox.found.${what}`, { dir: this.#dir, ...about }));
  }

  #changed(): void {
    const { problem, counts } = this.inbox;
    if (counts && !this.#opened) {
      this.#opened = true;
      if (counts.waiting > 0)
        this.node.log(this.RED._("radaro-config.inbox.waiting", { count: counts.waiting }));
    }
    if (problem?.problem !== this.#problem) {
      this.#problem = problem?.problem;
      const [message] = problem?.cause instanceof Error ? problem.cause.message.split("\n") : [];
      if (this.problem) this.node.error(this.problem.text + (message ? ` (${message})` : ""));
      else this.node.log(this.RED._("radaro-config.inbox.recovered"));
      for (const show of this.#shown) show();
    }
    this.#publish();
  }

  #publish(): void {
    this.#published.show(() => ({ id: this.node.id }));
  }

  async close(): Promise<void> {
    await this.inbox.close();
    open.delete(this.#dir);
    this.#leaveTracking();
    this.#published.stop();
  }
}

/** The folders of the first edition that were said to be there. */
const said = new Set<string>();

/**
 * Looks at the folders that no merchant has open: what belonged to one that is deleted, or whose inbox is
 * off. Each says for how many days it is kept; it is deleted when nobody has used it for so long, here or
 * in another Node-RED.
 *
 * @param at now, where the clock is believed; `undefined`: nothing is deleted
 */
export async function lookAtFolders(RED: NodeAPI, at: Moment | undefined): Promise<void> {
  const root = inboxesDir(RED);
  for (const name of await readdir(root).catch(() => [])) {
    const dir = join(root, name);
    if (open.has(dir)) continue;
    const label = parseLabel(await readFile(labelPath(dir), "utf8").catch(() => ""), name);
    if (label && at && fateOf(label, at) !== "kept") {
      // Where it is in use, or cannot be deleted, it is tried again in an hour.
      const isDeleted = await SqliteStore.remove(dir, at).catch(() => false);
      if (isDeleted) RED.log.info(RED._("radaro-config.inbox.deleted", { dir, days: label.days }));
    }
    const files = label || said.has(dir) ? [] : await readdir(dir).catch(() => []);
    if (!files.includes("CURRENT")) continue;
    said.add(dir);
    RED.log.warn(RED._("radaro-config.inbox.found.leveldb", { dir }));
  }
}
