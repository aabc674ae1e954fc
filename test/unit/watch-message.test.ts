import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { NodeAPI } from "node-red";
import type { About } from "../../nodes/radaro-watch/merchant-watch";
import { toMessage } from "../../nodes/radaro-watch/message";
import { moreCauses } from "../../src/inbox/watch-facts";
import { always } from "../../src/inbox/watch-hours";
import type { News } from "../../src/inbox/watching";
import { refusals } from "../../src/receiving/receive";

const dir = join(__dirname, "..", "..", "nodes");

/** What a Node-RED in a language says. */
function inLanguage(language: string): NodeAPI {
  const catalog = (type: string) =>
    JSON.parse(readFileSync(join(dir, type, "locales", language, `${type}.json`), "utf8")) as object;
  const say = (key: string, values: Record<string, string | number> = {}) => {
    const [, type = "radaro-watch", path = ""] = /^(?:node-red-contrib-radaro\/([\w-]+):)?(.+)$/.exec(key)!;
    let text: unknown = catalog(type);
    for (const part of path.split(".")) text = (text as Record<string, unknown>)[part];
    assert.equal(typeof text, "string", key);
    return (text as string).replace(/__(\w+?)__/g, (_, name: string) => {
      assert.ok(values[name] !== undefined, `${key}: ${name}`);
      return String(values[name]);
    });
  };
  return { _: say } as unknown as NodeAPI;
}

const settings = {
  ...{ failed: true, store: true, refused: true, waiting: 30, silence: 4, hours: always },
};
const since = new Date(2026, 10, 28, 9, 5).toISOString();
const first = { error: "no price for Priya Ryan", orderId: 410077215, externalId: "Ryan-7" };
const about: About = { merchant: "South Couriers", paused: false, problem: undefined, first };
const node = { id: "bill", type: "http request", name: "Bill" };
const news = (topic: News["topic"], more: Partial<News> = {}): News => ({
  ...{ topic, cause: topic, state: "begun", since, count: 1 },
  ...(topic === "failed" && { cause: "failed:bill:0", node }),
  ...more,
});
const english = inLanguage("en-US");
const say = (each: News, its: Partial<About> = {}, RED = english) =>
  toMessage(RED, each, { ...about, ...its }, settings).payload as string;

describe("what radaro watch says", () => {
  const table: [News, Partial<About>, string][] = [
    [
      news("failed"),
      {},
      "South Couriers: the flow has failed with an event of job 410077215, at the node “Bill”. It stays failed until somebody runs it again in the sidebar Radaro.",
    ],
    [
      news("failed", { count: 3, node: { id: "bill", type: "http request" } }),
      {},
      "South Couriers: the flow has failed with 3 events, the first of job 410077215, at the node “http request”. They stay failed until somebody runs them again in the sidebar Radaro.",
    ],
    [
      news("failed"),
      { first: { ...first, orderId: "Priya Ryan" } },
      "South Couriers: the flow has failed with an event, at the node “Bill”. It stays failed until somebody runs it again in the sidebar Radaro.",
    ],
    [
      news("failed", { state: "over", count: 3 }),
      { first: undefined },
      "South Couriers: of the events that failed at the node “Bill” (3), none is failed any more.",
    ],
    [
      news("failed", { cause: moreCauses, count: 180 }),
      {},
      "South Couriers: events have failed of still more causes (180), which are not told one by one. The sidebar Radaro shows them.",
    ],
    [
      news("store"),
      { problem: "inbox: the disk is full" },
      "South Couriers: events cannot be stored, and are refused (inbox: the disk is full). Radaro does not send them again.",
    ],
    [
      news("store", { state: "over" }),
      {},
      "South Couriers: events are stored again. Look in Radaro for what has changed since 2026-11-28 09:05, as events may be missing.",
    ],
    [
      news("refused", { cause: "refused:wrong-token" }),
      {},
      "South Couriers: a request was refused (wrong token). If it came from Radaro, an event is missing.",
    ],
    [
      news("refused", { cause: "refused:wrong-token", state: "over", count: 12 }),
      {},
      "South Couriers: no request was refused for an hour (wrong token). There were 12 since 2026-11-28 09:05.",
    ],
    [
      news("waiting", { count: 4 }),
      { paused: true },
      "South Couriers: 4 events wait for the flow, the oldest since 2026-11-28 09:05, which is longer than 30 minutes. The merchant is paused.",
    ],
    [
      news("waiting"),
      {},
      "South Couriers: an event has waited for the flow since 2026-11-28 09:05, which is longer than 30 minutes.",
    ],
    [
      news("silence"),
      { merchant: "" },
      "Merchant without a name: no event has been accepted since 2026-11-28 09:05, for 4 hours or more.",
    ],
    [
      news("catch-up"),
      { asking: "Radaro cannot be asked." },
      "South Couriers: what never arrived is not caught up. Radaro cannot be asked.",
    ],
    [
      news("catch-up", { state: "over" }),
      {},
      "South Couriers: what kept events from being caught up since 2026-11-28 09:05 is over.",
    ],
  ];
  for (const [each, its, sentence] of table) it(sentence, () => assert.equal(say(each, its), sentence));

  it("is a sentence in each language for all that can be told, without error text and what is not a number", () => {
    const all = [
      ...[1, 2].flatMap((count) => [news("failed", { count }), news("waiting", { count })]),
      ...Object.keys(refusals).map((why) => news("refused", { cause: `refused:${why}` })),
      ...[news("failed", { cause: moreCauses }), news("store"), news("silence"), news("catch-up")],
    ];
    for (const language of ["en-US", "de"])
      for (const each of all)
        for (const state of ["begun", "over"] as const)
          for (const its of [first, { ...first, orderId: "Ryan" }, { ...first, orderId: null }, undefined]) {
            const asking = "It cannot be asked.";
            const about = { first: its, paused: true, asking };
            const sentence = say({ ...each, state }, about, inLanguage(language));
            assert.match(sentence, /^South Couriers: [^]+\.$/);
            assert.doesNotMatch(sentence, /Priya|Ryan|__|undefined|null/);
          }
  });

  it("has beside the sentence what a flow may look at", () => {
    const { topic, radaro } = toMessage(english, news("failed"), about, settings);
    const expected = {
      ...{ merchant: "South Couriers", cause: "failed:bill:0", state: "begun", since, count: 1 },
      ...{ node, ...first },
    };
    assert.deepEqual([topic, radaro], ["failed", expected]);
    const over = toMessage(
      english,
      news("failed", { state: "over" }),
      { ...about, first: undefined },
      settings,
    );
    assert.deepEqual(over.radaro, {
      ...{ ...expected, state: "over" },
      ...{ error: null, orderId: null, externalId: null },
    });
    const store = toMessage(english, news("store"), about, settings);
    assert.deepEqual(Object.keys(store.radaro), ["merchant", "cause", "state", "since", "count"]);
  });
});
