import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { NodeRedOptions } from "../../scripts/node-red";
import type { JsonObject } from "../../src/event/json";
import { now } from "../inbox/load";
import { Nginx } from "../inbox/nginx";
import { flowWith, InboxNodeRed, token } from "../system/inboxes";
import { root } from "../system/package";
import { Postgres } from "./postgres";

/** A block of a language in the page about more machines: what a user copies. */
export function fromDocs(language: string): string {
  const page = readFileSync(join(root, "docs", "more-machines.md"), "utf8");
  return new RegExp(`^\`\`\`${language}\n([^]+?)^\`\`\`$`, "m").exec(page)![1]!;
}

/** As the page has it, with these Node-REDs, and telling which of them has answered. */
const configuration = (ports: number[]) =>
  fromDocs("nginx")
    .replace(/( +server )[\d.]+:1880(.*\n)(?: +server .*\n)*/, (_, before: string, after: string) =>
      ports.map((port) => `${before}127.0.0.1:${port}${after}`).join(""),
    )
    .replace("location = /radaro {\n", "$&    add_header X-Answered-By $upstream_addr;\n");

/** The nodes of `flowWith`, with the events in a database. */
export const sharedFlow = (receiver: JsonObject, ...nodes: JsonObject[]): JsonObject[] =>
  flowWith(...nodes).map((node) => {
    if (node.id === "acme") return { ...node, inboxStore: "postgres" };
    return node.id === "in" ? { ...node, ...receiver } : node;
  });

/** What a `journal` in a flow has written. */
interface Written {
  what: "begun" | "done";
  number: number;
  /** See `now`. */
  at: number;
  superseded: boolean;
  redelivery: number;
}

/** The same, with which of several Node-REDs it was. */
export interface Entry extends Written {
  by: number;
}

/** What the journal of a Node-RED has. */
export function journalOf({ nodeRed }: InboxNodeRed): Written[] {
  const lines = readFileSync(join(nodeRed.userDir, "journal.txt"), "utf8").split("\n");
  // One that was killed may not have come to the end of the last.
  return lines.filter((line) => line.endsWith("}")).map((line) => JSON.parse(line) as Written);
}

/** Node-REDs that share the inbox of a merchant, in a PostgreSQL, behind nginx. */
export class SharedInbox {
  /** Those that were killed, and not started again. */
  readonly #dead = new Set<number>();

  readonly nodeReds: InboxNodeRed[] = [];
  #nginx: Nginx | undefined;

  private constructor(
    readonly postgres: Postgres,
    readonly database: string,
  ) {}

  /** @param each what a Node-RED of its own has besides the flows */
  static async start(flows: JsonObject[], each: NodeRedOptions[]): Promise<SharedInbox> {
    const postgres = await Postgres.start();
    const shared = new SharedInbox(postgres, postgres.newDatabase());
    try {
      await shared.#start(flows, each);
      return shared;
    } catch (error) {
      await shared.stop();
      throw error;
    }
  }

  async #start(flows: JsonObject[], each: NodeRedOptions[]): Promise<void> {
    const credentials = credentialsFor(this.database);
    const start = async (options: NodeRedOptions, which: number) => {
      this.nodeReds[which] = await InboxNodeRed.start({ flows, credentials, ...options });
    };
    const started = await Promise.allSettled(each.map(start));
    for (const one of started) if (one.status === "rejected") throw one.reason;
    this.#nginx = await Nginx.start(configuration(this.nodeReds.map(portOf)));
  }

  /** Of nginx, which is in front of them. */
  get url(): string {
    return this.#nginx!.url;
  }

  /** Ends one at once. @returns when: see `now` */
  async kill(which: number): Promise<number> {
    this.#dead.add(which);
    await this.nodeReds[which]!.nodeRed.kill();
    return now();
  }

  /** Starts one again that was killed, where it was. */
  async restart(which: number): Promise<void> {
    const before = this.nodeReds[which]!;
    this.nodeReds[which] = await before.next({ port: portOf(before) });
    this.#dead.delete(which);
  }

  /** Where one of them is, as nginx tells it. */
  address(which: number): string {
    return `127.0.0.1:${portOf(this.nodeReds[which]!)}`;
  }

  /** Resolves when no event waits, as all say that run. */
  async isDone(): Promise<void> {
    for (const [which, each] of this.nodeReds.entries())
      if (!this.#dead.has(which)) await each.says(({ counts }) => counts.waiting === 0);
  }

  /** What the journals of all have, in the order of time. */
  journal(): Entry[] {
    const entries = this.nodeReds.flatMap((each, by) => journalOf(each).map((entry) => ({ ...entry, by })));
    return entries.sort((a, b) => a.at - b.at);
  }

  async stop(): Promise<void> {
    await Promise.all([this.#nginx?.stop(), ...this.nodeReds.map((each) => each?.nodeRed.stop())]);
    await this.postgres.remove();
  }
}

const portOf = ({ nodeRed }: InboxNodeRed) => Number(new URL(nodeRed.url).port);

/** Of a merchant whose events are in a database. */
export const credentialsFor = (inboxUrl: string) => ({ acme: { token, inboxUrl } });
