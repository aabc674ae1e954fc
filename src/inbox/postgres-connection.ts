import type { Socket } from "node:net";
import postgres from "postgres";
import { isCollision, unusable } from "./postgres-problem";
import { openSocket } from "./postgres-socket";
import type { Address } from "./postgres-url";
import { Unusable } from "./store";

/** How long it takes to connect at most, in milliseconds. */
const connectWithin = 5000;

/** How much longer than the server an answer is waited for, in milliseconds: the network may be gone. */
const grace = 1000;

/** How often a transaction is run again that has waited for another which waited for it. */
const maxCollisions = 3;

/** A row, as PostgreSQL gives it. */
export type Row = Record<string, unknown>;

/** One connection to a database. Where it has ended, it is not made anew. */
export class Connection {
  #ended: Unusable | undefined;
  #socket: Socket | undefined;
  readonly #sql: postgres.Sql;
  /** What waits for an answer. */
  readonly #waiting = new Set<(why: Unusable) => void>();

  private constructor(
    address: Address,
    private readonly within: number,
    notified: (payload: string) => void,
  ) {
    const { host, port, user, password, database } = address;
    const options = {
      ...{ host, port, user, password, database, ssl: false, max: 1, fetch_types: false },
      ...{ idle_timeout: 0, max_lifetime: null, connect_timeout: connectWithin / 1000 },
      connection: { application_name: "node-red-contrib-radaro" },
      onnotice: () => undefined,
      onnotify: (_channel: string, payload: string) => notified(payload),
      onclose: () => this.#end(new Unusable("unreachable", new Error("CONNECTION_CLOSED"))),
      // Its own, as the client leaves one open that does not answer.
      socket: () => this.#connect(address),
    };
    this.#sql = postgres(options as unknown as postgres.Options<Record<string, never>>);
  }

  /**
   * @param within how long a statement takes at most, in milliseconds
   * @param notified is called with what others tell
   * @throws Unusable
   */
  static async open(
    address: Address,
    within: number,
    notified: (payload: string) => void = () => undefined,
  ): Promise<Connection> {
    const connection = new Connection(address, within, notified);
    try {
      // Each statement is short, and what it asks is found by an index.
      await connection.run(
        `SET statement_timeout = ${within}; SET client_min_messages = error;
        SET jit = off; SET enable_seqscan = off;
        SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`,
        connectWithin,
      );
      return connection;
    } catch (error) {
      connection.close();
      // Who does not answer even that cannot be reached.
      const isSilent = error instanceof Unusable && error.problem === "slow";
      throw isSilent ? new Unusable("unreachable", error.cause) : error;
    }
  }

  #connect(address: Address): Promise<Socket> {
    if (this.#ended || this.#socket) return Promise.reject(this.#ended ?? new Unusable("unreachable"));
    return openSocket(address, (socket) => {
      this.#socket = socket;
      if (this.#ended) socket.destroy();
    });
  }

  #end(why: Unusable): void {
    if (this.#ended) return;
    this.#ended = why;
    for (const reject of this.#waiting) reject(why);
    this.#waiting.clear();
    this.#socket?.destroy();
    void this.#sql.end({ timeout: 0 }).catch(() => undefined);
  }

  /** Runs one statement. @throws Unusable */
  async all(sql: string, ...values: Values): Promise<Row[]> {
    for (let collisions = 0; ; collisions += 1) {
      try {
        return await this.#answer(this.#sql.unsafe<Row[]>(sql, values as never[], { prepare: true }));
      } catch (error) {
        if (isCollision(error) && collisions < maxCollisions) continue;
        throw unusable(error);
      }
    }
  }

  /** Runs one statement that gives a row at most. @throws Unusable */
  async one(sql: string, ...values: Values): Promise<Row | undefined> {
    return (await this.all(sql, ...values))[0];
  }

  /**
   * Runs some statements all or nothing.
   *
   * @param within how long an answer is waited for, in milliseconds
   * @throws Unusable
   */
  async run(sql: string, within = this.within + grace): Promise<void> {
    try {
      await this.#answer(this.#sql.unsafe(sql).simple(), within);
    } catch (error) {
      throw unusable(error);
    }
  }

  /** What the server answers, or that it does not in time: then the connection is of no more use. */
  #answer<T>(answer: PromiseLike<T>, within = this.within + grace): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#ended) {
        reject(this.#ended);
        return;
      }
      const timer = setTimeout(() => this.#end(new Unusable("slow", new Error("no answer"))), within);
      const over = () => {
        clearTimeout(timer);
        this.#waiting.delete(fail);
      };
      const fail = (why: Error) => {
        over();
        reject(why);
      };
      this.#waiting.add(fail);
      answer.then((result) => {
        over();
        resolve(result);
      }, fail);
    });
  }

  close(): void {
    this.#end(new Unusable("gone", new Error("it was closed")));
  }
}

type Values = (string | number | boolean | null)[];
