// What the inbox sees of what core nodes do with an event. docs/what-the-inbox-sees.md is made of this:
// `WRITE_DOCS=1 npx mocha test/nodes/inbox-chains.test.ts` writes it anew.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer as createTcpServer, type AddressInfo, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Node, NodeAPI, NodeDef } from "node-red";
import helper from "node-red-node-test-helper";
import { format, resolveConfig } from "prettier";
import type { MerchantInbox } from "../../nodes/inbox/merchant-inbox";
import { readSamples } from "../events";
import { start, stop, type Message, type Runtime } from "./runtime";

const token = "Zk3vQ9cXw1LmT7yHs0RdNA";
const place = { z: "tab", x: 1, y: 1 };
const flow = [
  { id: "tab", type: "tab", label: "Flow" },
  { id: "config", type: "radaro-config", name: "Acme", inbox: true, inboxDays: 7 },
  {
    ...place,
    id: "in",
    type: "radaro in",
    config: "config",
    path: "/radaro",
    topics: [],
    wires: [["first"]],
  },
];
const turn = () => new Promise(setImmediate);

/** Where the services are that chains speak to: ports, and a directory. */
interface Places {
  http: number;
  tcp: number;
  closed: number;
  dir: string;
}

/**
 * What happens to an event: `last`: the last node has a message, and keeps it until the test has seen the
 * event's state; else what the inbox makes of it.
 */
type Happening = "last" | "processed" | "waiting" | `failed: ${string}`;

interface Chain {
  /** What the flow does, in words. */
  name: string;
  /** From `first` to `last`, which the test has. */
  nodes: object[] | ((places: Places) => object[]);
  /** What happens, in its order; none: it waits, for ever. */
  sees: Happening[];
  /** The types of the nodes that have it, where it waits. */
  at?: string[];
  /** What to do where that is too little. */
  advice?: string;
  /** How many events are sent, of which `sees` is about the first or the last. */
  events?: 2;
  of?: "first" | "last";
  /** Waits until the chain can work. */
  ready?: (first: Node) => boolean;
  /** What happens when the events were sent. */
  then?: (first: Node) => void;
}

/** A node of a chain. */
const node = (id: string, type: string, about: object = {}, ...wires: string[][]) => ({
  ...place,
  ...{ id, type, wires },
  ...about,
});
const code = (func: string, ...to: string[]) => node("first", "function", { func, outputs: 1, libs: [] }, to);
/** What a Function node does, and where the node is that sends on what it makes. */
const then = (id: string, func: string, ...to: string[]) => ({ ...code(func, ...to), id });
const two = (...to: string[]) => code('msg.payload = ["a", "b"]; return msg;', ...to);
const delay = (id: string, about: object, ...to: string[]) =>
  node(id, "delay", { timeoutUnits: "milliseconds", rateUnits: "second", outputs: 1, ...about }, to);
const each = { pauseType: "delay", timeout: "20" };
const request = (url: string, about: object = {}) =>
  node("first", "http request", { method: "GET", ret: "txt", url, headers: [], ...about }, ["last"]);
const trigger = (about: object) =>
  node(
    "first",
    "trigger",
    { units: "ms", extend: false, bytopic: "all", outputs: 1, duration: "250", ...about },
    ["last"],
  );
const exec = (command: string, about: object = {}) =>
  node(
    "first",
    "exec",
    { command, addpay: "", append: "", useSpawn: "false", timer: "", oldrc: false, ...about },
    ["last"],
    [],
    [],
  );
const tcpRequest = (port: number) =>
  node(
    "first",
    "tcp request",
    {
      server: "127.0.0.1",
      port: String(port),
      out: "char",
      splitc: "\\n",
      ret: "string",
      newline: "",
      trim: false,
    },
    ["last"],
  );
const tcpOut = (port: number) =>
  node("first", "tcp out", { host: "127.0.0.1", port: String(port), beserver: "client", end: false });
const writeFile = (filename: string) =>
  node(
    "first",
    "file",
    {
      ...{ filename, filenameType: "str", appendNewline: true, createDir: false },
      ...{ overwriteFile: "false", encoding: "none" },
    },
    ["last"],
  );
