import type { EditorNodeProperties, EditorRED } from "node-red";
import { readBoolean, readText } from "../../src/event/values";
import { readRetries } from "../../src/inbox/deliveries";
import { readMinutes, readServer } from "../../src/inbox/radaro-server";
import { merchantsInEditor, nameOfMerchant } from "../editor/names";
import { addSidebar, removeSidebar, showInboxOf } from "../editor/sidebar/sidebar";
import { keepUntouched, rememberInputs } from "../editor/untouched";
import { nodeValidator, validator, warning } from "../editor/validation";
import { findDatabaseProblem, findStoreProblem, findUrlInputProblem, prepareDatabase } from "./database";
import { findTokenProblem, stopWatching, watchTokens } from "./tokens";

declare const RED: EditorRED;

/** As a flow that was written by hand or by a program may have them: absent, or of any type. */
interface Properties extends EditorNodeProperties {
  inbox: unknown;
  inboxStore: unknown;
  inboxDays: unknown;
  inboxRetries: unknown;
  catchUp: unknown;
  server: unknown;
}

interface Credentials {
  token: string;
  previousToken: string;
  apiKey: string;
  inboxUrl: string;
}

/** The contract's default. */
const defaultDays = 7;

const credentials = ["token", "previousToken", "inboxUrl", "apiKey"];
const inputs = [
  ...["name", "inbox", "inboxStore", "inboxDays", "inboxRetries", "catchUp", "server"],
  ...credentials,
];

const isVariable = (value: unknown) => readText(value).startsWith("${");

/** Never, or not more often than each minute: Radaro is asked for all jobs around now each time. */
function isMinutes(value: unknown): boolean {
  const minutes = readMinutes(value);
  return isVariable(value) || minutes === 0 || (minutes !== undefined && minutes >= 1);
}

/** Whether a merchant asks Radaro for what never arrived. */
function isCatchingUp({ inbox, catchUp }: Partial<Properties>): boolean {
  return readBoolean(inbox, false) && (isVariable(catchUp) || Boolean(readMinutes(catchUp)));
}

/** Shows which server and key it takes where Radaro is asked. @param catchUp as it was saved */
function prepareCatchUp(catchUp: unknown): void {
  const minutes = $("#node-config-input-catchUp").val(readMinutes(catchUp) === 0 ? "" : readText(catchUp));
  const show = () => $("#radaro-config-catchUp").toggle(readMinutes(minutes.val()) !== 0);
  minutes.on("input change", show);
  show();
}

RED.nodes.registerType<Properties, Credentials>("radaro-config", {
  category: "config",
  defaults: {
    // What is wrong with a credential marks the merchant, also while no dialog is open.
    name: {
      value: "",
      validate: nodeValidator((node) => findTokenProblem(node) ?? findDatabaseProblem(node)),
    },
    inbox: { value: false },
    inboxStore: { value: "", validate: validator(findStoreProblem) },
    inboxDays: {
      value: defaultDays,
      validate: validator((node, days) =>
        Number(days ?? defaultDays) >= 1 ? undefined : node._("radaro-config.invalid.inboxDays"),
      ),
    },
    inboxRetries: {
      // What a new merchant begins with: where it is absent, nothing is given again.
      value: "1, 5, 30, 120",
      validate: validator((node, retries) => {
        const text = readText(retries);
        return text.startsWith("${") || readRetries(text)
          ? undefined
          : node._("radaro-config.invalid.inboxRetries");
      }),
    },
    catchUp: {
      value: 0,
      validate: validator((node, value) =>
        isMinutes(value) ? undefined : node._("radaro-config.invalid.catchUp"),
      ),
    },
    server: {
      value: "",
      validate: validator((node, server) =>
        !isCatchingUp(node as Partial<Properties>) || isVariable(server) || readServer(server)
          ? undefined
          : node._("radaro-config.invalid.server"),
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
    apiKey: {
      type: "password",
      validate: validator((node, key) =>
        isCatchingUp(node as Partial<Properties>) && key === ""
          ? node._("radaro-config.invalid.apiKey")
          : undefined,
      ),
    },
    inboxUrl: { type: "password", validate: validator(findUrlInputProblem) },
  },
  label() {
    return nameOfMerchant(this, merchantsInEditor());
  },
  paletteLabel() {
    return this._("radaro-config.label.merchant");
  },
  oneditprepare() {
    // What is pasted often brings blanks or a line end along; ${NAME} would not be taken for one then.
    const tokens = $("#node-config-input-token, #node-config-input-previousToken");
    tokens.add("#node-config-input-inboxUrl, #node-config-input-apiKey").on("change", (event) => {
      const input = $(event.target);
      input.val(String(input.val()).trim());
    });
    $("#radaro-config-previous").prop("open", $("#node-config-input-previousToken").val() !== "");

    const inbox = $("#node-config-input-inbox").prop("checked", readBoolean(this.inbox, false));
    if (this.inboxDays === undefined || this.inboxDays === null)
      $("#node-config-input-inboxDays").val(defaultDays);
    $("#node-config-input-inboxRetries").val(readText(this.inboxRetries));
    inbox.on("change", () => $("#radaro-config-inbox").toggle(inbox.prop("checked") === true));
    inbox.trigger("change");
    prepareCatchUp(this.catchUp);
    $("#radaro-config-open").on("click", () => void showInboxOf(this.id));

    const isNew = !RED.nodes.node(this.id); // is just begun
    prepareDatabase(this, isNew ? undefined : findDatabaseProblem(this));
    const problem = isNew ? undefined : findTokenProblem(this);
    const told = $("#radaro-config-token-problem").toggle(problem !== undefined);
    if (problem) told.text(problem).prepend(warning());
    tokens.on("input", () => told.hide());
    rememberInputs(inputs, "node-config-input");
  },
  oneditsave() {
    keepUntouched(inputs, "node-config-input");
  },
  onpaletteadd() {
    addSidebar();
    watchTokens();
  },
  onpaletteremove() {
    removeSidebar();
    stopWatching();
  },
});
