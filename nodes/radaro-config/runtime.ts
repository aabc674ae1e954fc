import type { Node, NodeAPI, NodeDef } from "node-red";
import { createMerchant, type Merchant } from "../../src/merchant";

interface Credentials {
  token?: string;
  previousToken?: string;
}

/** What other nodes see of a `radaro-config`. */
interface ConfigNode extends Node<Credentials> {
  merchant: Merchant;
}

/** `radaro-config`: one merchant, with the tokens that its events carry. */
export = (RED: NodeAPI): void => {
  function RadaroConfig(this: ConfigNode, def: NodeDef) {
    RED.nodes.createNode(this, def);
    const { token, previousToken } = this.credentials ?? {};
    this.merchant = createMerchant(def.name, [token, previousToken]);
  }

  RED.nodes.registerType<ConfigNode, NodeDef, object, Credentials>("radaro-config", RadaroConfig, {
    credentials: { token: { type: "password" }, previousToken: { type: "password" } },
  });
};
