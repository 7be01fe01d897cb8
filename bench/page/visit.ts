/** What one visit of the chat page costs a browser that is four times slower than this machine. */

import type { Browser, CDPSession, Page } from "playwright-core";
import { connect } from "../../tests/helpers/client.ts";
import type { Checkout, Rooms } from "./checkout.ts";

/** How much slower the page's processor is than this machine's. */
const SLOWDOWN = 4;

/** Time between two messages, in milliseconds: each is drawn by itself. */
const MESSAGE_EVERY_MS = 150;

/** Time for the page to come to rest, in milliseconds. */
const SETTLE_MS = 3_000;

/** Longest wait for a page that is usable, in milliseconds. */
const USABLE_LIMIT_MS = 60_000;

export type Figures = Record<string, number>;

/** Counters that the page keeps about itself; a script that runs before its own puts them there. */
interface Counters {
  storageReads: number;
  frames: number;
  usable?: { ms: number; frames: number };
  drawn?: number;
}

/** Counts frames and reads of storage, and notes when the composer is there and the line live. */
function keepCounters(): void {
  const counters: Counters = { storageReads: 0, frames: 0 };
  Object.assign(globalThis, { counters });
  for (const name of ["getItem", "key"] as const) {
    const read = Storage.prototype[name] as (key: never) => string | null;
    Storage.prototype[name] = function (key: unknown) {
      counters.storageReads++;
      return read.call(this, key as never);
    };
  }
  const count = () => counters.frames++;
  const Native = WebSocket;
  globalThis.WebSocket = class extends Native {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      this.addEventListener("message", count);
    }
    override send(data: string): void {
      count();
      super.send(data);
    }
  };
  new MutationObserver((_, observer) => {
    const status = document.querySelector("[role=status]")?.textContent;
    const box = document.querySelector<HTMLTextAreaElement>("textarea");
    if (!status?.startsWith("Connected") || box?.disabled !== false) return;
    observer.disconnect();
    counters.usable = { ms: performance.now(), frames: counters.frames };
  }).observe(document, {
    childList: true,
    subtree: true,
    characterData: true,
  });
}

/** Time until usable, then script and reads per message in the open room and in another one. */
export async function measureVisit(
  browser: Browser,
  checkout: Checkout,
  rooms: Rooms,
  messages: number,
): Promise<Figures> {
  await using visit = await openPage(browser, checkout, rooms);
  const { page, session } = visit;
  await session.send("Performance.enable");
  await session.send("Emulation.setCPUThrottlingRate", { rate: SLOWDOWN });
  await page.goto(`${checkout.origin}/rooms/${rooms.open}`);
  const usable = await untilUsable(page);
  await page.waitForTimeout(SETTLE_MS);
  const figures: Figures = { usableMs: usable.ms, usableFrames: usable.frames };
  for (const where of ["open", "other"] as const) {
    const before = await readFigures(page, session);
    await write(checkout, rooms[where], messages);
    await page.waitForTimeout(SETTLE_MS / 3);
    const after = await readFigures(page, session);
    figures[`${where}ScriptMs`] = (after.scriptMs - before.scriptMs) / messages;
    figures[`${where}TaskMs`] = (after.taskMs - before.taskMs) / messages;
    figures[`${where}Reads`] = (after.reads - before.reads) / messages;
  }
  return figures;
}

/** Components drawn per message, counted by Preact, in the open room and in another one. */
export async function countDrawn(
  browser: Browser,
  checkout: Checkout,
  rooms: Rooms,
  messages: number,
): Promise<Figures> {
  await using visit = await openPage(browser, checkout, rooms);
  const { page } = visit;
  await page.route(/\/build\/chat-[^/]*\.js$/, (route) =>
    route.fulfill({
      contentType: "text/javascript",
      body: checkout.countingScript,
    }));
  await page.goto(`${checkout.origin}/rooms/${rooms.open}`);
  await untilUsable(page);
  await page.waitForTimeout(SETTLE_MS);
  const figures: Figures = {};
  for (const where of ["open", "other"] as const) {
    const before = await drawn(page);
    await write(checkout, rooms[where], messages);
    await page.waitForTimeout(SETTLE_MS / 3);
    figures[`${where}Drawn`] = (await drawn(page) - before) / messages;
  }
  return figures;
}

async function openPage(browser: Browser, checkout: Checkout, rooms: Rooms) {
  const context = await browser.newContext({ serviceWorkers: "block" });
  const [name = "", ...value] = rooms.reader.cookie.split("=");
  await context.addCookies([
    { name, value: value.join("="), url: checkout.origin },
  ]);
  const page = await context.newPage();
  await page.addInitScript(keepCounters);
  const session = await context.newCDPSession(page);
  return {
    page,
    session,
    [Symbol.asyncDispose]: () => context.close(),
  };
}

const drawn = (page: Page) =>
  page.evaluate(() => (globalThis as unknown as Counters).drawn ?? NaN);

async function untilUsable(
  page: Page,
): Promise<NonNullable<Counters["usable"]>> {
  const usable = await page.waitForFunction(
    () => (globalThis as unknown as { counters: Counters }).counters.usable,
    undefined,
    { timeout: USABLE_LIMIT_MS },
  );
  return (await usable.jsonValue())!;
}

async function readFigures(page: Page, session: CDPSession) {
  const { metrics } = await session.send("Performance.getMetrics");
  const ms = (wanted: string) =>
    1000 * (metrics.find(({ name }) => name === wanted)?.value ?? NaN);
  const reads = await page.evaluate(() =>
    (globalThis as unknown as { counters: Counters }).counters.storageReads
  );
  return { scriptMs: ms("ScriptDuration"), taskMs: ms("TaskDuration"), reads };
}

async function write(
  checkout: Checkout,
  roomId: string,
  messages: number,
): Promise<void> {
  await using client = await connect(checkout, checkout.writer);
  for (let number = 1; number <= messages; number++) {
    await client.expect("message:send", {
      roomId,
      text: `message ${number}`,
      clientMsgId: crypto.randomUUID(),
    });
    await new Promise((resolve) => setTimeout(resolve, MESSAGE_EVERY_MS));
  }
}
