import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SqliteStore } from "../../src/inbox/sqlite-store";
import { Unusable } from "../../src/inbox/store";
import { prepare, type StoredEvent } from "../../src/inbox/stored-event";
import { randomFrom } from "./random";

const pick = <T>(all: readonly T[], random: () => number) => all[Math.floor(random() * all.length)]!;

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

  constructor(private readonly seed: number) {}

  #path(...names: string[]): string {
    return join(this.#dir, ...names);
  }

  /** Makes the inboxes that are damaged: `killed`, with a log, `closed`, and `older`, as both were before. */
  async make(): Promise<void> {
    const random = randomFrom(this.seed);
    const store = await SqliteStore.open(this.#path("running"));
    await this.#fill(store, 60, random);
    await store.compact();
    await this.#fill(store, 10, random);
    cpSync(this.#path("running"), this.#path("older"), { recursive: true });
    await this.#fill(store, 60, random);
    await store.compact();
    await this.#fill(store, 40, random);
    cpSync(this.#path("running"), this.#path("killed"), { recursive: true });
    await store.close();
    cpSync(this.#path("running"), this.#path("closed"), { recursive: true });
  }

  /** Stores events, lets something become of some, and deletes some. */
  async #fill(store: SqliteStore, count: number, random: () => number): Promise<void> {
    for (let left = count; left > 0; left -= 5) {
      const accepted = Array.from({ length: 5 }, () => this.#event(random()));
      const written = await store.write(accepted, []);
      accepted.forEach(({ stored, text }, i) =>
        this.#known.set(written[i]!.seq, { stored: { ...stored, ...written[i] }, text }),
      );
      // Not what is processed: someone would have to run it again, and a log that is damaged can undo that.
      const changed = [...this.#known.values()].filter(
        ({ stored }) => stored.state !== "processed" && random() < 0.1,
      );
      for (const { stored } of changed) {
        stored.state = pick(["processed", "failed", "waiting"] as const, random);
        stored.deliveries = [{ node: "in", state: stored.state, times: 1 }];
      }
      await store.write(
        [],
        changed.map(({ stored }) => stored),
      );
      const gone = [...this.#known.keys()].filter(() => random() < 0.02);
      await store.delete(gone);
      for (const seq of gone) this.#known.delete(seq);
    }
  }

  /** @param size at least 0 and below 1; most are small */
  #event(size = 0) {
    this.#number += 1;
    const filler = "x".repeat(size ** 4 * 20_000);
    const event = { number: this.#number, filler, order_info: { order_id: this.#number % 20 } };
    const change = { new_values: { status: "delivered" }, updated_at: new Date().toISOString() };
    const about = { path: "/radaro", body: Buffer.from(String(this.#number)), receivedAt: new Date() };
    return prepare(
      { ...event, ...change },
      { ...about, deliveries: [{ node: "in", state: "waiting", times: 1 }], meaning: null },
    );
  }

  /** Damages copies, some at a time. @returns what they have said, and how many of them */
  async damage(count: number): Promise<Record<string, number>> {
    const said: Record<string, number> = {};
    let begun = 0;
    const some = async () => {
      while (begun < count) {
        const words = await this.#damageOne((begun += 1));
        said[words] = (said[words] ?? 0) + 1;
      }
    };
    await Promise.all([some(), some(), some()]);
    return said;
  }

  /** Damages a copy, and asserts that nothing is missing in it, or that it says so. @returns what it has said */
  async #damageOne(number: number): Promise<string> {
    const random = randomFrom(this.seed + number);
    const base = pick(["killed", "closed"], random);
    const copy = this.#path(`copy-${number}`);
    cpSync(this.#path(base), copy, { recursive: true });
    const how = `${number}: ${base}, ${this.#change(copy, random)}`;
    const found = await this.#open(copy);
    const missing = [...this.#known].filter(([seq, { stored, text }]) => {
      const event = found.events.get(seq);
      return event?.text !== text || (stored.state !== "processed" && event.stored.state === "processed");
    });
    const about = `${how}: ${missing.length} of ${this.#known.size} missing`;
    assert.ok(missing.length === 0 || found.said !== "", about);
    await this.#goesOn(copy, about, found);
    rmSync(copy, { recursive: true });
    return found.said || "nothing";
  }

  /** Damages a file. @returns what it has done */
  #change(copy: string, random: () => number): string {
    const name = pick(readdirSync(copy), random);
    const path = join(copy, name);
    const bytes = readFileSync(path);
    const older = this.#path("older", name);
    const kinds = ["wrong bytes", "wrong bytes", "wrong bytes", "cut off", "empty", "gone", "an older copy"];
    const kind = pick(kinds, random);
    const at = Math.floor(random() * bytes.length);
    if (kind === "wrong bytes") {
      const end = Math.min(at + Math.ceil(random() * 64), bytes.length);
      for (let i = at; i < end; i += 1) bytes[i] = random() * 256;
      writeFileSync(path, bytes);
    } else if (kind === "cut off") writeFileSync(path, bytes.subarray(0, at));
    else if (kind === "empty") writeFileSync(path, "");
    else if (kind === "gone") rmSync(path);
    else cpSync(older, path);
    return `${name}: ${kind} (at ${at} of ${bytes.length})`;
  }

  async #open(dir: string): Promise<Found> {
    const events = new Map<string, Known>();
    let store: SqliteStore | undefined;
    try {
      store = await SqliteStore.open(dir);
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
      return { said, events };
    } catch (error) {
      assert.ok(error instanceof Unusable && error.problem === "damaged", String(error));
      return { said: error.problem, events };
    } finally {
      await store?.close(); // its thread would keep the process
    }
  }

  /** It stores what comes then, under a number of its own, and does not say again what it has said. */
  async #goesOn(dir: string, about: string, { events }: Found): Promise<void> {
    // As in a process of its own: all of it is checked.
    const moved = `${dir}-again`;
    cpSync(dir, moved, { recursive: true });
    const store = await SqliteStore.open(moved, { check: true });
    assert.ok(!store.findings.some(({ what }) => what === "incomplete"), `${about}, and it says so again`);
    const [written] = await store.write([this.#event()], []);
    assert.ok(
      ![...events.keys(), ...this.#known.keys()].includes(written!.seq),
      `${about}, and a number twice`,
    );
    await store.close();
    rmSync(moved, { recursive: true });
  }

  remove(): void {
    rmSync(this.#dir, { recursive: true });
  }
}
