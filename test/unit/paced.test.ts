import assert from "node:assert/strict";
import { mock } from "node:test";
import { paced } from "../../src/receiving/paced";

describe("paced", () => {
  beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
  afterEach(() => mock.timers.reset());

  it("shows the first at once, then the latest once an interval", () => {
    const shown: number[] = [];
    const { show } = paced((value: number) => shown.push(value), 1000);
    for (let i = 0; i < 100; i++) show(() => i);
    assert.deepEqual(shown, [0]);
    mock.timers.tick(999);
    assert.deepEqual(shown, [0]);
    mock.timers.tick(1);
    assert.deepEqual(shown, [0, 99]);
    show(() => 100);
    mock.timers.tick(1000);
    assert.deepEqual(shown, [0, 99, 100]);
  });

  it("makes only the values that it shows", () => {
    const made: number[] = [];
    const { show } = paced(() => undefined, 1000);
    for (let i = 0; i < 100; i++) show(() => made.push(i));
    mock.timers.tick(1000);
    assert.deepEqual(made, [0, 99]);
  });

  it("shows at once again after a pause", () => {
    const shown: number[] = [];
    const { show } = paced((value: number) => shown.push(value), 1000);
    show(() => 1);
    mock.timers.tick(1000);
    show(() => 2);
    assert.deepEqual(shown, [1, 2]);
  });

  it("shows nothing after stop", () => {
    const shown: number[] = [];
    const { show, stop } = paced((value: number) => shown.push(value), 1000);
    show(() => 1);
    show(() => 2);
    stop();
    mock.timers.tick(5000);
    assert.deepEqual(shown, [1]);
  });
});
