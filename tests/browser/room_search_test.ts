import assert from "node:assert/strict";
import { useTestApp } from "../helpers/app.ts";
import { createRoom } from "../helpers/people.ts";
import { eventually, journey } from "./chat_page.ts";

const app = useTestApp();

Deno.test("the switcher and Discover find the same rooms, without regard to accents and the Turkish i", async () => {
  await journey("room search", app, async (visit) => {
    const { chat, person } = await visit("ada_seeks");
    const { page } = chat;
    for (const name of ["Café İzmir", "Straße", "Ilık su"]) {
      await createRoom(person, name);
    }
    await chat.open("/discover");
    const searches = [
      ["izmir", "Café İzmir"],
      ["CAFE ızm", "Café İzmir"],
      ["strasse", "Straße"],
      ["ILIK", "Ilık su"],
      ["ilik", "Ilık su"],
    ] as const;
    for (const [query, name] of searches) {
      await page.getByRole("searchbox", { name: "Find a room" }).fill(query);
      const found = page.locator(".found b");
      await eventually(() => found.allTextContents(), [name], query);
    }
    await page.keyboard.press("Control+k");
    const box = page.getByRole("combobox", { name: "Jump to a room" });
    for (const [query, name] of searches) {
      await box.fill(query);
      const found = page.getByRole("option").locator(".name");
      await eventually(() => found.allTextContents(), [name], query);
    }
    assert.ok(await box.isVisible());
  });
});
