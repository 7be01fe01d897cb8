/** Times beside messages: when they are seen, how they are written, and that they are not copied. */

import assert from "node:assert/strict";
import { useTestApp } from "../helpers/app.ts";
import { connect } from "../helpers/client.ts";
import { createRoom, joinRoom, signIn } from "../helpers/people.ts";
import { journey } from "./chat_page.ts";

const app = useTestApp({ RATE_LIMIT_MESSAGES: "1000" });

Deno.test("every message shows its time, also within a group and on a phone", async () => {
  await journey("times", app, async (visit) => {
    const { chat, person } = await visit("ada_times");
    const room = await createRoom(person);
    await chat.open(`/rooms/${room.id}`);
    for (const text of ["one", "two", "three"]) await chat.say(text);
    await chat.shows(["one", "two", "three"]);
    for (const width of [1280, 360]) {
      await chat.page.setViewportSize({ width, height: 800 });
      const seen = await chat.log.locator(".message time").evaluateAll(
        (times) =>
          times.map((time) => time.checkVisibility({ opacityProperty: true })),
      );
      assert.deepEqual(seen, [true, true, true], `${width} pixels`);
    }
  });
});

Deno.test("an English page shows a German and a British reader no AM or PM", async () => {
  await journey("clocks", app, async (visit) => {
    for (const locale of ["de-DE", "en-GB"]) {
      const { chat, person } = await visit(`ada_${locale.slice(0, 2)}`, {
        locale,
      });
      const room = await createRoom(person);
      await chat.open(`/rooms/${room.id}`);
      await chat.say("when?");
      await chat.sees("when?");
      const time = await chat.log.locator("time[title]").first().textContent();
      assert.match(time ?? "", /^\d\d:\d\d$/, locale);
    }
  });
});

Deno.test("copied messages hold who said what, without initials and the times within a group", async () => {
  await journey("copying", app, async (visit) => {
    const { chat, person } = await visit("ada_copies");
    const bob = await signIn(app, "bob_copies");
    const room = await createRoom(person);
    await joinRoom(bob, room.id);
    await using client = await connect(app, bob);
    for (const text of ["one", "two"]) {
      await client.expect("message:send", {
        roomId: room.id,
        text,
        clientMsgId: crypto.randomUUID(),
      });
    }
    await chat.open(`/rooms/${room.id}`);
    await chat.shows(["one", "two"]);
    const copied = await chat.log.evaluate((log) => {
      const [first, second] = log.querySelectorAll(".message");
      const range = document.createRange();
      range.setStartBefore(first as Element);
      range.setEndAfter(second as Element);
      getSelection()?.removeAllRanges();
      getSelection()?.addRange(range);
      return getSelection()?.toString().split(/\s+/);
    });
    const time = await chat.log.locator(".message.first time").textContent();
    assert.deepEqual(copied, ["bob_copies", time, "one", "two"]);
  });
});
