/** Small windows, fingers, paper, chosen colours, less motion, browsers of another age. */

import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { useTestApp } from "../helpers/app.ts";
import { connect } from "../helpers/client.ts";
import { createRoom, joinRoom, signIn } from "../helpers/people.ts";
import { eventually, journey } from "./chat_page.ts";

const app = useTestApp({ RATE_LIMIT_MESSAGES: "1000" });

/** A finger's width, in pixels. */
const TARGET_PX = 44;

/** Buttons, links and boxes that are seen and smaller than a finger; links within texts may be. */
function smallTargets(page: Page): Promise<string[]> {
  return page.evaluate(
    (least) =>
      [...document.querySelectorAll("button, a, input, textarea, summary")]
        .filter((element) =>
          element.checkVisibility({ visibilityProperty: true }) &&
          !element.closest(".bubble, .skip") &&
          (element as HTMLInputElement).type !== "hidden"
        )
        .map((element) => ({
          name: element.outerHTML.slice(0, 90),
          box: element.getBoundingClientRect(),
        }))
        .filter(({ box }) => box.width < least || box.height < least)
        .map(({ name, box }) => `${name} ${box.width}×${box.height}`),
    TARGET_PX,
  );
}

Deno.test("with a finger everything is large enough to hit", async () => {
  await journey("targets", app, async (visit) => {
    const { chat, person, context } = await visit("ada_finger", {
      viewport: { width: 390, height: 800 },
      isMobile: true,
      hasTouch: true,
    });
    const room = await createRoom(person, "Fingers");
    const other = await createRoom(await signIn(app, "bob_finger"), "Thumbs");
    await chat.open(`/rooms/${room.id}`);
    await chat.box.fill("hello");
    await chat.page.getByRole("button", { name: "Send" }).tap();
    await chat.sees("hello");
    // Half a character: the page lets it pass, the server does not.
    for (let count = 0; count < 2; count++) {
      await chat.box.evaluate((box) => {
        (box as HTMLTextAreaElement).value = "half \ud83c";
        box.dispatchEvent(new Event("input", { bubbles: true }));
      });
      await chat.page.getByRole("button", { name: "Send" }).tap();
    }
    await chat.page.getByRole("button", { name: "Retry all" }).waitFor();
    assert.deepEqual(await smallTargets(chat.page), []);
    await chat.page.getByRole("button", { name: "Members" }).tap();
    await chat.page.getByRole("button", { name: "Leave room" }).waitFor();
    assert.deepEqual(await smallTargets(chat.page), []);
    for (const path of ["/", "/discover", `/rooms/${other.id}`, "/rooms/x"]) {
      await chat.page.goto(app.origin + path);
      assert.deepEqual(await smallTargets(chat.page), [], path);
    }
    await chat.page.goto(app.origin);
    await chat.page.locator(".settings").tap();
    assert.deepEqual(await smallTargets(chat.page), []);
    await context.clearCookies();
    await chat.page.goto(`${app.origin}/login`);
    assert.deepEqual(await smallTargets(chat.page), []);
  });
});

Deno.test("at 400 % zoom one reads, writes, and reaches all of the list", async () => {
  await journey("zoom", app, async (visit) => {
    const { chat, person } = await visit("ada_zoom", {
      // 1280 by 1024 pixels, four times as large.
      viewport: { width: 320, height: 256 },
    });
    const rooms = [];
    for (let n = 1; n <= 4; n++) {
      rooms.push(await createRoom(person, `Zoomed ${n}`));
    }
    await chat.open(`/rooms/${rooms[0]?.id}`);
    await chat.say("readable");
    await chat.sees("readable");
    for (const part of [chat.log, chat.box]) {
      const box = await part.boundingBox();
      assert.ok(box && box.y >= 0 && box.y + box.height <= 256, `${box?.y}`);
      assert.ok(box.height >= 40, `${box.height} pixels high`);
    }
    const bubble = await chat.log.locator(".bubble").boundingBox();
    assert.ok(bubble && bubble.y > 0 && bubble.y + bubble.height < 256);
    await chat.log.focus();
    await chat.page.keyboard.press("?");
    const close = chat.page.getByRole("dialog").getByRole("button", {
      name: "Close",
    });
    await close.click();
    await chat.page.goto(app.origin);
    await chat.page.getByRole("link", { name: /Zoomed 1/ }).hover();
    await chat.page.getByRole("textbox", { name: "Room name" }).fill("x");
    await chat.page.locator(".settings").click();
    await chat.page.getByRole("button", { name: "System" }).hover();
    await chat.page.getByRole("button", { name: "Log out" }).hover();
  });
});

