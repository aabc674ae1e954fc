import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Connection } from "./postgres-connection";
import { Unusable } from "./store";

/** The numbered files that make the schema, each run once. */
const files = join(__dirname, "schema", "postgres");

/** What is locked while the schema is made: any number, as long as it is this. */
const lock = 0x72616472;

/** The files, in their order. */
export function steps(): string[] {
  return readdirSync(files)
    .filter((file) => file.endsWith(".sql"))
    .sort();
}

/** @returns the number of the last step that was run; 0: there is no schema */
async function stepOf(connection: Connection): Promise<number> {
  const there = await connection.one("SELECT to_regclass('radaro_inbox.schema') IS NOT NULL AS is_there");
  if (there?.is_there !== true) return 0;
  return (await connection.one("SELECT step FROM radaro_inbox.schema"))!.step as number;
}

/**
 * Makes the schema, or brings it up to date, where it is not: all or nothing, and whoever does the same
 * waits for it.
 *
 * @throws Unusable, also where a later version of this package has made it
 */
export async function migrate(connection: Connection): Promise<void> {
  const all = steps();
  const done = await stepOf(connection);
  if (done > all.length) throw new Unusable("newer");
  if (done === all.length) return;
  const todo = all.map((file) => {
    const step = Number.parseInt(file);
    const sql = readFileSync(join(files, file), "utf8");
    return `IF done < ${step} THEN
      EXECUTE ${quoted(sql)};
      UPDATE radaro_inbox.schema SET step = ${step};
    END IF;`;
  });
  const block = `DECLARE done integer := 0;
    BEGIN
      PERFORM pg_advisory_xact_lock(${lock});
      -- Not by its name, which is remembered as it was before the lock was had.
      PERFORM FROM pg_tables WHERE schemaname = 'radaro_inbox' AND tablename = 'schema';
      IF NOT FOUND THEN
        -- Also IF NOT EXISTS would need the right to make one.
        IF to_regnamespace('radaro_inbox') IS NULL THEN
          CREATE SCHEMA radaro_inbox;
        END IF;
      ELSE
        SELECT step INTO done FROM radaro_inbox.schema;
      END IF;
      ${todo.join("\n")}
    END`;
  await connection.run(`DO ${quoted(block)}`);
}

/** As SQL writes a text, whatever is in it. */
const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;
