/** Chromium for the browser tests, driven by playwright-core. */

import {
  type Browser,
  type BrowserContext,
  chromium,
  type Page,
} from "playwright-core";
import { installFromDebian, run } from "./system.ts";

/** Screenshots and page dumps of failed journeys; ignored by git. */
const ARTIFACTS = new URL("../artifacts/", import.meta.url);

const PROGRAMS = ["chromium", "chromium-browser", "google-chrome"];

async function findChromium(): Promise<string | undefined> {
  const named = Deno.env.get("CHROMIUM_PATH");
  if (named) return named;
  for (const program of PROGRAMS) {
    const { stdout } = await run("sh", ["-c", `command -v ${program}`]);
    if (stdout.trim() !== "") return stdout.trim();
  }
  return undefined;
}

/** Why there is no Chromium here, or undefined. Installs it where that is allowed. */
export async function chromiumMissing(): Promise<string | undefined> {
  if (await findChromium() !== undefined) return undefined;
  const refused = await installFromDebian([
    "chromium",
    "fonts-noto-color-emoji",
  ]);
  return await findChromium() === undefined
    ? `no Chromium: ${refused ?? "not found after its installation"}`
    : undefined;
}

/**
 * Starts a headless Chromium; close it with `close()`.
 *
 * @param env variables beside those of this process
 */
export async function launchBrowser(
  env: Record<string, string> = {},
): Promise<Browser> {
  const executablePath = await findChromium();
  if (executablePath === undefined) throw new Error("no Chromium on PATH");
  return await chromium.launch({
    executablePath,
    env: { ...Deno.env.toObject(), ...env },
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
  });
}

/**
 * Runs a journey; when it fails, leaves a screenshot and the HTML of every open page in
 * `tests/artifacts/`, named after the journey.
 */
export async function withArtifacts(
  name: string,
  contexts: () => readonly BrowserContext[],
  journey: () => Promise<void>,
): Promise<void> {
  try {
    await journey();
  } catch (error) {
    const pages = contexts().flatMap((context) => context.pages());
    await Promise.all(
      pages.map((page, n) => keepPage(page, `${name} ${n + 1}`)),
    );
    throw error;
  }
}

async function keepPage(page: Page, name: string): Promise<void> {
  const file = name.replace(/[^\w]+/g, "-").toLowerCase();
  await Deno.mkdir(ARTIFACTS, { recursive: true });
  const path = (suffix: string) => new URL(`${file}.${suffix}`, ARTIFACTS);
  try {
    await Deno.writeFile(path("png"), await page.screenshot());
    await Deno.writeTextFile(path("html"), await page.content());
  } catch (error) {
    // The page may be what broke: the journey's own error says more.
    await Deno.writeTextFile(path("txt"), String(error));
  }
}
