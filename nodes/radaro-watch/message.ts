import type { NodeAPI, NodeMessage } from "node-red";
import type { FlowError } from "../../src/inbox/deliveries";
import { moreCauses } from "../../src/inbox/watch-facts";
import type { Settings } from "../../src/inbox/watch-settings";
import type { News } from "../../src/inbox/watching";
import type { About } from "./merchant-watch";

/** What `radaro watch` says beside the sentence. */
interface WatchMessage extends NodeMessage {
  radaro: Pick<News, "cause" | "state" | "since" | "count"> & { merchant: string } & Partial<{
      node: FlowError["node"];
      error: string | null;
      orderId: unknown;
      externalId: unknown;
    }>;
}

/** The message that tells a person. */
export function toMessage(RED: NodeAPI, news: News, about: About, settings: Settings): WatchMessage {
  const { topic, cause, state, since, count, node } = news;
  const { error = null, orderId = null, externalId = null } = about.first ?? {};
  const failed = node && { node, error, orderId, externalId };
  return {
    topic,
    payload: sentenceOf(RED, news, about, settings),
    radaro: { merchant: about.merchant, cause, state, since, count, ...failed },
  };
}

/** One sentence for a mail or a text message: no error text, as that may be personal, and no text of an event. */
function sentenceOf(RED: NodeAPI, news: News, about: About, { waiting, silence }: Settings): string {
  const { cause, state, since, count, node } = news;
  const { paused, problem, asking } = about;
  const unnamed = "node-red-contrib-radaro/radaro-config:radaro-config.label.unnamed";
  const why = cause.startsWith("refused:")
    ? RED._(`node-red-contrib-radaro/radaro-in:radaro-in.refusal.${cause.slice("refused:".length)}`)
    : ((cause === "catch-up" ? asking : problem) ?? RED._("radaro-watch.unknown"));
  return RED._(`radaro-watch.says.${keyOf(news, about)}.${state}`, {
    merchant: about.merchant || RED._(unnamed),
    node: node?.name ?? node?.type ?? "",
    job: jobOf(about) ?? "",
    ...{ count, why, minutes: waiting, hours: silence },
    since: localTime(new Date(since)),
    paused: state === "begun" && paused ? ` ${RED._("radaro-watch.paused")}` : "",
  });
}

/** Which sentence it is. */
function keyOf({ topic, cause, count, state }: News, about: About): string {
  if (topic !== "failed") return topic === "waiting" && count === 1 ? "waiting-one" : cause.split(":")[0]!;
  if (cause === moreCauses) return "more";
  if (state === "over" || jobOf(about) === undefined) return count === 1 ? "failed-one" : "failed";
  return count === 1 ? "failed-job" : "failed-jobs";
}

/** A job's number in Radaro, if it is one: an event may have anything in its place. */
function jobOf({ first }: About): string | undefined {
  const { orderId } = first ?? {};
  const isNumber = typeof orderId === "number" || (typeof orderId === "string" && /^\d{1,20}$/.test(orderId));
  return isNumber ? String(orderId) : undefined;
}

/** A time as both languages write it: `2026-11-28 14:05`, in this machine's time zone. */
function localTime(at: Date): string {
  const two = (part: number) => String(part).padStart(2, "0");
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join("-");
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}`;
}
