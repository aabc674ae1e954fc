import { token } from "./node-red";

const completed = { kind: "event", eventType: "updated", field: "status", to: "delivered", toType: "str" };
const rated = {
  kind: "event",
  eventType: "updated",
  field: "is_confirmed_by_customer",
  to: "true",
  toType: "bool",
};

export const tab = { id: "tab", type: "tab", label: "Benchmark" };

/** `radaro in` on /ours: verified, checked, and routed by what has changed. */
export const ours = [
  { id: "acme", type: "radaro-config", name: "Acme" },
  { id: "in", type: "radaro in", z: "tab", config: "acme", path: "/ours", topics: [], wires: [["route"]] },
  {
    id: "route",
    type: "radaro switch",
    z: "tab",
    property: "payload",
    rules: [{ kind: "event", eventType: "created" }, completed, rated, { kind: "otherwise" }],
    checkall: true,
    outputs: 4,
    wires: [["ours"], ["ours"], ["ours"], ["ours"]],
  },
  { id: "ours", type: "bench end", z: "tab" },
];

/** The same, with an inbox. */
export const kept = ours.map((node) => (node.id === "acme" ? { ...node, inbox: true } : node));

/** What a user would build from core nodes, on /core: the same, but for the check of the event's fields. */
export const core = [
  { id: "http-in", type: "http in", z: "tab", url: "/core", method: "post", wires: [["check"]] },
  {
    id: "check",
    type: "function",
    z: "tab",
    outputs: 2,
    func: `if (msg.payload.token !== ${JSON.stringify(token)}) {
      msg.statusCode = 401;
      msg.payload = { ok: false };
      return [null, msg];
    }
    delete msg.payload.token;
    msg.topic = msg.payload.topic;
    msg.event = msg.payload;
    msg.payload = { ok: true };
    return [msg, null];`,
    wires: [["by-type"], ["answer"]],
  },
  {
    id: "by-type",
    type: "switch",
    z: "tab",
    property: "event.event_type",
    propertyType: "msg",
    rules: [{ t: "eq", v: "created", vt: "str" }, { t: "eq", v: "updated", vt: "str" }, { t: "else" }],
    checkall: "true",
    outputs: 3,
    wires: [["answer"], ["by-field"], ["answer"]],
  },
  {
    id: "by-field",
    type: "switch",
    z: "tab",
    property: "event.new_values",
    propertyType: "msg",
    rules: [
      { t: "hask", v: "status", vt: "str" },
      { t: "hask", v: "is_confirmed_by_customer", vt: "str" },
      { t: "else" },
    ],
    checkall: "true",
    outputs: 3,
    wires: [["answer"], ["answer"], ["answer"]],
  },
  { id: "answer", type: "http response", z: "tab", statusCode: "", headers: {} },
];

/** A hand-written route on /limit, with no routing behind it. */
export const limit = [
  { id: "limit-in", type: "bench limit", z: "tab", path: "/limit", token, wires: [["limit"]] },
  { id: "limit", type: "bench end", z: "tab" },
];

/** The least that keeps what it has answered 200, on /ours. No routing, no verdict, nothing to look for. */
export const keptLimit = [
  tab,
  { id: "limit-in", type: "bench kept limit", z: "tab", path: "/ours", token, wires: [["limit"]] },
  { id: "limit", type: "bench end", z: "tab" },
];
