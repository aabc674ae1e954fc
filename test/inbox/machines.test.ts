import assert from "node:assert/strict";
import { flowWith, InboxNodeRed } from "../system/inboxes";
import { Load } from "./load";
import { Nginx } from "./nginx";

const flows = flowWith({ id: "next", type: "recorder", file: "got.txt" });
const portOf = ({ nodeRed }: InboxNodeRed) => Number(new URL(nodeRed.url).port);

/** As docs/inbox.md has it, but that both get events all the time. */
const configuration = (upstreams: number[]) => `
  upstream node_red {
    ${upstreams.map((upstream) => `server 127.0.0.1:${upstream};`).join("\n    ")}
  }
  server {
    location = /radaro {
      proxy_pass http://node_red;
      proxy_next_upstream error timeout http_503 non_idempotent;
    }
  }
`;

describe("Two instances behind nginx", function () {
  this.timeout(300_000);
  let nginx: Nginx;
  let one: InboxNodeRed;
  let other: InboxNodeRed;
  before(async () => {
    [one, other] = await Promise.all([InboxNodeRed.start({ flows }), InboxNodeRed.start({ flows })]);
    nginx = await Nginx.start(configuration([portOf(one), portOf(other)]));
  });
  after(() => Promise.all([nginx.stop(), one.nodeRed.stop(), other.nodeRed.stop()]));

  it("lose nothing that was answered 200, though one is killed under load and comes back", async () => {
    const load = new Load(300);
    load.to(nginx.url);
    await load.accepts(600);
    const port = portOf(other);
    await other.nodeRed.kill();
    await load.accepts(600);
    other = await other.next({ port });
    // It gets events again: nginx asks it after ten seconds.
    const { counts } = await other.says(({ counts }) => counts.processed > 0 && counts.waiting === 0);
    await other.says(({ counts: { processed } }) => processed > counts.processed);
    await load.isDelivered(one, other);
  });

  it("know a duplicate only each of its own", async () => {
    const event = { number: -1 };
    const answers = [await one.post(event), await one.post(event), await other.post(event)];
    assert.deepEqual(
      answers.map(({ body }) => body),
      [{ ok: true }, { ok: true, duplicate: true }, { ok: true }],
    );
  });
});
