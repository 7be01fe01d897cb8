/** Rule 8 of the protocol: what a client may send, and what happens when it sends something else. */

import assert from "node:assert/strict";
import { useTestApp } from "../helpers/app.ts";
import { connect } from "../helpers/client.ts";
import { numbers } from "./fakes.ts";
import {
  Opcode,
  openRaw,
  RUNTIME_FRAME_LIMIT,
  writeHuge,
} from "./raw_socket.ts";
import {
  createRoomWithMembers,
  newPerson,
  say,
  until,
} from "../helpers/rooms.ts";

const app = useTestApp({ RATE_LIMIT_MESSAGES: "1000" });

const ping = (id?: number) =>
  JSON.stringify({ id, event: "presence:ping", data: {} });

Deno.test("each bad frame is answered by its own error event, and the socket lives", async () => {
  await using socket = await connect(app, await newPerson(app));
  const bad = [
    ...["", "not json", "{", "null", "[]", "1", '"ping"', "\u0000", "{}"],
    ...['{"event":"presence:ping"}', '{"event":1,"data":{}}'],
    ...['{"event":"presence:ping","data":null}', `[${ping()}]`],
    ...['{"id":"x","event":"presence:ping","data":{}}', "[".repeat(16_000)],
    ...['{"id":-1,"event":"presence:ping","data":{}}', "{}{}", "\u{1f600}"],
    `{"event":"presence:ping","data":{"a":${"[".repeat(900)}${
      "]".repeat(900)
    }}}`,
    '{"event":"message:send","data":{"roomId":1,"text":[],"clientMsgId":{}}}',
  ];
  for (const [index, frame] of bad.entries()) {
    socket.sendRaw(frame);
    await until(
      `an error for ${frame.slice(0, 60)}`,
      () => socket.all("error").length === index + 1,
    );
    assert.equal(socket.all("error").at(-1)?.code, "bad_request", frame);
  }
  assert.deepEqual(await socket.expect("presence:ping", {}), { success: true });
});

Deno.test("an unknown event is answered, acked when it had an id, and changes nothing", async () => {
  await using socket = await connect(app, await newPerson(app));
  for (
    const event of ["room:destroy", "__proto__", "constructor", "message:new"]
  ) {
    socket.forget();
    socket.sendRaw(JSON.stringify({ event, data: {} }));
    assert.equal((await socket.waitFor("error")).code, "unknown_event");
    const ack = await socket.request(event as "presence:ping", {});
    assert.ok(!ack.success && ack.code === "unknown_event");
  }
});

Deno.test("wrong types are acked as bad_request with a reason", async () => {
  await using chat = await createRoomWithMembers(app, 1);
  const [{ socket }] = chat.members;
  const { id: roomId } = chat.room;
  const wrong: unknown[] = [1, null, true, [], {}, undefined];
  for (const text of wrong) {
    const ack = await socket.request("message:send", {
      roomId,
      text: text as string,
      clientMsgId: crypto.randomUUID(),
    });
    assert.ok(!ack.success && ack.code === "bad_request");
    assert.match(ack.error, /text/);
  }
  for (const clientMsgId of ["", "1", "x".repeat(10_000), "not-a-uuid"]) {
    const ack = await socket.request("message:send", {
      roomId,
      text: "hello",
      clientMsgId,
    });
    assert.ok(!ack.success && ack.code === "bad_request");
  }
  assert.equal((await say(socket, roomId)).seq, 1);
});

Deno.test("a frame with keys like __proto__ pollutes nothing", async () => {
  using socket = await openRaw(app, await newPerson(app));
  await socket.sendFrame(
    Opcode.text,
    '{"id":1,"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},' +
      '"event":"presence:ping","data":{"__proto__":{"polluted":1}}}',
  );
  const answer = new TextDecoder().decode((await socket.read())?.payload);
  assert.deepEqual(JSON.parse(answer), { ack: 1, data: { success: true } });
  assert.equal((({}) as { polluted?: number }).polluted, undefined);
});

Deno.test("a frame of 16 KiB is read, one byte more closes with 1009", async () => {
  await using socket = await connect(app, await newPerson(app));
  socket.sendRaw(ping() + " ".repeat(16_384 - ping().length));
  await socket.expect("presence:ping", {});
  assert.deepEqual(socket.all("error"), []);
  socket.sendRaw(ping() + " ".repeat(16_385 - ping().length));
  assert.equal((await socket.closed).code, 1009);
});

Deno.test("a frame of 64 MiB is cut off, one byte less closes with 1009, and the server serves on", async () => {
  const attacker = await newPerson(app);
  const codes: (number | undefined)[] = [];
  for (const bytes of [RUNTIME_FRAME_LIMIT, RUNTIME_FRAME_LIMIT - 1]) {
    using socket = await openRaw(app, attacker);
    // The server may hang up before the last byte.
    await writeHuge(socket, bytes).catch(() => {});
    codes.push(await socket.readCloseCode());
  }
  assert.deepEqual(codes, [undefined, 1009]);
  await using socket = await connect(app, attacker);
  assert.deepEqual(await socket.expect("presence:ping", {}), { success: true });
});

Deno.test("the limit of a frame counts bytes, not characters", async () => {
  await using socket = await connect(app, await newPerson(app));
  socket.sendRaw("é".repeat(8_193));
  assert.equal((await socket.closed).code, 1009);
});

Deno.test("a binary frame closes with 1003", async () => {
  await using socket = await connect(app, await newPerson(app));
  socket.sendRaw(new TextEncoder().encode(ping()));
  assert.equal((await socket.closed).code, 1003);
});

