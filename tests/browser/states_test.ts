/** What is not as it should be, and how it is said: line, loading, refusals; and what must stay quiet. */

import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { useTestApp } from "../helpers/app.ts";
import { connect } from "../helpers/client.ts";
import { createRoom, joinRoom, signIn } from "../helpers/people.ts";
import { eventually, holdSockets, journey } from "./chat_page.ts";

const app = useTestApp({ RATE_LIMIT_MESSAGES: "1000" });

/** Lets the page's clock run in steps, with time for the network between them. */
async function pass(page: Page, seconds: number): Promise<void> {
  for (let passed = 0; passed < seconds * 2; passed++) {
    await page.clock.runFor(500);
    await page.evaluate(() => fetch("/health").catch(() => {}));
  }
}

Deno.test("a lost line is worth a word only after three seconds; who is there is in doubt at once", async () => {
  await journey("banner", app, async (visit) => {
    const { chat, person } = await visit("ada_banner");
    const room = await createRoom(person);
    const line = await holdSockets(chat.page);
    await chat.page.route("**/api/events*", (route) => route.abort());
    await chat.page.clock.install();
    await chat.page.goto(`${app.origin}/rooms/${room.id}`);
    await chat.live();
    const banner = chat.page.locator(".connection:not(.quiet)");
    const doubt = chat.page.locator(".members.stale");
    assert.equal(await doubt.count(), 0);
    line.block(true);
    line.cut();
    await doubt.waitFor();
    await pass(chat.page, 2);
    assert.equal(await banner.count(), 0);
    await pass(chat.page, 2);
    await eventually(() => banner.count(), 1);
    await chat.status.getByText(
      /^(Connection lost. Trying again in \d+ s|Connecting…)$/,
    ).waitFor();
    line.block(false);
    await chat.page.evaluate(() => dispatchEvent(new Event("online")));
    await chat.live();
    assert.equal(await banner.count(), 0);
    assert.equal(await doubt.count(), 0);
  });
});

Deno.test("a line that comes and goes tells nobody that somebody came or went", async () => {
  await journey("no spam", app, async (visit) => {
    const ada = await visit("ada_quiet");
    const bob = await visit("bob_quiet");
    const room = await createRoom(ada.person);
    await joinRoom(bob.person, room.id);
    await ada.chat.open(`/rooms/${room.id}`);
    const line = await holdSockets(bob.chat.page);
    await bob.chat.open(`/rooms/${room.id}`);
    for (let times = 1; times <= 3; times++) {
      line.cut();
      await bob.chat.page.evaluate(() => dispatchEvent(new Event("online")));
      await bob.chat.live();
      await bob.chat.page.reload();
      await bob.chat.live();
    }
    await bob.chat.say("still here");
    await ada.chat.sees("still here");
    assert.equal(await ada.chat.log.locator(".notice").count(), 0);

    const carol = await signIn(app, "carol_quiet");
    await joinRoom(carol, room.id);
    await using client = await connect(app, carol);
    await client.expect("room:join", { roomId: room.id });
    await ada.chat.log.getByText("carol_quiet joined").waitFor();
  });
});

Deno.test("a room that loads says so after 200 ms, never that it is empty, and can be tried again", async () => {
  await journey("loading", app, async (visit) => {
    const { chat, person } = await visit("ada_loads");
    const [first, second] = [
      await createRoom(person, "Loaded"),
      await createRoom(person, "Loading slowly"),
    ];
    await using client = await connect(app, person);
    await client.expect("message:send", {
      roomId: second.id,
      text: "worth the wait",
      clientMsgId: crypto.randomUUID(),
    });
    await chat.open(`/rooms/${first.id}`);
    await chat.log.getByText("Nothing has been said here yet").waitFor();
    let answer = Promise.withResolvers<"abort" | "continue">();
    await chat.page.route("**/messages?*", async (route) => {
      await route[await answer.promise]();
    });
    await chat.page.getByRole("link", { name: /Loading slowly/ }).click();
    const skeleton = chat.log.getByText("Loading…");
    await skeleton.waitFor({ state: "attached" });
    const delay = await skeleton.evaluate((element) =>
      getComputedStyle(element).animationDelay
    );
    assert.equal(delay, "0.2s");
    await skeleton.waitFor({ state: "visible" });
    const empty = chat.log.getByText("Nothing has been said here yet");
    assert.equal(await empty.count(), 0);
    answer.resolve("abort");
    await chat.log.getByRole("alert").getByText("could not be loaded")
      .waitFor();
    assert.equal(await empty.count(), 0);
    answer = Promise.withResolvers();
    answer.resolve("continue");
    await chat.log.getByRole("button", { name: "Try again" }).click();
    await chat.sees("worth the wait");
    await eventually(() => empty.count(), 0);
  });
});

