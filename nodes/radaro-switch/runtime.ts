import type { Node, NodeAPI, NodeDef, NodeMessage } from "node-red";
import { isJsonObject } from "../../src/event/json";
import { readBoolean, readText } from "../../src/event/values";
import { compileRules } from "../../src/routing/rules";

interface SwitchDef extends NodeDef {
  property: unknown;
  rules: unknown;
  checkall: unknown;
}

/** `radaro switch`: sends a message to the outputs whose rules match the event in it. */
export = (RED: NodeAPI): void => {
  function RadaroSwitch(this: Node, def: SwitchDef) {
    RED.nodes.createNode(this, def);
    const property = readText(def.property) || "payload";
    const rules = def.rules ?? [];
    if (!Array.isArray(rules)) this.warn(RED._("radaro-switch.problem.no-list"));
    const { route, problems } = compileRules(
      Array.isArray(rules) ? rules : [],
      readBoolean(def.checkall, true),
    );
    for (const { rule, problem } of problems) {
      this.warn(
        RED._("radaro-switch.problem.in-rule", { rule, problem: RED._(`radaro-switch.problem.${problem}`) }),
      );
    }

    /** Whether the status says that a test event had no rule: the next message takes it away. */
    let saysNoRule = false;
    const showNoRule = (isTest: boolean, message: string | undefined) => {
      if (!isTest && !saysNoRule) return;
      this.status(isTest ? { fill: "grey", shape: "ring", text: RED._("radaro-switch.status.no-rule") } : {});
      saysNoRule = isTest;
      // The editor that sent it says so too.
      if (isTest) RED.comms.publish("radaro-test", { message, node: this.id }, false);
    };

    this.on("input", (msg, send, done) => {
      let event: unknown;
      try {
        event = RED.util.getMessageProperty(msg, property);
      } catch {
        // Part of the way to the property is missing: there is no event, which is said below.
      }
      if (!isJsonObject(event)) {
        done(new Error(RED._("radaro-switch.error.no-event", { property })));
        return;
      }
      const outputs = route(event, isSuperseded(msg));
      if (outputs.length > 0) {
        const messages = new Array<NodeMessage | null>(outputs.at(-1)! + 1).fill(null);
        for (const output of outputs) messages[output] = msg;
        send(messages);
      }
      showNoRule(outputs.length === 0 && isTest(msg), msg._msgid);
      done();
    });
  }

  RED.nodes.registerType("radaro switch", RadaroSwitch);
};

/** A message that did not come from `radaro in` may have anything in `radaro`, or nothing. */
function isSuperseded(msg: NodeMessage & { radaro?: { superseded?: unknown } | null }): boolean {
  return msg.radaro?.superseded === true;
}

function isTest(msg: NodeMessage & { radaro?: { test?: unknown } | null }): boolean {
  return msg.radaro?.test === true;
}
