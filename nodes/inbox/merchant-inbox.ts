import { existsSync, rmSync } from "node:fs";
import type { Node, NodeAPI } from "node-red";
import { offPath } from "../../src/inbox/folder";
import { Closed, Inbox } from "../../src/inbox/inbox";
import type { FlowError } from "../../src/inbox/deliveries";
import type { JsonObject } from "../../src/event/json";
import { readText } from "../../src/event/values";
import type { Keeper, Refusal } from "../../src/receiving/receive";
import { meanings, ruleOf } from "../../src/routing/meanings";
import { compileRules } from "../../src/routing/rules";
import { Unusable, type Finding, type Problem } from "../../src/inbox/store";
import type { DeployedEndpoints } from "../receiving/deploys";
import { inboxDir } from "./dir";
import type * as CatchUpModule from "./merchant-catch-up";
import { MerchantFlow, type InboxReceiver } from "./merchant-flow";
import { leavePlace, placeFor } from "./merchant-store";
import { Shown } from "./shown";

export { lookAtFolders } from "./merchant-store";

/** What of a database is said in other words than of a disk. */
const ofDatabase: Problem[] = ["full", "failing", "gone", "newer", "slow"];

/** Where an inbox is kept, and how. */
interface Settings {
  /** For how many days. */
  days: number;
  /** The minutes after which what failed is given again. */
  retries: readonly number[];
  /** The URL of the database that it shares with others; `undefined`: it is on this machine's disk. */
  database?: string;
  /** How Radaro is asked for what never arrived; `undefined`: it is not. */
  catchUp?: Omit<CatchUpModule.CatchUpSettings, "days">;
}

/** The merchants that have had an inbox in this process, by their nodes' ids. */
const begun = new Set<string>();

/** What an event means in words, by its place in `route`: what asks of the job too comes before what does not. */
const known = (Object.keys(meanings) as (keyof typeof meanings)[]).sort(
  (one, other) => Number("job" in meanings[other]) - Number("job" in meanings[one]),
);
const { route } = compileRules(known.map(ruleOf), false);

function meaningOf(event: JsonObject): string | null {
  const [place] = route(event);
  return place === undefined ? null : known[place]!;
}

/** A merchant's inbox in this Node-RED: gives its events to the `radaro in` nodes of this merchant. */
export class MerchantInbox implements Keeper {
  readonly inbox: Inbox;
  /** What takes its events to the nodes. */
  readonly flow: MerchantFlow;
  readonly #shown: Shown;
  /** Asks Radaro for what never arrived, where that is on. */
  readonly #catchUp: CatchUpModule.MerchantCatchUp | undefined;
  #problem: Problem | undefined;
  /** Whether it has said what it found on disk. */
  #opened = false;

  /** @param node the merchant's */
  constructor(
    private readonly RED: NodeAPI,
    private readonly node: Node,
    private readonly settings: Settings,
  ) {
    const { days, retries, catchUp } = settings;
    let isStart = !begun.has(node.id);
    begun.add(node.id);
    this.flow = new MerchantFlow(RED, node.id, {
      running: () => {
        this.inbox.start();
        this.#catchUp?.started(isStart);
        isStart = false;
      },
      heard: (seq, id, outcome) => void this.inbox.heard(seq, id, outcome).catch(() => undefined),
      isWithFlow: (seq, id, times) => this.inbox.isWithFlow(seq, id, times),
      says: (why, id, about) => this.#says(why, id, about),
    });
    this.#shown = new Shown(RED, node.id, (id) => {
      const { paused, failed } = this.stateFor(id);
      return [this.#problem, paused, failed].join(" ");
    });
    const off = offPath(this.#dir);
    const { open, about: place } = placeFor(RED, node, settings);
    this.inbox = new Inbox(open, this.flow, {
      ...{ days, retries, ...place },
      setAside: (id) => this.#says("set-aside", id),
      changed: () => this.#changed(),
      found: (finding) => this.#found(finding),
      meaningOf,
      isAsking: catchUp !== undefined,
      ...(existsSync(off) && { forgotten: () => rmSync(off, { force: true }) }),
    });
    const about = { inbox: this.inbox, flow: this.flow, changed: () => this.#shown.publish() };
    if (catchUp) this.#catchUp = new (loadCatchUp().MerchantCatchUp)(RED, node, about, { days, ...catchUp });
  }

  /** Hears when something has changed, no more than once a second. @returns what ends it */
  listen(changed: () => void): () => void {
    return this.#shown.listen(changed);
  }

  get #dir(): string {
    return inboxDir(this.RED, this.node.id);
  }

  /** One of the merchant's nodes is there, and receives; `show` is called when what its status says may be another. */
  connect(endpoints: DeployedEndpoints, receiver: InboxReceiver, show: () => void): () => void {
    const disconnect = this.flow.connect(endpoints, receiver);
    const hide = this.#shown.status(receiver.node.id, show);
    return () => {
      disconnect();
      hide();
    };
  }

