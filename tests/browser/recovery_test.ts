/** The line breaks, the tab closes, the server restarts: nothing is lost and nothing comes twice. */

import assert from "node:assert/strict";
import { startTestApp, useTestApp } from "../helpers/app.ts";
import { makeMigratedPlace } from "../helpers/database.ts";
import { createRoom, joinRoom } from "../helpers/people.ts";
import { ChatPage, eventually, holdSockets, journey } from "./chat_page.ts";

const app = useTestApp();

Deno.test("what was said while the line was down is there when it is back, once and in order", async () => {
  await journey("cut", app, async (visit) => {
    const ada = await visit("ada_cut");
    const bob = await visit("bob_cut");
    const room = await createRoom(ada.person);
    await joinRoom(bob.person, room.id);
    const line = await holdSockets(bob.chat.page);
    await bob.chat.open(`/rooms/${room.id}`);
    await ada.chat.open(`/rooms/${room.id}`);
    await ada.chat.say("before");
    await bob.chat.sees("before");

    line.block(true);
    line.cut();
    for (const text of ["missed 1", "missed 2"]) await ada.chat.say(text);
    await ada.chat.sees("missed 2");
    await bob.chat.say("written meanwhile");
    await bob.chat.page.getByRole("button", { name: "Try now" }).waitFor();
    const waiting = bob.chat.log.getByText("Waiting to be sent");
    await eventually(() => waiting.count(), 1);

    line.block(false);
    await bob.chat.page.getByRole("button", { name: "Try now" }).click();
    await ada.chat.sees("written meanwhile");
    await bob.chat.sees("missed 2");
    const wanted = ["before", "missed 1", "missed 2", "written meanwhile"];
    await bob.chat.shows(wanted);
    await ada.chat.shows(wanted);
    assert.deepEqual(bob.complaints, []);
  });
});

Deno.test("messages written offline survive a reload and arrive once each, in order", async () => {
  await journey("offline", app, async (visit) => {
    const ada = await visit("ada_off");
    const bob = await visit("bob_off");
    const room = await createRoom(ada.person);
    await joinRoom(bob.person, room.id);
    await ada.chat.open(`/rooms/${room.id}`);
    const line = await holdSockets(bob.chat.page);
    await bob.chat.open(`/rooms/${room.id}`);

    line.block(true);
    line.cut();
    for (const text of ["first", "second", "third"]) await bob.chat.say(text);
    assert.deepEqual(await ada.chat.texts(), []);
    await bob.chat.page.reload();
    await bob.chat.sees("third");
    await bob.chat.shows(["first", "second", "third"]);

    line.block(false);
    await bob.chat.page.evaluate(() => dispatchEvent(new Event("online")));
    await ada.chat.sees("third");
    await ada.chat.shows(["first", "second", "third"]);
    await bob.chat.page.waitForFunction(() =>
      Object.keys(localStorage).every((key) =>
        !key.startsWith("chatket_outbox:")
      )
    );
    await bob.chat.shows(["first", "second", "third"]);
  });
});

Deno.test("two tabs that come back together send what waited once", async () => {
  await journey("tabs", app, async (visit) => {
    const ada = await visit("ada_tabs");
    const bob = await visit("bob_tabs");
    const room = await createRoom(ada.person);
    await joinRoom(bob.person, room.id);
    await ada.chat.open(`/rooms/${room.id}`);
    const second = new ChatPage(await bob.context.newPage(), app.origin);
    const lines = await Promise.all([
      holdSockets(bob.chat.page),
      holdSockets(second.page),
    ]);
    await bob.chat.open(`/rooms/${room.id}`);
    await second.open(`/rooms/${room.id}`);
    for (const line of lines) {
      line.block(true);
      line.cut();
    }
    for (const text of ["a", "b", "c"]) await bob.chat.say(text);
    await second.sees("c");

    for (const line of lines) line.block(false);
    for (const { page } of [bob.chat, second]) {
      await page.evaluate(() => dispatchEvent(new Event("online")));
    }
    await ada.chat.sees("c");
    await bob.chat.live();
    await second.live();
    for (const chat of [ada.chat, bob.chat, second]) {
      await chat.shows(["a", "b", "c"]);
    }
    const tabs = await ada.chat.members.getByRole("listitem").filter({
      hasText: "bob_tabs",
    }).count();
    assert.equal(tabs, 1, "two tabs are one person");
  });
});

