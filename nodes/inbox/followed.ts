/** A message that a node sends to another, as Node-RED's hooks tell of it. */
export interface Sent<Node = object> {
  msg: object;
  /** `node`: once Node-RED has found it. */
  destination: { id: string | null; node?: Node | null };
}

/** Where an event's messages are: on their way to a node, or in it. */
export class Followed<Node extends object = object> {
  /** Whether its first messages are still to be sent. */
  #isBeginning = true;
  #isInterrupted = false;
  /** From when it is sent until a node takes it: for good, where none does. */
  readonly #sent = new Set<Sent<Node>>();
  /** How many a node has taken, and not completed. */
  readonly #taken = new Map<Node, number>();

  /** All of its first messages were sent. */
  begun(): void {
    this.#isBeginning = false;
  }

  send(sent: Sent<Node>): void {
    this.#sent.add(sent);
  }

  /** A node takes a message; what Catch, complete and link in nodes take need not have been sent. */
  take(msg: object, node: Node): void {
    for (const sent of this.#sent) {
      if (sent.msg !== msg || sent.destination.node !== node) continue;
      this.#sent.delete(sent);
      break;
    }
    this.#taken.set(node, (this.#taken.get(node) ?? 0) + 1);
  }

  /** A node has completed a message; also one that it has completed before. */
  complete(node: Node): void {
    const left = (this.#taken.get(node) ?? 0) - 1;
    if (left > 0) this.#taken.set(node, left);
    else this.#taken.delete(node);
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
