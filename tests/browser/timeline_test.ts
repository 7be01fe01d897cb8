/** Long rooms: what is read stays in place, and the page stays small and quick. */

import assert from "node:assert/strict";
import { useTestApp } from "../helpers/app.ts";
import {
  createRoom,
  joinRoom,
  type Person,
  signIn,
} from "../helpers/people.ts";
import { eventually, journey } from "./chat_page.ts";
import {
  fillRoom,
  firstVisible,
  LONG_ROOMS,
  scrollTop,
  scrollUp,
} from "./long_rooms.ts";

const app = useTestApp(LONG_ROOMS);

const fill = (person: Person, roomId: string, count: number, from = 1) =>
  fillRoom(app, person, roomId, { count, from });

Deno.test("the page comes with the newest messages and stands at the last one before any script", async () => {
  await journey("first view", app, async (visit) => {
    const { chat, person, context } = await visit("ada_first", {
      javaScriptEnabled: false,
    });
    const room = await createRoom(person);
    await fill(person, room.id, 120);
    await chat.page.goto(`${app.origin}/rooms/${room.id}`);
    const texts = await chat.texts();
    assert.deepEqual([texts.length, texts[0], texts.at(-1)], [
      50,
      "line 71",
      "line 120",
    ]);
    const last = chat.log.locator(".bubble").last();
    const box = await last.boundingBox();
    const view = await chat.log.boundingBox();
    assert.ok(
      box && view && box.y > view.y &&
        box.y + box.height <= view.y + view.height + 1,
    );
    await context.close();
  });
});

Deno.test("older messages come as one scrolls, without moving what is read by a pixel", async () => {
  await journey("history", app, async (visit) => {
    const { chat, person } = await visit("ada_hist");
    const room = await createRoom(person);
    await fill(person, room.id, 230);
    await chat.open(`/rooms/${room.id}`);
    let known = await firstVisible(chat.page);
    for (
      let scrolled = 0;
      scrolled < 60 && known.text !== "line 1";
      scrolled++
    ) {
      await scrollUp(chat.page, 400);
      const before = await firstVisible(chat.page);
      await chat.page.waitForTimeout(60);
      const after = await firstVisible(chat.page);
      assert.deepEqual(after, before);
      known = after;
    }
    await chat.page.getByText(/This is where .* begins/).waitFor();
    const texts = await chat.texts();
    assert.equal(texts[0], "line 1");
    assert.ok(texts.length <= 150, `${texts.length} messages in the page`);
    await chat.page.getByRole("button", { name: "Jump to latest" }).click();
    await chat.sees("line 230");
    assert.equal((await chat.texts()).at(-1), "line 230");
  });
});

Deno.test("new messages stick to the end when one is there, and are counted when not", async () => {
  await journey("sticking", app, async (visit) => {
    const { chat, person } = await visit("ada_stick");
    const bob = await signIn(app, "bob_stick");
    const room = await createRoom(person);
    await joinRoom(bob, room.id);
    await fill(bob, room.id, 60);
    await chat.open(`/rooms/${room.id}`);
    await fill(bob, room.id, 1, 61);
    await chat.sees("line 61");
    assert.equal(
      await chat.page.locator(".log").evaluate((log) => log.scrollTop),
      0,
    );

    await scrollUp(chat.page, 700);
    const before = await firstVisible(chat.page);
    await fill(bob, room.id, 3, 62);
    const button = chat.page.getByRole("button", { name: "3 new messages" });
    await button.waitFor();
    assert.deepEqual(await firstVisible(chat.page), before);
    await button.click();
    // What was below was in the page before: only a later frame shows that one is there.
    await eventually(() => button.count(), 0);
    await eventually(() => scrollTop(chat.page), 0);
  });
});

Deno.test("without script older messages are a link away; a script that finds such a page catches up", async () => {
  await journey("history links", app, async (visit) => {
    const plain = await visit("linker", { javaScriptEnabled: false });
    const { page } = plain.chat;
    const room = await createRoom(plain.person, "Linked");
    await fill(plain.person, room.id, 120);
    const lines = (from: number, to: number) =>
      Array.from({ length: to - from + 1 }, (_, n) => `line ${from + n}`);
    const follow = (name: string) => page.getByRole("link", { name }).click();

    await page.goto(`${app.origin}/rooms/${room.id}`);
    assert.deepEqual(await plain.chat.texts(), lines(71, 120));
    assert.equal(
      await page.getByRole("link", { name: "Jump to latest" }).count(),
      0,
    );
    await follow("Load older messages");
    assert.deepEqual(await plain.chat.texts(), lines(21, 70));
    const older = page.url();
    await follow("Load older messages");
    assert.deepEqual(await plain.chat.texts(), lines(1, 20));
    await page.getByText("This is where Linked begins").waitFor();
    const pane = await page.locator(".app").boundingBox();
    assert.equal(pane!.y + pane!.height, page.viewportSize()!.height);
    await follow("Jump to latest");
    assert.deepEqual(await plain.chat.texts(), lines(71, 120));
    for (const before of ["x", crypto.randomUUID()]) {
      await page.goto(`${app.origin}/rooms/${room.id}?before=${before}`);
      assert.deepEqual(await plain.chat.texts(), lines(71, 120), before);
    }

    const scripted = await visit("linker");
    await scripted.chat.page.goto(older);
    await scripted.chat.shows(lines(21, 120));
    assert.equal(await scripted.chat.page.locator(".history").count(), 0);
    assert.deepEqual(scripted.complaints, []);
  });
});
