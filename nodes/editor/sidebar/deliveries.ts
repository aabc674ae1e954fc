import type { EditorRED } from "node-red";
import type { Delivery, FlowNode, StoredEvent } from "./inbox";
import { lines, nodeLink, part, showState } from "./parts";
import { meaningName, t, timeOf } from "./words";

declare const RED: EditorRED;

/** What is not as usual with an event as a whole. */
export function marksOf({ path, deliveries, superseded }: StoredEvent): JQuery[] {
  return lines([
    deliveries?.length === 0 && t("mark.unwanted"),
    !deliveries && t("mark.nowhere", { path }),
    superseded && meaningName("superseded"),
  ]);
}

/** What matters of an event's deliveries, in brief: what went wrong, and what happens next. */
export function briefOf(deliveries: Delivery[] = []): JQuery[] {
  const failed = deliveries.filter(({ state }) => state === "failed");
  const gone = deliveries.find(({ name, state }) => name === null && state !== "processed");
  const [again] = failed.flatMap(({ againAt }) => againAt ?? []).sort();
  return [
    ...errorOf(failed.find(({ error }) => error)),
    ...lines([
      failed.length > 1 && t("mark.failed", { count: failed.length }),
      gone && t(`mark.gone.${gone.state}`, { node: gone.node }),
      again && t("delivery.again", { time: timeOf(again) }),
    ]).map((line) => line.addClass("radaro-sidebar-marks")),
  ];
}

/** The deliveries of an event that is open. */
export function deliveriesOf(deliveries: Delivery[] = []): JQuery[] {
  if (deliveries.length === 0) return [];
  const items = deliveries.map((delivery) => $("<li>").append(describe(delivery)));
  return [
    $("<ul>", { class: "radaro-sidebar-deliveries", "aria-label": t("label.deliveries") }).append(items),
  ];
}

function describe(delivery: Delivery): JQuery[] {
  const { node, name, state, times, since, at = [], againAt, settled } = delivery;
  const stateShown = $("<span>");
  showState(stateShown, state);
  return [
    part("line").append(nodeLink(node, name || labelOf(node)), stateShown),
    ...lines([name === null && t(`delivery.gone.${state === "waiting" ? state : "other"}`)]),
    ...errorOf(delivery),
    ...lines([
      againAt !== undefined && t("delivery.again", { time: timeOf(againAt) }),
      settled && t("delivery.settled"),
      t("delivery.times", { count: times }),
      since !== undefined && t("delivery.since", { time: timeOf(since) }),
    ]),
    ...(since === undefined ? [] : [whereabouts(at)]),
  ];
}

/** What the editor calls a node that has no name. */
function labelOf(id: string): string {
  const node = RED.nodes.node(id) as Parameters<typeof RED.utils.getNodeLabel>[0] | null;
  return (node && RED.utils.getNodeLabel(node, id)) || id;
}

/** The nodes that have a delivery now, each once. */
function whereabouts(at: FlowNode[]): JQuery {
  const nodes = new Map(at.map((node) => [node.id, node]));
  if (nodes.size === 0) return $("<div>").text(t("delivery.nowhere"));
  const links = [...nodes.values()].map(({ id, name, type }) => nodeLink(id, name || type));
  const listed = links.flatMap((link, i) => (i === 0 ? [link] : [document.createTextNode(", "), link]));
  return $("<div>").append(document.createTextNode(`${t("delivery.at")} `), listed);
}

/** What went wrong, and the node that said so. */
function errorOf({ error }: Partial<Delivery> = {}): JQuery[] {
  if (!error) return [];
  const { id, name, type } = error.node;
  return [part("error").append($("<div>").text(error.text), nodeLink(id, name || type))];
}
