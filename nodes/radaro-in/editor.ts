import type { EditorNodeProperties, EditorRED } from "node-red";
import { samples, topicGroups, topics } from "../../src/catalog";

declare const RED: EditorRED;

interface Properties extends EditorNodeProperties {
  config: string;
  path: string;
  topics: string[];
  sample: string;
}

/** Whether the editor holds changes of a node that are not deployed. */
function isChanged(node: object): boolean {
  return "changed" in node && node.changed === true;
}

RED.nodes.registerType<Properties>("radaro in", {
  category: "radaro",
  color: "#9FD6C8",
  defaults: {
    name: { value: "" },
    config: { value: "", type: "radaro-config", required: true },
    path: { value: "/radaro", required: true },
    topics: { value: [] },
    sample: { value: "job-completed" },
  },
  inputs: 0,
  outputs: 1,
  icon: "radaro-in.svg",
  label() {
    return this.name || this.path || this._("radaro-in.label.node");
  },
  labelStyle() {
    return this.name ? "node_label_italic" : "";
  },
  paletteLabel: "radaro in",
  outputLabels() {
    return this._("radaro-in.label.output");
  },
  button: {
    enabled() {
      return !isChanged(this);
    },
    onclick() {
      if (isChanged(this)) {
        RED.notify(this._("radaro-in.test.not-deployed"), "warning");
        return;
      }
      const name = this.name || this.path;
      const notify = (result: string, type: "success" | "error") =>
        RED.notify(this._(`radaro-in.test.${result}`, { name }), {
          type,
          id: "radaro-in-test",
          timeout: 4000,
        });
      $.ajax({
        url: `radaro-in/${this.id}/test`,
        type: "POST",
        contentType: "application/json",
        data: JSON.stringify({ sample: this.sample }),
      })
        .done(() => notify("sent", "success"))
        .fail((xhr) => {
          const { result } = (xhr.responseJSON ?? {}) as { result?: string };
          notify(result ?? (xhr.status === 401 ? "not-permitted" : "no-answer"), "error");
        });
    },
  },
  oneditprepare() {
    const list = $("#node-input-topics");
    const add = (topic: string, name: string) =>
      $("<label>", { style: "display: block; width: auto" })
        .append($("<input>", { type: "checkbox", value: topic, style: "width: auto; margin: 0 6px 0 0" }))
        .append(document.createTextNode(name))
        .appendTo(list);
    $("<div>", { class: "form-tips" }).text(this._("radaro-in.tip.topics")).appendTo(list);
    for (const [group, groupName] of Object.entries(topicGroups)) {
      $("<div>", { style: "font-weight: bold; margin-top: 6px" }).text(groupName).appendTo(list);
      for (const [topic, { name, group: its }] of Object.entries(topics)) if (its === group) add(topic, name);
    }
    // A topic that this version does not know stays as it was chosen.
    for (const topic of this.topics) if (!Object.hasOwn(topics, topic)) add(topic, topic);
    list.find("input").val(this.topics);

    const select = $("#node-input-sample");
    for (const [sample, name] of Object.entries(samples))
      $("<option>", { value: sample }).text(name).appendTo(select);
    select.val(this.sample);
  },
  oneditsave() {
    this.topics = $("#node-input-topics input:checked")
      .map((_, input) => (input as HTMLInputElement).value)
      .get();
  },
});