const readLines = (dir: string, allProps: boolean, to: string) => {
  const filename = join(dir, "lines");
  writeFileSync(filename, "a\nb");
  return node(
    "first",
    "file in",
    { filename, filenameType: "str", format: "lines", allProps, encoding: "none" },
    [to],
  );
};

/** It is seen until the end. */
const toTheEnd: Happening[] = ["last", "processed"];
const twice: Happening[] = ["last", "last", "processed"];
const opened: Happening[] = ["processed", "waiting", "last", "processed"];

const say = "Let a **radaro done** say it.";
const call = "Call `node.done()` when it is done";
const outcome = (failure: string) =>
  `Look at the outcome with a **switch** behind it, and let a **radaro done** say that it failed${failure}.`;

const groups: Record<string, Chain[]> = {
  "Ways through a flow": [
    {
      name: "**switch**, **change**, **template**, one after the other",
      nodes: [
        node(
          "first",
          "switch",
          { property: "topic", propertyType: "msg", rules: [{ t: "nnull" }], checkall: "true", outputs: 1 },
          ["change"],
        ),
        node("change", "change", { rules: [{ t: "set", p: "customer", pt: "msg", to: "a", tot: "str" }] }, [
          "template",
        ]),
        node(
          "template",
          "template",
          { field: "payload", fieldType: "msg", syntax: "mustache", template: "{{customer}}", output: "str" },
          ["last"],
        ),
      ],
      sees: toTheEnd,
    },
    {
      name: "**switch**, no rule of which matches",
      nodes: [
        node(
          "first",
          "switch",
          { property: "topic", propertyType: "msg", rules: [{ t: "null" }], checkall: "true", outputs: 1 },
          ["last"],
        ),
      ],
      sees: ["processed"],
    },
    {
      name: "**filter**, which lets a value through once (of the second event)",
      nodes: [node("first", "rbe", { func: "rbe", property: "topic", septopics: false }, ["last"])],
      events: 2,
      of: "last",
      sees: ["processed"],
    },
    {
      name: "Two wires from one output, a **delay** on one of them",
      nodes: [code("return msg;", "last", "delay"), delay("delay", each, "last")],
      sees: twice,
    },
    {
      name: "**link out** to **link in**",
      nodes: [
        node("first", "link out", { mode: "link", links: ["link"] }, ["link"]),
        node("link", "link in", { links: ["first"] }, ["last"]),
      ],
      sees: toTheEnd,
    },
    {
      name: "**link call**, which comes back",
      nodes: [
        node("first", "link call", { links: ["link"], linkType: "static", timeout: "30" }, ["last"]),
        node("link", "link in", { links: [] }, ["delay"]),
        delay("delay", each, "return"),
        node("return", "link out", { mode: "return", links: [] }),
      ],
      sees: toTheEnd,
    },
    {
      name: "**link call**, which does not come back in its time",
      nodes: [
        node("first", "link call", { links: ["link"], linkType: "static", timeout: "0.02" }, ["last"]),
        node("link", "link in", { links: [] }, []),
      ],
      sees: ["failed: timeout"],
    },
    {
      name: "A subflow in a subflow",
      nodes: [
        {
          ...{ id: "inner", type: "subflow", in: [{ wires: [{ id: "wait" }] }] },
          out: [{ wires: [{ id: "wait", port: 0 }] }],
        },
        { ...delay("wait", each), z: "inner", wires: [[]] },
        {
          ...{ id: "outer", type: "subflow", in: [{ wires: [{ id: "instance" }] }] },
          out: [{ wires: [{ id: "instance", port: 0 }] }],
        },
        { ...node("instance", "subflow:inner", {}, []), z: "outer" },
        node("first", "subflow:outer", {}, ["last"]),
      ],
      sees: toTheEnd,
    },
    {
      name: "A wire to a node that is disabled",
      nodes: [code("return msg;", "off"), node("off", "function", { d: true, func: "", libs: [] }, ["last"])],
      sees: ["processed"],
    },
    {
      name: "**complete**, of a node without a wire",
      nodes: [code("return msg;"), node("complete", "complete", { scope: ["first"] }, ["last"])],
      sees: toTheEnd,
    },
  ],
  Errors: [
    {
      name: "**JSON**, of a text that is none",
      nodes: [
        code('msg.payload = "{"; return msg;', "json"),
        node("json", "json", { property: "payload", action: "" }, ["last"]),
      ],
      sees: ["failed: Expected property name or '}' in JSON at position 1 (line 1 column 2)"],
    },
    {
      name: "**catch**, which sends the message to another node",
      nodes: [code('throw new Error("no price");'), node("catch", "catch", { scope: ["first"] }, ["last"])],
      sees: ["last", "failed: no price"],
      advice: "Where the other node has dealt with it, let a **radaro done** behind it say so.",
    },
    {
      name: "**catch**, which sends the message back to the node, which succeeds then",
      nodes: [
        code(
          'context.set("times", (context.get("times") || 0) + 1); if (context.get("times") < 3) throw new Error("busy"); return msg;',
          "last",
        ),
        node("catch", "catch", { scope: ["first"] }, ["delay"]),
        delay("delay", each, "first"),
      ],
      sees: toTheEnd,
    },
  ],
  "Many messages of one, and one of many": [
    {
      name: "**split**",
      nodes: [two("split"), node("split", "split", { arraySplt: 1, spltType: "str" }, ["last"])],
      sees: twice,
    },
    {
      name: "**split**, and one of its messages fails",
      nodes: [
        two("split"),
        node("split", "split", { arraySplt: 1, spltType: "str" }, ["bill"]),
        then("bill", 'if (msg.payload === "a") throw new Error("no price"); return msg;', "last"),
      ],
      sees: ["last", "failed: no price"],
    },
    {
      name: "**split**, **sort**, **delay**, **join**",
      nodes: [
        two("split"),
        node("split", "split", { arraySplt: 1, spltType: "str" }, ["sort"]),
        node(
          "sort",
          "sort",
          {
            ...{ target: "payload", targetType: "seq", order: "descending" },
            ...{ msgKey: "payload", msgKeyType: "elem", seqKey: "payload", seqKeyType: "msg" },
          },
          ["delay"],
        ),
        delay("delay", each, "join"),
        node("join", "join", { mode: "auto" }, ["last"]),
      ],
      sees: toTheEnd,
    },
    {
      name: "**join** of two messages, of which one is there",
      nodes: [
        node("first", "join", { mode: "custom", build: "array", count: "2", propertyType: "msg" }, ["last"]),
      ],
      sees: [],
      at: ["join"],
      advice: "Give **join** a time after which it sends what it has, or **radaro in** a limit.",
    },
    {
      name: "**join** of two messages, when the second has come (of the first event)",
      nodes: [
        node("first", "join", { mode: "custom", build: "array", count: "2", propertyType: "msg" }, ["last"]),
      ],
      events: 2,
      sees: ["processed"],
      advice: "What **join** sends belongs to the last event. Do before **join** what matters to each.",
    },
    {
      name: "**join** of two messages, when the second has come (of the second event)",
      nodes: [
        node("first", "join", { mode: "custom", build: "array", count: "2", propertyType: "msg" }, ["last"]),
      ],
      events: 2,
      of: "last",
      sees: toTheEnd,
    },
    {
      name: "**batch** of two messages, of which one is there",
      nodes: [node("first", "batch", { mode: "count", count: 2, overlap: 0 }, ["last"])],
      sees: [],
      at: ["batch"],
      advice: "Group by an interval, or give **radaro in** a limit.",
    },
    {
      name: "**batch** of two messages, when the second has come",
      nodes: [node("first", "batch", { mode: "count", count: 2, overlap: 0 }, ["last"])],
      events: 2,
      sees: toTheEnd,
    },
    {
      name: "**batch** by an interval",
      nodes: [node("first", "batch", { mode: "interval", interval: 0.05 }, ["last"])],
      sees: toTheEnd,
    },
    {
      name: "**read file**, a message for each line",
      nodes: ({ dir }) => [readLines(dir, false, "gate"), node("gate", "gate", {}, ["last"])],
      sees: ["processed", "last", "last"],
      advice: "Tick **Include all existing properties in each msg**.",
    },
    {
      name: "**read file**, a message for each line, with all existing properties",
      nodes: ({ dir }) => [readLines(dir, true, "delay"), delay("delay", each, "last")],
      sees: twice,
    },
  ],
  Time: [
    {
      name: "**delay** of each message",
      nodes: [delay("first", each, "last")],
      sees: toTheEnd,
    },
    {
      name: "**delay**, random",
      nodes: [
        delay(
          "first",
          { pauseType: "random", randomFirst: "1", randomLast: "20", randomUnits: "milliseconds" },
          "last",
        ),
      ],
      sees: toTheEnd,
    },
    {
      name: "**delay**, limit rate, messages queue (of the second event)",
      nodes: [delay("first", { pauseType: "rate", rate: "20", drop: false }, "last")],
      events: 2,
      of: "last",
      sees: toTheEnd,
    },
    {
      name: "**delay**, limit rate, messages queue, and `msg.reset` empties the queue",
      nodes: [delay("first", { pauseType: "rate", rate: "0.1", drop: false }, "last")],
      events: 2,
      of: "last",
      then: (first) => first.receive({ reset: true }),
      sees: [],
      at: ["delay"],
      advice: "Give **radaro in** a limit.",
    },
    {
      name: "**delay**, limit rate, messages are dropped (of the second event)",
      nodes: [delay("first", { pauseType: "rate", rate: "0.1", drop: true }, "last")],
      events: 2,
      of: "last",
      sees: ["processed"],
      advice: "Let it queue. Or send what it drops to its second output, and on to a **radaro done**.",
    },
    {
      name: "**delay**, limit rate for each topic, and a second event takes the place of the first",
      nodes: [delay("first", { pauseType: "queue", rate: "0.1" }, "last")],
      events: 2,
      sees: ["processed"],
      advice: "Limit the rate of all messages, which queues.",
    },
    {
      name: "**delay**, limit rate, all topics at once",
      nodes: [delay("first", { pauseType: "timed", rate: "20" }, "last")],
      sees: toTheEnd,
    },
    {
      name: "**trigger**: sends, waits, and sends a second message",
      nodes: [trigger({ op1: "1", op1type: "str", op2: "0", op2type: "str" })],
      sees: ["last", "processed", "waiting", "last", "processed"],
      advice: say,
    },
    {
      name: "**trigger**: sends nothing, waits, and sends the message",
      nodes: [trigger({ op1: "", op1type: "nul", op2: "", op2type: "pay" })],
      sees: opened,
      advice: `A **delay** does it better, where it need not keep the last of many. Or: ${say.toLowerCase()}`,
    },
  ],
  "Out of Node-RED": [
    {
      name: "**http request**, answered 200",
      nodes: ({ http }) => [request(`http://127.0.0.1:${http}/200`)],
      sees: toTheEnd,
    },
    {
      name: "**http request**, answered 500",
      nodes: ({ http }) => [request(`http://127.0.0.1:${http}/500`)],
      sees: toTheEnd,
      advice: "It takes a 500 for a success: look at `msg.statusCode`, as the next row does.",
    },
    {
      name: "**http request**, answered 500, and a **switch** sends that to a Function node that throws",
      nodes: ({ http }) => [
        { ...request(`http://127.0.0.1:${http}/500`), wires: [["switch"]] },
        node(
          "switch",
          "switch",
          {
            ...{ property: "statusCode", propertyType: "msg", checkall: "false", outputs: 2 },
            rules: [{ t: "lt", v: "400", vt: "num" }, { t: "else" }],
          },
          ["last"],
          ["refused"],
        ),
        then("refused", "throw new Error(`answered ${msg.statusCode}`);"),
      ],
      sees: ["failed: answered 500"],
    },
    {
      name: "**http request**, nobody there",
      nodes: ({ closed }) => [request(`http://127.0.0.1:${closed}/`)],
      sees: ["last", "failed: connect ECONNREFUSED 127.0.0.1:8080"],
    },
    {
      name: "**http request**, nobody there, **Only send non-2xx responses to Catch node** ticked",
      nodes: ({ closed }) => [request(`http://127.0.0.1:${closed}/`, { senderr: true })],
      sees: ["failed: connect ECONNREFUSED 127.0.0.1:8080"],
    },
    {
      name: "**http request**, nobody there, and a **catch** sends it back until somebody is",
      nodes: ({ http }) => [
        request(`http://127.0.0.1:${http}/second`, { senderr: true }),
        node("catch", "catch", { scope: ["first"] }, ["delay"]),
        delay("delay", each, "first"),
      ],
      sees: toTheEnd,
    },
    {
      name: "**exec**",
      nodes: [exec("true")],
      sees: toTheEnd,
    },
    {
      name: "**exec**, the command of which fails",
      nodes: [exec("false")],
      sees: toTheEnd,
      advice: outcome(" where `msg.rc.code` is not 0"),
    },
    {
      name: "**exec**, spawn mode",
      nodes: [exec("echo a", { useSpawn: "true" })].map((each) => ({
        ...each,
        wires: [["last"], [], ["last"]],
      })),
      sees: twice,
    },
    {
      name: "**write file**",
      nodes: ({ dir }) => [writeFile(join(dir, "log"))],
      sees: toTheEnd,
    },
    {
      name: "**write file**, into a directory that is not there",
      nodes: ({ dir }) => [writeFile(join(dir, "away", "log"))],
      sees: [
        "last",
        "failed: failed to append to file: Error: ENOENT: no such file or directory, open '/data/away/log'",
      ],
    },
    {
      name: "**tcp request**, which is answered",
      nodes: ({ tcp }) => [tcpRequest(tcp)],
      sees: opened,
      advice: `It says that it is done when it has sent, not when it is answered. ${say}`,
    },
    {
      name: "**tcp request**, nobody there",
      nodes: ({ closed }) => [tcpRequest(closed)],
      sees: ["failed: connect failed 127.0.0.1:8080"],
    },
    {
      name: "**tcp out**, connected",
      nodes: ({ tcp }) => [tcpOut(tcp)],
      ready: (first) => (first as Node & { connected: boolean }).connected,
      sees: ["processed"],
      advice: "Whether it has arrived, only an answer tells: **tcp request**.",
    },
    {
      name: "**tcp out**, nobody there",
      nodes: ({ closed }) => [tcpOut(closed)],
      sees: ["processed"],
      advice: "It drops the message without a word: **tcp request** reports an error.",
    },
  ],
  "Function nodes": [
    { name: "`return msg;`", nodes: [code("return msg;", "last")], sees: toTheEnd },
    {
      name: "`return {payload: 1};`",
      nodes: [code("return {payload: 1};", "last")],
      sees: toTheEnd,
    },
    { name: "`return null;`", nodes: [code("return null;", "last")], sees: ["processed"] },
    {
      name: "`return [msg, null];`",
      nodes: [{ ...code("return [msg, null];"), outputs: 2, wires: [["last"], ["last"]] }],
      sees: toTheEnd,
    },
    {
      name: "`return [[msg, {payload: 1}]];`",
      nodes: [code("return [[msg, {payload: 1}]];", "last")],
      sees: twice,
    },
    {
      name: "`node.send(msg);` later, then `node.done();`",
      nodes: [code("setTimeout(() => { node.send(msg); node.done(); }, 20);", "last")],
      sees: toTheEnd,
    },
    {
      name: "`node.send(msg);` later, without `node.done();`",
      nodes: [code("setTimeout(() => node.send(msg), 100);", "last")],
      sees: opened,
      advice: `${call}, after \`node.send\`.`,
    },
    {
      name: "Work that goes on later, sends nothing, and does not say `node.done();`",
      nodes: [code("setTimeout(() => 0, 20);")],
      sees: ["processed"],
      advice: `${call}, or use \`await\`.`,
    },
    {
      name: "`node.done();` on one way through the code, and another way is taken",
      nodes: [code("if (msg.payload.urgent) { node.done(); }")],
      sees: [],
      at: ["function"],
      advice: "Where `node.done()` is in the code, call it on each way.",
    },
    {
      name: "`await`, then `return msg;`",
      nodes: [code("await new Promise((resolve) => setTimeout(resolve, 20)); return msg;", "last")],
      sees: toTheEnd,
    },
    {
      name: "`await` of what fails",
      nodes: [code('await Promise.reject(new Error("no price")); return msg;', "last")],
      sees: ["failed: no price"],
    },
    {
      name: '`throw new Error("no price");`',
      nodes: [code('throw new Error("no price");')],
      sees: ["failed: no price"],
    },
    { name: '`throw "no price";`', nodes: [code('throw "no price";')], sees: ["failed: no price"] },
    {
      name: '`node.error("no price", msg);` and then `return msg;`',
      nodes: [code('node.error("no price", msg); return msg;', "last")],
      sees: ["last", "failed: no price"],
    },
    {
      name: '`node.error("no price", msg);` later, without `node.done();`',
      nodes: [code('setTimeout(() => node.error("no price", msg), 100);')],
      sees: ["processed", "waiting", "failed: no price"],
      advice: `${call}, after \`node.error\`.`,
    },
    {
      name: '`node.error("no price");`, without `msg`',
      nodes: [code('node.error("no price"); return msg;', "last")],
      sees: toTheEnd,
      advice: "That is a line in the log and no error of this message: write `node.error(text, msg)`.",
    },
    {
      name: "`throw` in a `setTimeout`",
      nodes: [code('setTimeout(() => { throw new Error("no price"); }, 20);')],
      sees: ["processed"],
      advice: "Catch it there, and write `node.error(text, msg)`; or use `await`.",
    },
  ],
};

