import type { EditorNodeProperties, EditorRED } from "node-red";

import { validator } from "../validation";

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
    token: {
      type: "password",
      validate: validator((node, token) =>
        token === "" ? node._("radaro-config.invalid.token") : undefined,
      ),
    },
    previousToken: { type: "password" },
  },
  label() {
    return this.name || this._("radaro-config.label.unnamed");
  },
  oneditprepare() {
    // What is pasted often brings blanks or a line end along; ${NAME} would not be taken for one then.
    const inputs = $("#node-config-input-token, #node-config-input-previousToken");
    inputs.on("change", (event) => {
      const input = $(event.target);
      input.val(String(input.val()).trim());
    });
    $("#radaro-config-previous").prop("open", $("#node-config-input-previousToken").val() !== "");
  },
});
