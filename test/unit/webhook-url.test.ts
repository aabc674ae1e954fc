import assert from "node:assert/strict";
import { findUrlProblems } from "../../src/receiving/webhook-url";

describe("findUrlProblems", () => {
  const hosts = {
    "this-machine": ["localhost", "a.localhost", "127.0.0.1", "127.1.2.3", "0.0.0.0", "[::1]"],
    "private-network": [
      ...["10.0.0.5", "192.168.1.20", "172.16.0.1", "172.31.9.9", "169.254.1.1"],
      ...["[fd12:3456::1]", "[fe80::1]", "raspberrypi", "nodered.local", "box.lan"],
    ],
  };
  for (const [problem, of] of Object.entries(hosts)) {
    for (const host of of) {
      it(`says that ${host} is ${problem}`, () => {
        assert.deepEqual(findUrlProblems(`https://${host}:1880/radaro`), [problem]);
        assert.deepEqual(findUrlProblems(`http://${host}/radaro`), [problem, "not-https"]);
      });
    }
  }

  it("finds none in a public https address", () => {
    for (const host of [
      "flows.example.com",
      "8.8.8.8",
      "172.32.0.1",
      "11.0.0.1",
      "[2001:db8::1]",
      "10.example.com",
    ]) {
      assert.deepEqual(findUrlProblems(`https://${host}/hooks/radaro`), [], host);
    }
  });

  it("says that http lets the token be read on its way", () => {
    assert.deepEqual(findUrlProblems("http://flows.example.com/radaro"), ["not-https"]);
  });
});
