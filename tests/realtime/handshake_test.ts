/** What happens between the request for a socket and the moment it is known who is let in. */

import assert from "node:assert/strict";
import { startTestApp, useTestApp } from "../helpers/app.ts";
import { connect, type TestClient } from "../helpers/client.ts";
import { createRoom, signIn } from "../helpers/people.ts";
import { abandonHandshakes, leftAt } from "./abandoned_handshakes.ts";
import { maskedFrame, Opcode, openRaw, type RawSocket } from "./raw_socket.ts";

const app = useTestApp();

/** MAX_SOCKETS_PER_USER, unless set. */
const PER_USER = 25;

function frame(id: number, event: string, data: unknown): Uint8Array {
  return maskedFrame(Opcode.text, JSON.stringify({ id, event, data }));
}

async function nextText(socket: RawSocket) {
  const { opcode, payload } = (await socket.read())!;
  assert.equal(opcode, Opcode.text);
  return JSON.parse(new TextDecoder().decode(payload));
}

Deno.test("handshakes that are abandoned leave no descriptor, and their places are free", async () => {
  const alice = await signIn(app, "alice");
  await abandonHandshakes(app.port, alice, 164);
  assert.equal(await leftAt(app.port), 0);
  const sockets: TestClient[] = [];
  for (let n = 0; n < PER_USER; n++) sockets.push(await connect(app, alice));
  for (const socket of sockets) await socket.close();
});

Deno.test("frames that came with the handshake are answered in order once the client is let in", async () => {
  const alice = await signIn(app, "alice");
  const room = await createRoom(alice);
  const first = [
    frame(1, "room:join", { roomId: room.id }),
    frame(2, "no:such", {}),
    frame(3, "presence:ping", {}),
  ];
  using socket = await openRaw(
    app,
    alice,
    new Uint8Array(first.flatMap((bytes) => [...bytes])),
  );
  const acked: number[] = [];
  while (acked.length < first.length) {
    const parsed = await nextText(socket);
    for (const envelope of Array.isArray(parsed) ? parsed : [parsed]) {
      if ("ack" in envelope) acked.push(envelope.ack);
    }
  }
  assert.deepEqual(acked, [1, 2, 3]);
});

Deno.test("a session that has ended is closed with 4401 as the first frame, and nothing its client sent is done", async () => {
  const [alice, bob] = [await signIn(app, "alice"), await signIn(app, "bob")];
  const room = await createRoom(alice);
  await bob.fetch(`/api/rooms/${room.id}/join`, { method: "POST" });
  await bob.fetch("/api/auth/logout", { method: "POST" });
  const clientMsgId = crypto.randomUUID();
  const message = { roomId: room.id, text: "from the past", clientMsgId };
  using socket = await openRaw(app, bob, frame(1, "message:send", message));
  const first = await socket.read();
  assert.equal(first?.opcode, Opcode.close);
  assert.equal(first.payload[0]! << 8 | first.payload[1]!, 4401);
  const page = await alice.getJson<{ messages: unknown[] }>(
    `/api/rooms/${room.id}/messages`,
  );
  assert.deepEqual(page.messages, []);
});

Deno.test("a frame that is too long or no text, sent with the handshake, is closed as ever", async () => {
  const alice = await signIn(app, "alice");
  const cases = [
    [1003, maskedFrame(Opcode.binary, "x")],
    [1009, maskedFrame(Opcode.text, "x".repeat(16_385))],
  ] as const;
  for (const [code, bytes] of cases) {
    using socket = await openRaw(app, alice, bytes);
    assert.equal(await socket.readCloseCode(), code);
  }
});
Deno.test("a log that throws ends neither the upgrade nor the server", async () => {
  let broken = false;
  await using own = await startTestApp({ LOG_LEVEL: "info" }, {
    start: {
      writeLog() {
        if (broken) throw new Error("no space left on device");
      },
    },
  });
  const alice = await signIn(own, "alice");
  broken = true;
  for (let n = 0; n < 3; n++) {
    await using socket = await connect(own, alice);
    await socket.expect("presence:ping", {});
    assert.equal((await alice.fetch("/api/auth/me")).status, 200);
  }
});
