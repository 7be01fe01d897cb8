/** What people do in the browser, as verbs for tests. */

import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import type {
  Browser,
  BrowserContext,
  BrowserContextOptions,
  Locator,
  Page,
  WebSocketRoute,
} from "playwright-core";
import { launchBrowser, withArtifacts } from "../helpers/browser.ts";
import { type Person, type Served, signIn } from "../helpers/people.ts";

/** One person's browser, with its pages. */
export interface Visitor {
  readonly person: Person;
  readonly context: BrowserContext;
  readonly chat: ChatPage;
  /** Errors and policy violations the pages reported. */
  readonly complaints: readonly string[];
}

/** A page of the chat, by the names that people and screen readers see. */
export class ChatPage {
  constructor(readonly page: Page, readonly origin: string) {}

  get box(): Locator {
    return this.page.getByRole("textbox", { name: "Message", exact: true });
  }

  get log(): Locator {
    return this.page.getByRole("log", { name: "Messages" });
  }

  get status(): Locator {
    return this.page.getByRole("status");
  }

  get members(): Locator {
    return this.page.getByRole("list", { name: "Members" });
  }

  /** Texts of the messages in the page, in order. */
  texts(): Promise<string[]> {
    return this.log.locator(".bubble").allTextContents();
  }

  /** Waits until the keyboard's focus is on the messages. */
  focusIsOnLog(): Promise<void> {
    return eventually(
      () => this.log.evaluate((log) => log === document.activeElement),
      true,
    );
  }

  async open(path: string): Promise<void> {
    await this.page.goto(this.origin + path);
    await this.live();
  }

  /** Waits until the connection is live. */
  async live(): Promise<void> {
    await this.status.filter({ hasText: /Connected/ }).waitFor({
      state: "attached",
    });
  }

  async say(text: string): Promise<void> {
    await this.box.fill(text);
    await this.box.press("Enter");
  }

  /** Logs out, and says yes to the question. */
  async logOut(): Promise<void> {
    await this.page.getByRole("button", { name: "Log out" }).click();
    await this.page.getByRole("dialog").getByRole("button", { name: "Log out" })
      .click();
  }

  /** Waits until the messages in the page are these, in this order. */
  shows(texts: readonly string[]): Promise<void> {
    return eventually(() => this.texts(), texts);
  }

  /** Waits for a message; exactly one element must show it. */
  async sees(text: string): Promise<void> {
    await this.log.locator(".bubble").getByText(text, { exact: true })
      .waitFor();
  }
}

const encoder = new TextEncoder();

/** Prints a figure under the test that found it. */
export function tell(what: string, value: number | string): void {
  Deno.stdout.writeSync(encoder.encode(`  ${what}: ${value}\n`));
}

/** How long something is waited for, and how often it is looked at, in milliseconds. */
const PATIENCE_MS = 10_000;
const LOOK_AGAIN_MS = 50;

/**
 * Waits until `read` gives `wanted`. For whatever follows an action by way of a promise, the network or
 * the next frame: one look could come too early.
 */
export async function eventually<T>(
  read: () => Promise<T>,
  wanted: T,
  message = "what the page shows in the end",
): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await read();
    if (isDeepStrictEqual(found, wanted)) return;
    if (Date.now() > end) return assert.deepEqual(found, wanted, message);
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}

let shared: Promise<Browser> | undefined;

/** The browser of all journeys of a file, started by the first and closed after the last. */
async function sharedBrowser(): Promise<Browser> {
  if (!(await shared)?.isConnected()) shared = launchBrowser();
  return await shared!;
}
/** Ends the browser that journeys share; a program that is no test calls it at its end. */
export async function closeBrowser(): Promise<void> {
  await (await shared)?.close();
}

Deno.test.afterAll(closeBrowser);

/**
 * A browser whose visitors leave nothing behind, and a page's remains when a journey fails.
 *
 * @param env variables for the browser's process
 */
export async function journey(
  name: string,
  app: Served,
  run: (
    visit: (
      username: string,
      options?: BrowserContextOptions,
    ) => Promise<Visitor>,
  ) => Promise<void>,
  env: Record<string, string> = {},
): Promise<void> {
  const isOwn = Object.keys(env).length > 0;
  const browser = isOwn ? await launchBrowser(env) : await sharedBrowser();
  try {
    await withArtifacts(
      name,
      () => browser.contexts(),
      () =>
        run(async (username, options) => {
          const person = await signIn(app, username);
          const context = await browser.newContext({
            locale: "en-GB",
            ...options,
          });
          await context.addCookies([{
            name: "chatket_session",
            value: person.token,
            url: app.origin,
          }]);
          const complaints: string[] = [];
          const page = await context.newPage();
          listen(page, complaints);
          return {
            person,
            context,
            chat: new ChatPage(page, app.origin),
            complaints,
          };
        }),
    );
  } finally {
    for (const context of browser.contexts()) await context.close();
    if (isOwn) await browser.close();
  }
}

/** Stands between a page and the server's socket, and can cut it. */
export async function holdSockets(
  page: Page,
): Promise<{ cut: () => void; block: (blocked: boolean) => void }> {
  const sockets = new Set<WebSocketRoute>();
  let isBlocked = false;
  await page.routeWebSocket(/\/ws$/, (socket) => {
    if (isBlocked) return void socket.close({ code: 4000 });
    socket.connectToServer();
    sockets.add(socket);
  });
  return {
    cut: () => {
      for (const socket of sockets) socket.close({ code: 4000 });
      sockets.clear();
    },
    block: (blocked) => {
      isBlocked = blocked;
    },
  };
}

/** Notes what should never appear in a browser's console. */
export function listen(page: Page, complaints: string[]): void {
  page.on(
    "pageerror",
    (error) => complaints.push(`${error.message}\n${error.stack}`),
  );
  page.on("console", (message) => {
    const text = message.text();
    // A cut line is the subject of some tests; the browser reports it by itself.
    if (
      message.type() === "error" &&
      !/WebSocket|net::ERR|Failed to load resource/.test(text)
    ) {
      complaints.push(text);
    }
  });
}
