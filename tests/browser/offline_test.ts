/** Without a network: the page opens as it was, takes messages, and sends them when it is back. */

import assert from "node:assert/strict";
import { useTestApp } from "../helpers/app.ts";
import { createRoom, joinRoom } from "../helpers/people.ts";
import { journey } from "./chat_page.ts";

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

Deno.test("nothing of what one user has read is kept for the next", async () => {
  await journey("offline logout", app, async (visit) => {
    const { chat, person, context } = await visit("ada_leaves", {
      serviceWorkers: "allow",
    });
    const room = await createRoom(person);
    await chat.open(`/rooms/${room.id}`);
    await chat.page.waitForFunction(() =>
      navigator.serviceWorker.controller !== null
    );
    await chat.page.reload();
    await chat.live();
    const pages = () =>
      chat.page.evaluate(async () => {
        const names = (await caches.keys()).filter((name) =>
          name.includes("pages")
        );
        const kept = await Promise.all(
          names.map(async (name) => (await caches.open(name)).keys()),
        );
        return kept.flat().length;
      });
    assert.equal(await pages(), 1);
    await chat.page.getByRole("button", { name: "Log out" }).click();
    await chat.page.waitForURL(`${app.origin}/login`);
    assert.equal(await pages(), 0);
    await context.close();
  });
});
