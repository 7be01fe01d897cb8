/** Two people talk: the whole of it, through the page alone. */

import assert from "node:assert/strict";
import { systemSteadyClock } from "../../realtime/timers.ts";
import { startTestApp, useTestApp } from "../helpers/app.ts";
import { launchBrowser, withArtifacts } from "../helpers/browser.ts";
import { createRoom, joinRoom, signIn } from "../helpers/people.ts";
import { ChatPage, eventually, journey, listen } from "./chat_page.ts";

const app = useTestApp();

Deno.test("two people sign in, make and join a room, and talk both ways", async () => {
  const browser = await launchBrowser();
  const complaints: string[] = [];
  const enter = async (username: string) => {
    const page = await (await browser.newContext({ locale: "en-GB" }))
      .newPage();
    listen(page, complaints);
    await page.goto(app.origin);
    await page.getByRole("textbox", { name: "Username" }).fill(username);
    await page.getByRole("button", { name: "Continue" }).click();
    const code = await page.locator(".code-note b").textContent();
    await page.getByRole("textbox", { name: "Code" }).fill(code ?? "");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL(`${app.origin}/`);
    return new ChatPage(page, app.origin);
  };
  try {
    await withArtifacts("conversation", () => browser.contexts(), async () => {
      const ada = await enter("Ada_1");
      const bob = await enter("bob_1");
      await ada.page.getByRole("textbox", { name: "Room name" }).fill(
        "Tea house",
      );
      await ada.page.getByRole("button", { name: "Create room" }).click();
      await ada.box.waitFor();

      await bob.page.getByRole("searchbox", { name: "Find a room" }).fill(
        "tea",
      );
      await bob.page.getByRole("button", { name: "Join Tea house" }).click();
      await bob.box.waitFor();
      await ada.members.getByText("bob_1").waitFor();

      await ada.say("Hello Bob, see https://example.org/a?b=1.");
      await bob.sees("Hello Bob, see https://example.org/a?b=1.");
      const link = bob.log.getByRole("link");
      assert.equal(
        await link.getAttribute("href"),
        "https://example.org/a?b=1",
      );
      assert.equal(
        await link.getAttribute("rel"),
        "noopener noreferrer nofollow",
      );
      await bob.box.fill("first line");
      await bob.box.press("Shift+Enter");
      await bob.box.pressSequentially("<b>second</b> line");
      await bob.page.getByRole("button", { name: "Send" }).click();
      await ada.sees("first line <b>second</b> line");
      assert.equal(await bob.box.inputValue(), "");

      await ada.page.reload();
      await ada.sees("first line <b>second</b> line");
      assert.equal((await ada.texts()).length, 2);
      await ada.logOut();
      await ada.page.waitForURL(/\/login$/);
    });
    assert.deepEqual(complaints, []);
  } finally {
    await browser.close();
  }
});

Deno.test("a reload at the code step stays there, and another name leads back to the first", async () => {
  await journey("code step", app, async (visit) => {
    const { chat, context } = await visit("ada_code");
    const { page } = chat;
    await context.clearCookies();
    await page.goto(`${app.origin}/login`);
    await page.getByRole("textbox", { name: "Username" }).fill("ada_code");
    await page.getByRole("button", { name: "Continue" }).click();
    const code = page.getByRole("textbox", { name: "Code" });
    await code.waitFor();
    const shown = await page.locator(".code-note b").textContent() ?? "";
    await page.reload();
    await page.getByText("six-digit code for ada_code").waitFor();
    assert.equal(await page.locator(".code-note b").textContent(), shown);
    await page.getByRole("link", { name: "Another name or a new code" })
      .click();
    await page.reload();
    await page.getByRole("textbox", { name: "Username" }).fill("ada_code");
    await page.getByRole("button", { name: "Continue" }).click();
    await code.waitFor();
    await page.reload();
    await code.fill(await page.locator(".code-note b").textContent() ?? "");
    await page.getByRole("button", { name: "Sign in" }).click();
    await chat.live();
  });
});