  /** Why nothing can be stored: shortly, and with what to do. */
  get problem(): { kind: Problem; title: string; text: string } | undefined {
    const kind = this.#problem;
    const isDatabase = this.settings.database !== undefined && kind && ofDatabase.includes(kind);
    const words = isDatabase ? `database-${kind}` : kind;
    return (
      kind && {
        kind,
        title: this.RED._(`radaro-config.inbox.title.${words}`),
        text: this.RED._(`radaro-config.inbox.problem.${words}`, {
          dir: this.#dir,
          node: process.versions.node,
        }),
      }
    );
  }

  /**
   * Sends an event to one of its nodes as a test event, which no inbox follows.
   *
   * @returns whether both are there
   */
  async test(seq: string, id: string): Promise<boolean> {
    const found = await this.inbox.events.read(seq);
    return found !== undefined && this.flow.test(found.stored, found.event, id);
  }

  /** What the sidebar shows above the events. */
  async summary() {
    const { waiting = 0, failed = 0, processed = 0 } = this.inbox.counts ?? {};
    return {
      id: this.node.id,
      name: readText(this.node.name),
      paused: this.inbox.isPaused,
      problem: this.problem ?? null,
      counts: { waiting, failed, processed },
      ...(await this.inbox.events.times()),
      refused: this.inbox.refusals.list(this.inbox.now),
      catchUp: this.#catchUp?.state ?? null,
    };
  }

  /** Asks Radaro now for what never arrived. @returns false where that is off */
  catchUp(): boolean {
    this.#catchUp?.ask();
    return this.#catchUp !== undefined;
  }

  async accept(...[event, arrival, problem]: Parameters<Keeper["accept"]>): ReturnType<Keeper["accept"]> {
    const failures =
      problem === undefined
        ? undefined
        : this.flow.hearers(arrival.path, event).map((id) => this.#says("wrong-type", id, { problem }));
    try {
      const accepted = await this.inbox.accept(event, arrival, failures);
      this.#catchUp?.heard();
      return accepted;
    } catch (error) {
      if (error instanceof Closed) return "closed";
      // Known, where the store cannot be used; it remains that the event cannot be written.
      if (!(error instanceof Unusable)) this.node.error(this.RED._("radaro-config.inbox.too-deep"));
      return "not-stored";
    }
  }

  /** What a delivery has failed of that no node says. @param id of its `radaro in` */
  #says(why: string, id: string, about: Record<string, string | number> = {}): FlowError {
    const { name } = this.flow.receiver(id)?.node ?? {};
    const node = { id, type: "radaro in", ...(name && { name }) };
    return { text: this.RED._(`radaro-config.inbox.failed.${why}`, about), node };
  }

  refused(why: Refusal): void {
    if (this.inbox.refusals.add(why, this.inbox.now)) {
      const reason = this.RED._(`node-red-contrib-radaro/radaro-in:radaro-in.refusal.${why}`);
      this.node.warn(this.RED._("radaro-config.inbox.refused", { reason }));
    }
    this.#shown.publish();
  }

  /**
   * A `radaro done` says what has become of a delivery.
   *
   * @param error of one that failed
   * @returns false where it is not there
   */
  verdict(seq: string, id: string, error?: FlowError): Promise<boolean> {
    this.flow.said(seq, id);
    return this.inbox.heard(seq, id, error ? { state: "failed", error } : { state: "processed" });
  }

  #found(finding: Finding): void {
    const { what, ...about } = finding;
    this.node.warn(this.RED._(`radaro-config.inbox.found.${what}`, { dir: this.#dir, ...about }));
  }

  #changed(): void {
    const { problem, counts } = this.inbox;
    if (counts && !this.#opened) {
      this.#opened = true;
      const count = counts.waiting;
      if (this.inbox.isPaused) this.node.log(this.RED._("sidebar.paused", { count }));
      else if (count > 0) this.node.log(this.RED._("radaro-config.inbox.waiting", { count }));
    }
    if (problem?.problem !== this.#problem) {
      this.#problem = problem?.problem;
      const [message] = problem?.cause instanceof Error ? problem.cause.message.split("\n") : [];
      if (this.problem) this.node.error(this.problem.text + (message ? ` (${message})` : ""));
      else this.node.log(this.RED._("radaro-config.inbox.recovered"));
    }
    this.#shown.changed();
  }

  /** What a node's status says of it. @returns `paused`: how many wait, where it is; `failed`: of the node */
  stateFor(id: string): { paused: number | undefined; failed: number } {
    const { isPaused, counts } = this.inbox;
    return { paused: isPaused ? (counts?.waiting ?? 0) : undefined, failed: this.inbox.failures(id) };
  }

  async close(): Promise<void> {
    await this.#catchUp?.close();
    await this.inbox.close();
    leavePlace(this.RED, this.node);
    this.flow.close();
    this.#shown.stop();
  }
}

/** A file of its own: where nothing is asked of Radaro, nobody loads it. */
function loadCatchUp(): typeof CatchUpModule {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the only import that can wait and is there at once
  return require("./merchant-catch-up") as typeof CatchUpModule;
}
