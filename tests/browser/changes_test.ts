/** Changes of messages as the page shows them: live, after being away, and from the start. */

import assert from "node:assert/strict";
import type { Message } from "../../realtime/protocol/protocol.ts";
import { useTestApp } from "../helpers/app.ts";
import {
  createRoom,
  expectJson,
  joinRoom,
  type Person,
  signIn,
} from "../helpers/people.ts";
import { eventually, holdSockets, journey } from "./chat_page.ts";

const app = useTestApp({ RATE_LIMIT_MESSAGES: "1000" });

/** What Bob does over HTTP in a room of Ada's. */
async function gather(ada: Person, name: string) {
  const bob = await signIn(app, name);
  const { id } = await createRoom(ada);
  await joinRoom(bob, id);
  const call = async (method: string, path: string, json?: unknown) => {
    const answer = await bob.fetch(`/api/rooms/${id}/messages${path}`, {
      ...{ method, json },
    });
    assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
    return answer;
  };
  const post = async (text: string, replyTo?: string) =>
    await expectJson<Message>(
      await call("POST", "", {
        ...{ text, clientMsgId: crypto.randomUUID(), replyTo },
      }),
      201,
    );
  return {
    ...{ bob, id, post },
    edit: (id: string, text: string) => call("PATCH", `/${id}`, { text }),
    remove: (id: string) => call("DELETE", `/${id}`),
    react: (id: string, emoji: string) =>
      call("PUT", `/${id}/reactions/${encodeURIComponent(emoji)}`),
  };
}

Deno.test("an edit, a reaction, a reply and a deletion show at once", async () => {
  await journey("changes live", app, async (visit) => {
    const { chat, person } = await visit("ada_changes");
    const room = await gather(person, "bob_changes");
    const first = await room.post("helo");
    const second = await room.post("a secret");
    await room.post("what did you say?", second.messageId);
    await chat.open(`/rooms/${room.id}`);
    await room.edit(first.messageId, "hello");
    await chat.log.getByText("hello", { exact: true }).waitFor();
    await chat.log.getByText("edited", { exact: true }).waitFor();
    await room.react(first.messageId, "👍");
    await chat.log.getByRole("list", { name: "Reactions" })
      .getByText("👍").waitFor();
    await chat.log.locator(".quote").getByText("a secret").waitFor();
    await room.remove(second.messageId);
    await eventually(() => chat.log.getByText("a secret").count(), 0);
    const gone = chat.log.getByText("This message was deleted.");
    await eventually(() => gone.count(), 2, "the message, and its quote");
  });
});

Deno.test("what was changed while the line was down shows when it is back, and after a reload", async () => {
  await journey("changes missed", app, async (visit) => {
    const { chat, person } = await visit("ada_away");
    const room = await gather(person, "bob_away");
    const ids: string[] = [];
    for (let n = 1; n <= 5; n++) {
      ids.push((await room.post(`line ${n}`)).messageId);
    }
    const line = await holdSockets(chat.page);
    await chat.open(`/rooms/${room.id}`);
    await chat.sees("line 5");
    line.block(true);
    line.cut();
    await chat.page.getByRole("button", { name: "Try now" }).waitFor();
    await room.edit(ids[1]!, "line two");
    await room.remove(ids[2]!);
    await room.react(ids[3]!, "🎉");
    await room.post("line 6");
    line.block(false);
    await chat.page.getByRole("button", { name: "Try now" }).click();
    const texts = [
      ...["line 1", "line two", "This message was deleted."],
      ...["line 4", "line 5", "line 6"],
    ];
    await chat.shows(texts);
    await chat.log.getByText("🎉").waitFor();
    await chat.page.reload();
    await chat.shows(texts);
    await chat.log.getByText("🎉").waitFor();
  });
});

Deno.test("an unread message that is taken back is unread no more", async () => {
  await journey("unread deleted", app, async (visit) => {
    const { chat, person } = await visit("ada_unread");
    const room = await gather(person, "bob_unread");
    await createRoom(person);
    await chat.open("/");
    const { messageId } = await room.post("look!");
    await room.post("here!");
    const badge = chat.page.getByText("2 unread messages");
    await badge.waitFor({ state: "attached" });
    await room.remove(messageId);
    await chat.page.getByText("1 unread message", { exact: true })
      .waitFor({ state: "attached" });
  });
});