Deno.test("what is read stays in its place when the window changes its size", async () => {
  await journey("rotation", app, async (visit) => {
    const { chat, person } = await visit("ada_turns", {
      viewport: { width: 740, height: 360 },
    });
    const bob = await signIn(app, "bob_turns");
    const room = await createRoom(person);
    await joinRoom(bob, room.id);
    await using client = await connect(app, bob);
    for (let line = 1; line <= 40; line++) {
      await client.expect("message:send", {
        roomId: room.id,
        text: `line ${line}: ${"some more words ".repeat(line % 7)}`,
        clientMsgId: crypto.randomUUID(),
      });
    }
    await chat.open(`/rooms/${room.id}`);
    // What keeps the place comes with what comes later; the list of keys shows that it is there.
    await chat.log.focus();
    await chat.page.keyboard.press("?");
    await chat.page.getByRole("dialog").waitFor();
    await chat.page.keyboard.press("Escape");
    await chat.log.evaluate((log) => log.scrollBy(0, -900));
    await chat.page.getByRole("button", { name: "Jump to latest" }).waitFor();
    const top = () =>
      chat.log.evaluate((log) => {
        const { top } = log.getBoundingClientRect();
        const row = [...log.querySelectorAll(".message")].find((row) =>
          row.getBoundingClientRect().bottom > top
        );
        const text = row?.querySelector(".bubble")?.textContent ?? "";
        return [
          text.slice(0, 8),
          Math.round((row?.getBoundingClientRect().top ?? 0) - top),
        ];
      });
    const before = await top();
    for (const [width, height] of [[360, 740], [740, 360], [740, 250]]) {
      await chat.page.setViewportSize({
        width: width ?? 0,
        height: height ?? 0,
      });
      await eventually(top, before);
    }
    await chat.page.getByRole("button", { name: "Jump to latest" }).click();
    await chat.page.setViewportSize({ width: 360, height: 740 });
    await eventually(() => chat.log.evaluate((log) => log.scrollTop), 0);
  });
});

Deno.test("on paper a room is a plain transcript, dark on white", async () => {
  await journey("paper", app, async (visit) => {
    const { chat, person } = await visit("ada_prints", { colorScheme: "dark" });
    const bob = await signIn(app, "bob_prints");
    const room = await createRoom(person, "To be printed");
    await joinRoom(bob, room.id);
    await using client = await connect(app, bob);
    for (let line = 1; line <= 40; line++) {
      await client.expect("message:send", {
        roomId: room.id,
        text: `line ${line}`,
        clientMsgId: crypto.randomUUID(),
      });
    }
    await chat.open(`/rooms/${room.id}`);
    await chat.say("my own");
    await chat.sees("my own");
    await chat.page.emulateMedia({ media: "print" });
    const { log, ...seen } = await chat.page.evaluate(() => {
      const log = document.querySelector(".log");
      const bubble = document.querySelector(".own .bubble");
      const isSeen = (selector: string) => {
        const box = document.querySelector(selector)?.getBoundingClientRect();
        return box !== undefined && box.width > 1 && box.height > 1;
      };
      return {
        log: [log?.scrollHeight, log?.clientHeight],
        ink: bubble && getComputedStyle(bubble).color,
        title: getComputedStyle(document.querySelector("h1") ?? document.body)
          .color,
        own: isSeen(".own header b"),
        time: isSeen(".message time"),
        sidebar: isSeen(".sidebar"),
        composer: isSeen(".composer"),
        members: isSeen(".members"),
      };
    });
    assert.equal(log[0], log[1], "nothing is cut off");
    assert.deepEqual(seen, {
      ink: "rgb(0, 0, 0)",
      title: "rgb(35, 33, 29)",
      own: true,
      time: true,
      sidebar: false,
      composer: false,
      members: false,
    });
  });
});

