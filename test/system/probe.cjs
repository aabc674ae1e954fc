// A node type for the tests, put into Node-RED beside the package: it keeps what it gets and tells
// it over HTTP, closes when it is told to, and counts what a redeploy could leave behind.
module.exports = (RED) => {
  /** By node id, for all instances that a node has had. */
  const got = new Map();
  const waiting = new Set();
  let isSlow = false;
  let closing = [];

  RED.nodes.registerType("probe", function (def) {
    RED.nodes.createNode(this, def);
    this.on("input", (msg, _send, done) => {
      got.set(def.id, [...(got.get(def.id) ?? []), JSON.stringify(msg)]);
      for (const look of [...waiting]) look();
      if (def.change) msg.payload[def.change] = "changed by another flow";
      done();
    });
    this.on("close", (done) => (isSlow ? closing.push(done) : done()));
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
};