Deno.test("older messages that could not be loaded appear after another try", async () => {
  await journey("older again", app, async (visit) => {
    const { chat, person } = await visit("ada_older");
    const room = await createRoom(person, "Long ago");
    await using client = await connect(app, person);
    for (let line = 1; line <= 60; line++) {
      await client.expect("message:send", {
        roomId: room.id,
        text: `line ${line}`,
        clientMsgId: crypto.randomUUID(),
      });
    }
    await chat.page.route("**/messages?*", (route) => route.abort());
    await chat.open(`/rooms/${room.id}`);
    const older = chat.log.getByRole("button", { name: "Load older messages" });
    await older.click();
    const alert = chat.log.getByRole("alert");
    await alert.getByText("could not be loaded").waitFor();
    await chat.page.unroute("**/messages?*");
    await alert.getByRole("button", { name: "Try again" }).click();
    await chat.sees("line 1");
    await eventually(() => alert.count(), 0);

    // The button goes with the oldest message; its focus does not go with it.
    await chat.page.reload();
    await chat.live();
    await older.press("Enter");
    await chat.sees("line 1");
    await chat.focusIsOnLog();
  });
});

Deno.test("a refused message says why and can be sent again, copied and deleted", async () => {
  await journey("refused", app, async (visit) => {
    const { chat, person, context } = await visit("ada_refused");
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    const room = await createRoom(person);
    await chat.open(`/rooms/${room.id}`);
    for (const text of ["one", "two"]) {
      // Half a character: the page lets it pass, the server does not.
      await chat.box.evaluate((box, text) => {
        (box as HTMLTextAreaElement).value = text + "\ud83c";
        box.dispatchEvent(new Event("input", { bubbles: true }));
      }, text);
      await chat.box.press("Enter");
    }
    const failed = chat.log.locator(".message.failed");
    await eventually(() => failed.count(), 2);
    const button = (name: string) =>
      failed.getByRole("button", { name, exact: true });
    await eventually(() => button("Retry all").count(), 1);
    await failed.first().getByRole("alert").getByText(
      "Not sent: the message is not acceptable.",
    ).waitFor();
    await button("Copy").first().click();
    await eventually(
      () => chat.page.evaluate(() => navigator.clipboard.readText()),
      "one\ufffd",
    );
    await chat.page.reload();
    await eventually(() => failed.count(), 2);
    await button("Retry").last().click();
    await eventually(() => failed.count(), 2);
    await button("Delete").first().focus();
    await chat.page.keyboard.press("Enter");
    await eventually(() => failed.count(), 1);
    await chat.focusIsOnLog();
    await eventually(() => button("Retry all").count(), 0);
    await button("Delete").click();
    await chat.shows([]);
    await chat.box.fill("three");
    await chat.box.press("Enter");
    await chat.box.press("Enter");
    await chat.shows(["three"]);
  });
});

