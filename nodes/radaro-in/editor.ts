import type { EditorNodeInstance, EditorNodeProperties, EditorRED } from "node-red";
import { topics } from "../../src/event/catalog";
import { normalisePath } from "../../src/receiving/endpoints";
import { findUrlProblems } from "../../src/receiving/webhook-url";
import { idsOf, nameOf } from "../editor/names";
import { validator } from "../editor/validation";

declare const RED: EditorRED & {
  clipboard: { copyText(text: string, element: JQuery, message: string): void };
  settings: { httpNodeRoot: string };
};

interface Properties extends EditorNodeProperties {
  config: string;
  path: string;
  topics: string[];
  sample: string;
}

type InNode = EditorNodeInstance<Properties>;

RED.nodes.registerType<Properties>("radaro in", {
  category: "radaro",
  color: "#9FD6C8",
  defaults: {
    name: { value: "" },
    config: { value: "", type: "radaro-config", required: true },
    path: {
      value: "/radaro",
      validate: validator((node, path) =>
        /^\s*$|[?#]/.test(String(path)) ? node._("radaro-in.invalid.path") : undefined,
      ),
    },
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
      void sendTest(this, this.sample).then((result) => {
        const text = this._(`radaro-in.test.${result}`, { name: nameOf("sample", this.sample) });
        RED.notify(text, {
          type: result === "sent" ? "success" : "error",
          id: "radaro-in-test",
          timeout: 4000,
        });
      });
    },
  },
  oneditprepare() {
    prepareUrl(this);
    prepareTopics(this);
    prepareTest(this);
  },
  oneditsave() {
    const chosen = $("input[name=radaro-in-let-through]:checked").val() === "chosen";
    this.topics = chosen ? checkedTopics() : [];
  },
});

/** Whether the editor holds changes of a node that are not deployed. */
function isChanged(node: object): boolean {
  return "changed" in node && node.changed === true;
}

/** Has Node-RED send a test event. Resolves with what became of it, a key of the texts in `test`. */
async function sendTest(node: InNode, sample: string): Promise<string> {
  if (isChanged(node)) return "not-deployed";
  return new Promise((resolve) => {
    $.ajax({
      url: `radaro-in/${node.id}/test`,
      type: "POST",
      contentType: "application/json",
      data: JSON.stringify({ sample }),
    })
      .done(({ result }: { result: string }) => resolve(result))
      .fail(({ status, responseJSON }) => {
        const { result } = (responseJSON ?? {}) as { result?: string };
        resolve(result ?? (status === 401 || status === 403 ? "not-permitted" : "no-answer"));
      });
  });
}

/** The webhook URL as Radaro needs it, which follows the path. */
function prepareUrl(node: InNode): void {
  const path = $("#node-input-path");
  const url = $("#radaro-in-url");
  const show = () => {
    const root = RED.settings.httpNodeRoot.replace(/\/$/, "");
    const whole = location.origin + encodeURI(root + normalisePath(String(path.val())));
    url.val(whole);
    const problems = findUrlProblems(whole).map((problem) => node._(`radaro-in.url-problem.${problem}`));
    $("#radaro-in-url-problems")
      .empty()
      .append(problems.map((problem) => $("<div>").text(problem).prepend(warning())));
  };
  path.on("input change", show);
  show();
  $("#radaro-in-copy").on("click", function () {
    RED.clipboard.copyText(String(url.val()), $(this), "clipboard.copyMessageValue");
  });
}

function warning(): JQuery {
  return $("<i>", { class: "fa fa-exclamation-triangle", style: "margin-right: 6px", "aria-hidden": "true" });
}

/** What is let through: everything, or the topics that are chosen from a list with search. */
function prepareTopics(node: InNode): void {
  const list = $("#radaro-in-topics");
  // A topic that this version does not know stays chosen.
  const unknown = node.topics
    .filter((topic) => !Object.hasOwn(topics, topic))
    .map((topic) => [topic, "other"]);
  const all = [...Object.entries(topics).map(([topic, { group }]) => [topic, group]), ...unknown];
  for (const group of idsOf("topicGroup")) {
    const fieldset = $("<fieldset>")
      .append($("<legend>").text(nameOf("topicGroup", group)))
      .appendTo(list);
    for (const [topic, its] of all) {
      if (its !== group) continue;
      $("<label>", { class: "radaro-in-choice" })
        .append(
          $("<input>", { type: "checkbox", value: topic }).prop("checked", node.topics.includes(topic!)),
        )
        .append($("<span>").text(nameOf("topic", topic!)))
        .attr("title", topic!)
        .appendTo(fieldset);
    }
  }

  $("#radaro-in-search").on("input", function () {
    const words = String($(this).val()).toLowerCase().split(/\s+/);
    list.find("label").each((_, label) => {
      const text = `${label.textContent} ${label.title}`.toLowerCase();
      $(label).toggle(words.every((word) => text.includes(word)));
    });
    list.find("fieldset").each((_, fieldset) => {
      const any = $(fieldset)
        .find("label")
        .toArray()
        .some(({ style }) => style.display !== "none");
      $(fieldset).toggle(any);
    });
  });

  const choices = $("input[name=radaro-in-let-through]");
  choices.on("change", () => {
    $("#radaro-in-chosen").toggle(choices.filter(":checked").val() === "chosen");
  });
  choices.val([node.topics.length > 0 ? "chosen" : "all"]).trigger("change");
}

function checkedTopics(): string[] {
  return $("#radaro-in-topics input:checked")
    .toArray()
    .map((input) => (input as HTMLInputElement).value);
}

/** The choice of a test event, what it looks like, and a button that sends it now. */
function prepareTest(node: InNode): void {
  const select = $("#node-input-sample");
  const groups = idsOf("topicGroup").map((group) =>
    $("<optgroup>", { label: nameOf("topicGroup", group) }).data("group", group),
  );
  for (const sample of idsOf("sample")) {
    const group = sample.split("-")[0];
    const parent = groups.find((each) => each.data("group") === group) ?? groups.at(-1)!;
    $("<option>", { value: sample }).text(nameOf("sample", sample)).appendTo(parent);
  }
  select.append(groups).val(node.sample);

  const preview = $("#radaro-in-preview");
  const sent = $("#radaro-in-sent");
  const show = () => {
    if (!preview.prop("open")) return;
    $.getJSON(`radaro-in/samples/${String(select.val())}`, (event) => {
      preview.find("pre").text(JSON.stringify(event, null, 2));
    });
  };
  preview.on("toggle", show);
  select.on("change", () => {
    sent.empty();
    show();
  });

  $("#radaro-in-send").on("click", () => {
    const sample = String(select.val());
    void sendTest(node, sample).then((result) => {
      const text = node._(`radaro-in.test.${result}`, { name: nameOf("sample", sample) });
      sent.text(text);
      if (result !== "sent") sent.prepend(warning());
    });
  });
}