Deno.test("what another tab has sent stays in the page whose own line is down", async () => {
  await journey("other tab sends", app, async (visit) => {
    const bob = await visit("bob_sends");
    const room = await createRoom(bob.person);
    const live = new ChatPage(await bob.context.newPage(), app.origin);
    const line = await holdSockets(bob.chat.page);
    // Not the event stream either, which would come after two refused sockets.
    await bob.chat.page.route("**/api/events*", (route) => route.abort());
    await bob.chat.open(`/rooms/${room.id}`);
    line.block(true);
    line.cut();
    await bob.chat.status.getByText("Trying again").waitFor({
      state: "attached",
    });
    await bob.chat.say("one");
    await bob.chat.log.getByText("Waiting to be sent").waitFor();
    await live.open(`/rooms/${room.id}`);
    await live.sees("one");
    await live.say("two");
    await live.sees("two");
    await bob.chat.log.locator(".message:not(.queued)").getByText("two")
      .waitFor();
    await eventually(
      () =>
        bob.chat.page.evaluate(() =>
          Object.keys(localStorage).filter((key) =>
            key.startsWith("chatket_outbox:")
          )
        ),
      [],
    );
    await eventually(() => bob.chat.log.locator(".status").count(), 0);
    await bob.chat.shows(["one", "two"]);
    line.block(false);
    await bob.chat.page.evaluate(() => dispatchEvent(new Event("online")));
    await bob.chat.live();
    await bob.chat.say("three");
    await live.sees("three");
    for (const chat of [bob.chat, live]) {
      await chat.shows(["one", "two", "three"]);
    }
  });
});

Deno.test("after ten attempts the page offers to reconnect, and does", async () => {
  await journey("gave up", app, async (visit) => {
    const { chat, person } = await visit("ada_gave");
    const room = await createRoom(person);
    const line = await holdSockets(chat.page);
    await chat.page.route("**/api/events*", (route) => route.abort());
    await chat.page.clock.install();
    await chat.page.goto(`${app.origin}/rooms/${room.id}`);
    await chat.live();
    line.block(true);
    line.cut();
    const button = chat.page.getByRole("button", { name: "Reconnect" });
    for (let waited = 0; waited < 90 && await button.count() === 0; waited++) {
      await chat.page.clock.runFor(1000);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await chat.status.getByText("could not be restored").waitFor();
    line.block(false);
    await button.click();
    for (let waited = 0; waited < 30 && await button.count() > 0; waited++) {
      await chat.page.clock.runFor(500);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await chat.live();
  });
});

Deno.test("where WebSockets are blocked the chat works over the event stream, and says so", async () => {
  await journey("fallback", app, async (visit) => {
    const ada = await visit("ada_sse");
    const bob = await visit("bob_sse");
    const room = await createRoom(ada.person);
    await joinRoom(bob.person, room.id);
    await ada.chat.open(`/rooms/${room.id}`);
    const line = await holdSockets(bob.chat.page);
    line.block(true);
    await bob.chat.page.goto(`${app.origin}/rooms/${room.id}`);
    await bob.chat.status.getByText("compatibility mode").waitFor();
    await bob.chat.say("over the stream");
    await ada.chat.sees("over the stream");
    await ada.chat.say("over the socket");
    await bob.chat.sees("over the socket");

    line.block(false);
    await bob.chat.status.getByText("Connected", { exact: true }).waitFor({
      state: "attached",
    });
    await bob.chat.say("over the socket again");
    await ada.chat.sees("over the socket again");
    await bob.chat.shows([
      "over the stream",
      "over the socket",
      "over the socket again",
    ]);
  });
});

Deno.test("a restart of the server is ridden out, and what was written meanwhile is sent", async () => {
  await using place = await makeMigratedPlace();
  const before = await startTestApp({ JWT_SECRET: "s".repeat(32) }, { place });
  await journey("restart", before, async (visit) => {
    const { chat, person } = await visit("ada_restart");
    const room = await createRoom(person);
    await chat.open(`/rooms/${room.id}`);
    await chat.say("before");
    await chat.sees("before");
    await before.stop();
    await chat.say("while it was away");
    const port = String(before.port);
    const after = await startTestApp(
      { JWT_SECRET: "s".repeat(32), PORT: port },
      { place },
    );
    try {
      await chat.live();
      await chat.page.reload();
      await chat.sees("while it was away");
      await chat.shows(["before", "while it was away"]);
    } finally {
      await chat.page.close();
      await after.stop();
    }
  });
});

Deno.test("a session that ends keeps what was written and leads to the login", async () => {
  await journey("expired", app, async (visit) => {
    const { chat, person, context } = await visit("ada_expired");
    const room = await createRoom(person);
    const line = await holdSockets(chat.page);
    await chat.open(`/rooms/${room.id}`);
    await context.clearCookies();
    line.block(true);
    line.cut();
    await chat.say("kept");
    const link = chat.page.getByRole("link", { name: "Sign in again" });
    await link.waitFor();
    line.block(false);
    await link.click();
    await chat.page.waitForURL(/\/login\?next=/);
    await context.addCookies([{
      name: "chatket_session",
      value: person.token,
      url: app.origin,
    }]);
    await chat.open(`/rooms/${room.id}`);
    await chat.sees("kept");
    await chat.page.waitForFunction(() =>
      Object.keys(localStorage).every((key) =>
        !key.startsWith("chatket_outbox:")
      )
    );
  });
});
