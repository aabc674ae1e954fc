import { readBoolean, readText, unsetVariable } from "../../src/event/values";
import { findUrlProblem } from "../../src/inbox/database-url";
import { warning, type Validated } from "../editor/validation";
import { deployedUrlProblem } from "./tokens";

/** A merchant as the editor has it. */
interface EditedMerchant extends Validated {
  inbox: unknown;
  inboxStore: unknown;
  credentials?: { inboxUrl?: string; has_inboxUrl?: boolean };
}

/** What the editor shows for a credential that it does not get. */
const hidden = "__PWRD__";

/** What is wrong with where a merchant's events are kept. */
export function findStoreProblem(node: Validated, store: unknown): string | undefined {
  return ["", "postgres"].includes(readText(store)) ? undefined : node._("radaro-config.invalid.inboxStore");
}

/** What is wrong with the URL of a merchant's database, where it is to have one. */
export function findDatabaseProblem(node: Validated): string | undefined {
  const { id, inbox, inboxStore, credentials = {} } = node as EditedMerchant;
  if (!readBoolean(inbox, false) || readText(inboxStore) !== "postgres") return undefined;
  const { inboxUrl = hidden, has_inboxUrl: isThere } = credentials;
  if (isThere !== false && inboxUrl !== hidden) return findEnteredProblem(node, inboxUrl);
  const problem = isThere === false ? "none" : deployedUrlProblem(id);
  return problem && node._(`radaro-config.invalid.url-${problem}`);
}

/** What is wrong with what stands in the dialog, where it counts. */
export function findUrlInputProblem(node: Validated, url: unknown): string | undefined {
  return isChosen() ? findEnteredProblem(node, readText(url)) : undefined;
}

/** What a variable stands for, and what was entered before, knows the runtime. */
function findEnteredProblem(node: Validated, url: string): string | undefined {
  if (url === hidden || unsetVariable(url) !== undefined) return undefined;
  const problem = findUrlProblem(url);
  return problem && node._(`radaro-config.invalid.url-${problem}`);
}

/** Shows what belongs to a database where that is chosen, and says what is wrong with its URL. */
export function prepareDatabase(node: Validated, deployedProblem: string | undefined): void {
  const store = $("#node-config-input-inboxStore");
  const url = $("#node-config-input-inboxUrl");
  const told = $("#radaro-config-database-problem");
  const say = () => {
    const entered = readText(url.val());
    const isAsBefore = entered === "" || entered === hidden;
    const problem = isAsBefore ? deployedProblem : findEnteredProblem(node, entered);
    told.toggle(problem !== undefined).text(problem ?? "");
    if (problem) told.prepend(warning());
  };
  url.on("change", say);
  store.on("change", () => {
    $("#radaro-config-database").toggle(isChosen());
    const personal = isChosen() ? "personalDatabase" : "personal";
    $("#radaro-config-personal").text(node._(`radaro-config.tip.${personal}`));
    url.trigger("change"); // what is wrong with it counts now, or does not any more
  });
  store.trigger("change");
}

function isChosen(): boolean {
  return $("#node-config-input-inboxStore").val() === "postgres";
}
