// Node types for the benchmarks, put into Node-RED beside the package: the end of a flow, the
// hand-written route that is the limit, and what the process has used so far.
const { createServer } = require("node:http");
const { join } = require("node:path");
const { setInterval } = require("node:timers");
const { setFlagsFromString } = require("node:v8");
const { runInNewContext } = require("node:vm");
const { Worker } = require("node:worker_threads");

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc");

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** The part of an event that is looked at. */
const completed = () => ({
  topic: "job.status_changed",
  event_type: "updated",
  new_values: { status: "delivered" },
  old_values: { status: "in_progress" },
});

// How late Node-RED's own thread comes to what is due each millisecond, and how much of that it was working:
// the rest of it other work of the machine had the processor.
const held = { up: 0, working: 0 };
let looked = { at: performance.now(), worked: 0 };
const sinceStart = process.threadCpuUsage ? process.threadCpuUsage() : undefined;
setInterval(() => {
  const { user, system } = sinceStart ? process.threadCpuUsage(sinceStart) : { user: NaN, system: 0 };
  const now = { at: performance.now(), worked: (user + system) / 1000 };
  const late = now.at - looked.at - 1;
  held.up = Math.max(held.up, late);
  held.working = Math.max(held.working, Math.min(late, now.worked - looked.worked));
  looked = now;
}, 1).unref();

/** The body of a request, that Node-RED's admin application may have read already. */
function readBody(req, use) {
  if (req._body) {
    use(req.body);
    return;
  }
  const chunks = [];
  req.on("data", (chunk) => chunks.push(chunk));
  req.on("end", () => use(JSON.parse(Buffer.concat(chunks).toString())));
}

/** Keeps texts as little as can be: a thread appends them to a file; what comes meanwhile shares the next sync. */
function appendTo(path) {
  const worker = new Worker(
    `const { parentPort, workerData } = require("node:worker_threads");
    const { fdatasyncSync, openSync, writeSync } = require("node:fs");
    const file = openSync(workerData, "a");
    parentPort.on("message", (texts) => {
      writeSync(file, texts.join(""));
      fdatasyncSync(file);
      parentPort.postMessage(undefined);
    });`,
    { eval: true, workerData: path },
  );
  let next = [];
  let writing;
  const write = () => {
    writing = next;
    next = [];
    worker.postMessage(writing.map(({ text }) => text));
  };
  worker.on("message", () => {
    for (const { written } of writing) written();
    writing = undefined;
    if (next.length > 0) write();
  });
  return {
    append: (text, written) => {
      next.push({ text, written });
      if (!writing) write();
    },
    close: (done) => void worker.terminate().then(() => done()),
  };
}

module.exports = (RED) => {
  /** How many messages came to the end of which flow, and the numbers of those that have one. */
  const counts = new Map();
  const numbers = new Map();

  // The end of a flow, which goes on counting across deploys.
  RED.nodes.registerType("bench end", function (def) {
    RED.nodes.createNode(this, def);
    this.on("input", (msg, _send, done) => {
      counts.set(def.id, (counts.get(def.id) ?? 0) + 1);
      if (msg.payload.number !== undefined) {
        if (!numbers.has(def.id)) numbers.set(def.id, []);
        numbers.get(def.id).push(msg.payload.number);
      }
      done();
    });
  });

  // A node that takes its time to close, as one that says goodbye to a server does.
  RED.nodes.registerType("bench slow to close", function (def) {
    RED.nodes.createNode(this, def);
    this.on("close", (done) => setTimeout(done, def.milliseconds));
  });

  // The least that a receiver can do: read the body, compare the token, send the message, answer.
  RED.nodes.registerType("bench limit", function (def) {
    RED.nodes.createNode(this, def);
    const answer = (body, res) => {
      if (body.token !== def.token) {
        res.writeHead(401).end();
        return;
      }
      this.send({ topic: body.topic, payload: body });
      res.writeHead(200, { "Content-Type": "application/json", "Content-Length": 11 });
      res.end('{"ok":true}');
    };
    const receive = (req, res) => readBody(req, (body) => answer(body, res));
    RED.httpNode.post(def.path, receive);
    // The same without Node-RED's HTTP stack, on a port of its own: what that stack costs.
    const bare = createServer(receive).listen(0, "127.0.0.1");
    RED.httpAdmin.get("/bench/bare", (_req, res) => res.json(bare.address().port));
    this.on("close", (done) => bare.close(done));
  });

  // The least that a receiver can do that keeps what it has answered 200.
  RED.nodes.registerType("bench kept limit", function (def) {
    RED.nodes.createNode(this, def);
    const file = appendTo(join(RED.settings.userDir, "kept"));
    const answer = (body, res) => {
      if (body.token !== def.token) {
        res.writeHead(401).end();
        return;
      }
      delete body.token;
      file.append(JSON.stringify(body), () => {
        this.send({ topic: body.topic, payload: body });
        res.writeHead(200, { "Content-Type": "application/json", "Content-Length": 11 });
        res.end('{"ok":true}');
      });
    };
    RED.httpNode.post(def.path, (req, res) => readBody(req, (body) => answer(body, res)));
    this.on("close", (done) => file.close(done));
  });

  RED.httpAdmin.get("/bench/used", (req, res) => {
    if (req.query.collect) for (let i = 0; i < 4; i++) collectGarbage();
    const { user, system } = process.cpuUsage();
    // From Node.js 23.9 on.
    const own = process.threadCpuUsage?.() ?? { user: NaN, system: NaN };
    const { heapUsed, rss } = process.memoryUsage();
    res.json({ cpu: user + system, thread: own.user + own.system, heapUsed, rss });
  });
  // The longest that Node-RED's own thread was held up since this was asked last, in milliseconds.
  RED.httpAdmin.get("/bench/held-up", (_req, res) => {
    res.json(held);
    Object.assign(held, { up: 0, working: 0 });
  });
  // Gives a node that many messages, and answers what one took until it came to the end, in microseconds.
  RED.httpAdmin.get("/bench/pump/:id/:end/:count", async (req, res) => {
    const { id, end } = req.params;
    const node = RED.nodes.getNode(id);
    const count = Number(req.params.count);
    const until = (counts.get(end) ?? 0) + count;
    const messages = Array.from({ length: count }, (_, i) => ({ _msgid: String(i), payload: completed() }));
    collectGarbage();
    const before = process.cpuUsage();
    for (const msg of messages) {
      node.receive(msg);
      // Node-RED delivers at the end of a turn: a hundred messages are under way at once.
      if (Number(msg._msgid) % 100 === 99) await nextTurn();
    }
    while ((counts.get(end) ?? 0) < until) await nextTurn();
    const { user, system } = process.cpuUsage(before);
    res.json((user + system) / count);
  });
  RED.httpAdmin.get("/bench/count/:end", (req, res) => res.json(counts.get(req.params.end) ?? 0));
  RED.httpAdmin.get("/bench/numbers/:end", (req, res) => res.json(numbers.get(req.params.end) ?? []));
};
