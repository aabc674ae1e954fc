import assert from "node:assert/strict";
import { inEachNodeRed } from "./versions";

const token = "Zk3vQ9cXw1LmT7yHs0RdNA";

/** What a script, an assistant or another version may have written, by the name of the case. */
const receivers: Record<string, object> = {
  "nothing but its merchant": { config: "acme" },
  "no merchant either": {},
  "null everywhere": { config: "acme", name: null, path: null, topics: null, sample: null },
  numbers: { config: "acme", name: 5, path: 42, topics: 7, sample: 1 },
  "a text for a list": { config: "acme", path: "/radaro", topics: "job.deleted" },
  "a list of anything": { config: "acme", path: "/radaro", topics: [1, null, "job.deleted", "later.topic"] },
  "topics in another order": {
    config: "acme",
    path: " radaro ",
    topics: ["later", "job.deleted", "job.changed"],
  },
  "topics of a variable": { config: "acme", path: "${PATH_OF_IT}", topics: "${TOPICS}" },
  objects: { config: {}, name: {}, path: {}, topics: {}, sample: {} },
  booleans: { config: true, name: true, path: false, topics: true, sample: true },
  "a merchant that is gone": { config: "gone", path: "/radaro", topics: [], sample: "later-sample" },
  "odd words for the inbox": { config: "acme", path: "/a", inOrder: "true", done: "Node", limit: "0" },
  "no number for a limit": { config: "acme", path: "/b", inOrder: 1, done: [], limit: "soon" },
  "a whole URL": { config: "acme", path: "https://flows.example.com/radaro", topics: [] },
};
const merchants: Record<string, { name?: unknown; inbox?: unknown; [more: string]: unknown }> = {
  nothing: {},
  "null everywhere": { name: null, inbox: null, inboxDays: null },
  "false as a text": { name: "Shop", inbox: "false", inboxDays: "7" },
  "true as a text": { name: "Shop", inbox: "true", inboxDays: 3 },
  "days that are none": { name: 5, inbox: 0, inboxDays: "a week" },
  objects: { name: {}, inbox: {}, inboxDays: {}, inboxRetries: {} },
  "retries that are none": { name: "Shop", inbox: true, inboxRetries: "often" },
  "a number for retries": { name: "Shop", inbox: true, inboxRetries: 5 },
};

const flows = [
  { id: "tab1", type: "tab", label: "Flow 1", disabled: false, info: "", env: [] },
  { id: "acme", type: "radaro-config", name: "Acme" },
  ...Object.values(receivers).map((odd, i) => ({
    ...{ id: `in${i}`, type: "radaro in", z: "tab1", x: 200, y: 60 + 50 * i, wires: [[]] },
    ...odd,
  })),
  ...Object.values(merchants).map((odd, i) => ({ id: `merchant${i}`, type: "radaro-config", ...odd })),
];