/** What becomes of the event, as the document says it. */
function words({ sees, at }: Chain): string {
  if (sees.length === 0) return `**waiting** until the next deploy or start; **${at!.join(", ")}** has it`;
  const error = sees.at(-1)!.startsWith("failed") ? `: ${sees.at(-1)!.slice("failed: ".length)}` : "";
  const pattern = sees
    .map((each) => each.replace(/:[^]*/, ""))
    .filter((each, i, all) => each !== all[i - 1])
    .join(" ");
  const said: Record<string, string> = {
    "last processed": "**waiting** until all nodes are done, then **processed**",
    processed: "**processed**",
    "processed last": "**processed** too early: the nodes behind it are not seen",
    "processed waiting last processed":
      "**processed** too early; **waiting** again when it sends, then **processed**",
    "last processed waiting last processed":
      "**processed** after the first message, too early; **waiting** again when it sends the second, then **processed**",
    "processed waiting failed": "**processed** too early, then **failed**",
    failed: "**failed**",
    "last failed": "**failed**, when the nodes that have the message are done",
  };
  return (said[pattern] ?? assert.fail(pattern)) + error;
}

function document(): string {
  const cell = (text: string) => text.replaceAll("|", "\\|");
  const tables = Object.entries(groups).map(([title, chains]) => {
    const rows = chains.map(
      (chain) => `| ${[chain.name, words(chain), chain.advice ?? ""].map(cell).join(" | ")} |`,
    );
    return [
      `## ${title}`,
      "",
      "| What the flow does | What becomes of the event | Where that is too little |",
      "| --- | --- | --- |",
      ...rows,
      "",
    ].join("\n");
  });
  return `# What the inbox sees

With [the inbox](inbox.md) an event is processed when all nodes that its message reached are done with it. Not every node says so in the same way. This is what the inbox has seen of one event in each of these flows: a test runs them in Node-RED and writes this page. Back to [README](../README.md).

The inbox knows a message by its \`_msgid\`, and, while the flow has the event, by \`msg.radaro.delivery\`, which most nodes leave in the messages that they make.

Some nodes say too early that they are done: they go on after that. While Node-RED runs, nothing is lost by it: when such a node sends the message, within 10 minutes, the event is waiting again. But where Node-RED ends in between, an event that counts as processed does not come again. Two things help:

- In a Function node, call \`node.done()\` when the work is done.
- Anywhere else, put a **radaro done** at the end of the flow, and choose in **radaro in** that this node says when the flow is done. It needs \`msg.radaro.delivery\` in the message that it gets. Where the event has failed, a second one says so.

A node that reports an error of a message is taken to be done with it. Its error stands until the same node completes a message with the same \`_msgid\` later: that is what a **catch** node sends back.

${tables.join("\n")}`;
}

