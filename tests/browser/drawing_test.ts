/** What the page does, and when: it draws what has changed and nothing else, and listens from the beginning. */

import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { useTestApp } from "../helpers/app.ts";
import { connect } from "../helpers/client.ts";
import { createRoom, joinRoom, signIn } from "../helpers/people.ts";
import { ChatPage, eventually, journey } from "./chat_page.ts";

const app = useTestApp({ RATE_LIMIT_MESSAGES: "100" });

/** Notes every part of the document that changes, and counts reads of the storage. */
async function watchChanges(page: Page) {
  await page.evaluate(() => {
    const noted = { changes: [] as string[], reads: 0 };
    Object.assign(globalThis, { noted });
    const place = (node: Node) => {
      const element = node instanceof Element ? node : node.parentElement;
      return element?.closest(".rooms, title, [rel=icon], .log, .hints")
        ?.className || element?.localName || "";
    };
    new MutationObserver((records) => {
      for (const { target, addedNodes } of records) {
        const added = [...addedNodes].flatMap((node) =>
          node instanceof Element ? node.className : []
        );
        noted.changes.push(`${place(target)}: ${added.join(" ")}`);
      }
    }).observe(document, {
      subtree: true,
      childList: true,
      attributes: true,
      characterData: true,
    });
    for (const name of ["getItem", "key"] as const) {
      const read = Storage.prototype[name] as (key: never) => string | null;
      Storage.prototype[name] = function (key: unknown) {
        noted.reads++;
        return read.call(this, key as never);
      };
    }
  });
  return {
    /** What was noted since the last call. */
    take: () =>
      page.evaluate(() => {
        const { noted } = globalThis as unknown as {
          noted: { changes: string[]; reads: number };
        };
        return { changes: noted.changes.splice(0), reads: noted.reads };
      }),
  };
}

Deno.test("a message elsewhere changes the list and the title, one in the open room adds a row, and neither reads the storage", async () => {
  await journey("drawing", app, async (visit) => {
    const { chat, person, complaints } = await visit("ada_draws");
    const bob = await signIn(app, "bob_draws");
    const open = await createRoom(person, "Open");
    const other = await createRoom(person, "Other");
    for (const { id } of [open, other]) await joinRoom(bob, id);
    await using client = await connect(app, bob);
    const say = (roomId: string, text: string) =>
      client.expect("message:send", {
        roomId,
        text,
        clientMsgId: crypto.randomUUID(),
      });
    await chat.open(`/rooms/${open.id}`);
    // The first message of a room brings its day, and what is read out; the first elsewhere moves its room up.
    await say(open.id, "first");
    await chat.sees("first");
    await chat.page.locator("[aria-live=polite]").getByText("first").waitFor();
    await say(other.id, "first");
    await chat.page.waitForFunction(() => document.title.startsWith("(1)"));

    const watch = await watchChanges(chat.page);
    await say(other.id, "second");
    await chat.page.waitForFunction(() => document.title.startsWith("(2)"));
    await eventually(
      () => chat.page.locator(".badge").first().innerText(),
      "2\n2 unread messages",
    );
    const elsewhere = await watch.take();
    assert.deepEqual(
      new Set(elsewhere.changes.map((change) => change.split(":")[0])),
      new Set(["rooms", "title"]),
    );

    await say(open.id, "second");
    await chat.sees("second");
    const here = await watch.take();
    const rows = here.changes.filter((change) => change.startsWith("log"));
    assert.deepEqual(rows, ["log: message"]);
    assert.equal(here.reads, 0);
    assert.deepEqual(complaints, []);
  });
});

Deno.test("before its late code has come the page keeps what is typed, hears other tabs and carries out clicks when it can", async () => {
  await journey("late code", app, async (visit) => {
    const { chat, context, person, complaints } = await visit("ada_early", {
      // It would bring the late code from its cache.
      serviceWorkers: "block",
    });
    const room = await createRoom(person, "Early");
    const other = await createRoom(person, "Later");
    const first = new ChatPage(await context.newPage(), app.origin);
    await first.open(`/rooms/${room.id}`);
    const { page } = chat;
    const late = Promise.withResolvers<void>();
    await page.route(/\/extras-[^/]*\.js$/, async (route) => {
      await late.promise;
      await route.continue();
    });
    const toRoom = async () => {
      await page.goto(`${app.origin}/rooms/${room.id}`);
      // The page lives: it has a box that takes the draft.
      await page.waitForFunction(() =>
        document.querySelector("textarea")?.style.height !== ""
      );
    };
    await toRoom();
    await chat.box.fill("typed at once");
    await page.reload();
    await eventually(() => chat.box.inputValue(), "typed at once");

    await first.say("typed at once");
    await eventually(() => chat.box.inputValue(), "", "sent in another tab");

    await page.getByRole("button", { name: "Jump to a room" }).click();
    await page.getByRole("link", { name: "Later" }).click();
    await page.waitForURL(`${app.origin}/rooms/${other.id}`);
    late.resolve();
    await page.getByRole("combobox").waitFor();
    assert.deepEqual(complaints, []);
  });
});
