import type { Node, NodeAPI } from "node-red";
import { readAddress } from "../../src/receiving/webhook-url";

/**
 * The address at which Radaro reaches this Node-RED, where it is not the editor's. One for all nodes
 * and users, among Node-RED's own settings: it says where this Node-RED is, so that it neither
 * belongs in a flow, which may go elsewhere, nor to one user or browser.
 */
const setting = "radaroInAddress";

interface Settings {
  get(name: string): unknown;
  set(name: string, value: unknown): Promise<void>;
  httpAdminRoot?: string | false;
}

/** What the dialog needs to show the whole webhook URL. */
export interface Place {
  /** `""` where it is the editor's. */
  address: string;
  httpAdminRoot: string;
}

/** Tells the editor where this Node-RED is, and keeps what a user says of that. */
export function serveAddress(RED: NodeAPI): void {
  const settings = RED.settings as unknown as Settings;

  RED.httpAdmin.get("/radaro-in/address", RED.auth.needsPermission("radaro-in.read"), (req, res) => {
    const kept = settings.get(setting);
    const place: Place = {
      address: typeof kept === "string" ? kept : "",
      httpAdminRoot: settings.httpAdminRoot || "/",
    };
    // Of the node that asks, where it is deployed: with the value of a variable that stands for it.
    const { node: id } = req.query;
    const node = (typeof id === "string" && RED.nodes.getNode(id)) as
      (Node & { path?: unknown }) | null | false;
    res.json({ ...place, path: node && node.type === "radaro in" ? node.path : undefined });
  });
  RED.httpAdmin.put("/radaro-in/address", RED.auth.needsPermission("radaro-in.write"), (req, res) => {
    const { address } = (req.body ?? {}) as { address?: unknown };
    const read = typeof address === "string" ? readAddress(address) : undefined;
    if (read === undefined) {
      res.sendStatus(400);
      return;
    }
    // Where settings cannot be stored, or are in settings.js, Node-RED throws.
    Promise.resolve()
      .then(() => settings.set(setting, read))
      .then(() => res.sendStatus(204))
      .catch(() => res.sendStatus(503));
  });
}