describe("What the inbox sees of a flow:", () => {
  const places: Places = { http: 0, tcp: 0, closed: 0, dir: "" };
  const servers: Server[] = [];
  let runtime: Runtime;
  /** What has happened, with the seq of its event, where that is known. */
  let happened: { seq: string | undefined; what: Happening }[];
  /** What the last node has, with what it says when it is done. */
  let kept: (() => void)[];
  /** The event that a test is about. */
  let seq: string | undefined;
  /** Whether the inbox has said that it is done with the event. */
  const isProcessed = () => happened.some(({ what }) => what === "processed");

  const listen = async (server: Server) => {
    await once(server.listen(0, "127.0.0.1"), "listening");
    return (server.address() as AddressInfo).port;
  };
  before(async () => {
    await helper.startServer();
    let requests = 0;
    const http = createHttpServer((request, response) => {
      requests += request.url === "/second" ? 1 : 0;
      if (request.url === "/second" && requests < 2) request.socket.destroy();
      else response.writeHead(request.url === "/500" ? 500 : 200).end();
    });
    const tcp = createTcpServer((socket) => {
      socket.on("error", () => undefined);
      // It answers when the inbox takes it for done.
      socket.on("data", () => {
        const answer = () => void (isProcessed() ? socket.write("ok\n") : setImmediate(answer));
        answer();
      });
    });
    servers.push(http, tcp);
    const none = createTcpServer();
    Object.assign(places, { http: await listen(http), tcp: await listen(tcp), closed: await listen(none) });
    none.close();
  });
  after(async () => {
    for (const server of servers) server.close();
    await helper.stopServer();
  });
  beforeEach(() => {
    places.dir = mkdtempSync(join(tmpdir(), "radaro-"));
    [happened, kept, seq] = [[], [], undefined];
  });
  afterEach(async () => {
    await stop();
    rmSync(places.dir, { recursive: true });
  });

  /** The node at the end, which keeps what it gets; and one that lets pass what comes when the event is processed. */
  const types = (RED: NodeAPI) => {
    RED._ = translate;
    RED.nodes.registerType("last", function (this: Node, def: NodeDef) {
      RED.nodes.createNode(this, def);
      this.on("input", (msg, _send, done) => {
        const { delivery } = (msg as Partial<Message>).radaro ?? {};
        happened.push({ seq: delivery?.split("/")[1], what: "last" });
        kept.push(done);
      });
    });
    RED.nodes.registerType("gate", function (this: Node, def: NodeDef) {
      RED.nodes.createNode(this, def);
      this.on("input", (msg, send, done) => {
        const pass = () => (isProcessed() ? (send(msg), done()) : setImmediate(pass));
        pass();
      });
    });
  };
  /* eslint-disable @typescript-eslint/no-require-imports -- as Node-RED loads them */
  const core = [
    ...["common/24-complete", "common/25-catch", "common/60-link"],
    ...["function/10-function", "function/10-switch", "function/15-change", "function/80-template"],
    ...["function/89-delay", "function/89-trigger", "function/90-exec", "function/rbe"],
    ...["network/21-httprequest", "network/31-tcpin", "parsers/70-JSON"],
    ...["sequence/17-split", "sequence/18-sort", "sequence/19-batch", "storage/10-file"],
  ].map((path) => require(`@node-red/nodes/core/${path}.js`) as (RED: NodeAPI) => void);
  /* eslint-enable */

  const merchant = () => (helper.getNode("config") as Node & { inbox: MerchantInbox }).inbox;
  /** Has all said that the inbox hears of. */
  const listenIn = () => {
    const { inbox } = merchant();
    const { heard } = inbox;
    inbox.heard = (of, id, outcome) => {
      const { state } = outcome;
      const what: Happening =
        state === "failed"
          ? `failed: ${plain(outcome.error.text)}`
          : state === "processed"
            ? "processed"
            : "waiting";
      happened.push({ seq: of, what });
      return heard.call(inbox, of, id, outcome);
    };
  };
  /** As it is on every machine. */
  const plain = (text: string) =>
    text.replaceAll(String(places.closed), "8080").replaceAll(places.dir, "/data");
  const ofIt = () =>
    happened.filter((each) => each.seq === undefined || each.seq === seq).map(({ what }) => what);
  const state = async () => (await merchant().inbox.events.read(seq!))!.stored.state;

  for (const [title, chains] of Object.entries(groups)) {
    describe(title, () => {
      for (const chain of chains) {
        it(`${chain.name}: ${words(chain)}`, async function () {
          this.timeout(20_000);
          const nodes = typeof chain.nodes === "function" ? chain.nodes(places) : chain.nodes;
          const all = [...flow, ...nodes, { ...place, id: "last", type: "last", wires: [] }];
          const settings = { userDir: places.dir };
          runtime = await start(all, { config: { token } }, { settings, before: [types], nodes: core });
          listenIn();
          const first = helper.getNode("first");
          while (chain.ready && !chain.ready(first)) await turn();
          await send(chain);
          chain.then?.(first);
          await follow(chain);
          assert.deepEqual(ofIt(), chain.sees);
        });
      }
    });
  }

  async function send({ events, of = "first" }: Chain): Promise<void> {
    for (let number = 0; number < (events ?? 1); number += 1) {
      const event = { ...readSamples()["job-created"], number, token };
      assert.equal((await runtime.post("/radaro", event)).status, 200);
      const { events: stored } = await merchant().inbox.events.list({}, "");
      if (number === 0 || of === "last") seq = stored[0]!.seq;
    }
  }

  /** Lets it happen, as far as it is as it should be. */
  async function follow({ sees, at }: Chain): Promise<void> {
    for (const [i, expected] of sees.entries()) {
      while (ofIt().length <= i) await turn();
      if (ofIt()[i] !== expected) return;
      const next = sees[i + 1];
      if (expected === "last" ? next === "last" : next !== undefined) continue;
      // The last node is done only now: until then it is as it was.
      const before = sees.slice(0, i + 1).findLast((each) => each !== "last") ?? "waiting";
      while ((await state()) !== before.replace(/:[^]*/, "")) await turn();
      if (expected === "last") for (const done of kept.splice(0)) done();
    }
    while (at && merchant().flow.nodesOf(seq!, "in").length !== at.length) await turn();
    if (at) {
      const have = merchant().flow.nodesOf(seq!, "in");
      assert.deepEqual(
        have.map(({ type }) => type),
        at,
      );
      assert.equal(await state(), "waiting");
    }
  }
});

describe("What the inbox sees of a flow", () => {
  const page = join(__dirname, "..", "..", "docs", "what-the-inbox-sees.md");

  it("is what docs/what-the-inbox-sees.md says; else write it anew: WRITE_DOCS=1 npx mocha test/nodes/inbox-chains.test.ts", async () => {
    const text = await format(document(), { ...(await resolveConfig(page)), parser: "markdown" });
    if (process.env.WRITE_DOCS) writeFileSync(page, text);
    assert.equal(readFileSync(page, "utf8"), text);
  });
});

/** Core nodes' texts, which the test helper does not look up. */
function translate(key: string, about: Record<string, unknown> = {}): string {
  const file = require.resolve("@node-red/nodes/locales/en-US/messages.json");
  const text = key
    .replace(/^node-red:/, "")
    .split(".")
    .reduce<unknown>(
      (found, part) => (found as Record<string, unknown> | undefined)?.[part],
      JSON.parse(readFileSync(file, "utf8")),
    );
  return typeof text === "string"
    ? text.replace(/__(\w+)__/g, (_, name: string) => String(about[name]))
    : key;
}
