import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type BrowserContext } from "playwright-core";

/** A browser with nothing in it. */
export interface Browser {
  context: BrowserContext;
  close(): Promise<void>;
}

/** @throws where there is no Chromium, with the line that installs it */
export async function openBrowser(): Promise<Browser> {
  let executablePath: string;
  try {
    executablePath = execFileSync("sh", ["-c", "command -v chromium"], { encoding: "utf8" }).trim();
  } catch {
    throw new Error("There is no Chromium. Install it: apt-get update && apt-get install -y chromium");
  }
  const profile = mkdtempSync(join(tmpdir(), "radaro-chromium-"));
  const quiet = ["background-networking", "component-update", "sync", "quic", "gpu"];
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    args: ["--headless", "--no-sandbox", "--no-first-run", ...quiet.map((what) => `--disable-${what}`)],
    viewport: { width: 1400, height: 900 },
    locale: "en-US",
  });
  context.setDefaultTimeout(60_000);
  return {
    context,
    close: async () => {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}
