import assert from "node:assert/strict";
import { Followed, type Sent } from "../../nodes/inbox/followed";

interface Place {
  id: string;
}

const [a, b] = [{ id: "a" }, { id: "b" }] as const;

/** What happens to the messages of an event, by the names of nodes; `!`: Node-RED finds no node. */
type Step = "begun" | `${"send" | "take" | "done" | "fail" | "fail-copy"} ${string}` | "interrupt";

/** The messages of an event after something has happened to them. */
function after(...steps: Step[]): Followed<Place> {
  const followed = new Followed<Place>();
  const sent: Record<string, Sent<Place>[]> = {};
  const taken: Record<string, object[]> = {};
  for (const step of steps) {
    const [what, name = ""] = step.split(" ");
    const node = { a, b }[name];
    if (what === "begun") followed.begun();
    if (what === "interrupt") followed.interrupt();
    if (what === "send") {
      const message: Sent<Place> = { msg: {}, destination: { id: name, ...(node && { node }) } };
      (sent[name] ??= []).push(message);
      followed.send(message);
    }
    if (what === "take") {
      const msg = sent[name]?.shift()?.msg ?? {};
      (taken[name] ??= []).push(msg);
      followed.take(msg, node!);
    }
    const of = () => taken[name]?.at(-1) ?? {};
    if (what === "done") followed.complete(taken[name]?.shift() ?? {}, node!, true);
    if (what === "fail") followed.fail(of(), node!, { text: "down", node: { id: name, type: "told" } });
    if (what === "fail-copy")
      followed.fail({}, node!, { text: "down", node: { id: name, type: "told" } }, true);
  }
  return followed;
}

describe("the messages of an event", () => {
  for (const [isDone, steps] of [
    [false, []],
    [true, ["begun"]],
    [false, ["send a", "begun"]],
    [false, ["send a", "begun", "take a"]],
    [true, ["send a", "begun", "take a", "done a"]],
    [true, ["send a", "take a", "done a", "begun"]],
    [false, ["send a", "take a", "done a"]],
    [false, ["send a", "begun", "take a", "send b", "done a"]],
    [true, ["send a", "begun", "take a", "send b", "done a", "take b", "done b"]],
    [false, ["send a", "send a", "begun", "take a", "done a"]],
    [false, ["send a", "send a", "begun", "take a", "take a", "done a"]],
    [true, ["send a", "send a", "begun", "take a", "take a", "done a", "done a"]],
    // A node that says it twice, and one that was never sent anything.
    [false, ["send a", "send b", "begun", "take a", "done a", "done a"]],
    [true, ["begun", "take a", "done a"]],
    [false, ["begun", "take a"]],
    [false, ["send nowhere", "begun"]],
    // A node that reports an error of a message, or of a copy, is done with it, whether it says so or not.
    [true, ["send a", "begun", "take a", "fail a"]],
    [true, ["send a", "begun", "take a", "fail a", "done a"]],
    [true, ["send a", "begun", "take a", "fail-copy a"]],
    [false, ["send a", "send a", "begun", "take a", "take a", "fail a"]],
    [false, ["send a", "begun", "take a", "send b", "fail a"]],
  ] as [boolean, Step[]][]) {
    it(`are ${isDone ? "" : "not "}done after: ${steps.join(", ") || "nothing"}`, () => {
      assert.equal(after(...steps).isDone, isDone);
    });
  }

  for (const [stands, steps] of [
    [true, ["send a", "begun", "take a", "fail a"]],
    // Of the same message: it is no later one.
    [true, ["send a", "begun", "take a", "fail a", "done a"]],
    [true, ["send a", "begun", "take a", "fail a", "done a", "done a"]],
    [true, ["begun", "take a", "take a", "fail a", "done a", "done a"]],
    [false, ["begun", "take a", "fail a", "done a", "take a", "done a"]],
    [true, ["begun", "take a", "fail a", "take b", "done b"]],
  ] as [boolean, Step[]][]) {
    it(`have ${stands ? "an" : "no"} error that stands after: ${steps.join(", ")}`, () => {
      assert.equal(after(...steps).error !== undefined, stands);
    });
  }

  for (const [isInterrupted, stopped, steps] of [
    [false, [a, b], ["begun"]],
    [false, [b], ["send a", "begun", "take a"]],
    [true, [a], ["send a", "begun", "take a"]],
    [false, [a], ["send a", "begun", "take a", "done a"]],
    [true, [a], ["send a", "begun"]],
    [false, [b], ["send a", "begun"]],
    [true, [], ["send nowhere", "begun"]],
    [true, [], ["begun", "interrupt"]],
  ] as [boolean, Place[], Step[]][]) {
    const names = stopped.map(({ id }) => id).join(" and ") || "no node";
    it(`are ${isInterrupted ? "" : "not "}interrupted where ${names} stopped after: ${steps.join(", ")}`, () => {
      assert.equal(
        after(...steps).isInterrupted((node) => stopped.includes(node)),
        isInterrupted,
      );
    });
  }

  it("have an error until its node completes a later message with the same id: not the next of a split", () => {
    const followed = new Followed<Place>();
    const error = { text: "down", node: { id: "a", type: "told" } };
    const take = (id: string) => {
      const msg = { _msgid: id };
      followed.take(msg, a);
      return msg;
    };
    followed.begun();
    followed.fail(take("1"), a, error);
    followed.complete(take("2"), a, true);
    assert.equal(followed.error, error);
    followed.complete(take("1"), a, true);
    assert.equal(followed.error, undefined);
  });

  it("do not wait for where no node is meant to be, and for no other", () => {
    const followed = after("send nowhere", "begun");
    followed.passOver((id) => id !== "nowhere");
    assert.ok(followed.isLost && !followed.isDone);
    followed.passOver((id) => id === "nowhere");
    assert.ok(!followed.isLost && followed.isDone);
  });

  it("tell whether what was on its way still is", () => {
    const followed = after("send a", "begun");
    const sent = { msg: {}, destination: { id: "b", node: b } };
    followed.send(sent);
    const isOnItsWay = followed.onItsWay();
    followed.take(sent.msg, b);
    assert.ok(isOnItsWay());
    const isLaterOnItsWay = followed.onItsWay();
    followed.passOver(() => true);
    assert.ok(isLaterOnItsWay());
    assert.ok(!after("begun").onItsWay()());
  });
});
