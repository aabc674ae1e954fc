import type { EditorRED } from "node-red";
import { merchantsInEditor, nameOfMerchant } from "../editor/names";
import type { Validated } from "../editor/validation";
import type { TokenState } from "./tokens-api";

declare const RED: EditorRED & { editor: { validateNode(node: object): boolean } };

/** A merchant as the editor has it, while there is something in it that is not deployed. */
interface EditedMerchant {
  id: string;
  credentials?: { token?: string; previousToken?: string; has_token?: boolean; has_previousToken?: boolean };
  valid?: boolean;
  users: { dirty: boolean }[];
}

/** Of the deployed merchants, by id; `undefined` until the runtime has told it. */
let states: Map<string, TokenState> | undefined;

/** Asks the runtime at once, and whenever something was deployed, and marks what is wrong. */
export function watchTokens(): void {
  RED.events.on("flows:loaded", ask);
  RED.events.on("deploy", ask);
  RED.comms.subscribe("notification/runtime-deploy", ask);
  for (const event of merchantEvents) RED.events.on(event, onMerchant);
}

export function stopWatching(): void {
  RED.events.off("flows:loaded", ask);
  RED.events.off("deploy", ask);
  RED.comms.unsubscribe("notification/runtime-deploy", ask);
  for (const event of merchantEvents) RED.events.off(event, onMerchant);
}

/** What is wrong with a merchant's tokens, in the user's words. */
export function findTokenProblem(node: Validated): string | undefined {
  const { credentials = {} } = node as Validated & EditedMerchant;
  const entered = [credentials.token, credentials.previousToken];
  if (entered.some(Boolean)) return undefined; // what it is worth is known when it is deployed
  if (!states) return undefined;
  const state = states.get(node.id);
  const isEmptied = credentials.has_token === false && credentials.has_previousToken !== true;
  if (!state || isEmptied) return node._("radaro-config.invalid.no-token");
  if (state.problem) return node._(`radaro-config.invalid.${state.problem}`);
  const merchants = merchantsInEditor() as EditedMerchant[];
  const same = merchants.find(({ id, credentials: its }) => state.sameAs.includes(id) && !its?.token);
  return same && node._("radaro-config.invalid.same-token", { name: nameOfMerchant(same, merchants) });
}

/** What the runtime has told of the URL of a merchant's database. */
export function deployedUrlProblem(id: string): TokenState["url"] {
  return states?.get(id)?.url;
}

let asked = 0;

function ask(): void {
  states = undefined;
  if (merchantsInEditor().length === 0 || !RED.user.hasPermission("radaro-config.read")) return;
  const mine = (asked += 1);
  $.getJSON("radaro-config/tokens", (told: TokenState[]) => {
    if (mine !== asked) return; // something was deployed meanwhile
    states = new Map(told.map((state) => [state.id, state]));
    mark();
  });
}

/** Validates all merchants and the nodes that use them. */
function mark(): void {
  for (const merchant of merchantsInEditor() as EditedMerchant[]) {
    const before = merchant.valid;
    RED.editor.validateNode(merchant);
    for (const user of merchant.users) RED.editor.validateNode(user);
    if (merchant.valid !== before) RED.events.emit("nodes:change", merchant); // the sidebars show it
  }
  RED.view.redraw();
}

const merchantEvents = ["nodes:add", "nodes:remove", "nodes:change"];
let marking: number | undefined;

/** What comes in one turn, as by an import, is looked at once. */
function onMerchant({ type }: { type: string }): void {
  if (type !== "radaro-config" || marking !== undefined) return;
  marking = window.setTimeout(() => {
    marking = undefined;
    if (states) mark();
    else ask();
  });
}
