import { Instance, PostgresStore } from "../../src/inbox/postgres-store";
import { describeJobs } from "../unit/jobs-tests";
import { describeStore } from "../unit/store-tests";
import { Postgres } from "./postgres";

describe("In a database that inboxes share", () => {
  let postgres: Postgres;
  let url: string;
  before(async () => {
    postgres = await Postgres.start();
    url = postgres.newDatabase();
  });
  after(() => postgres.remove());

  // A merchant each: what it does must hold beside others'.
  describeStore("PostgreSQL", (place, options) => PostgresStore.open(url, new Instance(place), options));
  describeJobs("PostgreSQL", (place) => {
    const instance = new Instance(place);
    return (options) => PostgresStore.open(url, instance, options);
  });
});
