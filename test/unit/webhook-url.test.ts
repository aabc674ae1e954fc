import assert from "node:assert/strict";
import {
  addressOf,
  findUrlProblems,
  readAddress,
  addressIn,
  findPathMistake,
  splitUrl,
  webhookUrl,
  type UrlProblem,
} from "../../src/receiving/webhook-url";

describe("findUrlProblems", () => {
  const hosts = {
    "this-machine": [
      "localhost",
      "a.localhost",
      "127.0.0.1",
      "127.1.2.3",
      "0.0.0.0",
      "[::1]",
      "localhost.",
      "[::ffff:127.0.0.1]",
    ],
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

  it("says that nobody comes through Home Assistant's ingress without a login", () => {
    const ingress = "https://ha.example.com/api/hassio_ingress/AbC123/endpoint/radaro";
    assert.deepEqual(findUrlProblems(ingress), ["behind-login"]);
  });

  it("says where a URL is longer than what Radaro keeps of one", () => {
    const url = (length: number) => "https://flows.example.com/".padEnd(length, "x");
    const lengths: [number, UrlProblem[]][] = [
      [500, []],
      [501, ["too-long"]],
    ];
    for (const [length, expected] of lengths) assert.deepEqual(findUrlProblems(url(length)), expected);
  });
});

describe("addressOf", () => {
  const cases: [pathname: string, adminRoot: string, address: string][] = [
    ["/", "/", ""],
    ["/admin/", "/admin/", ""],
    ["/admin/", "/admin", ""],
    ["/nodered/", "/", "/nodered"],
    ["/nodered/admin/", "/admin/", "/nodered"],
    ["/nodered/", "/nodered/", ""],
    ["/api/hassio_ingress/AbC123/", "/", "/api/hassio_ingress/AbC123"],
    // What the proxy does with it cannot be known.
    ["/editor/", "/admin/", ""],
  ];
  for (const [pathname, adminRoot, expected] of cases) {
    it(`of an editor at ${pathname} with httpAdminRoot ${adminRoot} ends with "${expected}"`, () => {
      const origin = "https://flows.example.com";
      assert.equal(addressOf({ origin, pathname }, adminRoot), origin + expected);
    });
  }
});

describe("webhookUrl", () => {
  it("joins address, httpNodeRoot and path, encoded as they travel", () => {
    const cases: [nodeRoot: string, path: string, expected: string][] = [
      ["/", "/radaro", "/radaro"],
      ["/", "radaro/", "/radaro"],
      ["/hooks/", "/é", "/hooks/%C3%A9"],
      ["/hooks", "/a%20b", "/hooks/a%20b"],
      ["/", "/\ud800", "/%EF%BF%BD"],
    ];
    for (const [nodeRoot, path, expected] of cases) {
      assert.equal(webhookUrl("https://x.example/y", nodeRoot, path), `https://x.example/y${expected}`);
    }
  });
});

describe("splitUrl", () => {
  it("takes a whole URL apart, so that webhookUrl makes the same of it", () => {
    const cases: [url: string, nodeRoot: string, address: string, path: string][] = [
      ["https://x.example/radaro", "/", "https://x.example", "/radaro"],
      [" HTTPS://x.example:8443/a/é/ ", "/", "https://x.example:8443", "/a/é"],
      ["https://x.example/hooks/radaro", "/hooks/", "https://x.example", "/radaro"],
      ["https://x.example/nodered/hooks/radaro", "/hooks", "https://x.example/nodered", "/radaro"],
      ["http://x.example", "/", "http://x.example", "/"],
    ];
    for (const [url, nodeRoot, address, path] of cases) {
      assert.deepEqual(splitUrl(url, nodeRoot), { address, path }, url);
      const bare = (whole: string) => new URL(whole).href.replace(/\/$/, "");
      assert.equal(bare(webhookUrl(address, nodeRoot, path)), bare(url));
    }
  });

  it("keeps what is no path to be marked", () => {
    const url = "https://x.example/radaro?a=1#b";
    assert.deepEqual(splitUrl(url, "/"), { address: "https://x.example", path: "/radaro?a=1#b" });
  });

  it("takes a URL that is not below httpNodeRoot as it is", () => {
    const split = splitUrl("https://x.example/radaro", "/hooks");
    assert.deepEqual(split, { address: "https://x.example", path: "/radaro" });
  });

  it("knows what of the path belongs to an address at which this Node-RED is", () => {
    const known = [
      "https://x.example/base",
      "https://x.example/base/2",
      "https://x.example",
      "http://[::1]:1880",
    ];
    const cases: [url: string, nodeRoot: string, address: string, path: string][] = [
      ["https://x.example/base/ok", "/", "https://x.example/base", "/ok"],
      ["https://x.example/base/2/ok", "/", "https://x.example/base/2", "/ok"],
      ["https://x.example/base", "/", "https://x.example/base", "/"],
      ["https://x.example/based/ok", "/", "https://x.example", "/based/ok"],
      ["https://x.example/base/hooks/ok", "/hooks/", "https://x.example/base", "/ok"],
      ["http://[::1]:1880/base/ok", "/", "http://[::1]:1880", "/base/ok"],
      ["https://y.example/base/ok", "/", "https://y.example", "/base/ok"],
    ];
    for (const [url, nodeRoot, address, path] of cases)
      assert.deepEqual(splitUrl(url, nodeRoot, known), { address, path }, url);
  });

  it("knows what is no URL, or has a password in it, which would be lost", () => {
    const paths = ["/radaro", "", "radaro", "//x.example/radaro", "https://", "mailto:a@x.example"];
    for (const path of [...paths, "https://user:secret@x.example/radaro", "https://user@x.example/radaro"])
      assert.equal(splitUrl(path, "/"), undefined, path);
  });
});

describe("addressIn", () => {
  it("finds the address in front of the path", () => {
    const cases: [url: string, nodeRoot: string, path: string, address: string | undefined][] = [
      ["https://x.example/ok", "/", "/ok", "https://x.example"],
      ["https://x.example/base/ok/", "/", "ok", "https://x.example/base"],
      ["https://x.example/base/hooks/%C3%A9", "/hooks", "/é", "https://x.example/base"],
      ["https://x.example/base", "/", "/ok", undefined],
      ["https://x.example/ok", "/hooks", "/ok", undefined],
      ["https://x.example/", "/", "/", undefined],
      ["x.example/ok", "/", "/ok", "https://x.example"],
      ["radaro", "/", "/radaro", undefined],
    ];
    for (const [url, nodeRoot, path, address] of cases)
      assert.equal(addressIn(url, nodeRoot, path), address, url);
  });
});

describe("findPathMistake", () => {
  const cases: [mistake: ReturnType<typeof findPathMistake>, ...paths: string[]][] = [
    [
      "url",
      "https://x.example/ok",
      "https://u:p@x.example/ok",
      "https://",
      "wss://x.example/ok",
      "ftp://x/ok",
    ],
    ["url", "//x.example/ok", "/https://x.example/ok", "https:/x.example/ok", "Here: https://x.example/ok"],
    ["path", "/ok?a=1", "/ok#b", "/..", "..", "/a/../b", "/a/./b", "/.", "/%2e%2E/b"],
    [
      undefined,
      "x.example/ok",
      "//ok",
      "/ok",
      "ok",
      "/a.b/c",
      "/x.example/ok",
      "radaro.php",
      "v1.0/ok",
      "/a..b",
      "/...",
      "",
      "/",
    ],
  ];
  for (const [mistake, ...paths] of cases) {
    for (const path of paths)
      it(`says that ${JSON.stringify(path)} is ${mistake ? `none: ${mistake}` : "right"}`, () => {
        assert.equal(findPathMistake(path), mistake);
      });
  }
});

describe("readAddress", () => {
  it("takes https with a host, and a port and a path where there are some", () => {
    const cases = {
      "https://x.example": "https://x.example",
      " https://X.example/ ": "https://x.example",
      "https://x.example:8443/nodered/": "https://x.example:8443/nodered",
      " ": "",
    };
    for (const [text, expected] of Object.entries(cases)) assert.equal(readAddress(text), expected);
  });

  it("takes nothing else", () => {
    const wrong = ["http://x.example", "x.example", "https://", "https://x.example?a", "https://x.example/#"];
    for (const text of [...wrong, "https://user:secret@x.example"]) {
      assert.equal(readAddress(text), undefined, text);
    }
  });
});
