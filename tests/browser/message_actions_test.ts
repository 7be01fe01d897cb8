/** What one does to messages, by pointer, keyboard and touch, and what others see of it. */

import assert from "node:assert/strict";
import { useTestApp } from "../helpers/app.ts";
import { createRoom, joinRoom } from "../helpers/people.ts";
import {
  type ChatPage,
  eventually,
  journey,
  type Visitor,
} from "./chat_page.ts";

const app = useTestApp({ RATE_LIMIT_MESSAGES: "1000" });

/** Ada and Bob in a room of Ada's, each with a page. */
async function gather(visit: (name: string) => Promise<Visitor>, name: string) {
  const ada = await visit(`ada_${name}`);
  const bob = await visit(`bob_${name}`);
  const { id } = await createRoom(ada.person);
  await joinRoom(bob.person, id);
  await ada.chat.open(`/rooms/${id}`);
  await bob.chat.open(`/rooms/${id}`);
  return { ada, bob, id };
}

/** Opens the actions of a message. */
async function openActions(chat: ChatPage, text: string) {
  const row = chat.log.locator(".message").filter({ hasText: text }).first();
  await row.hover();
  await row.getByRole("button", { name: "Message actions" }).click();
  const menu = chat.page.getByRole("group", { name: "Message actions" });
  await menu.waitFor();
  return menu;
}

async function choose(chat: ChatPage, text: string, action: string) {
  const menu = await openActions(chat, text);
  await menu.getByRole("button", { name: action, exact: true }).click();
}

Deno.test("one answers a message, puts an emoji to it and takes it back; the other sees it", async () => {
  await journey("answer", app, async (visit) => {
    const { ada, bob } = await gather(visit, "answer");
    await ada.chat.say("Who brings the string?");
    await bob.chat.sees("Who brings the string?");
    await choose(bob.chat, "Who brings", "Reply");
    await bob.chat.page.getByText("Replying to ada_answer").waitFor();
    await bob.chat.say("I do");
    await ada.chat.log.locator(".quote").getByText("Who brings the string?")
      .waitFor();
    assert.equal(await bob.chat.page.getByText("Replying to").count(), 0);

    const menu = await openActions(bob.chat, "Who brings");
    await menu.getByRole("button", { name: "React with 👍" }).click();
    const seen = ada.chat.log.getByRole("list", { name: "Reactions" });
    await seen.getByText("👍 1").waitFor();
    const again = await openActions(bob.chat, "Who brings");
    const mine = again.getByRole("button", { name: "React with 👍" });
    await eventually(() => mine.getAttribute("aria-pressed"), "true");
    await mine.click();
    await eventually(() => seen.count(), 0);
    assert.deepEqual([...ada.complaints, ...bob.complaints], []);
  });
});

Deno.test("one's last message is edited by the arrow key; Escape leaves it and what was written as they were", async () => {
  await journey("edit", app, async (visit) => {
    const { ada, bob } = await gather(visit, "edit");
    await ada.chat.say("See you at tenn");
    await bob.chat.sees("See you at tenn");
    await ada.chat.box.press("ArrowUp");
    await eventually(() => ada.chat.box.inputValue(), "See you at tenn");
    await ada.chat.box.press("Escape");
    await eventually(() => ada.chat.box.inputValue(), "");
    await ada.chat.say("And bring a knife");
    await bob.chat.sees("And bring a knife");
    await ada.chat.box.fill("half a thought");
    await choose(ada.chat, "And bring", "Edit");
    await eventually(() => ada.chat.box.inputValue(), "And bring a knife");
    await choose(ada.chat, "See you", "Edit");
    await eventually(() => ada.chat.box.inputValue(), "See you at tenn");
    await ada.chat.box.fill("See you at ten");
    await ada.chat.box.press("Enter");
    await bob.chat.sees("See you at ten");
    await bob.chat.log.getByText("edited", { exact: true }).waitFor();
    await eventually(() => ada.chat.box.inputValue(), "half a thought");
    await bob.chat.shows(["See you at ten", "And bring a knife"]);
  });
});

Deno.test("a message is deleted after a few seconds in which that can be undone", async () => {
  await journey("delete", app, async (visit) => {
    const { ada, bob } = await gather(visit, "delete");
    await ada.chat.say("too much");
    await bob.chat.sees("too much");
    await choose(ada.chat, "too much", "Delete message");
    const undo = ada.chat.page.getByRole("button", { name: "Undo" });
    await undo.click();
    await eventually(() => undo.count(), 0);
    await choose(ada.chat, "too much", "Delete message");
    await bob.chat.log.getByText("This message was deleted.").waitFor();
    await eventually(() => undo.count(), 0);
    const actions = bob.chat.log.getByRole("button", {
      name: "Message actions",
    });
    assert.equal(await actions.count(), 0, "nothing can be done with it");
  });
});

Deno.test("a moderator pins others' messages and deletes them; others cannot", async () => {
  await journey("moderate", app, async (visit) => {
    const { ada, bob } = await gather(visit, "moderate");
    await bob.chat.say("Bob's");
    await ada.chat.say("Ada's");
    await bob.chat.sees("Ada's");
    const menu = await openActions(bob.chat, "Ada's");
    const names = await menu.getByRole("button").allTextContents();
    assert.deepEqual(names.slice(6), ["Reply", "Copy text"]);
    await bob.chat.page.keyboard.press("Escape");
    await eventually(() => menu.count(), 0);
    await choose(ada.chat, "Bob's", "Pin to the room");
    await bob.chat.log.getByText("pinned", { exact: true }).waitFor();
    await choose(ada.chat, "Bob's", "Unpin");
    await eventually(
      () => bob.chat.log.getByText("pinned", { exact: true }).count(),
      0,
    );
  });
});

Deno.test("the actions are reached by the keyboard alone, and the focus comes back", async () => {
  await journey("keys", app, async (visit) => {
    const { ada } = await gather(visit, "keys");
    await ada.chat.say("by keys");
    await ada.chat.log.getByRole("button", { name: "Message actions" })
      .waitFor({ state: "attached" });
    await ada.chat.log.focus();
    await ada.chat.page.keyboard.press("ArrowUp");
    const isOnMessage = () =>
      ada.chat.page.evaluate(() => document.activeElement?.matches(".message"));
    await eventually(isOnMessage, true);
    await ada.chat.page.keyboard.press("Enter");
    const menu = ada.chat.page.getByRole("group", { name: "Message actions" });
    await menu.waitFor();
    await ada.chat.page.keyboard.press("Escape");
    await eventually(() => menu.count(), 0);
    await eventually(isOnMessage, true);
  });
});
