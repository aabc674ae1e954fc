import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { SampleName } from "../src/event/catalog";
import type { JsonObject } from "../src/event/json";

const dir = join(__dirname, "..", "src", "event", "samples");

/** The samples by name, read anew so that a test may change them: one event of every topic, without token. */
export function readSamples(): Record<SampleName, JsonObject> {
  return Object.fromEntries(
    readdirSync(dir).map((file) => [
      basename(file, ".json"),
      JSON.parse(readFileSync(join(dir, file), "utf8")) as JsonObject,
    ]),
  ) as Record<SampleName, JsonObject>;
}

/** Names of all samples, for a test of each. */
export const sampleNames = Object.keys(readSamples()) as SampleName[];
