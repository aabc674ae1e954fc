import type { Node, NodeAPI, NodeDef, NodeMessage } from "node-red";
import { readText } from "../../src/event/values";
import type { FlowError } from "../../src/inbox/deliveries";
import { readDeliveryName } from "../../src/inbox/delivery-name";
import type { MerchantInbox } from "../inbox/merchant-inbox";
import { describe } from "../inbox/node-errors";
import { DoneStatus } from "./status";

interface DoneDef extends NodeDef {
  verdict?: unknown;
  reason?: unknown;
  reasonType?: unknown;
}

/** What this node needs of a `radaro-config`. */
type ConfigNode = Node & { inbox?: MerchantInbox };

/** A message may have anything in `radaro`, or nothing. */
type Message = NodeMessage & { radaro?: { delivery?: unknown; orderId?: unknown } | null };

/** Why a delivery is not there, or what was said of it. */
type Said = "processed" | "failed" | "no-merchant" | "no-inbox" | "gone";

/** `radaro done`: says what has become of a delivery of an inbox. */
export = (RED: NodeAPI): void => {
  function RadaroDone(this: Node, def: DoneDef) {
    RED.nodes.createNode(this, def);
    const status = new DoneStatus(this, RED);
    const verdict = readText(def.verdict) || "processed";
    const isKnown = verdict === "processed" || verdict === "failed";
    if (!isKnown) this.warn(RED._("radaro-done.error.verdict", { verdict }));

    const say = async (msg: Message): Promise<void> => {
      const delivery = msg.radaro?.delivery;
      if (delivery === undefined || delivery === null || delivery === "") {
        status.show("passed-over", msg);
        return;
      }
      if (!isKnown) throw new Error(RED._("radaro-done.error.verdict", { verdict }));
      const said = await settle(
        RED,
        delivery,
        verdict === "failed" ? reasonOf(RED, this, def, msg) : undefined,
      );
      if (said !== "processed" && said !== "failed") this.warn(RED._(`radaro-done.warning.${said}`));
      status.show(said, msg);
    };

    this.on("input", (msg, _send, done) => {
      say(msg).then(
        () => done(),
        (error: unknown) => {
          status.show("error", msg);
          done(error instanceof Error ? error : new Error(String(error)));
        },
      );
    });
    this.on("close", () => status.stop());
  }

  RED.nodes.registerType("radaro done", RadaroDone);
};

/** Says what has become of a delivery. @param error of one that failed */
async function settle(RED: NodeAPI, delivery: unknown, error: FlowError | undefined): Promise<Said> {
  const ids = readDeliveryName(delivery);
  if (!ids) return "gone";
  const [merchant, seq, id] = ids;
  const config = RED.nodes.getNode(merchant) as ConfigNode | null;
  if (config?.type !== "radaro-config") return "no-merchant";
  const { inbox } = config;
  if (!inbox) return "no-inbox";
  const isThere = await inbox.verdict(seq, id, error).catch((cause: unknown) => {
    const { problem } = inbox;
    const why = problem?.title ?? (cause instanceof Error ? cause.message : String(cause));
    throw new Error(RED._("radaro-done.error.store", { why }), { cause });
  });
  if (!isThere) return "gone";
  return error ? "failed" : "processed";
}

/** What a delivery has failed of, as this node's error. */
function reasonOf(RED: NodeAPI, node: Node, { reason, reasonType }: DoneDef, msg: Message): FlowError {
  const text = reason === undefined || reason === null ? "error.message" : readText(reason);
  let found: unknown = text;
  if (readText(reasonType) !== "str") {
    try {
      found = text === "" ? undefined : RED.util.getMessageProperty(msg, text);
    } catch {
      found = undefined; // part of the way to it is missing
    }
  }
  const isNone = found === undefined || found === null;
  const described = describe(isNone ? "" : found, node);
  return described.text.trim() === "" ? describe(RED._("radaro-done.no-reason"), node) : described;
}