Deno.test("typing shows while it lasts, and who is there stands among the members", async () => {
  await journey("typing", app, async (visit) => {
    const ada = await visit("ada_2");
    const bob = await visit("bob_2");
    const room = await createRoom(ada.person);
    await joinRoom(bob.person, room.id);
    await ada.chat.open(`/rooms/${room.id}`);
    const bobsPlace = ada.chat.members.getByRole("listitem").filter({
      hasText: "bob_2",
    });
    await bobsPlace.getByText("offline").waitFor({ state: "attached" });

    await bob.chat.open(`/rooms/${room.id}`);
    await bobsPlace.getByText("online").waitFor({ state: "attached" });
    await bob.chat.box.pressSequentially("Hm");
    await ada.chat.page.getByText("bob_2 is typing").waitFor();
    assert.equal(await bob.chat.page.getByText("bob_2 is typing").count(), 0);
    await bob.chat.box.press("Enter");
    await ada.chat.sees("Hm");
    await ada.chat.page.getByText("bob_2 is typing").waitFor({
      state: "detached",
    });

    await bob.context.close();
    await bobsPlace.getByText("offline").waitFor({ state: "attached" });
    assert.deepEqual([...ada.complaints, ...bob.complaints], []);
  });
});

Deno.test("unread messages are counted, marked, and read on every device at once", async () => {
  await journey("unread", app, async (visit) => {
    const ada = await visit("ada_3");
    const bob = await visit("bob_3");
    const room = await createRoom(ada.person, "Reading room");
    const other = await createRoom(bob.person, "Elsewhere");
    await joinRoom(bob.person, room.id);
    await bob.chat.open(`/rooms/${other.id}`);
    await ada.chat.open(`/rooms/${room.id}`);
    for (const text of ["one", "two", "three"]) await ada.chat.say(text);
    await ada.chat.sees("three");

    const badge = bob.chat.page.getByText("3 unread messages");
    await badge.waitFor({ state: "attached" });
    await bob.chat.page.waitForFunction(() => document.title.startsWith("(3)"));
    const tablet = new ChatPage(await bob.context.newPage(), app.origin);
    await tablet.open(`/rooms/${other.id}`);
    await tablet.page.getByText("3 unread messages").waitFor({
      state: "attached",
    });

    await bob.chat.page.bringToFront();
    await bob.chat.page.getByRole("link", { name: /Reading room/ }).click();
    await bob.chat.sees("three");
    await bob.chat.log.getByText("New messages").waitFor();
    const order = await bob.chat.log.locator(".new-line > span, .bubble")
      .allTextContents();
    assert.deepEqual(order, ["New messages", "one", "two", "three"]);
    await badge.waitFor({ state: "detached" });
    await tablet.page.getByText("3 unread messages").waitFor({
      state: "detached",
    });
    assert.equal(
      await ada.chat.page.getByText("unread").count(),
      0,
      "own messages never count",
    );
  });
});

Deno.test("what was said before a room is first opened has the line of new messages above it", async () => {
  await journey("first opening", app, async (visit) => {
    const ada = await visit("ada_7");
    const bob = await visit("bob_7");
    const room = await createRoom(ada.person, "Morning news");
    await joinRoom(bob.person, room.id);
    await ada.chat.open(`/rooms/${room.id}`);
    for (const text of ["one", "two"]) await ada.chat.say(text);
    await ada.chat.sees("two");
    await bob.chat.page.goto(app.origin);
    await bob.chat.live();
    await bob.chat.page.getByText("2 unread messages").waitFor({
      state: "attached",
    });
    await bob.chat.page.getByRole("link", { name: /^Morning news/ }).click();
    await bob.chat.sees("two");
    const order = await bob.chat.log.locator(".new-line > span, .bubble")
      .allTextContents();
    assert.deepEqual(order, ["New messages", "one", "two"]);
    await bob.chat.page.getByText("2 unread messages").waitFor({
      state: "detached",
    });
    await bob.chat.page.reload();
    await bob.chat.live();
    assert.equal(await bob.chat.log.getByText("New messages").count(), 0);
  });
});

