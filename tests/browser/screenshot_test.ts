/**
 * The picture in the README, taken of the real thing. It is kept in tests/artifacts/;
 * `CHATKET_SCREENSHOT=yes deno task test --only=browser tests/browser/screenshot_test.ts` puts it
 * into docs/, too.
 */

import assert from "node:assert/strict";
import { useTestApp } from "../helpers/app.ts";
import { connect, type TestClient } from "../helpers/client.ts";
import {
  createRoom,
  joinRoom,
  type Person,
  signIn,
} from "../helpers/people.ts";
import { journey } from "./chat_page.ts";

const app = useTestApp({ RATE_LIMIT_MESSAGES: "100" });

const ROOMS = ["Garden club", "Friday dinner", "Book swap"];

const TALK: readonly [who: "ada" | "grace" | "linus", text: string][] = [
  ["grace", "Morning! The tomatoes are out of the greenhouse 🍅"],
  ["grace", "All twelve of them survived the night."],
  ["linus", "Even the yellow ones? I had given up on those."],
  ["grace", "Even those."],
  ["ada", "Then I bring the stakes and some string. Ten o'clock?"],
  [
    "linus",
    "Ten is good. I have read up on pruning: https://en.wikipedia.org/wiki/Pruning",
  ],
  ["grace", "My train lost its connection for a while, what did I miss?"],
  ["linus", "Nothing: it is all here, in order."],
];

Deno.test("three people talk in a room, and one page shows it all", async () => {
  await journey("screenshot", app, async (visit) => {
    const { person: ada, chat, complaints } = await visit("ada", {
      viewport: { width: 1280, height: 800 },
      deviceScaleFactor: 2,
    });
    const people = {
      ada,
      grace: await signIn(app, "grace"),
      linus: await signIn(app, "linus"),
    };
    const [roomId, otherRoomId] = await furnish(people);
    await using grace = await connect(app, people.grace);
    await using linus = await connect(app, people.linus);
    await grace.expect("room:join", { roomId });
    await linus.expect("room:join", { roomId });

    await chat.open(`/rooms/${roomId}`);
    const send = (socket: TestClient, roomId: string, text: string) =>
      socket.expect("message:send", {
        roomId,
        text,
        clientMsgId: crypto.randomUUID(),
      });
    await send(linus, otherRoomId, "Who cooks this time?");
    await send(grace, otherRoomId, "I do, if somebody brings dessert.");
    for (const [who, text] of TALK) {
      if (who === "ada") await chat.say(text);
      else await send({ grace, linus }[who], roomId, text);
      await chat.sees(text);
    }
    await grace.expect("typing:update", { roomId, isTyping: true });
    await chat.page.getByText(/grace is typing/).waitFor();
    await chat.box.fill("See you there");

    const picture = await chat.page.screenshot();
    await keep(picture, new URL("../artifacts/", import.meta.url));
    if (Deno.env.get("CHATKET_SCREENSHOT") === "yes") {
      await keep(picture, new URL("../../docs/", import.meta.url));
    }
    assert.deepEqual(complaints, []);
  });
});

async function furnish(
  people: Readonly<Record<"ada" | "grace" | "linus", Person>>,
): Promise<[string, string, ...string[]]> {
  const ids: string[] = [];
  for (const name of ROOMS.toReversed()) {
    const room = await createRoom(people.grace, name);
    await joinRoom(people.ada, room.id);
    await joinRoom(people.linus, room.id);
    ids.unshift(room.id);
  }
  return ids as [string, string, ...string[]];
}

async function keep(picture: Uint8Array, folder: URL): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeFile(new URL("screenshot.png", folder), picture);
}
