/** What calls for attention and what does not: unread messages, announcements, keys, the typing line. */

import assert from "node:assert/strict";
import { useTestApp } from "../helpers/app.ts";
import { connect, type TestClient } from "../helpers/client.ts";
import { createRoom, joinRoom, signIn } from "../helpers/people.ts";
import { eventually, journey } from "./chat_page.ts";

const app = useTestApp({ RATE_LIMIT_MESSAGES: "1000" });

const send = (client: TestClient, roomId: string, text: string) =>
  client.expect("message:send", {
    roomId,
    text,
    clientMsgId: crypto.randomUUID(),
  });

Deno.test("a button leads to the first unread message, also when it was never fetched", async () => {
  await journey("first unread", app, async (visit) => {
    const { chat, person } = await visit("ada_unread");
    const bob = await signIn(app, "bob_unread");
    const room = await createRoom(person);
    await joinRoom(bob, room.id);
    await using client = await connect(app, bob);
    for (let line = 1; line <= 80; line++) {
      await send(client, room.id, `line ${line}`);
    }
    await chat.open(`/rooms/${room.id}`);
    await chat.sees("line 80");
    const button = chat.page.getByRole("button", {
      name: "Jump to first unread",
    });
    await button.click();
    await chat.sees("line 1");
    // The message itself: the line over it may stick to the top from afar.
    const { top, log, message } = await chat.log.evaluate((log) => {
      const first = log.querySelector(".new-line + *");
      return {
        log: log.getBoundingClientRect().top,
        top: first?.getBoundingClientRect().top ?? 0,
        message: first?.textContent ?? "",
      };
    });
    assert.match(message, /line 1$/);
    assert.ok(top >= log && top < log + 300, `${top} in a log at ${log}`);
    assert.equal(await button.count(), 0);
    await chat.focusIsOnLog();
    await chat.page.getByRole("button", { name: "Jump to latest" }).click();
    await chat.sees("line 80");
    await eventually(() => button.count(), 0);
    await chat.focusIsOnLog();
  });
});

Deno.test("only what others write now is read out, and a burst as a number", async () => {
  await journey("announcements", app, async (visit) => {
    const { chat, person } = await visit("ada_hears");
    const bob = await signIn(app, "bob_heard");
    const room = await createRoom(person);
    await joinRoom(bob, room.id);
    await using client = await connect(app, bob);
    await send(client, room.id, "before");
    await chat.open(`/rooms/${room.id}`);
    const spoken = chat.page.locator("[aria-live=polite]");
    assert.equal(await chat.log.getAttribute("aria-live"), "off");
    await chat.say("my own");
    await chat.sees("my own");
    await send(client, room.id, "after");
    await spoken.getByText("bob_heard: after").waitFor();
    assert.equal(await spoken.textContent(), "bob_heard: after");
    await Promise.all(
      Array.from({ length: 20 }, (_, n) => send(client, room.id, `burst ${n}`)),
    );
    await spoken.getByText(/^\d+ new messages$/).waitFor();
  });
});

Deno.test("a question mark lists the keys, but not while one types it", async () => {
  await journey("shortcuts", app, async (visit) => {
    const { chat, person, complaints } = await visit("ada_help");
    const room = await createRoom(person);
    await chat.open(`/rooms/${room.id}`);
    await chat.box.press("?");
    assert.equal(await chat.box.inputValue(), "?");
    await chat.log.focus();
    await chat.page.keyboard.press("?");
    const dialog = chat.page.getByRole("dialog", {
      name: "Keyboard shortcuts",
    });
    await dialog.waitFor();
    await dialog.getByText("Jump to a room").waitFor();
    assert.equal(await chat.page.getByRole("dialog").count(), 1);
    await chat.page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    assert.ok(await chat.log.evaluate((log) => log === document.activeElement));
    assert.deepEqual(complaints, []);
  });
});

Deno.test("who is typing is seen, unless this device was told to hide it", async () => {
  await journey("typing line", app, async (visit) => {
    const { chat, person } = await visit("ada_typing");
    const bob = await signIn(app, "bob_typing");
    const room = await createRoom(person);
    await joinRoom(bob, room.id);
    await using client = await connect(app, bob);
    await client.expect("room:join", { roomId: room.id });
    await chat.open(`/rooms/${room.id}`);
    const typing = chat.page.getByText("bob_typing is typing");
    const type = () =>
      client.expect("typing:update", { roomId: room.id, isTyping: true });
    await type();
    await typing.waitFor();
    await chat.page.locator(".settings").click();
    await chat.page.getByRole("button", { name: "Hide" }).click();
    await chat.page.waitForFunction(() =>
      document.documentElement.dataset.typing === "hidden"
    );
    await chat.live();
    await type();
    await typing.waitFor({ state: "attached" });
    assert.equal(await typing.isVisible(), false);
  });
});

Deno.test("rooms entered and left on another device follow when the page gets the focus", async () => {
  await journey("other device", app, async (visit) => {
    const { chat, person } = await visit("ada_devices");
    const kept = await createRoom(person, "Kept on both");
    await chat.open(`/rooms/${kept.id}`);
    const added = await createRoom(person, "Made elsewhere");
    const link = chat.page.getByRole("link", { name: /Made elsewhere/ });
    await chat.page.evaluate(() => dispatchEvent(new Event("focus")));
    await link.waitFor();
    await fetch(`${app.origin}/api/rooms/${added.id}/leave`, {
      method: "POST",
      headers: { authorization: `Bearer ${person.token}` },
    });
    await chat.page.evaluate(() => dispatchEvent(new Event("focus")));
    await link.waitFor({ state: "detached" });
  });
});
