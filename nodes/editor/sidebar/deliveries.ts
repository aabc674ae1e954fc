import type { Try } from "../../../src/inbox/deliveries";
import { mayRun, type Delivery, type FlowNode, type StoredEvent } from "./inbox";
import { button, lines, nodeLink, part, showState } from "./parts";
import { labelOf } from "./receivers";
import { meaningName, t, timeOf } from "./words";

/** What is not as usual with an event as a whole. */
export function marksOf(event: StoredEvent): JQuery[] {
  const { path, deliveries, superseded, cameAfter } = event;
  return [
    ...originOf(event),
    ...lines([
      deliveries?.length === 0 && !cameAfter && t("mark.unwanted"),
      !deliveries && t("mark.nowhere", { path }),
      superseded && meaningName("superseded"),
    ]),
  ];
}

/** Where an event comes from, where that is not Radaro's sending it alone. */
export function originOf({ caughtUp, cameAfter }: StoredEvent): JQuery[] {
  return lines([caughtUp && t("mark.caught-up"), cameAfter && t("mark.came-after")]);
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

/** The deliveries of an event that is open. @param now gives what failed again at once */
export function deliveriesOf(deliveries: Delivery[] = [], now: () => void): JQuery[] {
  if (deliveries.length === 0) return [];
  const items = deliveries.map((delivery) => $("<li>").append(describe(delivery, now)));
  return [
    $("<ul>", { class: "radaro-sidebar-deliveries", "aria-label": t("label.deliveries") }).append(items),
  ];
}

function describe(delivery: Delivery, now: () => void): JQuery[] {
  const { node, name, state, times, since, at = [], againAt, settled, tries = [] } = delivery;
  const stateShown = $("<span>");
  showState(stateShown, state);
  return [
    part("line").append(nodeLink(node, name || labelOf(node)), stateShown),
    ...lines([name === null && t(`delivery.gone.${state === "waiting" ? state : "other"}`)]),
    ...errorOf(delivery),
    ...(againAt === undefined ? [] : [comesAgain(againAt, now)]),
    ...lines([
      settled && t("delivery.settled"),
      t("delivery.times", { count: times }),
      since !== undefined && t("delivery.since", { time: timeOf(since) }),
    ]),
    ...(since === undefined ? [] : [whereabouts(at)]),
    ...triesOf(tries),
  ];
}

/** When a delivery comes again by itself, and a button that does not wait for it. */
function comesAgain(againAt: string, now: () => void): JQuery {
  const line = part("again").text(`${t("delivery.again", { time: timeOf(againAt) })} `);
  return mayRun() ? line.append(button("now").attr("title", t("tip.run")).on("click", now)) : line;
}

/** What has come of giving it to the flow before. */
function triesOf(tries: Try[]): JQuery[] {
  if (tries.length === 0) return [];
  const items = tries.map(({ since, until, outcome, text }) => {
    const times = [since, until].flatMap((time) => (time === undefined ? [] : timeOf(time))).join(" – ");
    const said = t(`try.${outcome}`, { times });
    return $("<li>").text(text ? `${said}: ${text}` : said);
  });
  return [
    $("<div>").text(t("label.tries")),
    $("<ol>", { class: "radaro-sidebar-tries", "aria-label": t("label.tries") }).append(items),
  ];
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
