/** The first steps: the first room, and the way out. */

import assert from "node:assert/strict";
import { useTestApp } from "../helpers/app.ts";
import { eventually, journey } from "./chat_page.ts";

const app = useTestApp();

Deno.test("where there is no room a button leads to the form for the first, also on a phone", async () => {
  await journey("first room", app, async (visit) => {
    for (const width of [360, 1280]) {
      const { chat, complaints } = await visit(`ada_${width}`, {
        viewport: { width, height: 740 },
      });
      const { page } = chat;
      await chat.open("/discover");
      const first = page.getByRole("link", { name: "Create the first one" });
      const search = page.getByRole("searchbox", { name: "Find a room" });
      // The second visitor finds the room of the first.
      if (width === 360) await first.click();
      else {
        await search.fill("Attic");
        await page.getByRole("link", { name: "Create it" }).click();
      }
      const name = page.getByRole("textbox", { name: "Room name" });
      await eventually(
        () => name.evaluate((box) => box === document.activeElement),
        true,
      );
      assert.equal(await name.inputValue(), width === 360 ? "" : "Attic");
      await name.fill(`Room ${width}`);
      await name.press("Enter");
      await page.getByRole("heading", { name: `Room ${width}` }).waitFor();
      assert.deepEqual(complaints, []);
    }
  });
});

Deno.test("the form for a new room says what it does, and its box what goes into it", async () => {
  await journey("room form", app, async (visit) => {
    const { chat: { page, ...chat } } = await visit("ada_form");
    await page.goto(chat.origin);
    const form = page.getByRole("form", { name: "Create room" });
    assert.equal(await form.locator("label").textContent(), "Create room");
    const box = form.getByRole("textbox", { name: "Room name" });
    assert.equal(await box.getAttribute("placeholder"), "Room name");
    await form.getByRole("button", { name: "Create room" }).waitFor();
  });
});

Deno.test("who presses Enter twice makes one room and is told of no fault", async () => {
  await journey("twice", app, async (visit) => {
    const { chat } = await visit("ada_twice");
    const { page } = chat;
    const answer = Promise.withResolvers<void>();
    let requests = 0;
    await page.route("**/api/rooms", async (route) => {
      if (route.request().method() === "POST") {
        requests++;
        await answer.promise;
      }
      await route.continue();
    });
    await chat.open("/");
    const form = page.getByRole("form", { name: "Create room" });
    const box = form.getByRole("textbox", { name: "Room name" });
    await box.fill("Twice");
    await box.press("Enter");
    await box.press("Enter");
    answer.resolve();
    await page.getByRole("heading", { name: "Twice" }).waitFor();
    assert.equal(requests, 1);
    assert.equal(await box.getAttribute("aria-invalid"), "false");
    // The form is free again.
    await box.fill("Twice");
    await box.press("Enter");
    await form.getByText("exists already").waitFor();
  });
});

Deno.test("logging out asks first, and can be thought better of", async () => {
  await journey("log out", app, async (visit) => {
    const { chat } = await visit("ada_out");
    const { page } = chat;
    await chat.open("/");
    const logOut = page.getByRole("button", { name: "Log out" });
    const question = page.getByRole("dialog", {
      name: "Log out of this browser?",
    });
    for (const way of ["Cancel", "Escape"]) {
      await logOut.click();
      await question.waitFor();
      if (way === "Escape") await page.keyboard.press("Escape");
      else await question.getByRole("button", { name: "Cancel" }).click();
      await question.waitFor({ state: "hidden" });
      await eventually(
        () => logOut.evaluate((button) => button === document.activeElement),
        true,
      );
    }
    assert.equal(page.url(), `${app.origin}/`);
    await chat.logOut();
    await page.waitForURL(`${app.origin}/login`);
  });
});
