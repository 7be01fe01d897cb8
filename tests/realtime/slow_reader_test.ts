/** Rule 9 of the protocol: a socket that does not read is closed, and nobody else waits for it. */

import assert from "node:assert/strict";
import { useTestApp } from "../helpers/app.ts";
import { numbers } from "./fakes.ts";
import { Opcode, openRaw } from "./raw_socket.ts";
import { createRoomWithMembers, say, until } from "../helpers/rooms.ts";

const app = useTestApp({
  RATE_LIMIT_MESSAGES: "100000",
  FRAME_LIMIT_BURST: "100000",
});

/** 500 characters of which each takes six bytes as JSON. */
const WIDE_TEXT = "x" + "\u0001".repeat(499);

/** Messages written at once: about 300 KB, which a client that reads takes. */
const BATCH = 100;

/** All batches together are more than the kernel's buffers and the server's 1 MiB. */
const MAX_BATCHES = 60;

async function isOnline(
  chat: Awaited<ReturnType<typeof createRoomWithMembers>>,
  id: string,
) {
  const members = await chat.members[0].person.getJson<
    { id: string; status: string }[]
  >(`/api/rooms/${chat.room.id}/members`);
  return members.find((member) => member.id === id)?.status === "online";
}

Deno.test("a socket that does not read is closed with 4408, its user recovers by sync and nobody else waits", async () => {
  await using chat = await createRoomWithMembers(app, 2);
  const [{ socket: writer }, slow] = chat.members;
  const { id: roomId } = chat.room;
  await slow.socket.close();
  using raw = await openRaw(app, slow.person);
  await raw.sendFrame(
    Opcode.text,
    JSON.stringify({ id: 1, event: "room:join", data: { roomId } }),
  );
  await until("it follows", () => isOnline(chat, slow.person.user.id));

  let sent = 0;
  for (
    let batch = 0;
    batch < MAX_BATCHES && await isOnline(chat, slow.person.user.id);
    batch++
  ) {
    const acks = await Promise.all(
      numbers(1, BATCH).map(() => say(writer, roomId, WIDE_TEXT)),
    );
    sent = Math.max(...acks.map(({ seq }) => seq));
  }
  await until(
    "the slow one is closed",
    async () => !await isOnline(chat, slow.person.user.id),
  );
  await writer.waitFor("message:new", ({ seq }) => seq === sent);
  assert.deepEqual(
    writer.all("message:new").map(({ seq }) => seq),
    numbers(1, sent),
    "who reads has everything",
  );

  const back = await chat.subscribe(slow.person);
  let { lastSeq, hasMore } = await back.socket.expect("room:join", {
    roomId,
    lastSeq: sent - 150,
  });
  while (hasMore) {
    ({ lastSeq, hasMore } = await back.socket.expect("room:join", {
      roomId,
      lastSeq,
    }));
  }
  assert.deepEqual(
    back.socket.all("message:new").map(({ seq }) => seq),
    numbers(sent - 149, sent),
  );

  assert.equal(await raw.readCloseCode(), 4408, "it is told when it reads on");
});
