import type { EditorNodeProperties, EditorRED } from "node-red";
import { addSidebar, removeSidebar } from "../editor/sidebar/sidebar";
import { validator } from "../editor/validation";

declare const RED: EditorRED;

interface Properties extends EditorNodeProperties {
  inbox: boolean;
  inboxDays: number;
}

interface Credentials {
  token: string;
  previousToken: string;
}

RED.nodes.registerType<Properties, Credentials>("radaro-config", {
  category: "config",
  defaults: {
    name: { value: "" },
    inbox: { value: false },
    inboxDays: {
      value: 7,
      validate: validator((node, days) =>
        // A merchant of an earlier version has none.
        days === undefined || Number(days) >= 1 ? undefined : node._("radaro-config.invalid.inboxDays"),
      ),
    },
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

    const inbox = $("#node-config-input-inbox");
    const days = $("#node-config-input-inboxDays");
    if (days.val() === "") days.val(7);
    inbox.on("change", () => $("#radaro-config-inbox").toggle(inbox.prop("checked") === true));
    inbox.trigger("change");
  },
  onpaletteadd: addSidebar,
  onpaletteremove: removeSidebar,
});
