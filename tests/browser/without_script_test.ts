/** Everything the chat is for works without script, and what scripts there are stay small. */

import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { readManifest } from "../../islands/build.ts";
import { useTestApp } from "../helpers/app.ts";
import { launchBrowser, withArtifacts } from "../helpers/browser.ts";
import { createRoom, signIn } from "../helpers/people.ts";
import { ChatPage, tell } from "./chat_page.ts";

const app = useTestApp();

/** Largest scripts and styles of the chat page, compressed, in bytes. */
const SCRIPT_BUDGET = 30 * 1024;
const STYLE_BUDGET = 8 * 1024;

Deno.test("signing in, rooms, reading, writing and leaving work as plain forms", async () => {
  const browser = await launchBrowser();
  try {
    await withArtifacts(
      "without script",
      () => browser.contexts(),
      async () => {
        const context = await browser.newContext({
          javaScriptEnabled: false,
          locale: "en-GB",
        });
        const chat = new ChatPage(await context.newPage(), app.origin);
        const { page } = chat;
        const press = (name: string) =>
          page.getByRole("button", { name, exact: true }).click();

        await page.goto(app.origin);
        await page.getByRole("textbox", { name: "Username" }).fill("no");
        await press("Continue");
        await page.getByText("Use 3 to 20 letters").waitFor();
        await page.getByRole("textbox", { name: "Username" }).fill("Plain_Ada");
        await press("Continue");
        const code = await page.locator(".code-note b").textContent();
        await page.getByRole("textbox", { name: "Code" }).fill(
          code === "000000" ? "111111" : "000000",
        );
        await press("Sign in");
        await page.getByText("That code is not right").waitFor();
        await page.getByRole("textbox", { name: "Code" }).fill(code ?? "");
        await press("Sign in");
        await page.waitForURL(`${app.origin}/`);

        await page.getByRole("textbox", { name: "Room name" }).fill("x");
        await press("Create room");
        await page.getByText("A room’s name has 3 to 40 characters").waitFor();
        await page.getByRole("textbox", { name: "Room name" }).fill(
          "Plain room",
        );
        await press("Create room");
        await chat.box.fill("first line\nsecond line");
        await press("Send");
        await chat.sees("first line second line");
        assert.deepEqual(await chat.texts(), ["first line\nsecond line"]);
        await page.reload();
        assert.equal(
          (await chat.texts()).length,
          1,
          "a repeated form is one message",
        );

        const other = await createRoom(
          await signIn(app, "plain_bob"),
          "Bob's room",
        );
        await page.getByRole("link", { name: "Discover rooms" }).click();
        await press("Join Bob's room");
        await page.waitForURL(`${app.origin}/rooms/${other.id}`);
        await press("Leave room");
        await page.waitForURL(`${app.origin}/`);
        await page.goto(`${app.origin}/rooms/${other.id}`);
        await page.getByText("You are not in this room").waitFor();

        await page.locator(".settings").click();
        await press("Dark");
        assert.equal(
          await page.locator("html").getAttribute("data-theme"),
          "dark",
        );
        await new ChatPage(page, app.origin).logOut();
        await page.waitForURL(`${app.origin}/login`);
        await page.goto(`${app.origin}/rooms/${other.id}`);
        await page.waitForURL(
          `${app.origin}/login?next=${
            encodeURIComponent(`/rooms/${other.id}`)
          }`,
        );
      },
    );
  } finally {
    await browser.close();
  }
});

Deno.test("a login leads to no other site", async () => {
  for (
    const next of [
      "https://evil.example",
      "//evil.example",
      "/\\evil.example",
      "javascript:x",
    ]
  ) {
    const answer = await fetch(
      `${app.origin}/login?next=${encodeURIComponent(next)}`,
    );
    assert.match(await answer.text(), /name="next" value="\/"/, next);
  }
});

Deno.test("a page with hostile names and messages holds them as text", async () => {
  const person = await signIn(app, "hostile");
  const name = `</script><img src=x>"'&`;
  const room = await createRoom(person, name);
  const answer = await fetch(`${app.origin}/rooms/${room.id}`, {
    headers: { cookie: person.cookie },
  });
  const html = await answer.text();
  assert.ok(!html.includes("<img"), "the name must be escaped");
  assert.doesNotMatch(
    html,
    /<script(?![^>]* src=)/,
    "there is no inline script",
  );
  assert.doesNotMatch(html, / style=/, "there is no inline style");
});

Deno.test("the chat page stays within its budget of scripts and styles", async () => {
  const manifest = await readManifest();
  assert.ok(manifest, "the browser code is built");
  const size = async (files: string[]) => {
    const sizes = await Promise.all(files.map(async (file) => {
      const url = new URL(`../../static/build/${file}`, import.meta.url);
      return gzipSync(await Deno.readFile(url), { level: 9 }).length;
    }));
    return sizes.reduce((sum, bytes) => sum + bytes, 0);
  };
  const { chat, styles } = manifest.entries;
  const script = await size([chat?.file ?? "", ...chat?.imports ?? []]);
  assert.ok(script <= SCRIPT_BUDGET, `${script} bytes of script`);
  const style = await size([styles?.file ?? ""]);
  tell("scripts and styles of the chat page, bytes", `${script}, ${style}`);
  assert.ok(style <= STYLE_BUDGET, `${style} bytes of styles`);
});
