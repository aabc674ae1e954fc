import type * as Receiver from "../../src/receiving/receive";

let loaded: typeof Receiver | undefined;

/**
 * The core of the receiver. It is a file of its own, which is loaded for the first node: zod is most
 * of what this package takes to load, and who has it installed without using it does not pay for that.
 */
export function loadReceiver(): typeof Receiver {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the only import that can wait and is there at once
  return (loaded ??= require("../../src/receiving/receive") as typeof Receiver);
}
