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
import { fillRoom, firstVisible, scrollTop, scrollUp } from "./long_rooms.ts";

const app = useTestApp({
  RATE_LIMIT_MESSAGES: "1000",
  FRAME_LIMIT_BURST: "2000",
});

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
      assert.equal(await scrollTop(chat.page), -800);
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
