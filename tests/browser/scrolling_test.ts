/** Who follows what comes and who is left where they read: by the log's own scroll position. */

import assert from "node:assert/strict";
import { useTestApp } from "../helpers/app.ts";
import { connect, type TestClient } from "../helpers/client.ts";
import {
  createRoom,
  joinRoom,
  type Person,
  signIn,
} from "../helpers/people.ts";
import {
  type ChatPage,
  eventually,
  journey,
  type Visitor,
} from "./chat_page.ts";
import {
  fillRoom,
  firstVisible,
  LONG_ROOMS,
  scrollTop,
  scrollUp,
} from "./long_rooms.ts";

const app = useTestApp(LONG_ROOMS);

/** What one notch of a mouse wheel scrolls, in pixels. */
const NOTCH_PX = 40;

/** A room of two with so many messages. */
async function roomOfTwo(
  person: Person,
  count: number,
): Promise<{ bob: Person; roomId: string }> {
  const bob = await signIn(app, "bob_far");
  const { id: roomId } = await createRoom(person);
  await joinRoom(bob, roomId);
  await fillRoom(app, bob, roomId, { count });
  return { bob, roomId };
}

/** Lets the page draw twice: the other one begins to write, and stops. */
async function redraw(
  { page }: ChatPage,
  bob: TestClient,
  roomId: string,
): Promise<void> {
  const typing = page.getByText("bob_far is typing");
  for (const isTyping of [true, false]) {
    await bob.expect("typing:update", { roomId, isTyping });
    await typing.waitFor({ state: isTyping ? "visible" : "detached" });
  }
}

Deno.test("what one sends is scrolled to, with a connection and without", async () => {
  await journey("own message", app, async (visit) => {
    const { chat, person, context }: Visitor = await visit("ada_sends");
    const { roomId } = await roomOfTwo(person, 60);
    await chat.open(`/rooms/${roomId}`);
    for (const isOffline of [false, true]) {
      await context.setOffline(isOffline);
      await scrollUp(chat.page, 800);
      // The bar that says "offline" takes some of the room's height, whenever it comes.
      assert.ok(await scrollTop(chat.page) < -700, "the premise: far up");
      await chat.say(`mine ${isOffline}`);
      await chat.sees(`mine ${isOffline}`);
      await eventually(() => scrollTop(chat.page), 0);
    }
  });
});

Deno.test("a wheel leaves the end notch by notch, whatever is drawn meanwhile", async () => {
  await journey("wheel", app, async (visit) => {
    const { chat, person } = await visit("ada_wheel");
    const { bob, roomId } = await roomOfTwo(person, 60);
    await chat.open(`/rooms/${roomId}`);
    await using client = await connect(app, bob);
    await client.expect("room:join", { roomId });
    await chat.log.hover();
    for (let notch = 1; notch <= 4; notch++) {
      await chat.page.mouse.wheel(0, -NOTCH_PX);
      await eventually(() => scrollTop(chat.page), -NOTCH_PX * notch);
      await redraw(chat, client, roomId);
      assert.equal(await scrollTop(chat.page), -NOTCH_PX * notch);
    }
    const before = await firstVisible(chat.page);
    await client.expect("message:send", {
      roomId,
      text: "below",
      clientMsgId: crypto.randomUUID(),
    });
    await chat.page.getByRole("button", { name: "1 new message" }).waitFor();
    assert.deepEqual(await firstVisible(chat.page), before);
  });
});

Deno.test("a last message taller than a phone stays where it is read", async () => {
  await journey("tall message", app, async (visit) => {
    const { chat, person } = await visit("ada_tall", {
      viewport: { width: 360, height: 640 },
      hasTouch: true,
    });
    const { bob, roomId } = await roomOfTwo(person, 20);
    await using client = await connect(app, bob);
    await client.expect("room:join", { roomId });
    await chat.open(`/rooms/${roomId}`);
    const text = Array.from({ length: 40 }, (_, n) => `verse ${n}`).join("\n");
    await client.expect("message:send", {
      roomId,
      text,
      clientMsgId: crypto.randomUUID(),
    });
    await chat.page.getByText("verse 39").waitFor();
    assert.equal(await scrollTop(chat.page), 0, "who is at the end follows");
    await scrollUp(chat.page, 60);
    await redraw(chat, client, roomId);
    assert.equal(await scrollTop(chat.page), -60);
    assert.equal(
      await chat.page.getByRole("button", { name: "Jump to latest" }).count(),
      0,
      "nothing lies over what is read",
    );
  });
});

Deno.test("the first unread message is one jump away, however far back, and both ways lead on from there", async () => {
  await journey("far unread", app, async (visit) => {
    const { chat, person } = await visit("ada_far");
    const { page } = chat;
    const { bob, roomId } = await roomOfTwo(person, 60);
    await person.fetch(`/api/rooms/${roomId}/read`, {
      method: "POST",
      json: { lastSeq: 60 },
    });
    await fillRoom(app, bob, roomId, { count: 1500, from: 61 });
    await chat.open(`/rooms/${roomId}`);
    await page.getByRole("button", { name: "Jump to first unread" }).click();
    await chat.sees("line 61");
    const afterLine = chat.log.locator(".new-line + .message .bubble");
    assert.equal(await afterLine.textContent(), "line 61");

    /** Scrolls in steps until a line is in the page; what is read must not move. */
    const scrollTo = async (line: string, step: number) => {
      const wanted = chat.log.getByText(line, { exact: true });
      for (let tries = 0; await wanted.count() === 0; tries++) {
        assert.ok(tries < 200, `${line} does not come`);
        await scrollUp(page, step);
        const before = await firstVisible(page);
        await page.evaluate(() =>
          new Promise((resolve) => requestAnimationFrame(resolve))
        );
        assert.deepEqual(await firstVisible(page), before);
      }
    };
    await scrollTo("line 1", 400);
    await scrollTo("line 700", -400);
    assert.ok((await chat.texts()).length <= 150);
    await page.getByRole("button", { name: /Jump to latest|new messages/ })
      .click();
    await chat.sees("line 1560");
    await eventually(() => scrollTop(page), 0);
    await chat.say("at the end");
    await chat.sees("at the end");
    assert.equal((await chat.texts()).at(-1), "at the end");
  });
});
