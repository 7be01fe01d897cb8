/** Everybody can use it: axe, the keyboard, names and languages. */

import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { useTestApp } from "../helpers/app.ts";
import { connect } from "../helpers/client.ts";
import { createRoom, joinRoom } from "../helpers/people.ts";
import { eventually, journey } from "./chat_page.ts";

const app = useTestApp({ RATE_LIMIT_MESSAGES: "1000" });

const AXE = await Deno.readTextFile(
  new URL("../../node_modules/axe-core/axe.min.js", import.meta.url),
);

interface AxeResults {
  violations: {
    id: string;
    nodes: { html: string; failureSummary?: string }[];
  }[];
}

/** Rules of WCAG 2.2 AA and good practice that the page breaks, with what breaks them. */
async function faults(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: { run: () => Promise<AxeResults> } }).axe
      .run()
  );
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`)
  );
}

for (const colorScheme of ["light", "dark"] as const) {
  Deno.test(`axe finds nothing on any page, ${colorScheme}`, async () => {
    await journey(`axe ${colorScheme}`, app, async (visit) => {
      const { chat, person, context } = await visit(`ada_${colorScheme}`, {
        colorScheme,
      });
      const bob = await visit(`bob_${colorScheme}`);
      const room = await createRoom(person, `Axe ${colorScheme}`);
      await joinRoom(bob.person, room.id);
      await using client = await connect(app, bob.person);
      for (const text of ["Hello https://example.org", "more", "👍"]) {
        await client.expect("message:send", {
          roomId: room.id,
          text,
          clientMsgId: crypto.randomUUID(),
        });
      }
      await chat.open(`/rooms/${room.id}`);
      await chat.say("mine");
      await chat.sees("mine");
      assert.deepEqual(await faults(chat.page), []);
      const account = chat.page.getByRole("button", { name: "Account" });
      await account.click();
      assert.deepEqual(await faults(chat.page), []);
      await chat.page.keyboard.press("Control+k");
      await chat.page.getByRole("combobox").waitFor();
      assert.deepEqual(await faults(chat.page), []);
      await chat.page.keyboard.press("Escape");

      await chat.page.setViewportSize({ width: 360, height: 740 });
      assert.deepEqual(await faults(chat.page), []);
      await chat.page.getByRole("button", { name: "Members" }).click();
      assert.deepEqual(await faults(chat.page), []);
      for (
        const path of [
          "/",
          "/discover",
          "/rooms/00000000-0000-4000-8000-000000000000",
        ]
      ) {
        await chat.page.goto(app.origin + path);
        assert.deepEqual(await faults(chat.page), [], path);
      }
      await context.clearCookies();
      await chat.page.goto(`${app.origin}/login`);
      assert.deepEqual(await faults(chat.page), []);
      await chat.page.getByRole("textbox", { name: "Username" }).fill("x");
      await chat.page.getByRole("button", { name: "Continue" }).click();
      await chat.page.getByText("Use 3 to 20 letters").waitFor();
      assert.deepEqual(await faults(chat.page), []);
    });
  });
}

Deno.test("the keyboard alone reaches messages, rooms and dialogs", async () => {
  await journey("keyboard", app, async (visit) => {
    const { chat, person } = await visit("ada_keys");
    const first = await createRoom(person, "Keys one");
    const second = await createRoom(person, "Keys two");
    await chat.open(`/rooms/${first.id}`);
    for (const text of ["a", "b"]) await chat.say(text);
    await chat.sees("b");
    const focused = () =>
      chat.page.evaluate(() => {
        const { activeElement } = document;
        return activeElement?.matches(".message")
          ? activeElement.querySelector(".bubble")?.textContent
          : activeElement?.tagName;
      });
    await eventually(
      focused,
      "TEXTAREA",
      "the box has the focus when a room opens, and keeps it after sending",
    );
    await chat.page.keyboard.press("Shift+Tab");
    await chat.focusIsOnLog();
    for (const [key, text] of [["Up", "b"], ["Up", "a"], ["Down", "b"]]) {
      await chat.page.keyboard.press(`Arrow${key}`);
      await eventually(focused, text);
    }
    await chat.page.keyboard.press("Home");
    await eventually(focused, "a");
    await chat.page.keyboard.press("End");
    await eventually(focused, "b");

    await chat.page.keyboard.press("Control+k");
    await chat.page.getByRole("combobox", { name: "Jump to a room" }).fill(
      "two",
    );
    await chat.page.keyboard.press("Enter");
    await chat.page.waitForURL(`**/rooms/${second.id}`);
    await chat.page.keyboard.press("Alt+ArrowUp");
    await chat.page.waitForURL(`**/rooms/${first.id}`);
  });
});

Deno.test("the first stop leads past the rooms to the messages, and the members give the focus back", async () => {
  await journey("stops", app, async (visit) => {
    const { chat, person } = await visit("ada_stops", {
      // So narrow that the box does not take the focus by itself.
      viewport: { width: 700, height: 600 },
    });
    const room = await createRoom(person);
    await chat.open(`/rooms/${room.id}`);
    await chat.page.keyboard.press("Tab");
    const skip = chat.page.getByRole("link", { name: "Skip to messages" });
    assert.ok(await skip.evaluate((link) => link === document.activeElement));
    await eventually(
      async () => ((await skip.boundingBox())?.y ?? -1) >= 0,
      true,
    );
    await chat.page.keyboard.press("Enter");
    await chat.focusIsOnLog();
    const button = chat.page.getByRole("button", { name: "Members" });
    for (const close of ["Escape", "button", "outside"]) {
      await button.focus();
      await chat.page.keyboard.press("Enter");
      await chat.members.waitFor();
      if (close === "outside") await chat.page.mouse.click(100, 300);
      else if (close === "Escape") await chat.page.keyboard.press("Escape");
      else {
        await chat.page.keyboard.press("Tab");
        await chat.page.keyboard.press("Enter");
      }
      await chat.members.waitFor({ state: "hidden" });
      if (close !== "outside") {
        assert.ok(
          await button.evaluate((button) => button === document.activeElement),
          close,
        );
      }
    }
  });
});

Deno.test("a message keeps its place, its element and the focus while it is being sent", async () => {
  await journey("focus kept", app, async (visit) => {
    const { chat, person } = await visit("ada_kept");
    const room = await createRoom(person);
    const { promise: released, resolve: release } = Promise.withResolvers<
      void
    >();
    await chat.page.routeWebSocket(/\/ws$/, (socket) => {
      const server = socket.connectToServer();
      socket.onMessage(async (frame) => {
        if (String(frame).includes("message:send")) await released;
        server.send(frame);
      });
    });
    await chat.open(`/rooms/${room.id}`);
    for (const text of ["a", "b"]) await chat.say(text);
    const row = chat.log.locator(".message").filter({ hasText: "b" });
    await row.and(chat.page.locator(".sending")).waitFor();
    const element = await row.elementHandle();
    await row.focus();
    release();
    await row.and(chat.page.locator(":not(.sending)")).waitFor();
    assert.deepEqual(
      await element?.evaluate((row) => [
        row.isConnected,
        row === document.activeElement,
      ]),
      [true, true],
    );
  });
});

Deno.test("an input method's Enter chooses a character and sends nothing", async () => {
  await journey("ime", app, async (visit) => {
    const { chat, person } = await visit("ada_ime");
    const room = await createRoom(person);
    await chat.open(`/rooms/${room.id}`);
    await chat.box.fill("にほん");
    for (const init of [{ isComposing: true }, { keyCode: 229 }]) {
      await chat.box.dispatchEvent("keydown", {
        key: "Enter",
        bubbles: true,
        ...init,
      });
    }
    assert.equal(await chat.box.inputValue(), "にほん");
    assert.deepEqual(await chat.texts(), []);
    await chat.box.press("Enter");
    await chat.sees("にほん");
  });
});

Deno.test("the counter counts code points and an overlong text is kept, not sent", async () => {
  await journey("counter", app, async (visit) => {
    const { chat, person } = await visit("ada_count");
    const room = await createRoom(person);
    await chat.open(`/rooms/${room.id}`);
    await chat.box.fill("😀".repeat(499));
    await chat.page.getByText("1 character left").waitFor();
    await chat.box.fill("😀".repeat(502));
    await chat.page.getByText("2 characters too many").waitFor();
    await chat.box.press("Enter");
    assert.equal((await chat.box.inputValue()).length, 1004);
    await chat.box.fill("😀".repeat(500));
    await chat.box.press("Enter");
    await chat.sees("😀".repeat(500));
  });
});

Deno.test("the page speaks the browser's language, and the chosen one after that", async () => {
  await journey("languages", app, async (visit) => {
    const { chat, complaints } = await visit("ada_lang", { locale: "tr-TR" });
    await chat.page.goto(app.origin);
    await chat.page.getByRole("heading", { name: "Odaları keşfet" }).waitFor();
    assert.equal(await chat.page.locator("html").getAttribute("lang"), "tr");
    const english = chat.page.getByRole("button", { name: "English" });
    await chat.page.locator(".settings").click();
    await english.waitFor();
    await chat.page.keyboard.press("Escape");
    await english.waitFor({ state: "hidden" });
    await chat.page.locator(".settings").click();
    await english.click();
    await chat.page.getByRole("heading", { name: "Discover rooms" }).waitFor();
    await chat.page.locator(".settings").click();
    await chat.page.getByRole("button", { name: "Dark", exact: true }).click();
    await chat.page.waitForFunction(() =>
      document.documentElement.dataset.theme === "dark"
    );
    await chat.page.locator(".settings").click();
    const dark = chat.page.getByRole("button", {
      name: "Dark",
      exact: true,
      pressed: true,
    });
    assert.equal(await dark.count(), 1);
    assert.deepEqual(complaints, []);
  });
});

Deno.test("no page scrolls sideways from 320 to 1920 pixels, nor with words of any length", async () => {
  await journey("widths", app, async (visit) => {
    const { chat, person } = await visit("ada_wide");
    const room = await createRoom(person, "W".repeat(40));
    await chat.open(`/rooms/${room.id}`);
    await chat.say(`https://example.org/${"x".repeat(400)}`);
    await chat.say("ğ".repeat(300));
    await chat.sees("ğ".repeat(300));
    for (const path of ["/", "/discover", `/rooms/${room.id}`]) {
      for (const width of [320, 719, 720, 1079, 1080, 1920]) {
        await chat.page.setViewportSize({ width, height: 700 });
        await chat.page.goto(app.origin + path);
        const spill = await chat.page.evaluate(() => ({
          page: document.documentElement.scrollWidth - innerWidth,
          log: Math.max(
            0,
            ...[...document.querySelectorAll(".log")].map((log) =>
              log.scrollWidth - log.clientWidth
            ),
          ),
        }));
        assert.deepEqual(spill, { page: 0, log: 0 }, `${path} at ${width}`);
      }
    }
  });
});
