import type { JsonObject } from "../event/json";
import { make, type Difference, type Made } from "./catch-up";

/** How much is told again at most that could not be stored for some paths. */
const maxUntold = 1000;

/** What a merchant's inbox is told. */
export interface TellingDeps {
  /** Where the merchant's events are sent to; none: it cannot be told now. */
  paths(): string[];
  /** Stores a made event, and gives it to the flow. */
  accept(made: Made, path: string): Promise<"stored" | "duplicate">;
}

/** The run cannot go on now, and nothing is wrong: its nodes are not there, or it has asked enough. */
export class Stopped extends Error {}

/** Gives a merchant's inbox the events that never arrived, on each of its paths. */
export class Telling {
  /** How many were stored. */
  found = 0;
  /** What could not be stored for a path, though it was for another. */
  readonly #untold = new Set<{ made: Made; path: string }>();

  constructor(private readonly deps: TellingDeps) {}

  async tell(difference: Difference, orderId: unknown, orderInfo: JsonObject): Promise<void> {
    const made = make(difference, orderId, orderInfo);
    const paths = this.deps.paths();
    if (paths.length === 0) throw new Stopped(); // it is found again
    const accepted = await Promise.allSettled(paths.map((path) => this.deps.accept(made, path)));
    if (accepted.some((each) => each.status === "fulfilled" && each.value === "stored")) this.found += 1;
    const failed = accepted.flatMap((each, i) =>
      each.status === "rejected" ? [{ path: paths[i]!, reason: each.reason as Error }] : [],
    );
    if (failed.length === 0) return;
    // Where none has got it, it is found again.
    if (failed.length < paths.length && this.#untold.size < maxUntold)
      for (const { path } of failed) this.#untold.add({ made, path });
    throw failed[0]!.reason;
  }

  async tellUntold(): Promise<void> {
    for (const untold of this.#untold) {
      if (this.deps.paths().includes(untold.path)) await this.deps.accept(untold.made, untold.path);
      this.#untold.delete(untold);
    }
  }
}