Deno.test("in forced colours what is chosen, who is there and what was refused still show", async () => {
  await journey("forced colours", app, async (visit) => {
    const { chat, person } = await visit("ada_forced", {
      forcedColors: "active",
    });
    const bob = await signIn(app, "bob_forced");
    const room = await createRoom(person);
    await joinRoom(bob, room.id);
    await chat.open(`/rooms/${room.id}`);
    await chat.say("hello");
    await chat.sees("hello");
    const online = chat.members.locator(".online .avatar");
    await online.waitFor();
    const [bubble, current, here, away] = await chat.page.evaluate(() => {
      const style = (selector: string, pseudo?: string) =>
        getComputedStyle(
          document.querySelector(selector) ?? document.body,
          pseudo,
        );
      return [
        style(".bubble").borderStyle,
        style(".room-link[aria-current]").outlineStyle,
        style(".members .online .avatar", "::after").backgroundColor,
        style(".members .offline .avatar", "::after").backgroundColor,
      ];
    });
    assert.deepEqual([bubble, current], ["solid", "solid"]);
    assert.notEqual(here, away);
  });
});

Deno.test("where less motion is wanted nothing moves", async () => {
  await journey("reduced motion", app, async (visit) => {
    const { chat, person } = await visit("ada_still", {
      reducedMotion: "reduce",
    });
    const bob = await signIn(app, "bob_still");
    const room = await createRoom(person);
    await joinRoom(bob, room.id);
    await using client = await connect(app, bob);
    await client.expect("room:join", { roomId: room.id });
    await chat.open(`/rooms/${room.id}`);
    await client.expect("typing:update", { roomId: room.id, isTyping: true });
    await chat.page.locator(".dots i").first().waitFor();
    const moving = await chat.page.evaluate(() =>
      document.getAnimations().filter((animation) =>
        Number(animation.effect?.getComputedTiming().endTime) > 2
      ).length
    );
    assert.equal(moving, 0);
    const smooth = await chat.page.evaluate(() =>
      [...document.querySelectorAll("*")].filter((element) =>
        getComputedStyle(element).scrollBehavior !== "auto"
      ).length
    );
    assert.equal(smooth, 0);
  });
});

Deno.test("a browser of another age gets a page that one can read and write with", async () => {
  await journey("old browser", app, async (visit) => {
    const { chat, person, complaints } = await visit("ada_old", {
      colorScheme: "dark",
    });
    const room = await createRoom(person, "Old times");
    await chat.page.addInitScript(() => {
      Reflect.deleteProperty(URL, "canParse");
    });
    await chat.page.route("**/*.css", async (route) => {
      const response = await route.fetch();
      const css = (await response.text()).replaceAll("light-dark(", "unknown(");
      await route.fulfill({ response, body: css });
    });
    await chat.page.goto(`${app.origin}/rooms/${room.id}`);
    await chat.box.fill("written long ago https://example.org");
    await chat.page.getByRole("button", { name: "Send" }).click();
    await chat.sees("written long ago https://example.org");
    await chat.page.waitForURL(/\/rooms\//);
    assert.equal(await chat.status.textContent(), "", "no script has run");
    const colours = await chat.page.evaluate(() =>
      [".main", "h1", ".own .bubble", ".send"].map((selector) => {
        const style = getComputedStyle(
          document.querySelector(selector) ?? document.body,
        );
        return `${style.color} on ${style.backgroundColor}`;
      })
    );
    assert.deepEqual(colours, [
      "rgb(35, 33, 29) on rgb(253, 251, 247)",
      "rgb(35, 33, 29) on rgba(0, 0, 0, 0)",
      "rgb(244, 251, 248) on rgb(22, 105, 93)",
      "rgb(255, 255, 255) on rgb(18, 101, 90)",
    ]);
    assert.deepEqual(complaints, []);
  });
});

Deno.test("with letters of twice the size a room keeps its width: the page is laid out by them", async () => {
  await journey("large letters", app, async (visit) => {
    const { chat, person, context } = await visit("ada_large", {
      viewport: { width: 1280, height: 800 },
    });
    const room = await createRoom(person);
    const widths: Record<number, number> = {};
    for (const standard of [16, 24, 32]) {
      const devtools = await context.newCDPSession(chat.page);
      await devtools.send("Page.setFontSizes", { fontSizes: { standard } });
      await chat.open(`/rooms/${room.id}`);
      const box = await chat.page.locator(".main").boundingBox();
      widths[standard] = box!.width;
    }
    // Beside list and members; without the members beside it; alone.
    assert.deepEqual(widths, { 16: 736, 24: 848, 32: 1280 });
  });
});
