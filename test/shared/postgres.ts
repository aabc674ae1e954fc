import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { appendFileSync, chownSync, existsSync, globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { freePort } from "../inbox/free-port";

/** Where its programs are: Debian has them beside each version, and not on the path. @param name one that is wanted */
function programs(name: string): string {
  const debian = globSync("/usr/lib/postgresql/*/bin").sort((a, b) =>
    a.localeCompare(b, "en", { numeric: true }),
  );
  const wanted = process.env.POSTGRES_BIN?.split(delimiter) ?? []; // another version
  const dirs = [...wanted, ...debian.reverse(), ...(process.env.PATH ?? "").split(delimiter)];
  const dir = dirs.find((each) => existsSync(join(each, name)));
  if (!dir) throw new Error("PostgreSQL is needed: apt-get update && apt-get install -y postgresql");
  return dir;
}

/** It refuses to run as root: then it runs as the user that Debian has for it, or as nobody. */
function user(): { uid: number; gid: number } | undefined {
  if (process.getuid!() !== 0) return undefined;
  const idOf = (flag: string, name: string) => Number(spawnSync("id", [flag, name]).stdout);
  const name = spawnSync("id", ["postgres"]).status === 0 ? "postgres" : "nobody";
  return { uid: idOf("-u", name), gid: idOf("-g", name) };
}

/** A new temporary directory that its user can get to: others may not be let into the usual one. */
export function openDirectory(as = user()): string {
  const isOpen = (dir: string) => spawnSync("ls", [dir], { ...as, cwd: "/" }).status === 0;
  const within = [tmpdir(), "/var/tmp"].find(isOpen);
  if (within === undefined)
    throw new Error("There is no temporary directory that PostgreSQL's user can read");
  return mkdtempSync(join(within, "radaro-postgres-"));
}

/** A PostgreSQL of its own: in a temporary directory, on a free port of 127.0.0.1, syncing as it does in earnest. */
export class Postgres {
  readonly #bin = programs("initdb");
  readonly #as = user();
  readonly dir = openDirectory(this.#as);
  /** Of its superuser, whose name is `postgres`. */
  readonly password = `p@ss:/?#[%]é ${randomBytes(6).toString("hex")}`;
  #process: ChildProcess | undefined;
  #databases = 0;
  /** What it has logged since it was made. */
  log = "";

  private constructor(readonly port: number) {}

  /** @param settings of `postgresql.conf` */
  static async start(settings: Record<string, string> = {}): Promise<Postgres> {
    const postgres = new Postgres(await freePort());
    try {
      postgres.#make(settings);
      await postgres.start();
      return postgres;
    } catch (error) {
      await postgres.remove();
      throw error;
    }
  }

  #make(settings: Record<string, string>): void {
    const { dir, port } = this;
    const password = join(dir, "password");
    writeFileSync(password, this.password, { mode: 0o600 });
    if (this.#as) for (const path of [dir, password]) chownSync(path, this.#as.uid, this.#as.gid);
    const made = spawnSync(
      join(this.#bin, "initdb"),
      ["-D", join(dir, "data"), "-U", "postgres", "-A", "scram-sha-256", `--pwfile=${password}`].concat(
        ["--encoding=UTF8", "--locale=C.UTF-8"], // as Debian's installer, whatever this machine's is
      ),
      { ...this.#as, cwd: dir, encoding: "utf8" },
    );
    if (made.status !== 0) throw new Error(`initdb: ${made.error?.message ?? made.stderr}`);
    const conf = {
      listen_addresses: "127.0.0.1",
      port: String(port),
      unix_socket_directories: dir,
      fsync: "on",
      synchronous_commit: "on",
      lc_messages: "C",
      ...settings,
    };
    const lines = Object.entries(conf).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`);
    writeFileSync(join(dir, "data", "postgresql.auto.conf"), lines.join(""));
  }

  /**
   * Lets it encrypt connections to 127.0.0.1, when it is started again.
   *
   * @returns where the certificate of its authority is
   */
  encrypt(): string {
    const data = join(this.dir, "data");
    const openssl = (...args: string[]) => {
      const { status, stderr, error } = spawnSync("openssl", args, {
        ...this.#as,
        cwd: data,
        encoding: "utf8",
      });
      if (status !== 0) throw new Error(`openssl: ${error?.message ?? stderr}`);
    };
    const request = ["req", "-newkey", "rsa:2048", "-nodes"];
    openssl(
      ...request,
      "-x509",
      "-days",
      "2",
      "-subj",
      "/CN=authority",
      "-keyout",
      "ca.key",
      "-out",
      "ca.crt",
    );
    openssl(
      ...[...request, "-x509", "-days", "2", "-subj", "/CN=server", "-addext", "subjectAltName=IP:127.0.0.1"],
      ...["-CA", "ca.crt", "-CAkey", "ca.key", "-keyout", "server.key", "-out", "server.crt"],
    );
    appendFileSync(join(data, "postgresql.auto.conf"), "ssl = on\n");
    return join(data, "ca.crt");
  }

  /**
   * Starts it, also again.
   *
   * @param full files of its data for which the disk has no room
   * @returns when it takes connections
   */
  async start(full: string[] = []): Promise<void> {
    const data = join(this.dir, "data");
    const writes = "pwrite64,pwritev,fallocate";
    const onFullDisk = [
      ...["strace", "-D", "-f", "-qq", "-o", join(this.dir, "trace")],
      ...full.flatMap((file) => ["-P", join(data, file)]),
      ...["-e", `trace=${writes}`, "-e", `inject=${writes}:error=ENOSPC`],
    ];
    const [program, ...args] = [
      ...(full.length > 0 ? onFullDisk : []),
      ...[join(this.#bin, "postgres"), "-D", data],
    ] as [string, ...string[]];
    const server = spawn(program, args, { ...this.#as, cwd: this.dir });
    this.#process = server;
    // Where the tests end before it.
    const end = () => {
      server.kill("SIGQUIT");
      rmSync(this.dir, { recursive: true, force: true });
    };
    process.once("exit", end);
    server.once("exit", () => process.removeListener("exit", end));
    const from = this.log.length;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.once("exit", () => reject(new Error(`PostgreSQL has ended: ${this.log.slice(from)}`)));
      server.stderr.on("data", (data: Buffer) => {
        this.log += data.toString();
        if (/ready to accept (read-only )?connections/.test(this.log.slice(from))) resolve();
      });
    });
  }

  /** Ends it. @param how `SIGINT`: as in a restart of the machine; `SIGQUIT`: as if it had crashed */
  async stop(how: "SIGINT" | "SIGQUIT" = "SIGINT"): Promise<void> {
    const server = this.#process;
    this.#process = undefined;
    if (server?.exitCode !== null || server.signalCode !== null) return;
    server.kill(how);
    await once(server, "exit");
  }

  /** Ends it for good, and deletes what it had. */
  async remove(): Promise<void> {
    await this.stop("SIGQUIT"); // the others write all to disk first
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** Makes an empty database. @returns its URL, as its superuser */
  newDatabase(): string {
    this.#databases += 1;
    const name = `radaro ${this.#databases}`; // the space has to be escaped in its URL
    this.query("postgres", `CREATE DATABASE "${name}"`);
    return this.url(name);
  }

  /** The URL of a database. */
  url(database: string, user = "postgres", password = this.password): string {
    const [name, secret, path] = [user, password, database].map(encodeURIComponent);
    return `postgres://${name}:${secret}@127.0.0.1:${this.port}/${path}`;
  }

  /**
   * Runs SQL as its superuser, in a session of its own.
   *
   * @param database its name, or its URL
   * @returns the rows as text, the columns with `|` between
   */
  query(database: string, sql: string): string[] {
    const name = database.startsWith("postgres:")
      ? decodeURIComponent(new URL(database).pathname.slice(1))
      : database;
    const { stdout, stderr, status } = spawnSync(
      join(programs("psql"), "psql"),
      ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", String(this.port)].concat([
        "-U",
        "postgres",
        "-d",
        name,
        "-c",
        sql,
      ]),
      { encoding: "utf8", env: { ...process.env, PGPASSWORD: this.password }, cwd: this.dir },
    );
    if (status !== 0) throw new Error(stderr);
    return stdout.split("\n").filter((line) => line !== "");
  }
}
