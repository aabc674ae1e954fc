// A node type for the tests, put into Node-RED beside the package: it keeps what it gets and tells
// it over HTTP, closes when it is told to, and counts what a redeploy or a flood could leave behind.
const { appendFileSync } = require("node:fs");
const { setFlagsFromString } = require("node:v8");
const { runInNewContext } = require("node:vm");

const builtIn = { Object, Array, Function, String, Number, Boolean };
const properties = ({ prototype }) => Object.entries(Object.getOwnPropertyDescriptors(prototype));
const atStart = Object.values(builtIn).map((type) => new Map(properties(type)));

/** What is in the prototypes of the built-in types that was not there when Node-RED started. */
const polluted = () =>
  Object.entries(builtIn).flatMap(([name, type], i) =>
    properties(type)
      .filter(([key, { value }]) => !atStart[i].has(key) || atStart[i].get(key).value !== value)
      .map(([key]) => `${name}.prototype.${key}`),
  );

/** As JSON, or that it is nested more deeply than can be written as JSON. */
const toText = (msg) => {
  try {
    return JSON.stringify(msg);
  } catch (error) {
    return JSON.stringify({ topic: msg.topic, radaro: msg.radaro, payload: String(error) });
  }
};

module.exports = (RED) => {
  /** By node id, for all instances that a node has had. */
  const got = new Map();
  const waiting = new Set();
  let isSlow = false;
  let closing = [];

  RED.nodes.registerType("probe", function (def) {
    RED.nodes.createNode(this, def);
    this.on("input", (msg, _send, done) => {
      got.set(def.id, [...(got.get(def.id) ?? []), toText(msg)]);
      for (const look of [...waiting]) look();
      if (def.change) msg.payload[def.change] = "changed by another flow";
      done();
    });
    this.on("close", (done) => (isSlow ? closing.push(done) : done()));
  });

  // Keeps the numbers of the events that it gets in a file, which outlives the process.
  RED.nodes.registerType("recorder", function (def) {
    RED.nodes.createNode(this, def);
    this.on("input", (msg, send, done) => {
      appendFileSync(def.file, `${msg.payload.number}\n`);
      send(msg);
      done();
    });
  });

  // Keeps in a file when it gets an event, and, after some milliseconds, that it is done with it.
  RED.nodes.registerType("journal", function (def) {
    RED.nodes.createNode(this, def);
    appendFileSync("journal.txt", "");
    this.on("input", (msg, send, done) => {
      const write = (what) => {
        const { payload, radaro } = msg;
        const at = performance.timeOrigin + performance.now();
        const { superseded = false, redelivery = 0 } = radaro;
        const entry = { what, number: payload.number, at, superseded, redelivery };
        appendFileSync("journal.txt", `${JSON.stringify(entry)}\n`);
      };
      write("begun");
      setTimeout(() => {
        write("done");
        send(msg);
        done();
      }, def.takes);
    });
  });

  // As `recorder`, and needs a second to connect: what it gets before that fails.
  RED.nodes.registerType("connecting", function (def) {
    RED.nodes.createNode(this, def);
    let isConnected = false;
    const timer = setTimeout(() => (isConnected = true), 1000);
    this.on("input", ({ payload }, _send, done) => {
      if (isConnected) appendFileSync(def.file, `${payload.number}\n`);
      done(isConnected ? undefined : new Error("not connected"));
    });
    this.on("close", () => clearTimeout(timer));
  });

  // Ends Node-RED on the event with its number: in a callback, as the system does, or after a while.
  RED.nodes.registerType("ender", function (def) {
    RED.nodes.createNode(this, def);
    const ways = {
      callback: () =>
        setTimeout(() => {
          throw new Error("in a callback");
        }),
      kill: () => process.kill(process.pid, "SIGKILL"),
      later: () => setTimeout(() => process.exit(1), 3000),
    };
    this.on("input", (msg, send, done) => {
      if (msg.payload.number === def.number) ways[def.how]();
      else {
        send(msg);
        done();
      }
    });
  });

  // Answers as soon as the node has got that many messages.
  RED.httpAdmin.get("/probe/:id/:count", (req, res) => {
    const look = () => {
      const messages = got.get(req.params.id) ?? [];
      if (messages.length < Number(req.params.count)) return;
      waiting.delete(look);
      got.delete(req.params.id);
      res.json(messages.map((message) => JSON.parse(message)));
    };
    waiting.add(look);
    look();
  });

  // From now on the node's instances close only when they are told to.
  RED.httpAdmin.post("/probe/slow", (_req, res) => {
    isSlow = true;
    res.end();
  });
  RED.httpAdmin.post("/probe/close", (_req, res) => {
    isSlow = false;
    for (const done of closing) done();
    closing = [];
    res.end();
  });
  // Answers as soon as an instance waits to be told.
  RED.httpAdmin.get("/probe/closing", (_req, res) => {
    const look = () => (closing.length > 0 ? res.end() : setImmediate(look));
    look();
  });

  RED.httpAdmin.get("/probe/count", (_req, res) => {
    res.json({
      layers: RED.httpNode._router.stack.length,
      listeners: RED.events.eventNames().map((name) => [String(name), RED.events.listenerCount(name)]),
      timers: process.getActiveResourcesInfo().filter((name) => name === "Timeout").length,
    });
  });

  // What an inbox needs. Its thread has modules of its own, and a port to talk to it.
  RED.httpAdmin.get("/probe/inbox", (_req, res) => {
    res.json({
      loaded: [
        ...Object.keys(require.cache).filter((path) => /[\\/]merchant-inbox\.js$/.test(path)),
        ...process.getActiveResourcesInfo().filter((name) => name === "MessagePort"),
      ],
      asking: Object.keys(require.cache).filter((path) => /[\\/]merchant-catch-up\.js$/.test(path)),
      database: Object.keys(require.cache).filter((path) => /postgres.*\.js$/.test(path)),
      hooks: ["onSend", "onReceive", "postReceive", "onComplete"].filter((name) => RED.hooks.has(name)),
    });
  });

  // Sends an event as soon as Node-RED listens, which is before its flows run, and tells how it was answered.
  let first;
  const { PROBE_FIRST: body } = process.env;
  if (body) {
    RED.server.once("listening", () => {
      const { port } = RED.server.address();
      const headers = { "Content-Type": "application/json" };
      first = fetch(`http://127.0.0.1:${port}/radaro`, { method: "POST", headers, body });
    });
  }
  RED.httpAdmin.get("/probe/first", async (_req, res) => res.json((await first).status));

  // The last status of a node, as the editor gets it.
  const statuses = new Map();
  RED.events.on("node-status", ({ id, status }) => statuses.set(id, status));
  RED.httpAdmin.get("/probe-status/:id", (req, res) => res.json(statuses.get(req.params.id) ?? {}));

  RED.httpAdmin.get("/probe/prototypes", (_req, res) => res.json(polluted()));

  // After a forced collection of what is not used any more.
  RED.httpAdmin.get("/probe/memory", (_req, res) => {
    setFlagsFromString("--expose-gc");
    runInNewContext("gc")();
    const { heapUsed, external } = process.memoryUsage();
    RED.server.getConnections((_error, connections) => res.json({ used: heapUsed + external, connections }));
  });
};
