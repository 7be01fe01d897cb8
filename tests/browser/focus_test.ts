/** Where the keyboard writes to: never elsewhere than its user meant, never to nothing. */

import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { useTestApp } from "../helpers/app.ts";
import { createRoom } from "../helpers/people.ts";
import { ChatPage, eventually, holdSockets, journey } from "./chat_page.ts";

const app = useTestApp();

const NARROW = { width: 360, height: 740 };

/** What has the focus: the target of a link, else the text of a heading, else the element's id or name. */
function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const active = document.activeElement;
    return active?.getAttribute("href") ?? (active?.id || undefined) ??
      (/^H\d$/.test(active?.tagName ?? "")
        ? active?.textContent
        : active?.tagName) ??
      "";
  });
}

Deno.test("who writes while the script loads goes on writing there", async () => {
  await journey("early typist", app, async (visit) => {
    const { chat, person } = await visit("ada_early");
    const room = await createRoom(person);
    const script = Promise.withResolvers<void>();
    await chat.page.route(/build\/chat-/, async (route) => {
      await script.promise;
      await route.continue();
    });
    await chat.page.goto(`${app.origin}/rooms/${room.id}`, {
      waitUntil: "commit",
    });
    const name = chat.page.getByRole("textbox", { name: "Room name" });
    await name.click();
    await chat.page.keyboard.type("Early ");
    script.resolve();
    await chat.live();
    await chat.page.keyboard.type("bird");
    assert.equal(await name.inputValue(), "Early bird");
    assert.equal(await chat.box.inputValue(), "");
    // Making the room is a wish to write there.
    await chat.page.keyboard.press("Enter");
    await chat.page.getByRole("heading", { name: "Early bird" }).waitFor();
    await eventually(
      () => chat.box.evaluate((box) => box === document.activeElement),
      true,
    );
  });
});

Deno.test("on a narrow page the focus goes along, to the list and back, and after leaving", async () => {
  await journey("narrow focus", app, async (visit) => {
    const { chat, person } = await visit("ada_narrow", { viewport: NARROW });
    const { page } = chat;
    const rooms = [
      await createRoom(person, "First"),
      await createRoom(person, "Second"),
    ];
    const [first, second] = rooms.map(({ id }) => `/rooms/${id}`);
    assert.ok(first && second);
    await chat.open(first);
    await page.getByRole("link", { name: "Back to rooms" }).click();
    await eventually(() => focused(page), first);
    await page.keyboard.press("Enter");
    await eventually(() => focused(page), "messages");
    await page.goBack();
    await eventually(() => focused(page), first);
    await page.getByRole("link", { name: "Discover" }).click();
    await eventually(() => focused(page), "Discover rooms");

    await page.goto(app.origin + first);
    await chat.live();
    await page.getByRole("button", { name: "Members" }).click();
    await page.getByRole("button", { name: "Leave room" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Leave room" })
      .click();
    await eventually(() => focused(page), second);
  });
});

Deno.test("a room that is left on a wide page leaves the focus in the list", async () => {
  await journey("wide focus", app, async (visit) => {
    const { person, context } = await visit("ada_wide");
    const page = await context.newPage();
    const chat = new ChatPage(page, app.origin);
    const room = await createRoom(person);
    const other = await createRoom(person);
    await chat.open(`/rooms/${room.id}`);
    await page.getByRole("button", { name: "Leave room" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Leave room" })
      .click();
    await eventually(() => focused(page), `/rooms/${other.id}`);
  });
});

Deno.test("the button that tries to connect keeps the focus while it tries, and leaves it in the room", async () => {
  await journey("try now", app, async (visit) => {
    const { chat, person } = await visit("ada_try");
    const { page } = chat;
    const line = await holdSockets(page);
    const room = await createRoom(person);
    let tries = 0;
    page.on("websocket", () => tries++);
    await page.route("**/api/events*", (route) => {
      tries++;
      return route.abort();
    });
    await chat.open(`/rooms/${room.id}`);
    line.block(true);
    line.cut();
    const button = page.getByRole("button", { name: "Try now" });
    await button.focus();
    const before = tries;
    await page.keyboard.press("Enter");
    await eventually(() => Promise.resolve(tries > before), true);
    await chat.status.getByText("Trying again").waitFor();
    assert.equal(await focused(page), "BUTTON");

    line.block(false);
    await page.unroute("**/api/events*");
    await page.keyboard.press("Enter");
    await chat.live();
    await eventually(() => focused(page), "messages");
  });
});
