import { Instance, PostgresStore } from "../../src/inbox/postgres-store";
import { describeCatchUp } from "../inbox/catch-up-world";
import { Postgres } from "./postgres";

describe("In a database", () => {
  let postgres: Postgres;
  before(async () => (postgres = await Postgres.start()));
  after(() => postgres.remove());

  describeCatchUp("PostgreSQL", Number(process.env.RUNS ?? 1), () => {
    const url = postgres.newDatabase();
    const instance = new Instance("catch-up");
    return (options) => PostgresStore.open(url, instance, options);
  });
});
