import type { EditorRED } from "node-red";
import {
  addressIn,
  findUrlProblems,
  readAddress,
  splitUrl,
  webhookUrl,
} from "../../src/receiving/webhook-url";
import { warning } from "../editor/validation";
import type { Place } from "./address-api";
import { describePath, editorAddress, findPathProblem, place, urlOf } from "./path";
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
  const opened = { path: textOf(path), address: "" };
  let deployed: string | undefined;

  const show = () => showUrl(node, deployed);
  const splitPath = () => {
    if (path.val() === opened.path) return;
    // What is copied can bring along what nobody sees.
    path.val(
      textOf(path)
        .replace(/[\u200B-\u200D\u2060\uFEFF]/g, "")
        .trim(),
    );
    const entered = readAddress(textOf(address));
    const known = [entered, place.address, editorAddress()].filter(
      (each) => each !== undefined && each !== "",
    );
    const parts = splitUrl(textOf(path), nodeRoot, known as string[]);
    if (!parts) return;
    // An address without a path says nothing of the path.
    path.val(parts.path === "/" ? opened.path : parts.path).trigger("change");
    if (webhookUrl(parts.address, nodeRoot, "/") === urlOf("/", entered)) return;
    // One over http is kept in sight, and marked: it has to be https.
    address.val(parts.address).trigger("change");
    elsewhere.prop("open", true);
  };
  const splitAddress = () => {
    if (address.val() === opened.address) return;
    const found = addressIn(textOf(address), nodeRoot, textOf(path));
    if (found !== undefined) address.val(found).trigger("change");
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
  const isWrong = entered === undefined;
  // Of a variable too, where its value is known.
  const mistake = findPathProblem(node, written) ?? (path && findPathProblem(node, path));
  const isToCopy = path !== undefined && mistake === undefined && !isWrong;
  $("#radaro-in-copy").prop("disabled", !isToCopy).toggleClass("disabled", !isToCopy);
  $("#radaro-in-copied").empty();
  $("#radaro-in-path-note").text(mistake ?? note);
  $("#radaro-in-address").toggleClass("input-error", isWrong).attr("aria-invalid", String(isWrong));
  $("#radaro-in-address-problem").text(isWrong ? node._("radaro-in.invalid.address") : "");
  const problems = findUrlProblems(url);
  $("#radaro-in-url-tip").toggle(isToCopy && !problems.some((problem) => unreached.includes(problem)));
  $("#radaro-in-url-problems")
    .empty()
    .append(
      // One that is too long is said beside the path.
      problems
        .filter((problem) => !mistake || problem !== "too-long")
        .map((problem) =>
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
