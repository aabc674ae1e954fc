import type { FlowError } from "../../src/inbox/deliveries";

/** A message that a node sends to another, as Node-RED's hooks tell of it. */
export interface Sent<Node = object> {
  msg: object;
  /** `node`: once Node-RED has found it. */
  destination: { id: string | null; node?: Node | null };
}

/** A message, with the id that its copies have too. */
type Message = object & { _msgid?: string };

/** A message that a node has taken, its id by then, and which of all that were taken it is. */
interface Taken {
  msg: Message;
  id: string | undefined;
  number: number;
}

/** An error that a node reported, and how many messages were taken by then. */
interface Outstanding {
  error: FlowError;
  taken: number;
}

/** Where a delivery's messages are: on their way to a node, or in it. */
export class Followed<Node extends object = object> {
  /** Whether its first messages are still to be sent. */
  #isBeginning = true;
  #isInterrupted = false;
  /** From when it is sent until a node takes it: for good, where none does. */
  readonly #sent = new Set<Sent<Node>>();
  /** What a node has taken, and not completed, in its order. */
  readonly #taken = new Map<Node, Taken[]>();
  /** How many messages were taken at all. */
  #count = 0;
  /** By node and by the id of the message; most have none, and many of them are remembered. */
  #errors: Map<Node, Map<string | undefined, Outstanding>> | undefined;

  /** All of its first messages were sent. */
  begun(): void {
    this.#isBeginning = false;
  }

  send(sent: Sent<Node>): void {
    this.#sent.add(sent);
  }

  /** A node takes a message; what Catch, complete and link in nodes take need not have been sent. */
  take(msg: Message, node: Node): void {
    for (const sent of this.#sent) {
      if (sent.msg !== msg || sent.destination.node !== node) continue;
      this.#sent.delete(sent);
      break;
    }
    this.#count += 1;
    const taken = { msg, id: msg._msgid, number: this.#count };
    const others = this.#taken.get(node);
    if (others) others.push(taken);
    else this.#taken.set(node, [taken]);
  }

  /**
   * A node reports an error of a message: it is done with it. What it does after that is seen.
   *
   * @param isCopy of one that it has taken
   */
  fail(msg: Message, node: Node, error: FlowError, isCopy = false): void {
    this.#errors ??= new Map();
    const errors = this.#errors.get(node) ?? new Map<string | undefined, Outstanding>();
    this.#errors.set(node, errors.set(msg._msgid, { error, taken: this.#count }));
    const [oldest] = this.#taken.get(node) ?? [];
    this.#end(isCopy ? oldest?.msg : msg, node);
  }

  /**
   * The first error that stands: its node has not completed a later message with the same id without one. Such
   * is what a Catch node sends back, and not the next message of a split.
   */
  get error(): FlowError | undefined {
    const [errors] = this.#errors?.values() ?? [];
    const [first] = errors?.values() ?? [];
    return first?.error;
  }

  /** The nodes that have some of it. */
  get nodes(): Node[] {
    return [...this.#taken.keys()];
  }

  /** A node says that it is done with a message: some do more than once. @param isWell without an error */
  complete(msg: object, node: Node, isWell: boolean): void {
    const ended = this.#end(msg, node);
    const errors = this.#errors?.get(node);
    if (!isWell || !ended || !errors) return;
    const { taken = Infinity } = errors.get(ended.id) ?? {};
    if (ended.number > taken) errors.delete(ended.id);
    if (errors.size === 0) this.#errors!.delete(node);
  }

  #end(msg: object | undefined, node: Node): Taken | undefined {
    const all = this.#taken.get(node) ?? [];
    const at = all.findIndex((taken) => taken.msg === msg);
    const [ended] = at < 0 ? [] : all.splice(at, 1);
    if (all.length === 0) this.#taken.delete(node);
    return ended;
  }

  /** Whether nodes have completed all that they took; some may still be on its way. */
  get isIdle(): boolean {
    return !this.#isBeginning && this.#taken.size === 0;
  }

  /** Whether all that was sent was taken, and completed. */
  get isDone(): boolean {
    return this.isIdle && this.#sent.size === 0;
  }

  /** Does not wait for what was sent to where no node is meant to be. */
  passOver(isNowhere: (id: string | null) => boolean): void {
    for (const sent of this.#sent)
      if (!sent.destination.node && isNowhere(sent.destination.id)) this.#sent.delete(sent);
  }

  /** Whether something was sent for which Node-RED has found no node. */
  get isLost(): boolean {
    return [...this.#sent].some(({ destination }) => !destination.node);
  }

  /** Something of it came to nothing because flows stop and start. */
  interrupt(): void {
    this.#isInterrupted = true;
  }

  /** Whether a deploy has come between, that has stopped some nodes. */
  isInterrupted(isStopped: (node: Node) => boolean): boolean {
    return (
      this.#isInterrupted ||
      this.isLost ||
      [...this.#taken.keys()].some(isStopped) ||
      [...this.#sent].some(({ destination: { node } }) => isStopped(node!))
    );
  }

  /** What is on its way now. @returns whether some of that still is, when it is called */
  onItsWay(): () => boolean {
    const sent = [...this.#sent];
    return () => sent.some((each) => this.#sent.has(each));
  }
}
