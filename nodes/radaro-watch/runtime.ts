import type { Node, NodeAPI, NodeDef } from "node-red";
import { readText } from "../../src/event/values";
import { readSettings, type Given } from "../../src/inbox/watch-settings";
import { toMessage } from "./message";
import { WatchStatus } from "./status";
import { Watcher } from "./watcher";

type WatchDef = NodeDef & Given & { config?: unknown };

/** `radaro watch`: tells when something needs a person. */
export = (RED: NodeAPI): void => {
  function RadaroWatch(this: Node, def: WatchDef) {
    RED.nodes.createNode(this, def);
    const config = readText(def.config);
    const { settings, wrong } = readSettings(def);
    for (const property of wrong) this.warn(RED._(`radaro-watch.warning.${property}`));
    const status = new WatchStatus(this, RED, config);
    let isSaid = false;
    const watcher = new Watcher(RED, this, config, settings, {
      news: (news, about) => {
        status.told(`${news.topic}-${news.state}`);
        this.send(toMessage(RED, news, about, settings));
      },
      looked: (watching) => status.show(watching),
      notKept: (error) => {
        const why = error instanceof Error ? error.message : String(error);
        if (!isSaid) this.warn(RED._("radaro-watch.warning.not-kept", { why }));
        isSaid = true;
      },
    });
    this.on("close", (removed: boolean, done: () => void) => {
      status.stop();
      void watcher.close(removed).then(done);
    });
  }

  RED.nodes.registerType("radaro watch", RadaroWatch);
};
