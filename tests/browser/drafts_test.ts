/** Drafts of two tabs that show the same room. */

import assert from "node:assert/strict";
import { useTestApp } from "../helpers/app.ts";
import { createRoom } from "../helpers/people.ts";
import { ChatPage, eventually, journey } from "./chat_page.ts";

const app = useTestApp();

Deno.test("two tabs of a room: what one has sent is no draft in the other, and neither clears the other's", async () => {
  await journey("drafts", app, async (visit) => {
    const { chat: first, context, person, complaints } = await visit("ada_two");
    const path = `/rooms/${(await createRoom(person)).id}`;
    const second = new ChatPage(await context.newPage(), app.origin);
    const text = (chat: ChatPage) => () => chat.box.inputValue();
    await first.open(path);
    await first.box.fill("hello");
    // A draft is written a little after it was typed.
    await first.page.waitForFunction(() =>
      Object.values({ ...localStorage }).includes('"hello"')
    );
    await second.open(path);
    assert.equal(await text(second)(), "hello", "a new tab goes on with it");

    await first.box.press("Enter");
    await second.sees("hello");
    await eventually(text(second), "", "sent: no draft any more");

    await first.box.fill("one");
    await second.box.fill("two");
    await second.box.fill("");
    await first.page.reload();
    await eventually(text(first), "one", "the other one was cleared");

    await second.say("two");
    await first.sees("two");
    assert.equal(await text(first)(), "one", "another text was sent");
    assert.deepEqual(complaints, []);
  });
});