Deno.test("more frames than the limit close with 4429, and others are not hurt", async () => {
  await using chat = await createRoomWithMembers(app, 2);
  const [{ person }, other] = chat.members;
  await using flooding = await connect(app, person);
  for (const _ of numbers(1, 1_000)) flooding.sendRaw(ping());
  await say(other.socket, chat.room.id);
  assert.equal((await flooding.closed).code, 4429);
  await chat.members[0].socket.waitFor("message:new");
});

Deno.test("who goes on sending after a frame that closes the socket is still told why", async () => {
  for (
    const [frame, code] of [
      [new Uint8Array(10), 1003],
      ["x".repeat(16_385), 1009],
    ] as const
  ) {
    await using socket = await connect(app, await newPerson(app));
    socket.sendRaw(frame);
    for (const _ of numbers(1, 100)) socket.sendRaw(ping());
    assert.equal((await socket.closed).code, code);
    assert.deepEqual(socket.frames, [], "and nothing more is handled");
  }
});

Deno.test("a burst within the limit is answered to the last frame", async () => {
  await using socket = await connect(app, await newPerson(app));
  const acks = await Promise.all(
    numbers(1, 200).map(() => socket.request("presence:ping", {})),
  );
  assert.ok(acks.every(({ success }) => success));
});

Deno.test("frames of one socket are handled in order", async () => {
  await using chat = await createRoomWithMembers(app, 2);
  const [{ socket }, other] = chat.members;
  const { id: roomId } = chat.room;
  const acks = Promise.all([
    ...numbers(1, 5).map((n) => say(socket, roomId, `${n}`)),
    socket.expect("room:leave", { roomId }),
    socket.expect("room:join", { roomId, lastSeq: 0 }),
    ...numbers(6, 10).map((n) => say(socket, roomId, `${n}`)),
  ]);
  await other.socket.waitFor("message:new", ({ seq }) => seq === 10);
  assert.deepEqual(
    other.socket.all("message:new").map(({ text }) => text),
    numbers(1, 10).map(String),
  );
  await acks;
});

Deno.test("a message in pieces counts as one frame: read up to 16 KiB, 1009 above", async () => {
  const person = await newPerson(app);
  using small = await openRaw(app, person);
  const text = ping(7);
  await small.sendFrame(Opcode.text, text.slice(0, 10), false);
  await small.sendFrame(Opcode.continuation, text.slice(10, 20), false);
  await small.sendFrame(Opcode.continuation, text.slice(20));
  const answer = await small.read();
  assert.deepEqual(JSON.parse(new TextDecoder().decode(answer?.payload)), {
    ack: 7,
    data: { success: true },
  });

  using large = await openRaw(app, person);
  const piece = " ".repeat(4_000);
  await large.sendFrame(Opcode.text, piece, false);
  for (const _ of numbers(1, 3)) {
    await large.sendFrame(Opcode.continuation, piece, false);
  }
  await large.sendFrame(Opcode.continuation, piece);
  assert.equal(await large.readCloseCode(), 1009);
});

/** What breaks the WebSocket protocol itself. The runtime ends such a socket; the others go on. */
const BROKEN: Record<string, Uint8Array> = {
  "an unmasked frame": new Uint8Array([0x81, 2, 0x7b, 0x7d]),
  "a reserved bit": new Uint8Array([0xf1, 0x82, 0, 0, 0, 0, 0x7b, 0x7d]),
  "an unknown opcode": new Uint8Array([0x83, 0x80, 0, 0, 0, 0]),
  "a continuation of nothing": new Uint8Array([0x80, 0x81, 0, 0, 0, 0, 0x7b]),
  "a ping in pieces": new Uint8Array([0x09, 0x81, 0, 0, 0, 0, 0x7b]),
  "invalid UTF-8": new Uint8Array([0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28]),
  "half a frame": new Uint8Array([0x81, 0xfe]),
  "a close with a bad code": new Uint8Array([0x88, 0x82, 0, 0, 0, 0, 0, 1]),
  "not a frame at all": new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"),
};

/** For the rest of these the runtime waits, until nothing has come for 30 s. */
const UNNOTICED = new Set(["half a frame", "an unmasked frame"]);

for (const [what, bytes] of Object.entries(BROKEN)) {
  Deno.test(`${what} ends that socket at most, its user goes offline and the server serves on`, async () => {
    await using chat = await createRoomWithMembers(app, 2);
    const [{ socket }, { person, socket: own }] = chat.members;
    await own.close();
    const raw = await openRaw(app, person);
    await raw.write(bytes);
    if (!UNNOTICED.has(what)) await raw.readCloseCode();
    raw[Symbol.dispose]();
    await socket.waitFor(
      "room:roster",
      ({ onlineCount }) => onlineCount === 1,
    );
    await say(socket, chat.room.id);
    await socket.waitFor("message:new");
  });
}

Deno.test("a line that is cut without a goodbye takes the user offline", async () => {
  await using chat = await createRoomWithMembers(app, 2);
  const [{ socket }, { person, socket: own }] = chat.members;
  const online = (count: number) =>
    socket.waitFor("room:roster", ({ onlineCount }) => onlineCount === count);
  await own.close();
  await online(1);
  const raw = await openRaw(app, person);
  await online(2);
  socket.forget();
  raw[Symbol.dispose]();
  assert.equal((await online(1)).memberCount, 2);
});
