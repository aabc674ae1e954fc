import { existsSync, writeFileSync } from "node:fs";
import type { Node, NodeAPI, NodeDef } from "node-red";
import { createMerchant, type Merchant } from "../../src/receiving/merchant";
import { readRetries } from "../../src/inbox/deliveries";
import { offPath } from "../../src/inbox/folder";
import { readMinutes } from "../../src/inbox/radaro-server";
import { readBoolean, readText } from "../../src/event/values";
import type * as InboxModule from "../inbox/merchant-inbox";
import { inboxDir } from "../inbox/dir";
import { watchFolders } from "../inbox/folders";
import { serveInboxes } from "../inbox/admin-api";
import { showInboxes } from "../inbox/open-inboxes";
import { serveTokenStates } from "./tokens-api";

interface ConfigDef extends NodeDef {
  inbox?: unknown;
  inboxRetries?: unknown;
  inboxDays?: unknown;
  catchUp?: unknown;
  server?: unknown;
  inboxStore?: unknown;
}

interface Credentials {
  token?: unknown;
  previousToken?: unknown;
  apiKey?: unknown;
  /** Of the database, where the inbox is in one. */
  inboxUrl?: unknown;
}

/** What other nodes see of a `radaro-config`. */
interface ConfigNode extends Node<Credentials> {
  merchant: Merchant;
  /** Where it is on. */
  inbox?: InboxModule.MerchantInbox;
}

/** How many days events are kept, where the node does not say it. */
const defaultDays = 7;

/** `radaro-config`: one merchant, with the tokens that its events carry, and its inbox. */
export = (RED: NodeAPI): void => {
  const open = serveInboxes(RED);
  showInboxes(RED, open);
  serveTokenStates(RED);
  watchFolders(RED, loadInbox);
  /** How many events waited in inboxes that were closed, by the id of the node. */
  const left = new Map<string, number>();

  function RadaroConfig(this: ConfigNode, def: ConfigDef) {
    RED.nodes.createNode(this, def);
    const { token, previousToken } = this.credentials ?? {};
    this.merchant = createMerchant(def.name, [token, previousToken]);
    const waiting = left.get(this.id) ?? 0;
    left.delete(this.id);
    if (!readBoolean(def.inbox, false)) {
      if (waiting > 0) this.warn(RED._("radaro-config.inbox.off", { count: waiting }));
      sayOff(inboxDir(RED, this.id));
      return;
    }
    const inbox = new (loadInbox().MerchantInbox)(RED, this, readSettings(RED, this, def));
    this.inbox = inbox;
    open.set(this.id, inbox);
    this.on("close", (removed: boolean, done: () => void) => {
      open.close(this.id, removed);
      void inbox.close().then(() => {
        const waiting = inbox.inbox.counts?.waiting ?? 0;
        if (!removed) left.set(this.id, waiting);
        else if (waiting > 0) this.warn(RED._("radaro-config.inbox.off", { count: waiting }));
        done();
      });
    });
  }

  RED.nodes.registerType<ConfigNode, ConfigDef, object, Credentials>("radaro-config", RadaroConfig, {
    credentials: {
      token: { type: "password" },
      previousToken: { type: "password" },
      apiKey: { type: "password" },
      inboxUrl: { type: "password" },
    },
  });
};

/** How a merchant's inbox is set. What of it cannot be used is said, and is as if it were not there. */
function readSettings(RED: NodeAPI, node: ConfigNode, def: ConfigDef) {
  const { inboxUrl, apiKey } = node.credentials ?? {};
  const wanted = Number(readText(def.inboxDays ?? defaultDays));
  const isValid = wanted >= 1;
  const days = isValid ? wanted : defaultDays;
  if (!isValid) node.warn(RED._("radaro-config.inbox.days", { days }));
  const retries = readRetries(readText(def.inboxRetries));
  if (!retries) node.warn(RED._("radaro-config.inbox.retries"));
  const minutes = readMinutes(def.catchUp);
  if (minutes === undefined) node.warn(RED._("radaro-config.catchUp.minutes"));
  return {
    ...{ days, retries: retries ?? [] },
    ...(readText(def.inboxStore) === "postgres" && { database: readText(inboxUrl) }),
    ...(minutes && { catchUp: { minutes, server: def.server, apiKey } }),
  };
}

/** What comes now the inbox will not know of, should it be switched on again. @param dir where it is, if it is */
function sayOff(dir: string): void {
  try {
    if (existsSync(dir)) writeFileSync(offPath(dir), "");
  } catch {
    // Nothing can be written there: an inbox will say so.
  }
}

/** A file of its own: who has no inbox on does not load it. */
function loadInbox(): typeof InboxModule {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the only import that can wait and is there at once
  return require("../inbox/merchant-inbox") as typeof InboxModule;
}
