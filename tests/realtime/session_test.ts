/** What a session means for a socket: how long it lasts, and where its token must never be seen. */

import assert from "node:assert/strict";
import { startTestApp } from "../helpers/app.ts";
import { connect } from "../helpers/client.ts";
import { signIn } from "../helpers/people.ts";
import { createRoomWithMembers, newPerson } from "../helpers/rooms.ts";
import { createSkippingTime } from "../helpers/skipping_time.ts";

Deno.test("a socket and a stream are closed with 4401 when their token ends, and a new one needs a new token", async () => {
  const time = createSkippingTime();
  await using app = await startTestApp(
    { JWT_EXPIRES_IN: "15m" },
    { start: time },
  );
  await using chat = await createRoomWithMembers(app, 1);
  const [{ person, socket }] = chat.members;
  const stream = await person.fetch("/api/events");
  const streamed = stream.text();
  await time.skip(14 * 60_000);
  await socket.expect("presence:ping", {});
  const { username } = person.user;
  const renewed = await signIn(app, username);
  await using other = await connect(app, renewed);

  await time.skip(60_000);
  const { code, reason } = await socket.closed;
  assert.equal(code, 4401);
  assert.match(reason, /expired/);
  assert.match(await streamed, /data: {"event":"close","data":{"code":4401,/);
  await assert.rejects(connect(app, person), /refused/);
  assert.equal((await person.fetch("/api/events")).status, 401);
  assert.equal(
    (await other.expect("presence:ping", {})).success,
    true,
    "the newer session goes on",
  );
});

Deno.test("no log line holds a token, a login code or a message text", async () => {
  const lines: string[] = [];
  await using app = await startTestApp(
    { LOG_LEVEL: "debug" },
    { start: { writeLog: (line) => void lines.push(line) } },
  );
  await using chat = await createRoomWithMembers(app, 1);
  const [{ person, socket }] = chat.members;
  await socket.request("message:send", {
    roomId: chat.room.id,
    text: "a secret between us",
    clientMsgId: crypto.randomUUID(),
  });
  await fetch(`${app.origin}/ws?token=${person.token}`).then((answer) =>
    answer.text()
  );
  await assert.rejects(connect(app, { token: `${person.token}x` }));
  await newPerson(app);
  const log = lines.join("\n");
  assert.ok(log.includes("connection opened"), "the premise: it logs");
  const signature = person.token.split(".")[2]!;
  assert.ok(!log.includes(signature));
  assert.ok(!log.includes("secret between us"));
});
