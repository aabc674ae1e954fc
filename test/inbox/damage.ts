import assert from "node:assert/strict";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SqliteStore } from "../../src/inbox/sqlite-store";
import { Unusable } from "../../src/inbox/store";
import { prepare, type StoredEvent } from "../../src/inbox/stored-event";

/** An event as it was stored last. */
interface Known {
  stored: StoredEvent;
  text: string;
}

/** What a damaged inbox has said of itself, and the events that it has. */
interface Found {
  /** Empty: nothing. */
  said: string;
  events: Map<string, Known>;
}

/** Inboxes that are damaged, each a copy of one that was killed or closed. */
export class Damages {
  readonly #dir = mkdtempSync(join(tmpdir(), "radaro-damage-"));
  /** Those that are there at the end, by seq. */
  readonly #known = new Map<string, Known>();
  #number = 0;

  /** @param random numbers of at least 0 and below 1 */
  constructor(private readonly random: () => number) {}

  #path(...names: string[]): string {
    return join(this.#dir, ...names);
  }

  #pick<T>(all: readonly T[]): T {
    return all[Math.floor(this.random() * all.length)]!;
  }

  /** Makes the inboxes that are damaged: `killed`, with a log, `closed`, and `older`, as both were before. */
  async make(): Promise<void> {
    const store = await SqliteStore.open(this.#path("running"));
    await this.#fill(store, 60);
    await store.compact();
    await this.#fill(store, 10);
    cpSync(this.#path("running"), this.#path("older"), { recursive: true });
    await this.#fill(store, 60);
    await store.compact();
    await this.#fill(store, 40);
    cpSync(this.#path("running"), this.#path("killed"), { recursive: true });
    await store.close();
    cpSync(this.#path("running"), this.#path("closed"), { recursive: true });
  }

  /** Stores events, lets something become of some, and deletes some. */
  async #fill(store: SqliteStore, count: number): Promise<void> {
    for (let left = count; left > 0; left -= 5) {
      const accepted = Array.from({ length: 5 }, () => this.#event());
      const written = await store.write(accepted, []);
      accepted.forEach(({ stored, text }, i) =>
        this.#known.set(written[i]!.seq, { stored: { ...stored, ...written[i] }, text }),
      );
      const changed = [...this.#known.values()].filter(() => this.random() < 0.1);
      for (const { stored } of changed) stored.state = this.#pick(["processed", "failed", "waiting"]);
      await store.write(
        [],
        changed.map(({ stored }) => stored),
      );
      const gone = [...this.#known.keys()].filter(() => this.random() < 0.02);
      await store.delete(gone);
      for (const seq of gone) this.#known.delete(seq);
    }
  }

  #event() {
    this.#number += 1;
    const filler = "x".repeat(this.random() ** 4 * 20_000);
    const event = { number: this.#number, filler, order_info: { order_id: this.#number % 20 } };
    const change = { new_values: { status: "delivered" }, updated_at: new Date().toISOString() };
    const about = { path: "/radaro", body: Buffer.from(String(this.#number)), receivedAt: new Date() };
    return prepare({ ...event, ...change }, { ...about, times: 1, meaning: null });
  }

  /** Damages a copy, and asserts that nothing is missing in it, or that it says so. @returns what it has said */
  async damage(): Promise<string> {
    const base = this.#pick(["killed", "closed"]);
    const copy = this.#path("copy");
    rmSync(copy, { recursive: true, force: true });
    cpSync(this.#path(base), copy, { recursive: true });
    const how = this.#damageOne(copy, base);
    const found = await this.#open(copy);
    const missing = [...this.#known].filter(([seq, { stored, text }]) => {
      const event = found.events.get(seq);
      return event?.text !== text || (stored.state !== "processed" && event.stored.state === "processed");
    });
    const about = `${how}: ${missing.length} of ${this.#known.size} missing`;
    assert.ok(missing.length === 0 || found.said !== "", about);
    await this.#goesOn(copy, about, found);
    return `${about}; said: ${found.said || "nothing"}`;
  }

  #damageOne(copy: string, base: string): string {
    const name = this.#pick(readdirSync(copy));
    const path = join(copy, name);
    const bytes = readFileSync(path);
    const older = this.#path("older", name);
    const kind = this.#pick([
      ...(bytes.length > 0 ? ["wrong bytes", "wrong bytes", "wrong bytes", "cut off", "empty"] : []),
      ...(existsSync(older) ? ["an older copy"] : []),
      "gone",
    ]);
    const at = Math.floor(this.random() * bytes.length);
    if (kind === "wrong bytes") {
      const count = Math.ceil(this.random() * 64);
      for (let i = at; i < Math.min(at + count, bytes.length); i += 1) bytes[i] = this.random() * 256;
      writeFileSync(path, bytes);
    } else if (kind === "cut off") writeFileSync(path, bytes.subarray(0, at));
    else if (kind === "empty") writeFileSync(path, "");
    else if (kind === "gone") rmSync(path);
    else cpSync(older, path);
    return `${base}, ${name}: ${kind} (at ${at} of ${bytes.length})`;
  }

  async #open(dir: string): Promise<Found> {
    const events = new Map<string, Known>();
    try {
      const store = await SqliteStore.open(dir);
      let said = store.findings.map(({ what }) => what).join(", ");
      for (let before: string | null = ""; before !== null;) {
        const page: Awaited<ReturnType<SqliteStore["list"]>> = await store.list({}, before, 50);
        for (const { seq } of page.events) {
          const read = await store.read(seq).catch((error: unknown) => {
            assert.ok(error instanceof Unusable && error.problem === "damaged", String(error));
            said ||= "damaged";
          });
          if (read) events.set(seq, read);
        }
        before = page.next;
      }
      const counted = Object.values(store.counts).reduce((sum, count) => sum + count);
      if (said !== "damaged") assert.equal(counted, events.size, "as many as are counted");
      await store.close();
      return { said, events };
    } catch (error) {
      assert.ok(error instanceof Unusable && error.problem === "damaged", String(error));
      return { said: error.problem, events };
    }
  }

  /** It stores what comes then, under a number of its own, and does not say again what it has said. */
  async #goesOn(dir: string, about: string, { events }: Found): Promise<void> {
    // As in a process of its own: all of it is checked.
    const moved = `${dir}-again`;
    rmSync(moved, { recursive: true, force: true });
    cpSync(dir, moved, { recursive: true });
    const store = await SqliteStore.open(moved, { check: true });
    assert.ok(!store.findings.some(({ what }) => what === "incomplete"), `${about}, and it says so again`);
    const [written] = await store.write([this.#event()], []);
    assert.ok(
      ![...events.keys(), ...this.#known.keys()].includes(written!.seq),
      `${about}, and a number twice`,
    );
    await store.close();
  }

  remove(): void {
    rmSync(this.#dir, { recursive: true });
  }
}
