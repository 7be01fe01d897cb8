/** A page of one user in a browser that has been signed in as another. */

import assert from "node:assert/strict";
import type { BrowserContext } from "playwright-core";
import { useTestApp } from "../helpers/app.ts";
import {
  createRoom,
  joinRoom,
  type Person,
  type Room,
  signIn,
} from "../helpers/people.ts";
import { ChatPage, eventually, journey, type Visitor } from "./chat_page.ts";

const app = useTestApp();

const SOMEBODY_ELSE = /Somebody else has signed in/;

let pairs = 0;

/** A page of Ada's, live in a room; Bob is a member of it, and of another. */
async function together(
  visit: (username: string) => Promise<Visitor>,
): Promise<{ ada: Visitor; bob: Person; room: Room; bobsRoom: Room }> {
  const n = pairs++;
  const ada = await visit(`own_ada_${n}`);
  const bob = await signIn(app, `own_bob_${n}`);
  const room = await createRoom(ada.person);
  await joinRoom(bob, room.id);
  const bobsRoom = await createRoom(bob);
  await ada.chat.open(`/rooms/${room.id}`);
  return { ada, bob, room, bobsRoom };
}

/** From now on the browser is signed in as somebody else. */
async function signInAs(context: BrowserContext, person: Person) {
  await context.addCookies([{
    name: "chatket_session",
    value: person.token,
    url: app.origin,
  }]);
}

async function stored(person: Person, room: Room) {
  const { messages } = await person.getJson<
    { messages: { text: string; sender: { username: string } }[] }
  >(`/api/rooms/${room.id}/messages`);
  return messages.map(({ text, sender }) => `${sender.username}: ${text}`);
}

Deno.test("a page whose browser is signed in as another sends nothing, takes nothing of theirs, and says so", async () => {
  await journey("another user", app, async (visit) => {
    const { ada, bob, room, bobsRoom } = await together(visit);
    const { chat, context } = ada;
    await context.setOffline(true);
    await chat.say("written by Ada");
    await signInAs(context, bob);
    await context.setOffline(false);
    await chat.status.filter({ hasText: SOMEBODY_ELSE }).waitFor();

    await chat.say("written later");
    await chat.page.evaluate(() => dispatchEvent(new Event("focus")));
    await chat.page.getByRole("button", { name: "Leave room" }).click();
    const [left] = await Promise.all([
      chat.page.waitForResponse(/\/leave$/),
      chat.page.getByRole("dialog")
        .getByRole("button", { name: "Leave room" }).click(),
    ]);
    assert.equal(left.status(), 412);
    const name = "Made from a page of Ada’s";
    await chat.page.getByRole("textbox", { name: "Room name" }).fill(name);
    const [made] = await Promise.all([
      chat.page.waitForResponse(/\/api\/rooms$/),
      chat.page.getByRole("button", { name: "Create room" }).click(),
    ]);
    assert.equal(made.status(), 412);
    assert.equal(
      await chat.page.getByRole("link", { name: bobsRoom.name }).count(),
      0,
      "the list of rooms is still Ada's",
    );
    assert.deepEqual(await stored(bob, room), []);
    const rooms = await bob.getJson<Room[]>("/api/rooms");
    assert.deepEqual(
      rooms.map(({ id }) => id).sort(),
      [room.id, bobsRoom.id].sort(),
    );

    await chat.page.getByRole("link", { name: "Reload" }).click();
    await chat.page.locator(".account")
      .getByText(bob.user.username).waitFor();
    await chat.live();
    assert.deepEqual(await chat.texts(), [], "not in Bob's page either");
    assert.deepEqual(await stored(bob, room), []);

    await signInAs(context, ada.person);
    await chat.page.reload();
    await chat.shows(["written by Ada", "written later"]);
    const { username } = ada.person.user;
    await eventually(() => stored(bob, room), [
      `${username}: written by Ada`,
      `${username}: written later`,
    ]);
    assert.deepEqual(ada.complaints, []);
  });
});

Deno.test("a page stops when a page of another user is opened in another tab", async () => {
  await journey("another tab", app, async (visit) => {
    const { ada, bob, room } = await together(visit);
    await signInAs(ada.context, bob);
    const second = new ChatPage(await ada.context.newPage(), app.origin);
    await second.open(`/rooms/${room.id}`);
    await ada.chat.status.filter({ hasText: SOMEBODY_ELSE }).waitFor();
    await ada.chat.say("written by Ada");
    await second.say("written by Bob");
    await second.shows(["written by Bob"]);
    // It is shown before it is stored.
    await eventually(() => stored(bob, room), [
      `${bob.user.username}: written by Bob`,
    ]);
  });
});

Deno.test("signing out removes what the user has left in the browser, in every tab; a lost session leaves it to its user", async () => {
  await journey("traces", app, async (visit) => {
    const { ada, bob, room } = await together(visit);
    const { chat, context, person } = ada;
    const left = () =>
      chat.page.evaluate(() =>
        [...Object.keys(localStorage), ...Object.keys(sessionStorage)]
          .filter((key) => key !== "chatket_user").sort()
      );
    await chat.say("seen and sent");
    await chat.sees("seen and sent");
    await chat.box.fill("half a thought");
    await chat.page.evaluate(() => dispatchEvent(new Event("offline")));

    await context.clearCookies({ name: "chatket_session" });
    await chat.page.reload();
    await chat.page.getByRole("textbox", { name: "Username" }).waitFor();
    const draft = `chatket_draft:${person.user.id}:${room.id}`;
    assert.ok((await left()).includes(draft), "the session was only lost");

    await signInAs(context, bob);
    await chat.open(`/rooms/${room.id}`);
    assert.equal(await chat.box.inputValue(), "", "it is not Bob's");

    await signInAs(context, person);
    await chat.open(`/rooms/${room.id}`);
    assert.equal(await chat.box.inputValue(), "half a thought");
    const second = new ChatPage(await context.newPage(), app.origin);
    await second.open(`/rooms/${room.id}`);
    await chat.logOut();
    for (const { page } of [chat, second]) {
      await page.getByRole("textbox", { name: "Username" }).waitFor();
    }
    assert.deepEqual(await left(), []);
    assert.deepEqual(
      await second.page.evaluate(() => Object.keys(sessionStorage)),
      [],
    );
    assert.deepEqual(ada.complaints, []);
  });
});

Deno.test("what a user has left who signed out without script is removed by the next user's page", async () => {
  await journey("signed out without script", app, async (visit) => {
    const { ada, bob, room } = await together(visit);
    const { chat, context } = ada;
    await chat.box.fill("half a thought");
    await chat.page.goto("about:blank");
    // As a form without script does; the page for signing in is not run.
    const signedOut = await context.request.post(`${app.origin}/logout`, {
      maxRedirects: 0,
    });
    assert.equal(signedOut.status(), 303);
    await signInAs(context, bob);
    await chat.open(`/rooms/${room.id}`);
    const keys = await chat.page.evaluate(() => [
      ...Object.keys(localStorage),
      ...Object.keys(sessionStorage),
    ]);
    const { id } = ada.person.user;
    assert.deepEqual(keys.filter((key) => key.includes(id)), []);
    const cookies = (await context.cookies()).map(({ name }) => name);
    assert.ok(!cookies.includes("chatket_left"), String(cookies));
    assert.deepEqual(ada.complaints, []);
  });
});
