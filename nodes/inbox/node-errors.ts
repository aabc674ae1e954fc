import { inspect } from "node:util";
import type { Node } from "node-red";
import type { FlowError } from "../../src/inbox/deliveries";

/** How much of an error's text is kept, in characters. */
const maxText = 500;

/**
 * Hears of the errors that a node reports of messages. No hook tells of `node.error(text, msg)`, which is
 * how a node reports an error of a message without saying that it is done with it.
 *
 * @returns what ends it
 */
export function listenToErrors(node: Node, heard: (msg: object, error: FlowError) => void): () => void {
  const own = Object.getOwnPropertyDescriptor(node, "error");
  const { error } = node;
  node.error = function (text: unknown, msg?: unknown) {
    if (typeof msg === "object" && msg !== null) heard(msg, describe(text, node));
    return error.call(this, text, msg as never);
  };
  return () => {
    if (own) Object.defineProperty(node, "error", own);
    else delete (node as Partial<Node>).error;
  };
}

/** An error, as the inbox shows it. A Function node's errors are no `Error` out here. */
export function describe(error: unknown, { id, name, type }: Pick<Node, "id" | "name" | "type">): FlowError {
  const { message = error } = (error ?? {}) as { message?: unknown };
  const text = typeof message === "string" ? message : inspect(message);
  return {
    text: text.length > maxText ? `${text.slice(0, maxText - 1)}…` : text,
    node: { id, type, ...(name && { name }) },
  };
}
