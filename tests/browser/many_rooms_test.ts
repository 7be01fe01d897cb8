/** Somebody in more rooms than one page shows. */

import assert from "node:assert/strict";
import { useTestApp } from "../helpers/app.ts";
import { connect } from "../helpers/client.ts";
import { createRoom, joinRoom, signIn } from "../helpers/people.ts";
import { eventually, journey } from "./chat_page.ts";

const app = useTestApp();

/** Two more than the sidebar has place for. */
const ROOMS = 102;

/** Rooms of the sidebar that are drawn before somebody scrolls. */
const DRAWN = 50;

Deno.test("in 102 rooms the sidebar shows 100, the switcher opens the others, and what is said there is noticed", async () => {
  await journey("many rooms", app, async (visit) => {
    const { chat, person, complaints } = await visit("ada_rooms");
    const { page } = chat;
    const oldest = await createRoom(person, "The very first");
    const second = await createRoom(person, "The second");
    for (let n = 2; n < ROOMS; n++) await createRoom(person);
    const bob = await signIn(app, "bob_rooms");
    await joinRoom(bob, oldest.id);

    await chat.open("/");
    const links = page.locator(".room-link");
    // The server draws all of them; the page keeps those near what is seen.
    await eventually(() => links.count(), DRAWN);
    const first = links.filter({ hasText: "The very first" });
    assert.equal(await first.count(), 0);

    // Its room comes up by itself, which tells that the page follows it.
    await using socket = await connect(app, bob);
    await socket.expect("message:send", {
      roomId: oldest.id,
      text: "anybody here?",
      clientMsgId: crypto.randomUUID(),
    });
    await links.first().filter({ hasText: "1 unread message" }).waitFor();
    await first.waitFor();
    assert.equal(await links.count(), DRAWN);

    // The Tab key leads to all of the 100, and none comes twice.
    await links.first().focus();
    const passed = new Set<string | null>();
    for (let place = 0; place < 100; place++) {
      const link = links.nth(place);
      await eventually(
        () => link.evaluate((link) => link === document.activeElement),
        true,
      );
      passed.add(await link.getAttribute("href"));
      await page.keyboard.press("Tab");
    }
    assert.equal(passed.size, 100);
    assert.equal(await links.count(), 100);

    // All of them can be found among the rooms to discover, too.
    const found = page.locator(".found li");
    assert.equal(await found.count(), 100);
    const more = page.getByRole("button", { name: "Show more" });
    await more.press("Enter");
    await eventually(() => found.count(), ROOMS);
    await eventually(() => more.count(), 0);
    // The button is gone: the focus is on the last room above those that came.
    assert.ok(
      await found.nth(99).getByRole("link", { name: "Open" })
        .evaluate((link) => link === document.activeElement),
    );

    // More of all rooms that arrive while one searches are none of those that are searched.
    await page.reload();
    await chat.live();
    const answer = Promise.withResolvers<void>();
    await page.route(/api\/rooms\?.*cursor=/, async (route) => {
      await answer.promise;
      await route.continue();
    });
    const late = page.waitForResponse(/api\/rooms\?.*cursor=/);
    await more.click();
    await page.getByRole("searchbox").fill("the second");
    await eventually(() => found.count(), 1);
    answer.resolve();
    await (await late).finished();
    // An answer that was asked for later comes to the page later; what the first has changed is drawn then.
    await page.evaluate(async () => {
      await (await fetch("/health")).text();
      await new Promise((drawn) =>
        requestAnimationFrame(() => setTimeout(drawn))
      );
    });
    assert.equal(await found.count(), 1);

    // The one that is open is in view, also when it is far down.
    const last = await links.last().getAttribute("href");
    await page.goto(app.origin + last);
    await chat.live();
    const list = page.locator(".rooms");
    await eventually(
      () =>
        list.evaluate((list) => {
          const row = list.querySelector("[aria-current]")!
            .getBoundingClientRect();
          const box = list.getBoundingClientRect();
          return row.top >= box.top && row.bottom <= box.bottom;
        }),
      true,
    );

    await page.getByRole("link", { name: "More of your rooms" }).click();
    await page.getByRole("combobox").fill("no room of hers");
    await page.getByRole("combobox").press("Enter");
    assert.equal(await page.getByRole("combobox").isVisible(), true);
    await page.getByRole("combobox").fill("the second");
    // Rooms that did not come with the page come when it is live.
    await page.getByRole("option", { name: "The second" }).waitFor();
    await page.getByRole("combobox").press("Enter");
    await page.waitForURL(`${app.origin}/rooms/${second.id}`);
    await chat.say("here");
    await chat.sees("here");
    await eventually(() => links.first().textContent(), "TThe second");
    assert.deepEqual(complaints, []);
  });
});

Deno.test("members that the roster has no place for are read on request", async () => {
  await journey("many members", app, async (visit) => {
    const { chat, person } = await visit("ada_crowd");
    const room = await createRoom(person);
    const names = Array.from({ length: 204 }, (_, n) => `crowd_${n + 100}`);
    for (const name of names) await joinRoom(await signIn(app, name), room.id);
    await chat.open(`/rooms/${room.id}`);
    const members = chat.members.getByRole("listitem");
    // The page of members that is read first may hold none but those who are listed: that is not shown.
    const more = chat.page.getByRole("button", { name: "and 5 more" });
    await more.press("Enter");
    await eventually(() => members.count(), 205);
    // The button is gone: the focus is on the last member above those that came.
    assert.ok(
      await members.nth(199).evaluate((item) =>
        item === document.activeElement
      ),
    );
    assert.deepEqual(
      (await chat.members.locator(".name").allTextContents()).sort(),
      ["ada_crowd", ...names],
    );
  });
});
