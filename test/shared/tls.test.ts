import assert from "node:assert/strict";
import { Instance, PostgresStore } from "../../src/inbox/postgres-store";
import { Unusable } from "../../src/inbox/store";
import { Line } from "./cut";
import { Postgres } from "./postgres";

const isEncrypted = `SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
  WHERE application_name = 'node-red-contrib-radaro'`;
const kill =
  "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'node-red-contrib-radaro'";

describe("An inbox in PostgreSQL over TLS", () => {
  let postgres: Postgres;
  let authority: string;
  let url: string;
  before(async () => {
    postgres = await Postgres.start();
    await postgres.stop();
    authority = postgres.encrypt();
    await postgres.start();
    url = postgres.newDatabase();
  });
  after(() => postgres.remove());

  const open = (host: string, mode: string, { root = "", port = postgres.port } = {}) => {
    const at = url.replace(`127.0.0.1:${postgres.port}`, `${host}:${port}`);
    const more = root && `&sslrootcert=${encodeURIComponent(root)}`;
    return PostgresStore.open(`${at}?sslmode=${mode}${more}`, new Instance("acme"));
  };

  for (const [mode, encrypted] of [
    ["verify-full", "t"],
    ["verify-ca", "t"],
    ["require", "t"],
    ["prefer", "t"],
    ["disable", "f"],
  ] as const)
    it(`is ${encrypted === "t" ? "" : "not "}encrypted with sslmode=${mode}, and closes`, async () => {
      const store = await open("127.0.0.1", mode, { root: mode.startsWith("verify") ? authority : "" });
      assert.deepEqual(postgres.query(url, isEncrypted), [encrypted]);
      await store.close();
      while (postgres.query(url, isEncrypted)[0]) await new Promise(setImmediate);
    });

  it("is not opened where the certificate is of another authority, or of another name", async () => {
    const isUnreachable = (error: unknown) => error instanceof Unusable && error.problem === "unreachable";
    await assert.rejects(open("127.0.0.1", "verify-full"), isUnreachable);
    await assert.rejects(open("localhost", "verify-full", { root: authority }), isUnreachable);
    await (await open("localhost", "verify-ca", { root: authority })).close();
  });

  it("does no harm where its connections are killed, or its line is cut or silent", async () => {
    const store = await open("127.0.0.1", "require");
    postgres.query(url, kill);
    await assert.rejects(store.read("1"), Unusable);
    await store.close();
    for (const isDeaf of [false, true]) {
      const line = await Line.to(postgres.port);
      const through = await open("127.0.0.1", "require", { port: line.port });
      line.isDeaf = isDeaf;
      const asked = through.read("1").catch((error: unknown) => error);
      if (isDeaf) await through.close();
      else line.cut();
      await asked;
      await through.close();
      line.close();
    }
    await (await open("127.0.0.1", "require")).close();
  });
});
