/** Without a network: the page opens as it was, takes messages, and sends them when it is back. */

import assert from "node:assert/strict";
import { useTestApp } from "../helpers/app.ts";
import { createRoom, joinRoom, signIn } from "../helpers/people.ts";
import { type ChatPage, eventually, journey } from "./chat_page.ts";

const app = useTestApp();

Deno.test("a room opens without a network, and what is written there arrives once, in order", async () => {
  await journey("offline shell", app, async (visit) => {
    const ada = await visit("ada_shell");
    const bob = await visit("bob_shell", { serviceWorkers: "allow" });
    const room = await createRoom(ada.person);
    await joinRoom(bob.person, room.id);
    await ada.chat.open(`/rooms/${room.id}`);
    await bob.chat.open(`/rooms/${room.id}`);
    await ada.chat.say("seen before");
    await bob.chat.sees("seen before");
    await bob.chat.page.evaluate(() => navigator.serviceWorker.ready);
    await bob.chat.page.waitForFunction(() =>
      navigator.serviceWorker.controller !== null
    );
    await bob.chat.page.reload();
    await bob.chat.live();
    await eventually(() => keptPages(bob.chat), [`/rooms/${room.id}`]);

    await bob.context.setOffline(true);
    await bob.chat.page.getByText("You are offline").waitFor();
    for (const text of ["first", "second", "third"]) await bob.chat.say(text);
    await bob.chat.page.reload();
    await bob.chat.sees("third");
    await bob.chat.shows([
      "seen before",
      "first",
      "second",
      "third",
    ]);

    await bob.context.setOffline(false);
    await ada.chat.sees("third");
    await ada.chat.shows([
      "seen before",
      "first",
      "second",
      "third",
    ]);
    await bob.chat.live();
    await bob.chat.shows([
      "seen before",
      "first",
      "second",
      "third",
    ]);
    assert.deepEqual(bob.complaints, []);
  });
});

/** Opens a page, once more when the service worker has it in its hands. */
async function openServed(chat: ChatPage, path: string): Promise<void> {
  await chat.open(path);
  await chat.page.waitForFunction(() =>
    navigator.serviceWorker.controller !== null
  );
  await chat.page.reload();
  await chat.live();
}

/** The addresses of the pages that the service worker keeps. */
function keptPages({ page }: ChatPage): Promise<string[]> {
  return page.evaluate(async () => {
    const names = (await caches.keys()).filter((name) =>
      name.includes("pages")
    );
    const kept = await Promise.all(
      names.map(async (name) => (await caches.open(name)).keys()),
    );
    return kept.flat().map(({ url }) => new URL(url).pathname).sort();
  });
}

Deno.test("nothing of what one user has read is kept for the next", async () => {
  await journey("offline logout", app, async (visit) => {
    const { chat, person, context } = await visit("ada_leaves", {
      serviceWorkers: "allow",
    });
    const room = await createRoom(person);
    const path = `/rooms/${room.id}`;
    await openServed(chat, path);
    await eventually(() => keptPages(chat), [path]);

    // Signed in as another, without having signed out.
    const other = await signIn(app, "bob_follows");
    await context.addCookies([{
      name: "chatket_session",
      value: other.token,
      url: app.origin,
    }]);
    await chat.open("/discover");
    await eventually(() => keptPages(chat), ["/discover"]);

    await chat.logOut();
    await chat.page.waitForURL(`${app.origin}/login`);
    await eventually(() => keptPages(chat), []);
    await context.close();
  });
});

Deno.test("a page that the browser has no room to keep is shown as it is now", async () => {
  await journey("full quota", app, async (visit) => {
    const { chat, person, context } = await visit("ada_full", {
      serviceWorkers: "allow",
    });
    const room = await createRoom(person);
    await openServed(chat, `/rooms/${room.id}`);
    await eventually(() => keptPages(chat), [`/rooms/${room.id}`]);
    const browser = await context.newCDPSession(chat.page);
    await browser.send("Storage.overrideQuotaForOrigin", {
      origin: app.origin,
      quotaSize: 1,
    });
    const refused = await chat.page.evaluate(async () => {
      const cache = await caches.open("full");
      return await cache.put("/x", new Response("x")).then(
        () => "",
        ({ name }) => name,
      );
    });
    assert.equal(refused, "QuotaExceededError", "the premise");
    await chat.say("said meanwhile");
    await chat.sees("said meanwhile");
    const answer = await chat.page.reload();
    const html = await answer!.text();
    assert.ok(html.includes("said meanwhile"), "the page is an old one");
  });
});
