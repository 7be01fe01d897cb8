/**
 * Pictures of every state of the pages, in three widths, light and dark, to be looked at:
 * `deno task screenshots [--only=WORD]` writes them to tests/artifacts/screens/.
 */

import { parseArgs } from "node:util";
import type { BrowserContextOptions, Page } from "playwright-core";
import { startTestApp, type TestApp } from "../helpers/app.ts";
import { connect, type TestClient } from "../helpers/client.ts";
import type { MessagePage } from "../../realtime/protocol/protocol.ts";
import { createRoom, joinRoom, signIn } from "../helpers/people.ts";
import { ChatPage, closeBrowser, journey, type Visitor } from "./chat_page.ts";

const FOLDER = new URL("../artifacts/screens/", import.meta.url);
const SIZES = [[360, 740], [768, 1024], [1440, 900]] as const;
const SCHEMES = ["light", "dark"] as const;

const NAMES = ["grace", "linus", "margaret", "edsger", "barbara_liskov"];
const ROOMS = [
  "Friday dinner",
  "Book swap",
  "Çay bahçesi",
  "A room with a name of forty characters!!",
  "Garden club",
];

const TALK: readonly [who: number, text: string][] = [
  [0, "Morning! The tomatoes are out of the greenhouse 🍅"],
  [0, "All twelve of them survived the night."],
  [1, "Even the yellow ones? I had given up on those."],
  [0, "Even those."],
  [2, "👏👏"],
  [
    3,
    "I have read up on pruning, and there is more to it than I thought: https://en.wikipedia.org/wiki/Pruning_(horticulture). Shall we try it on the old row first, so that nobody is sad when it goes wrong?",
  ],
  [4, "الطماطم جميلة جدا هذا العام"],
  [1, "Ten o'clock, then:\n1. stakes\n2. string\n3. somebody's good knife"],
];

type Shot = (name: string, page: Page) => Promise<void>;

const { values: { only = "" } } = parseArgs({
  options: { only: { type: "string" } },
});

await Deno.mkdir(FOLDER, { recursive: true });
for (const scheme of SCHEMES) {
  // A server of its own, so that people and rooms have the same names in both.
  await using app = await startTestApp({ RATE_LIMIT_MESSAGES: "20" });
  await journey(`screenshots ${scheme}`, app, async (visit) => {
    const shot: Shot = async (name, page) => {
      if (!name.includes(only)) return;
      for (const [width, height] of SIZES) {
        await page.setViewportSize({ width, height });
        await page.waitForTimeout(150);
        const file = `${name}-${width}-${scheme}.png`;
        await Deno.writeFile(new URL(file, FOLDER), await page.screenshot());
      }
    };
    const options = { colorScheme: scheme };
    await login(await visit("visitor", options), shot);
    const ids = await conversation(app, visit, options, shot);
    await turkish(
      await visit("ayse", {
        ...options,
        locale: "tr-TR",
      }),
      ids,
      shot,
    );
  });
}
await closeBrowser();

async function login({ chat, context }: Visitor, shot: Shot): Promise<void> {
  await chat.open("/");
  await shot("empty", chat.page);
  await context.clearCookies();
  await chat.page.goto(`${chat.origin}/login`);
  await shot("login", chat.page);
  await chat.page.getByRole("textbox", { name: "Username" }).fill("ada");
  await chat.page.getByRole("button", { name: "Continue" }).click();
  await chat.page.getByRole("textbox", { name: "Code" }).waitFor();
  await shot("login-code", chat.page);
}

async function conversation(
  app: TestApp,
  visit: (name: string, options: BrowserContextOptions) => Promise<Visitor>,
  options: BrowserContextOptions,
  shot: Shot,
): Promise<string[]> {
  const { chat, person: ada, context } = await visit("ada", options);
  const others = await Promise.all(
    NAMES.map((name) => signIn(app, name)),
  );
  const ids: string[] = [];
  for (const name of ROOMS) {
    const room = await createRoom(ada, name);
    ids.push(room.id);
    for (const other of others) await joinRoom(other, room.id);
  }
  const garden = ids.at(-1) ?? "";
  await using clients = new AsyncDisposableStack();
  const sockets: TestClient[] = [];
  for (const other of others.slice(0, 4)) {
    const socket = await connect(app, other);
    clients.use(socket);
    await socket.expect("room:join", { roomId: garden });
    sockets.push(socket);
  }
  const say = (socket: TestClient | undefined, roomId: string, text: string) =>
    socket?.expect("message:send", {
      roomId,
      text,
      clientMsgId: crypto.randomUUID(),
    });
  await say(sockets[0], ids[0] ?? "", "Who cooks?");
  await say(sockets[1], ids[3] ?? "", "A longer name would not fit");
  await chat.open(`/rooms/${garden}`);
  for (const [who, text] of TALK) {
    await say(sockets[who % 4], garden, text);
  }
  await chat.say("Then I bring the stakes and some string.");
  await chat.say("See you at ten!");
  await chat.sees("See you at ten!");
  await sockets[0]?.expect("typing:update", {
    roomId: garden,
    isTyping: true,
  });
  await shot("busy", chat.page);
  await change(chat, ada, garden, sockets);
  await shot("changed", chat.page);
  const own = chat.log.locator(".message").filter({ hasText: "See you" });
  await own.hover();
  await own.getByRole("button", { name: "Message actions" }).click();
  const menu = chat.page.getByRole("group", { name: "Message actions" });
  await menu.waitFor();
  await shot("actions", chat.page);
  await menu.getByRole("button", { name: "Reply" }).click();
  await chat.page.getByText("Replying to").waitFor();
  await shot("replying", chat.page);
  await chat.box.press("Escape");
  await states(app, chat, ada, garden, shot);
  await context.setOffline(false);
  return [...ids.slice(0, 2), garden];
}

