/** A page that stays open while the server gets a newer build. */

import assert from "node:assert/strict";
import { readManifest } from "../../islands/build.ts";
import { startTestApp } from "../helpers/app.ts";
import { makeMigratedPlace } from "../helpers/database.ts";
import { createRoom } from "../helpers/people.ts";
import { runOrThrow } from "../helpers/system.ts";
import { eventually, journey } from "./chat_page.ts";

const STATIC = new URL("../../static/", import.meta.url);

/** Puts a build of the same sources under other names in place of what lies in a copy of `static/`. */
async function replaceBuild(folder: string): Promise<void> {
  const build = `${folder}/build`;
  const names: string[] = [];
  for await (const { name } of Deno.readDir(build)) names.push(name);
  const { sourceHash } = JSON.parse(
    await Deno.readTextFile(`${build}/manifest.json`),
  );
  const renew = (text: string) =>
    text.replace(/(chat|extras|login)-[A-Z0-9]{8}\.js/g, "$1-NEWBUILD.js")
      .replaceAll(sourceHash, "0123456789abcdef");
  for (const name of names.filter((name) => /\.(js|json)$/.test(name))) {
    const text = await Deno.readTextFile(`${build}/${name}`);
    await Deno.remove(`${build}/${name}`);
    await Deno.writeTextFile(`${build}/${renew(name)}`, renew(text));
  }
}

/** Copies `static/` with the files of the present build, but for what older ones have left. */
async function copyStatic(folder: string): Promise<void> {
  await runOrThrow("cp", ["-r", `${STATIC.pathname}.`, folder]);
  const worker = await Deno.readTextFile(`${folder}/build/sw.js`);
  for await (const { name } of Deno.readDir(`${folder}/build`)) {
    const isPresent = /^(sw\.js|manifest\.json)$/.test(name) ||
      worker.includes(name);
    const path = `${folder}/build/${name}`;
    if (!isPresent) await Deno.remove(path, { recursive: true });
  }
}

Deno.test("a page older than the server's build goes on, says so once the line is back, and is new after a reload", async () => {
  assert.ok(await readManifest(), "the browser code is built");
  const folder = await Deno.makeTempDir({ prefix: "chatket-test-" });
  await using place = await makeMigratedPlace();
  try {
    await copyStatic(folder);
    const options = {
      place,
      start: { staticDir: new URL(`file://${folder}/`) },
    };
    const env = { JWT_SECRET: "s".repeat(32) };
    const before = await startTestApp(env, options);
    await journey("update", before, async (visit) => {
      const { chat, person, context, complaints } = await visit("ada_update", {
        serviceWorkers: "allow",
      });
      const room = await createRoom(person);
      await chat.open(`/rooms/${room.id}`);
      await chat.page.waitForFunction(() =>
        navigator.serviceWorker.controller !== null
      );
      const scripts = () =>
        chat.page.evaluate(() =>
          performance.getEntriesByType("resource").map(({ name }) => name)
            .filter((name) => name.endsWith(".js"))
        );
      await replaceBuild(folder);
      await chat.page.evaluate(() => dispatchEvent(new Event("offline")));
      const notice = chat.status.getByText(
        "There is a newer version of this page.",
      );
      await notice.waitFor();
      const worker = () =>
        chat.page.evaluate(() => navigator.serviceWorker.controller?.state);
      await eventually(worker, "activated");
      // Neither the server nor the browser's own cache has its code any more.
      const devtools = await context.newCDPSession(chat.page);
      await devtools.send("Network.clearBrowserCache");
      await chat.page.keyboard.press("Control+k");
      await chat.page.getByRole("dialog").waitFor();
      await chat.page.keyboard.press("Escape");

      await before.stop();
      const after = await startTestApp(
        { ...env, PORT: String(before.port) },
        options,
      );
      try {
        await notice.waitFor();
        await chat.box.fill("not sent yet");
        await chat.page.getByRole("link", { name: "Reload" }).click();
        await chat.live();
        await eventually(() => notice.count(), 0);
        assert.ok(
          (await scripts()).some((name) => name.includes("chat-NEWBUILD")),
        );
        assert.equal(await chat.box.inputValue(), "not sent yet");
        await chat.box.press("Enter");
        await chat.sees("not sent yet");
        const ours = complaints.filter((text) => !/WebSocket|ERR_/.test(text));
        assert.deepEqual(ours, []);
      } finally {
        await chat.page.close();
        await after.stop();
      }
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
