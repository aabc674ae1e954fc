import assert from "node:assert/strict";
import { findUrlProblem, readParts } from "../../src/inbox/database-url";

describe("The URL of a database", () => {
  const cases: [url: string, problem: ReturnType<typeof findUrlProblem>][] = [
    ["postgres://radaro:secret@db.example.com:5432/inbox", undefined],
    ["postgresql://radaro@db.example.com", undefined],
    ["postgres://radaro@[::1]:5432/inbox", undefined],
    ["postgres://radaro:p%40ss%3A%2F%23@10.0.0.3/inbox?sslmode=verify-full", undefined],
    ["postgres://radaro:p@ss:/#?100%@localhost/an inbox", undefined],
    ["", "none"],
    ["${DATABASE_URL}", "unset"],
    ["$(DATABASE_URL)", "unset"],
    ["mysql://radaro:secret@localhost/inbox", "not-postgres"],
    ["https://db.example.com/inbox", "not-postgres"],
    ["postgres:///inbox", "unreadable"],
    ["postgres://db.example.com/inbox", "unreadable"],
    ["postgres:/radaro@localhost/inbox", "unreadable"],
    ["radaro@localhost/inbox", "unreadable"],
    ["postgres://radaro@localhost:99999/inbox", "unreadable"],
    ["postgres://radaro@localhost/inbox?sslmode=yes", "unreadable"],
  ];
  for (const [url, problem] of cases)
    it(`${url || "that is not there"} ${problem ? `has a problem: ${problem}` : "is well"}`, () => {
      assert.equal(findUrlProblem(url), problem);
    });

  it("is read as it is written, with escapes and without", () => {
    const { settings, ...parts } = readParts(
      "postgres://ra%20daro:p%40ss@w/o:rd#?100%@[::1]:99/an%20inbox?sslmode=disable",
    )!;
    assert.deepEqual(parts, {
      ...{ host: "::1", port: 99, user: "ra daro", password: "p@ss@w/o:rd#?100%", database: "an inbox" },
    });
    assert.equal(settings.get("sslmode"), "disable");
    const cert = readParts("postgres://me:a?b=c@d@db/inbox?sslmode=verify-full&sslrootcert=/etc/a@b.pem")!;
    assert.deepEqual([cert.host, cert.password, cert.database], ["db", "a?b=c@d", "inbox"]);
    assert.equal(cert.settings.get("sslrootcert"), "/etc/a@b.pem");
  });
});