inEachNodeRed(
  "A node that was not made in the editor",
  { flows, credentials: { acme: { token } } },
  (session) => {
    const $ = (selector: string) => session.editor.page.locator(selector);
    const exported = () =>
      session.editor.page.evaluate<string>("JSON.stringify(RED.nodes.createCompleteNodeSet())");
    const openById = async (id: string) => {
      await session.editor.page.evaluate(`RED.editor.edit(RED.nodes.node(${JSON.stringify(id)}))`);
      await session.editor.dialogOpen();
    };
    const openMerchantById = async (id: string) => {
      await session.editor.page.evaluate(`RED.editor.editConfig("", "radaro-config", ${JSON.stringify(id)})`);
      await session.editor.dialogOpen();
    };
    /** What the dialog of a `radaro in` shows. */
    const shown = async () => ({
      path: await $("#node-input-path").inputValue(),
      through: await $("input[name=radaro-in-let-through]:checked").evaluateAll((all) =>
        all.map((input) => (input as HTMLInputElement).value),
      ),
      sample: await $("#node-input-sample").inputValue(),
    });

    it("is shown with the contract's defaults, and is the same after Done", async () => {
      const { editor } = session;
      const before = await exported();
      for (const [i, name] of Object.keys(receivers).entries()) {
        await openById(`in${i}`);
        const { path, through, sample } = await shown();
        if (i < 3) {
          assert.deepEqual([path, through, sample], ["/radaro", ["all"], "job-completed"], name);
        }
        assert.equal(await $("#radaro-in-topics fieldset").count(), 4, name);
        await editor.leave("ok");
        assert.equal(await exported(), before, name);
      }
      for (const [i, [name, given]] of Object.entries(merchants).entries()) {
        await openMerchantById(`merchant${i}`);
        assert.equal(
          await $("#node-config-input-inbox").isChecked(),
          given.inbox === true || given.inbox === "true",
          name,
        );
        if (i < 2) assert.equal(await $("#node-config-input-inboxDays").inputValue(), "7", name);
        await editor.leave("ok", true);
        assert.equal(await exported(), before, name);
      }
      assert.equal(await $("#red-ui-header-button-deploy.disabled").count(), 1);
    });

    it("is changed where the user changes it, and nowhere else", async () => {
      const { editor } = session;
      /** Without its place, which follows from how wide its label is. */
      const placeless = (node: object) => ({ ...node, x: undefined });
      const node = async (id: string) => {
        const all = JSON.parse(await exported()) as { id: string }[];
        return placeless(all.find((each) => each.id === id)!);
      };
      const given = (id: string) => placeless(flows.find((each) => each.id === id)!);
      await openById("in0");
      await editor.enter("#node-input-name", "Named");
      await editor.leave("ok");
      assert.deepEqual(await node("in0"), { ...given("in0"), name: "Named" });
      await openById("in4");
      await editor.click("input[name=radaro-in-let-through][value=all]");
      await editor.leave("ok");
      assert.deepEqual(await node("in4"), { ...given("in4"), topics: [] });
      await openMerchantById("merchant2");
      await editor.click("#node-config-input-inbox");
      await editor.leave("ok", true);
      assert.deepEqual(await node("merchant2"), { ...given("merchant2"), inbox: true });
    });

    it("is marked where the runtime cannot make sense of it, and not where it can", async () => {
      const problems = await session.editor.page.evaluate<string[]>(
        `[...Array(${Object.keys(receivers).length}).keys()].map((i) => RED.nodes.node("in" + i))
        .map(({ validationErrors }) => validationErrors.join(" "))`,
      );
      const topics = /^What is let through is not a list of topics/;
      const expected: Record<string, RegExp> = {
        "no merchant either": /^Choose a merchant\.$/,
        numbers: topics,
        "a text for a list": topics,
        "a list of anything": topics,
        objects: /^Choose a merchant\. Enter the path .* What is let through/,
        booleans: /^Choose a merchant\. Enter the path .* What is let through/,
        "a merchant that is gone": /^The merchant is not there any more/,
        "no number for a limit": /^Enter after how many minutes/,
        "a whole URL": /^Enter the path alone/,
      };
      for (const [i, name] of Object.keys(receivers).entries())
        assert.match(problems[i]!, expected[name] ?? /^$/, name);
    });

    it("lets nothing through silently: a choice of no topic is marked, and leaves the node as it was", async () => {
      const { editor } = session;
      const before = await exported();
      const problem = $("#radaro-in-topics-problem");
      for (const id of ["in0", "in6"]) {
        await openById(id);
        await editor.click("input[name=radaro-in-let-through][value=chosen]");
        const chosen = $("#radaro-in-topics input:checked");
        while ((await chosen.count()) > 0) await chosen.first().uncheck();
        assert.match(await problem.innerText(), /Choose at least one topic/);
        assert.equal(await $("#radaro-in-topics.input-error").count(), 1);
        await $("#radaro-in-topics input").first().check();
        assert.equal(await problem.innerText(), "");
        await $("#radaro-in-topics input").first().uncheck();
        await editor.leave("ok");
        await $(
          ".red-ui-notification:has-text('No topic was chosen, so what is let through stays')",
        ).waitFor();
        assert.equal(await exported(), before);
      }
    });
  },
);
