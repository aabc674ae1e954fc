import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Problem } from "../../src/inbox/store";
import { InboxNodeRed } from "../system/inboxes";
import { Line } from "./cut";
import { Postgres } from "./postgres";
import { credentialsFor, fromDocs, journalOf, sharedFlow } from "./shared-inbox";

/** What Radaro waits for an answer, in milliseconds. */
const senderWaits = 12_000;

const user = "radaro";
const password = "Tr0ub4dor@&:/3";
const flows = sharedFlow({}, { id: "next", type: "journal", takes: 0 });

describe("A Node-RED whose inbox is in a database", function () {
  this.timeout(120_000);
  let postgres: Postgres;
  let line: Line;
  let running: InboxNodeRed;
  /** The numbers of the events that were sent, and of those that were answered 200. */
  let sent = 0;
  const accepted: number[] = [];

  const asAdministrator = (sql: string) => postgres.query("radaro", sql);
  /** As a user sets it up, with a password of ours. */
  const setUp = () => {
    for (const statement of fromDocs("sql").split(/;\n/).filter(Boolean))
      postgres.query("postgres", statement.replace(/PASSWORD '.*'/, `PASSWORD '${password}'`));
  };
  /** Ends its connections, as where the database is started again. */
  const cut = () =>
    asAdministrator(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${user}'`);

  before(async () => {
    postgres = await Postgres.start();
    setUp();
    line = await Line.to(postgres.port);
    await postgres.stop();
    const path = `${user}:${encodeURIComponent(password)}@127.0.0.1:${line.port}/radaro`;
    running = await InboxNodeRed.start({
      flows,
      credentials: credentialsFor("${RADARO_DATABASE}"),
      env: { RADARO_DATABASE: `postgres://${path}` },
    });
  });
  after(async () => {
    await running.nodeRed.stop();
    line.close();
    await postgres.remove();
  });

  /** Sends an event, and asserts that the answer comes while the sender waits for it. @returns its status */
  async function post(): Promise<number> {
    const number = sent++;
    const begun = performance.now();
    const { status, body } = await running.post({ number });
    const took = performance.now() - begun;
    assert.ok(took < senderWaits, `answered ${status} after ${took} ms`);
    if (status === 200) accepted.push(number);
    else
      assert.deepEqual(
        [status, body],
        [503, { ok: false, error: "Node-RED could not store the event in its inbox." }],
      );
    return status;
  }

  /** Asserts that events are refused now, that this is said, and that all goes on by itself when it is mended. */
  async function refuses(kind: Problem, mend: () => unknown): Promise<void> {
    try {
      while ((await post()) !== 503);
      const { problem } = await running.says((summary) => summary.problem?.kind === kind);
      while (!(await status()).includes(problem!.title));
      await running.nodeRed.printed(problem!.text);
    } finally {
      await mend();
    }
    while ((await post()) !== 200);
    await running.says((summary) => summary.problem === null && summary.counts.waiting === 0);
    await running.nodeRed.printed("stores events again");
    const given = new Set(journalOf(running).map(({ number }) => number));
    const lost = accepted.filter((number) => !given.has(number));
    assert.deepEqual(lost, [], "answered 200, and not given");
  }

  /** What the status of the `radaro in` says. */
  const status = async () => {
    const { text } = (await (await fetch(`${running.nodeRed.url}/probe-status/in`)).json()) as {
      text: string;
    };
    return text;
  };

  it("that is not there when Node-RED starts refuses events, and stores them when it comes", async () => {
    await refuses("unreachable", () => postgres.start());
  });

  it("that is stopped refuses events, and stores them when it is back", async () => {
    await post();
    await postgres.stop();
    await refuses("unreachable", () => postgres.start());
  });

  it("that does not know the password says so", async () => {
    asAdministrator(`ALTER ROLE ${user} PASSWORD 'another'`);
    cut();
    await refuses("denied", () => asAdministrator(`ALTER ROLE ${user} PASSWORD '${password}'`));
  });

  it("that has no connection left says so", async () => {
    asAdministrator(`ALTER ROLE ${user} CONNECTION LIMIT 0`);
    cut();
    await refuses("too-many-connections", () => asAdministrator(`ALTER ROLE ${user} CONNECTION LIMIT -1`));
  });

  it("that is a replica, which can only be read, says so", async () => {
    await postgres.stop();
    writeFileSync(join(postgres.dir, "data", "standby.signal"), "");
    await postgres.start();
    await refuses("read-only", () => asAdministrator("SELECT pg_promote()"));
  });

  /** Lets something else come of an event that is to be stored. */
  const instead = (statement: string) =>
    asAdministrator(`
      CREATE FUNCTION public.instead() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${statement}; RETURN NEW; END $$;
      CREATE TRIGGER instead BEFORE INSERT ON radaro_inbox.events FOR EACH ROW EXECUTE FUNCTION public.instead()`);
  const asUsual = () => asAdministrator("DROP FUNCTION public.instead() CASCADE");

  it("that says that its disk is full says so", async () => {
    instead("RAISE disk_full USING MESSAGE = 'could not extend file: No space left on device'");
    await refuses("full", asUsual);
  });

  it("that does not come to an end with a statement refuses the event in time", async () => {
    instead("PERFORM pg_sleep(60)");
    await refuses("slow", asUsual);
  });

  it("whose line stops carrying anything refuses events in time", async () => {
    await post();
    line.isDeaf = true;
    await refuses("unreachable", () => (line.isDeaf = false));
  });

  it("at the end of a slow line stores events, and answers in time", async () => {
    line.delay = 150;
    const statuses = await Promise.all(Array.from({ length: 200 }, () => post()));
    line.delay = 0;
    assert.deepEqual(new Set(statuses), new Set([200]));
    await running.says(({ problem, counts }) => problem === null && counts.waiting === 0);
  });

  it("is not named in the log, in a status or in an answer", async () => {
    const merchants = await running.api<object>("GET", "/radaro-inbox");
    const said = [running.nodeRed.output(), await status(), JSON.stringify(merchants)].join("\n");
    for (const part of [password, encodeURIComponent(password), `:${line.port}`, `${user}:`, "postgres://"])
      assert.ok(!said.includes(part), `${part} in ${said}`);
  });
});
