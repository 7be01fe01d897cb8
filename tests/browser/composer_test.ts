/** The box to write in: what it takes, what it refuses before sending, and what it says. */

import assert from "node:assert/strict";
import { useTestApp } from "../helpers/app.ts";
import { connect } from "../helpers/client.ts";
import { createRoom, joinRoom, signIn } from "../helpers/people.ts";
import { journey } from "./chat_page.ts";

const app = useTestApp({ RATE_LIMIT_MESSAGES: "1000" });

Deno.test("a message that shows nothing is not sent, and the page says so before", async () => {
  await journey("blank message", app, async (visit) => {
    const { chat, person } = await visit("ada_blank");
    const room = await createRoom(person);
    await chat.open(`/rooms/${room.id}`);
    const hint = chat.page.getByText("There is nothing to see in this message");
    for (const text of ["\u2800\ufe0f", "\u034f", "\u{e0100}"]) {
      await chat.box.fill(text);
      await hint.waitFor();
      await chat.box.press("Enter");
      assert.equal(await chat.box.inputValue(), text);
      await chat.box.fill("");
      await hint.waitFor({ state: "detached" });
    }
    await chat.say("seen");
    await chat.sees("seen");
    assert.deepEqual(await chat.texts(), ["seen"]);
  });
});

Deno.test("on a tablet who is typing gives way to a hint rather than being cut off", async () => {
  await journey("tablet hint", app, async (visit) => {
    const { chat, person } = await visit("ada_tablet", {
      viewport: { width: 768, height: 1024 },
    });
    const room = await createRoom(person);
    const bob = await signIn(app, "bob_with_a_long_name");
    await joinRoom(bob, room.id);
    await using client = await connect(app, bob);
    await chat.open(`/rooms/${room.id}`);
    const roomId = room.id;
    await client.expect("room:join", { roomId });
    await client.expect("typing:update", { roomId, isTyping: true });
    const typing = chat.page.getByText("long_name is typing");
    await typing.waitFor();
    const isCut = () =>
      typing.evaluateAll((texts) =>
        texts.some(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)
      );
    assert.equal(await isCut(), false);
    await chat.box.fill("\u2800");
    await chat.page.getByText("There is nothing to see").waitFor();
    assert.equal(await isCut(), false);
  });
});

Deno.test("a text over the limit is not sent by an Enter in the same task", async () => {
  await journey("limit in a task", app, async (visit) => {
    const { chat, person } = await visit("ada_limit");
    const room = await createRoom(person);
    await chat.open(`/rooms/${room.id}`);
    await chat.box.evaluate((box) => {
      (box as HTMLTextAreaElement).value = "x".repeat(501);
      box.dispatchEvent(new Event("input", { bubbles: true }));
      box.dispatchEvent(
        new KeyboardEvent("keydown", {
          key: "Enter",
          bubbles: true,
          cancelable: true,
        }),
      );
    });
    await chat.page.getByText("1 character too many").waitFor();
    assert.equal((await chat.box.inputValue()).length, 501);
    await chat.say("short");
    await chat.sees("short");
    assert.deepEqual(await chat.texts(), ["short"]);
  });
});

Deno.test("an address in a message reads from left to right and is shown as it is", async () => {
  await journey("disguised address", app, async (visit) => {
    const { chat, person } = await visit("ada_links");
    const room = await createRoom(person);
    await chat.open(`/rooms/${room.id}`);
    await chat.say("\u202e see https://аррӏе.com/\u202egpj.exe");
    const link = chat.log.getByRole("link");
    await link.waitFor();
    assert.equal(
      await link.textContent(),
      "https://xn--80ak6aa92e.com/%E2%80%AEgpj.exe",
    );
    // The first letter stands to the left of the last, though the text around runs the other way.
    const [first = 0, last = 0] = await link.evaluate((link) => {
      const text = link.firstChild as Text;
      return [0, text.length - 1].map((index) => {
        const range = document.createRange();
        range.setStart(text, index);
        range.setEnd(text, index + 1);
        return range.getBoundingClientRect().left;
      });
    });
    assert.ok(first < last, `${first} < ${last}`);
  });
});

Deno.test("where a finger points, Enter breaks the line and the button sends", async () => {
  await journey("line break", app, async (visit) => {
    const { chat, person } = await visit("ada_phone", {
      viewport: { width: 390, height: 800 },
      isMobile: true,
      hasTouch: true,
    });
    const room = await createRoom(person);
    await chat.open(`/rooms/${room.id}`);
    assert.equal(await chat.box.getAttribute("enterkeyhint"), "enter");
    await chat.box.fill("one");
    await chat.box.press("Enter");
    await chat.box.pressSequentially("two");
    assert.equal(await chat.box.inputValue(), "one\ntwo");
    await chat.page.getByRole("button", { name: "Send" }).tap();
    await chat.shows(["one\ntwo"]);
  });
});

Deno.test("with a mouse Enter sends, and Shift+Enter breaks the line", async () => {
  await journey("enter", app, async (visit) => {
    const { chat, person } = await visit("ada_desk");
    const room = await createRoom(person);
    await chat.open(`/rooms/${room.id}`);
    assert.equal(await chat.box.getAttribute("enterkeyhint"), "send");
    await chat.box.fill("one");
    await chat.box.press("Shift+Enter");
    await chat.box.pressSequentially("two");
    await chat.box.press("Enter");
    await chat.shows(["one\ntwo"]);
  });
});

Deno.test("a file that is dropped opens nowhere, and the page says that it cannot be sent", async () => {
  const file = await Deno.makeTempFile({ suffix: ".txt" });
  try {
    await journey("dropped file", app, async (visit) => {
      const { chat, person, context } = await visit("ada_drops");
      const { page } = chat;
      const room = await createRoom(person);
      const input = await context.newCDPSession(page);
      const drop = async () => {
        for (const type of ["dragEnter", "dragOver", "drop"] as const) {
          await input.send("Input.dispatchDragEvent", {
            type,
            x: 300,
            y: 300,
            data: { items: [], files: [file], dragOperationsMask: 1 },
          });
        }
      };
      await chat.open(`/rooms/${room.id}`);
      await drop();
      const hint = page.getByText("Files and pictures cannot be sent here yet");
      await hint.waitFor();
      await chat.say("still here");
      await hint.waitFor({ state: "detached" });
      await chat.sees("still here");
      await chat.open("/discover");
      await drop();
      await page.getByRole("searchbox").fill("still here");
      assert.equal(context.pages().length, 1);
      assert.equal(page.url(), `${app.origin}/discover`);
    });
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("a picture that is pasted is answered with a word, a text is pasted", async () => {
  await journey("pasted picture", app, async (visit) => {
    const { chat, person } = await visit("ada_pastes");
    const room = await createRoom(person);
    await chat.open(`/rooms/${room.id}`);
    const paste = (text?: string) =>
      chat.box.evaluate((box, text) => {
        const clipboardData = new DataTransfer();
        clipboardData.items.add(
          new File(["x"], "x.png", { type: "image/png" }),
        );
        if (text) clipboardData.setData("text/plain", text);
        box.dispatchEvent(
          new ClipboardEvent("paste", { clipboardData, bubbles: true }),
        );
      }, text);
    const hint = chat.page.getByText("Files and pictures cannot be sent");
    // Copied cells of a table are a text and its picture.
    await paste("cells");
    await chat.box.fill("x");
    assert.equal(await hint.count(), 0);
    await paste();
    await hint.waitFor();
  });
});