/** Changes some of what was said: an edit, a deletion, reactions, a reply, a pin. */
async function change(
  chat: ChatPage,
  ada: Visitor["person"],
  roomId: string,
  [grace, linus, margaret]: readonly TestClient[],
): Promise<void> {
  const { messages } = await ada.getJson<MessagePage>(
    `/api/rooms/${roomId}/messages`,
  );
  const of = (at: number) => ({ roomId, messageId: messages[at]!.messageId });
  await grace?.expect("message:edit", {
    ...{ ...of(1), text: "All thirteen of them survived the night." },
  });
  await linus?.expect("message:delete", of(2));
  const reactions = [[grace, "👍"], [linus, "👍"], [margaret, "🎉"]] as const;
  for (const [client, emoji] of reactions) {
    await client?.expect("reaction:set", { ...of(9), emoji, on: true });
    await client?.expect("reaction:set", { ...of(0), emoji: "🍅", on: true });
  }
  await ada.fetch(`/api/rooms/${roomId}/messages/${of(7).messageId}/pin`, {
    method: "PUT",
  });
  await margaret?.expect("message:send", {
    ...{ roomId, text: "Mine is sharp.", clientMsgId: crypto.randomUUID() },
    replyTo: of(7).messageId,
  });
  await chat.log.getByText("Mine is sharp.").waitFor();
}

async function states(
  app: TestApp,
  chat: ChatPage,
  ada: Visitor["person"],
  garden: string,
  shot: Shot,
): Promise<void> {
  const { page } = chat;
  await page.setViewportSize({ width: 768, height: 1024 });
  await page.getByRole("button", { name: "Members" }).click();
  await shot("members", page);
  await page.keyboard.press("Escape");
  await page.setViewportSize({ width: 740, height: 360 });
  await page.screenshot({
    path: new URL(`landscape-740-${await scheme(page)}.png`, FOLDER).pathname,
  });
  await page.setViewportSize({ width: 1440, height: 900 });
  await chat.log.focus();
  await page.keyboard.press("?");
  await page.getByRole("dialog").waitFor();
  await shot("shortcuts", page);
  await page.keyboard.press("Escape");
  await page.locator(".settings").click();
  await shot("menu", page);
  await page.locator(".settings").click();

  // Half a character: the page lets it pass, the server does not.
  for (const text of ["Half of one", "And again half of one"]) {
    await chat.box.evaluate((box, text) => {
      (box as HTMLTextAreaElement).value = text + String.fromCharCode(0xd83c);
      box.dispatchEvent(new Event("input", { bubbles: true }));
    }, text);
    await chat.box.press("Enter");
  }
  await page.getByRole("button", { name: "Retry all" }).waitFor();
  await shot("failed", page);
  await page.getByRole("button", { name: "Delete" }).first().click();
  await page.getByRole("button", { name: "Delete" }).first().click();

  await using socket = await connect(app, ada);
  for (let n = 0; n < 21; n++) {
    await socket.request("message:send", {
      roomId: garden,
      text: `quick ${n}`,
      clientMsgId: crypto.randomUUID(),
    });
  }
  await chat.say("This waits for the mute to end");
  await page.getByText(/A short pause/).waitFor();
  await shot("muted", page);

  await page.goto(`${app.origin}/discover`);
  await shot("discover", page);
  await page.goto(`${app.origin}/rooms/nowhere`);
  await shot("no-room", page);
  await page.goto(`${app.origin}/nowhere`);
  await shot("no-page", page);
  await chat.open(`/rooms/${garden}`);
  await page.context().setOffline(true);
  await page.evaluate(() => dispatchEvent(new Event("offline")));
  await chat.say("Written without a network");
  await page.getByText("You are offline").waitFor();
  await page.waitForTimeout(3_500);
  await shot("offline", page);
}

function scheme(page: Page): Promise<string> {
  return page.evaluate(() =>
    matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"
  );
}

async function turkish(
  { chat, person }: Visitor,
  ids: readonly string[],
  shot: Shot,
): Promise<void> {
  for (const id of ids) await joinRoom(person, id);
  await chat.page.goto(`${chat.origin}/rooms/${ids.at(-1)}`);
  await chat.page.getByRole("status").filter({ hasText: /Bağlandı/ }).waitFor({
    state: "attached",
  });
  await shot("turkish", chat.page);
}