Deno.test("what waits in the list: a pencil for drafts, a number, a mark on the icon", async () => {
  await journey("marks", app, async (visit) => {
    const { chat, person } = await visit("ada_marks");
    const bob = await signIn(app, "bob_marks");
    const [one, two] = [
      await createRoom(person, "Marked one"),
      await createRoom(person, "Marked two"),
    ];
    await joinRoom(bob, two.id);
    await chat.page.addInitScript(() => {
      const seen = globalThis as unknown as {
        badge: number | undefined;
        icons: number;
      };
      seen.icons = 0;
      // Each time an icon is named the browser fetches it.
      new MutationObserver((changes) => {
        seen.icons += changes.filter(({ target }) =>
          (target as Element).matches("link[rel=icon]")
        ).length;
      }).observe(document, {
        subtree: true,
        attributes: true,
        attributeFilter: ["href"],
      });
      navigator.setAppBadge = (count) => {
        seen.badge = count;
        return Promise.resolve();
      };
    });
    await chat.open(`/rooms/${one.id}`);
    const icons = () =>
      chat.page.evaluate(() =>
        (globalThis as unknown as { icons: number }).icons
      );
    assert.equal(await icons(), 0);
    await chat.box.fill("half a thou");
    const first = chat.page.getByRole("link", { name: /^Marked one/ });
    assert.equal(await first.getByText("Draft").count(), 0);
    await chat.page.goto(app.origin);
    await first.getByText("Draft").waitFor({ state: "attached" });
    await first.locator(".draft .icon").waitFor();

    await using client = await connect(app, bob);
    await client.expect("message:send", {
      roomId: two.id,
      text: "news",
      clientMsgId: crypto.randomUUID(),
    });
    await chat.page.getByText("1 unread message").waitFor({
      state: "attached",
    });
    const marks = () =>
      chat.page.evaluate(() => [
        document.title.slice(0, 4),
        document.querySelector("link[rel=icon]")?.getAttribute("href"),
        (globalThis as unknown as { badge: number }).badge,
      ]);
    await eventually(marks, ["(1) ", "/static/icons/icon-unread.svg", 1]);
    assert.equal(await icons(), 1);
    await first.click();
    await chat.box.and(chat.page.locator(":not(:placeholder-shown)")).waitFor();
    await chat.page.keyboard.press("Alt+Shift+ArrowDown");
    await chat.sees("news");
    await eventually(marks, ["Mark", "/static/icons/icon.svg", 0]);
  });
});

Deno.test("today becomes yesterday while the page stands open", async () => {
  await journey("midnight", app, async (visit) => {
    const { chat, person } = await visit("ada_midnight");
    const room = await createRoom(person);
    await chat.page.clock.install();
    await chat.page.goto(`${app.origin}/rooms/${room.id}`);
    await chat.live();
    await chat.say("said today");
    await chat.log.getByText("Today", { exact: true }).waitFor();
    await chat.page.clock.fastForward("24:00:00");
    await chat.page.clock.runFor(1000);
    await chat.log.getByText("Yesterday", { exact: true }).waitFor();
  });
});

Deno.test("two who type are named, three are several", async () => {
  await journey("typists", app, async (visit) => {
    const { chat, person } = await visit("ada_typists");
    const room = await createRoom(person);
    await chat.open(`/rooms/${room.id}`);
    const height = await chat.page.locator(".hints").evaluate((hints) =>
      hints.clientHeight
    );
    await using clients = new AsyncDisposableStack();
    const lines = [
      "bob_types is typing",
      "bob_types and carol_types are typing",
      "Several people are typing",
    ];
    for (const [index, name] of ["bob", "carol", "dan"].entries()) {
      const other = await signIn(app, `${name}_types`);
      await joinRoom(other, room.id);
      const client = clients.use(await connect(app, other));
      await client.expect("room:join", { roomId: room.id });
      await client.expect("typing:update", { roomId: room.id, isTyping: true });
      await chat.page.getByText(lines[index] ?? "", { exact: true }).waitFor();
    }
    assert.equal(
      await chat.page.locator(".hints").evaluate((hints) => hints.clientHeight),
      height,
      "the line takes the same room whether somebody types or not",
    );
    assert.equal(
      await chat.page.locator("[aria-live=polite]").getByText("typing").count(),
      0,
    );
  });
});
