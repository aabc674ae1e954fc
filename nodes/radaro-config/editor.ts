import type { EditorNodeProperties, EditorRED } from "node-red";

declare const RED: EditorRED;

interface Credentials {
  token: string;
  previousToken: string;
}

RED.nodes.registerType<EditorNodeProperties, Credentials>("radaro-config", {
  category: "config",
  defaults: {
    name: { value: "" },
  },
  credentials: {
    token: { type: "password", required: true },
    previousToken: { type: "password" },
  },
  label() {
    return this.name || this._("radaro-config.label.unnamed");
  },
});
