import type { EditorRED } from "node-red";
import { idsOf, nameOf } from "../editor/names";
import { warning } from "../editor/validation";
import { isChanged, sampleOf, type InNode } from "./properties";

declare const RED: EditorRED & {
  nodes: { workspace(id: string): { disabled?: boolean } | undefined };
  utils: { getNodeLabel(node: object, fallback: string): string };
};

/** What has become of a test event, in words. */
export interface Outcome {
  text: string;
  type: "success" | "warning" | "error";
}

/** How many messages are remembered that had no rule before it was known whose they are. */
const maxRemembered = 20;

/** Those that had no rule, and at which `radaro switch`, by the id of the message. */
const unmatched = new Map<string, string[]>();
/** What the last test event of this editor is told, once its message is known. */
let last: { message: string; tell: () => void } | undefined;

const onUnmatched = (_topic: string, { message, node }: { message: string; node: string }) => {
  unmatched.set(message, [...(unmatched.get(message) ?? []), node]);
  if (unmatched.size > maxRemembered) unmatched.delete(unmatched.keys().next().value!);
  if (last?.message === message) last.tell();
};

/** Listens to what each `radaro switch` says of test events, anybody's. */
export function listenToSwitches(): void {
  RED.comms.subscribe("radaro-test", onUnmatched);
}

export function stopListening(): void {
  RED.comms.unsubscribe("radaro-test", onUnmatched);
}

/**
 * Has Node-RED send a test event through a node.
 *
 * @param show is told what has become of it, and again where a `radaro switch` says later that it had
 *   no rule
 */
export async function sendTest(
  node: InNode,
  sample: string,
  show: (outcome: Outcome) => void,
): Promise<void> {
  last = undefined;
  const { result, message } = await ask(node, sample);
  const sent = node._(`radaro-in.test.${result}`, { name: nameOf("sample", sample) });
  if (result !== "sent") return show({ text: sent, type: "error" });
  const tell = () => {
    const switches = unmatched.get(message ?? "");
    if (!switches) return show({ text: sent, type: "success" });
    const names = switches.map((id) => `'${nameOfSwitch(id)}'`).join(", ");
    show({ text: `${sent}. ${node._("radaro-in.test.no-rule", { names })}`, type: "warning" });
  };
  if (message !== undefined) last = { message, tell };
  tell();
}

/** Sends it, where that can be. The result is a key of the texts in `test`. */
function ask(node: InNode, sample: string): Promise<{ result: string; message?: string }> {
  const why = whyNot(node);
  if (why) return Promise.resolve({ result: why });
  return new Promise((resolve) => {
    $.ajax({
      url: `radaro-in/${node.id}/test`,
      type: "POST",
      contentType: "application/json",
      data: JSON.stringify({ sample }),
    })
      .done(resolve)
      .fail(({ status, responseJSON }) => {
        const { result } = (responseJSON ?? {}) as { result?: string };
        resolve({ result: result ?? (status === 401 || status === 403 ? "not-permitted" : "no-answer") });
      });
  });
}

/** Why a node is not one that runs, as far as the editor knows. */
function whyNot(node: InNode): string | undefined {
  if (node.z && RED.nodes.subflow(node.z)) return "in-subflow";
  if (node.d) return "node-disabled";
  if (node.z && RED.nodes.workspace(node.z)?.disabled) return "tab-disabled";
  return isChanged(node) ? "not-deployed" : undefined;
}

function nameOfSwitch(id: string): string {
  const node = RED.nodes.node(id);
  return node ? RED.utils.getNodeLabel(node, id) : "radaro switch"; // of a subflow's instance
}

/** The button at the node. */
export function pressButton(node: InNode): void {
  void sendTest(node, sampleOf(node), ({ text, type }) => {
    RED.notify(text, { type, id: "radaro-in-test", timeout: 4000 });
  });
}

/** The choice of a test event, what it looks like, and a button that sends it now. */
export function prepareTest(node: InNode): void {
  const select = $("#node-input-sample");
  const groups = idsOf("topicGroup").map((group) =>
    $("<optgroup>", { label: nameOf("topicGroup", group) }).data("group", group),
  );
  // One that this version does not know stays chosen.
  for (const sample of new Set([...idsOf("sample"), sampleOf(node)])) {
    const group = sample.split("-")[0];
    const parent = groups.find((each) => each.data("group") === group) ?? groups.at(-1)!;
    $("<option>", { value: sample }).text(nameOf("sample", sample)).appendTo(parent);
  }
  select.append(groups).val(sampleOf(node));

  const preview = $("#radaro-in-preview");
  const sent = $("#radaro-in-sent");
  const show = () => {
    if (!preview.prop("open")) return;
    preview.find("pre").empty();
    $.getJSON(`radaro-in/samples/${encodeURIComponent(String(select.val()))}`, (event) => {
      preview.find("pre").text(JSON.stringify(event, null, 2));
    });
  };
  preview.on("toggle", show);
  select.on("change", () => {
    sent.empty();
    show();
  });
  $("#radaro-in-send").on("click", () => {
    void sendTest(node, String(select.val()), ({ text, type }) => {
      sent.text(text);
      if (type !== "success") sent.prepend(warning());
    });
  });
}
