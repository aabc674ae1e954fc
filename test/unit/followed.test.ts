import assert from "node:assert/strict";
import { Followed, type Sent } from "../../nodes/inbox/followed";

interface Place {
  id: string;
}

const [a, b] = [{ id: "a" }, { id: "b" }] as const;

/** What happens to the messages of an event, by the names of nodes; `!`: Node-RED finds no node. */
type Step = "begun" | `send ${string}` | `take ${string}` | `done ${string}` | "interrupt";

/** The messages of an event after something has happened to them. */
function after(...steps: Step[]): Followed<Place> {
  const followed = new Followed<Place>();
  const sent: Record<string, Sent<Place>[]> = {};
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
    if (what === "take") followed.take(sent[name]?.shift()?.msg ?? {}, node!);
    if (what === "done") followed.complete(node!);
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
  ] as [boolean, Step[]][]) {
    it(`are ${isDone ? "" : "not "}done after: ${steps.join(", ") || "nothing"}`, () => {
      assert.equal(after(...steps).isDone, isDone);
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