Deno.test("a draft stays in its room, over changes of room and reloads", async () => {
  await journey("drafts", app, async (visit) => {
    const { chat, person } = await visit("ada_4");
    const [one, two] = [
      await createRoom(person, "Room one"),
      await createRoom(person, "Room two"),
    ];
    await chat.open(`/rooms/${one.id}`);
    await chat.box.fill("half a thou");
    await chat.page.getByRole("link", { name: /Room two/ }).click();
    await chat.page.waitForURL(`**/rooms/${two.id}`);
    assert.equal(await chat.box.inputValue(), "");
    await chat.page.goBack();
    const shown = async (text: string) => {
      await chat.box.and(chat.page.locator(":not(:placeholder-shown)"))
        .waitFor();
      assert.equal(await chat.box.inputValue(), text);
    };
    await chat.page.waitForURL(`**/rooms/${one.id}`);
    await shown("half a thou");
    await chat.page.reload();
    await chat.live();
    await shown("half a thou");
  });
});

Deno.test("the fourth message in ten seconds says what is left, the sixth waits for the mute to end", async () => {
  // Time stands still, for the server and the page: however slow the machine is, the window stays open.
  const now = systemSteadyClock();
  await using still = await startTestApp({}, {
    start: { steadyClock: () => now },
  });
  await journey("mute", still, async (visit) => {
    const { chat, person } = await visit("ada_5");
    const room = await createRoom(person);
    const seen = (text: string | RegExp) => chat.page.getByText(text).waitFor();
    await chat.open(`/rooms/${room.id}`);
    await chat.page.clock.setFixedTime(Date.now());
    // That stops the time of day alone; the page measures the window with the other clock.
    await chat.page.evaluate(() => {
      const stopped = performance.now();
      performance.now = () => stopped;
    });
    for (const text of ["1", "2", "3"]) await chat.say(text);
    await chat.shows(["1", "2", "3"]);
    assert.equal(await chat.page.getByText("more message").count(), 0);
    await chat.say("4");
    await seen("1 more message now, then a short pause.");
    await chat.say("5");
    await seen("In 10 seconds your next message goes out without waiting.");
    await chat.say("6");
    await seen(
      /A short pause: what you write is kept and sent in \d+ seconds/,
    );
    await chat.shows(["1", "2", "3", "4", "5", "6"]);
    const waiting = chat.log.getByText("Waiting to be sent");
    await eventually(() => waiting.count(), 1);
    assert.ok(await chat.box.isEnabled());
  });
});

Deno.test("a member leaves after being asked, and the room is gone from the list", async () => {
  await journey("leave", app, async (visit) => {
    const { chat, person } = await visit("ada_6");
    const owner = await signIn(app, "owner_6");
    const room = await createRoom(owner, "Short stay");
    await joinRoom(person, room.id);
    await chat.open(`/rooms/${room.id}`);
    await chat.page.getByRole("button", { name: "Leave room" }).click();
    const dialog = chat.page.getByRole("dialog", { name: "Leave Short stay?" });
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await dialog.waitFor({ state: "hidden" });
    assert.equal(
      await chat.page.evaluate(() =>
        document.activeElement?.textContent?.trim()
      ),
      "Leave room",
    );
    await chat.page.getByRole("button", { name: "Leave room" }).click();
    await dialog.getByRole("button", { name: "Leave room" }).click();
    await chat.page.waitForURL(`${app.origin}/`);
    const link = chat.page.getByRole("link", {
      name: "Short stay",
      exact: true,
    });
    await eventually(() => link.count(), 0);
    await chat.page.getByRole("button", { name: "Join Short stay" }).waitFor();
  });
});
