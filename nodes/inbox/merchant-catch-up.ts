import { createHash } from "node:crypto";
import type { Node, NodeAPI } from "node-red";
import { copyJson } from "../../src/event/json";
import { readText } from "../../src/event/values";
import type { Trouble } from "../../src/inbox/asking";
import { CatchingUp, type AskingState } from "../../src/inbox/catching-up";
import type { Inbox } from "../../src/inbox/inbox";
import { RadaroApi } from "../../src/inbox/radaro-api";
import { readApiKey, readServer } from "../../src/inbox/radaro-server";
import type { MerchantFlow } from "./merchant-flow";

/** How Radaro is asked for what never arrived. */
export interface CatchUpSettings {
  /** Minutes between two looks. */
  minutes: number;
  /** For how many days events are kept. */
  days: number;
  server: unknown;
  apiKey: unknown;
}

/** What is wrong with asking, in the user's language. */
export interface AskingProblem {
  kind: Trouble;
  text: string;
}

/** Asks Radaro for what a merchant's inbox never got. */
export class MerchantCatchUp {
  readonly #catchingUp: CatchingUp | undefined;
  readonly #server: string;
  readonly #wrong: Trouble | undefined;
  readonly #begun = new Date().toISOString();
  #said: Trouble | undefined;

  constructor(
    private readonly RED: NodeAPI,
    private readonly node: Node,
    { inbox, flow, changed }: { inbox: Inbox; flow: MerchantFlow; changed: () => void },
    settings: CatchUpSettings,
  ) {
    const { minutes, days, apiKey } = settings;
    const [server, key] = [readServer(settings.server), readApiKey(apiKey)];
    this.#server = server?.origin ?? readText(settings.server).slice(0, 100);
    if (!server || key === undefined) {
      this.#wrong = server ? "no-key" : "no-server";
      this.#say();
      return;
    }
    this.#catchingUp = new CatchingUp(
      {
        api: new RadaroApi(server, key),
        jobs: inbox.jobs,
        whom: createHash("sha256").update(`${server.href}\n${key}`).digest("hex").slice(0, 8),
        paths: () => flow.paths,
        accept: ({ event, body, by }, path) =>
          // Each path's flow may change its own.
          inbox.accept(copyJson(event), { path, body, by, receivedAt: new Date() }),
        changed: () => {
          this.#say();
          changed();
        },
        // Its message may have something of what was answered.
        broke: (error) => this.node.error(error instanceof Error ? framesOf(error) : typeof error),
      },
      { every: minutes * 60_000, days },
    );
  }

  /** What the sidebar shows of it. */
  get state(): Omit<AskingState, "problem"> & { problem: AskingProblem | null } {
    const none = { isAsking: false, asked: null, found: 0, requests: 0, since: this.#begun };
    return { ...(this.#catchingUp?.state ?? none), problem: this.#problem ?? null };
  }

  get #trouble(): Trouble | undefined {
    return this.#wrong ?? this.#catchingUp?.state.problem ?? undefined;
  }

  get #problem(): AskingProblem | undefined {
    const kind = this.#trouble;
    return (
      kind && { kind, text: this.RED._(`radaro-config.catchUp.problem.${kind}`, { server: this.#server }) }
    );
  }

  /** Says in the log what is wrong, and when that is over. */
  #say(): void {
    const problem = this.#problem;
    if (problem?.kind === this.#said) return;
    this.#said = problem?.kind;
    if (problem) this.node.warn(problem.text);
    else this.node.log(this.RED._("radaro-config.catchUp.well"));
  }

  /** The flows have started. @param isFirst for the first time, with Node-RED */
  started(isFirst: boolean): void {
    this.#catchingUp?.started(isFirst);
  }

  /** Asks now. */
  ask(): void {
    this.#catchingUp?.ask();
  }

  /** An event has come. */
  heard(): void {
    this.#catchingUp?.heard();
  }

  async close(): Promise<void> {
    await this.#catchingUp?.close();
  }
}

/** Where an error was thrown, without its message. */
const framesOf = ({ name, stack = "" }: Error) => [name, ...(stack.match(/^ +at .*$/gm) ?? [])].join("\n");
