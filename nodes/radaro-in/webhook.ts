import type { EditorRED } from "node-red";
import { findUrlProblems, readAddress, splitUrl, webhookUrl } from "../../src/receiving/webhook-url";
import { warning } from "../editor/validation";
import type { Place } from "./address-api";
import { describePath, place, urlOf } from "./path";
import { pathOf, type InNode } from "./properties";

declare const RED: EditorRED & {
  clipboard: { copyText(text: string): boolean };
  settings: { httpNodeRoot: string };
};

/** Problems that another address takes away. */
const unreached = ["this-machine", "private-network", "behind-login"];

/**
 * The path, the address where that is not the editor's, and the webhook URL that follows from both.
 *
 * @returns to be called in `oneditsave`
 */
export function prepareWebhook(node: InNode): () => void {
  const path = $("#node-input-path");
  const address = $("#radaro-in-address");
  const elsewhere = $("#radaro-in-elsewhere");
  const nodeRoot = RED.settings.httpNodeRoot;
  path.val(pathOf(node));
  const opened = { path: path.val(), address: "" };
  let deployed: string | undefined;

  const show = () => showUrl(node, deployed);
  const splitPath = () => {
    const parts = path.val() === opened.path ? undefined : splitUrl(String(path.val()), nodeRoot);
    if (!parts) return;
    path.val(parts.path).trigger("change");
    const isElsewhere = webhookUrl(parts.address, nodeRoot, "/") !== urlOf("/", readAddress(textOf(address)));
    if (!isElsewhere || readAddress(parts.address) === undefined) return;
    address.val(parts.address).trigger("change");
    elsewhere.prop("open", true);
  };
  const splitAddress = () => {
    const parts = splitUrl(textOf(address), nodeRoot);
    const isWhole = parts && parts.path !== "/" && urlOf(parts.path, "-") === urlOf(textOf(path), "-");
    if (isWhole) address.val(parts.address).trigger("change");
  };
  path.on("input change", show).on("blur", splitPath);
  address.on("input change", show).on("blur", splitAddress);
  $("#radaro-in-copy").on("click", () => copyUrl(node));
  show();

  void askPlace(node).then((asked) => {
    deployed = asked;
    if (place.address !== "" && address.val() === "") {
      opened.address = place.address;
      address.val(place.address);
      elsewhere.prop("open", true);
    }
    if (show().some((problem) => unreached.includes(problem))) elsewhere.prop("open", true);
  });
  return () => {
    splitPath();
    splitAddress();
    if (address.val() !== opened.address) void keepAddress(node, textOf(address));
  };
}

function textOf(input: JQuery): string {
  return String(input.val());
}

/** Shows the URL, and what is wrong with it. Returns that. */
function showUrl(node: InNode, deployed: string | undefined): string[] {
  const written = textOf($("#node-input-path")).trim();
  const entered = readAddress(textOf($("#radaro-in-address")));
  const { path, note } = describePath(node, written, deployed);
  const url = urlOf(path ?? "", entered);
  $("#radaro-in-url").val(path === undefined ? url + written : url);
  $("#radaro-in-copy")
    .prop("disabled", path === undefined)
    .toggleClass("disabled", path === undefined);
  $("#radaro-in-copied").empty();
  $("#radaro-in-path-note").text(note);
  const isWrong = entered === undefined;
  $("#radaro-in-address").toggleClass("input-error", isWrong).attr("aria-invalid", String(isWrong));
  $("#radaro-in-address-problem").text(isWrong ? node._("radaro-in.invalid.address") : "");
  const problems = findUrlProblems(url);
  $("#radaro-in-url-problems")
    .empty()
    .append(
      problems.map((problem) =>
        $("<div>")
          .text(node._(`radaro-in.url-problem.${problem}`))
          .prepend(warning()),
      ),
    );
  return problems;
}

/** Copies the URL, also where the editor is loaded over http, and says what was copied. */
function copyUrl(node: InNode): void {
  const url = $("#radaro-in-url");
  const isCopied = RED.clipboard.copyText(textOf(url));
  $("#radaro-in-copied").text(
    node._(`radaro-in.copied.${isCopied ? "done" : "failed"}`, { url: textOf(url) }),
  );
  if (!isCopied) url.trigger("focus").trigger("select");
}

/** Asks where this Node-RED is. Resolves with the node's path as it was deployed, if it was. */
async function askPlace({ id }: InNode): Promise<string | undefined> {
  try {
    const { path, ...rest } = (await $.getJSON("radaro-in/address", { node: id })) as Place & {
      path?: string;
    };
    Object.assign(place, rest);
    return path;
  } catch {
    return undefined; // the editor says by itself that the connection is lost
  }
}

/** Keeps an address for all nodes, and says where it could not be kept. */
async function keepAddress(node: InNode, text: string): Promise<void> {
  const address = readAddress(text);
  const fail = (why: string) =>
    RED.notify(node._(`radaro-in.address.${why}`), { type: "error", id: "radaro-in-address", timeout: 6000 });
  if (address === undefined) {
    fail("invalid");
    return;
  }
  try {
    const data = JSON.stringify({ address });
    await $.ajax({ url: "radaro-in/address", type: "PUT", contentType: "application/json", data });
    place.address = address;
  } catch {
    fail("failed");
  }
}
