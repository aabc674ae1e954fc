import type { RequestHandler } from "express";
import type { Node, NodeAPI } from "node-red";
import { readText } from "../../src/event/values";
import { mountEndpoints } from "../receiving/http";
import { serveAddress } from "./address-api";
import { readSample, Receiving, type InDef, type TestResult } from "./receiving";

interface InNode extends Node {
  /** As it was deployed, with the value of a variable that stands for it. For its dialog. */
  path: string;
  /** See `Receiving.sendTest`. */
  sendTest(sample: string): TestResult;
}

/** `radaro in`: receives events over HTTP, verifies them and sends them into the flow. */
export = (RED: NodeAPI): void => {
  const endpoints = mountEndpoints(RED);
  RED.httpAdmin.get("/radaro-in/samples/:name", RED.auth.needsPermission("radaro-in.read"), showSample);
  RED.httpAdmin.post("/radaro-in/:id/test", RED.auth.needsPermission("radaro-in.write"), sendTest(RED));
  serveAddress(RED);

  function RadaroIn(this: InNode, def: InDef) {
    RED.nodes.createNode(this, def);
    this.path = readText(def.path);
    const receiving = new Receiving(RED, this, def, endpoints);
    this.sendTest = (sample) => receiving.sendTest(sample);
    this.on("close", () => receiving.close());
  }

  RED.nodes.registerType<InNode, InDef, object, object>("radaro in", RadaroIn);
};

/** What a test event looks like, for the dialog. */
const showSample: RequestHandler<{ name: string }> = (req, res) => {
  const event = readSample(req.params.name);
  if (event) res.json(event);
  else res.sendStatus(404);
};

/** The button of a `radaro in`. */
function sendTest(RED: NodeAPI): RequestHandler<{ id: string }> {
  return (req, res) => {
    const node = RED.nodes.getNode(req.params.id) as InNode | null;
    if (node?.type !== "radaro in") {
      res.status(404).json({ result: "not-deployed" });
      return;
    }
    const { sample } = (req.body ?? {}) as { sample?: unknown };
    const outcome = node.sendTest(readText(sample));
    res.status(outcome.result === "unknown-sample" ? 400 : 200).json(outcome);
  };
}
