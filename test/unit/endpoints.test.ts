import assert from "node:assert/strict";
import { mock } from "node:test";
import { Endpoints, maxHeld, maxHeldBytes, maxHeldFor, normalisePath } from "../../src/receiving/endpoints";
import type { Receiver } from "../../src/receiving/receive";

const receiver = (): Receiver => ({
  merchant: undefined,
  topics: new Set(),
  deliver: () => assert.fail(),
  fail: () => assert.fail(),
  refused: () => assert.fail(),
});

describe("endpoints", () => {
  beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
  afterEach(() => mock.timers.reset());

  it("are one for the nodes that share a path, however it is written", () => {
    const endpoints = new Endpoints();
    const [a, b] = [receiver(), receiver()];
    endpoints.add("radaro/", a);
    endpoints.add(" /radaro", b);
    assert.equal(endpoints.size, 1);
    for (const path of ["/radaro", "/radaro/"]) assert.deepEqual([...endpoints.at(path)!], [a, b]);
    for (const path of ["/", "/Radaro", "/radaro/x", "/xradaro"]) assert.equal(endpoints.at(path), undefined);
  });

  it("are gone with their last receiver", () => {
    const endpoints = new Endpoints();
    const [a, b] = [receiver(), receiver()];
    endpoints.add("/radaro", a);
    endpoints.add("/radaro", b);
    endpoints.remove("/radaro", a);
    assert.deepEqual([...endpoints.at("/radaro")!], [b]);
    endpoints.remove("radaro", b);
    assert.equal(endpoints.at("/radaro"), undefined);
    assert.equal(endpoints.size, 0);
  });

  it("outlive a deploy, and let requests go on when it is over", async () => {
    const endpoints = new Endpoints();
    const [before, after] = [receiver(), receiver()];
    endpoints.add("/radaro", before);
    endpoints.hold();
    endpoints.remove("/radaro", before);
    assert.equal(endpoints.at("/radaro")!.size, 0);
    const waiting = endpoints.running();
    endpoints.add("/radaro", after);
    endpoints.release();
    assert.equal(await waiting, true);
    assert.deepEqual([...endpoints.at("/radaro")!], [after]);
    assert.equal(endpoints.running(), true);
  });

  it("are gone after a deploy that took their receivers away", () => {
    const endpoints = new Endpoints();
    const only = receiver();
    endpoints.add("/radaro", only);
    endpoints.hold();
    endpoints.remove("/radaro", only);
    endpoints.release();
    assert.equal(endpoints.at("/radaro"), undefined);
  });

  it("are gone or there at once, where it is known which there will be after a deploy", () => {
    const endpoints = new Endpoints();
    const [goes, stays] = [receiver(), receiver()];
    endpoints.add("/goes", goes);
    endpoints.add("/stays", stays);
    endpoints.hold(["stays/", "/comes"]);
    assert.equal(endpoints.at("/goes"), undefined);
    assert.deepEqual([...endpoints.at("/stays/")!], [stays]);
    assert.deepEqual([...endpoints.at("/comes")!], []);
    endpoints.remove("/goes", goes);
    endpoints.release();
    assert.equal(endpoints.at("/comes"), undefined, "no receiver came");
    assert.deepEqual([...endpoints.at("/stays")!], [stays]);
    assert.equal(endpoints.size, 1);
  });

  it("let a request wait no longer than the bound", async () => {
    const endpoints = new Endpoints();
    endpoints.hold();
    const waiting = endpoints.running();
    mock.timers.tick(maxHeldFor - 1);
    let settled = false;
    void Promise.resolve(waiting).then(() => (settled = true));
    await Promise.resolve();
    assert.equal(settled, false);
    mock.timers.tick(1);
    assert.equal(await waiting, false);
  });

  it("let no more requests wait than the bound, and take further ones when there is room again", async () => {
    const endpoints = new Endpoints();
    endpoints.hold();
    const waiting = Array.from({ length: maxHeld }, async () => endpoints.running());
    assert.equal(await endpoints.running(), false);
    endpoints.release();
    assert.deepEqual(new Set(await Promise.all(waiting)), new Set([true]));
    endpoints.hold();
    const again = endpoints.running();
    endpoints.release();
    assert.equal(await again, true);
  });
});

describe("endpoints' bodies", () => {
  it("are kept up to the bound, and further ones when there is room again", async () => {
    const endpoints = new Endpoints();
    endpoints.hold();
    const waiting = endpoints.running(maxHeldBytes);
    assert.equal(await endpoints.running(1), false);
    endpoints.release();
    assert.equal(await waiting, true);
    endpoints.hold();
    const again = endpoints.running(maxHeldBytes);
    endpoints.release();
    assert.equal(await again, true);
  });
});

describe("normalisePath", () => {
  it("adds a leading /, ignores a trailing one and decodes, and takes the rest literally", () => {
    for (const [path, expected] of [
      ["radaro", "/radaro"],
      ["//radaro//", "/radaro"],
      ["/", "/"],
      ["", "/"],
      ["/a/:id(\\d+)*", "/a/:id(\\d+)*"],
      ["/z%C3%BCrich%20", "/zürich "],
      ["/100%", "/100%"],
      [`/${"/".repeat(100_000)}a${"/".repeat(100_000)}`, "/a"],
    ] as const) {
      assert.equal(normalisePath(path), expected);
    }
  });
});
