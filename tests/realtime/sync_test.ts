/** Rule 4 of the protocol: following rooms from where the client stands. */

import assert from "node:assert/strict";
import { UNLIMITED, useTestApp } from "../helpers/app.ts";
import { connect } from "../helpers/client.ts";
import { createRoom, joinRoom } from "../helpers/people.ts";
import { numbers } from "./fakes.ts";
import {
  createRoomWithMembers,
  forgetPast,
  newPerson,
  say,
  until,
  waitUntilIdle,
} from "../helpers/rooms.ts";

const app = useTestApp(UNLIMITED);

/** A room with so many messages, and its only member. */
async function roomWithMessages(count: number) {
  const person = await newPerson(app);
  const room = await createRoom(person);
  await using socket = await connect(app, person);
  const acks = await Promise.all(
    numbers(1, count).map((n) => say(socket, room.id, `message ${n}`)),
  );
  acks.sort((a, b) => a.seq - b.seq);
  return { person, roomId: room.id, acks };
}

for (const event of ["rooms:sync", "room:join"] as const) {
  Deno.test(`${event} replays 250 messages in pages of 100 with hasMore, oldest first, all before the ack`, async () => {
    const { person, roomId } = await roomWithMessages(250);
    await using socket = await connect(app, person);
    const pages: unknown[] = [];
    for (let lastSeq = 0, hasMore = true; hasMore;) {
      const position = { roomId, lastSeq };
      const page = event === "room:join"
        ? await socket.expect("room:join", position)
        : (await socket.expect("rooms:sync", { rooms: [position] }))
          .results[0]!;
      assert.equal(
        socket.all("message:new").length,
        page.lastSeq,
        "delivered before the ack",
      );
      pages.push([page.messageCount, page.hasMore, page.lastSeq]);
      ({ hasMore, lastSeq } = page as { hasMore: boolean; lastSeq: number });
    }
    assert.deepEqual(pages, [
      [100, true, 100],
      [100, true, 200],
      [50, false, 250],
    ]);
    assert.deepEqual(
      socket.all("message:new").map(({ seq }) => seq),
      numbers(1, 250),
    );
    assert.deepEqual(
      socket.all("message:new").map(({ text }) => text),
      numbers(1, 250).map((n) => `message ${n}`),
    );
  });
}

Deno.test("exactly 100 missed messages are one page without more", async () => {
  const { person, roomId } = await roomWithMessages(100);
  await using socket = await connect(app, person);
  const ack = await socket.expect("room:join", { roomId, lastSeq: 0 });
  assert.deepEqual([ack.messageCount, ack.hasMore, ack.lastSeq], [
    ...[100, false, 100],
  ]);
});

Deno.test("the messages come first, then the roster, then the ack", async () => {
  const { person, roomId } = await roomWithMessages(3);
  await using socket = await connect(app, person);
  await socket.expect("room:join", { roomId, lastSeq: 1 });
  const received = socket.frames.flatMap((frame) => JSON.parse(frame))
    .map((envelope) => envelope.event ?? "ack");
  assert.deepEqual(received, [
    ...["message:new", "message:new", "room:roster", "ack"],
  ]);
});

Deno.test("lastSeenAt skips nothing, not even messages of the same millisecond; lastSeq wins over it", async () => {
  const { person, roomId, acks } = await roomWithMessages(120);
  const times = acks.map(({ createdAt }) => createdAt);
  const shared = times.findIndex((at, index) =>
    index > 0 && at === times[index - 1]
  );
  assert.ok(shared > 0, "the premise: two messages share a millisecond");
  const lastSeenAt = times[shared]!;
  const first = times.indexOf(lastSeenAt) + 1;

  const replay = async (lastSeq?: number) => {
    await using socket = await connect(app, person);
    const ack = await socket.expect("room:join", {
      roomId,
      lastSeenAt,
      lastSeq,
    });
    const seqs = socket.all("message:new").map(({ seq }) => seq);
    assert.equal(seqs.length, ack.messageCount);
    return seqs;
  };
  assert.deepEqual(
    await replay(),
    numbers(first, Math.min(120, first + 99)),
  );
  assert.deepEqual(await replay(118), [119, 120]);
});

Deno.test("a lastSeenAt before everything, after everything or far outside of any calendar is taken", async () => {
  const { person, roomId } = await roomWithMessages(2);
  await using socket = await connect(app, person);
  const counts: Record<string, number> = {
    "1970-01-01T00:00:00.000Z": 2,
    "0000-01-01T00:00:00Z": 2,
    "0001-01-01T00:00:00+23:59": 2,
    "2000-02-29T12:00:00.123456+02:00": 2,
    "2999-01-01T00:00:00Z": 0,
    "9999-12-31T23:59:59.999-23:59": 0,
  };
  for (const [lastSeenAt, count] of Object.entries(counts)) {
    const { results: [result] } = await socket.expect("rooms:sync", {
      rooms: [{ roomId, lastSeenAt }],
    });
    assert.equal(result?.messageCount, count, lastSeenAt);
    assert.equal(result?.lastSeq, 2, lastSeenAt);
  }
});

Deno.test("a foreign, an unknown and an impossible room are synced:false and do not fail the others", async () => {
  await using chat = await createRoomWithMembers(app);
  const { person, roomId } = await roomWithMessages(2);
  await using socket = await connect(app, person);
  const rooms = [
    ...[chat.room.id, crypto.randomUUID(), "no-uuid", "__proto__"],
    roomId,
  ];
  const { results } = await socket.expect("rooms:sync", {
    rooms: rooms.map((roomId) => ({ roomId, lastSeq: 0 })),
  });
  assert.deepEqual(results.slice(0, 4), [
    ...rooms.slice(0, 4).map((roomId) => ({ roomId, synced: false })),
  ]);
  assert.deepEqual(results[4], {
    roomId,
    synced: true,
    messageCount: 2,
    hasMore: false,
    lastSeq: 2,
    changeCount: 0,
    hasMoreChanges: false,
    lastRev: 0,
    epoch: results[4]?.epoch,
  });
  socket.forget();
  await say(chat.members[0].socket, chat.room.id);
  await waitUntilIdle(app, [socket]);
  assert.deepEqual(socket.events, [], "nothing comes from a foreign room");
});

Deno.test("room:join of a foreign room is not_a_member, of an unknown or impossible one room_not_found", async () => {
  await using chat = await createRoomWithMembers(app);
  await using socket = await connect(app, await newPerson(app));
  const codes: Record<string, string> = {
    [chat.room.id]: "not_a_member",
    [crypto.randomUUID()]: "room_not_found",
    "no uuid": "room_not_found",
  };
  for (const [roomId, code] of Object.entries(codes)) {
    const ack = await socket.request("room:join", { roomId, lastSeq: 0 });
    assert.ok(!ack.success && ack.code === code);
  }
  await say(chat.members[0].socket, chat.room.id);
  await waitUntilIdle(app, [socket]);
  assert.deepEqual(socket.events, []);
});

Deno.test("a room named twice counts once, and 501 rooms are refused", async () => {
  const { person, roomId } = await roomWithMessages(2);
  await using socket = await connect(app, person);
  const { results } = await socket.expect("rooms:sync", {
    rooms: [{ roomId, lastSeq: 0 }, { roomId: roomId.toUpperCase() }],
  });
  assert.equal(results.length, 1);
  const many = (count: number) => ({
    rooms: numbers(1, count).map(() => ({ roomId: "x" })),
  });
  assert.equal((await socket.expect("rooms:sync", many(500))).success, true);
  const ack = await socket.request("rooms:sync", many(501));
  assert.ok(!ack.success && ack.code === "bad_request");
  assert.equal(
    (await socket.expect("rooms:sync", { rooms: [] })).success,
    true,
  );
});

Deno.test("a position beyond the room's end is told to start anew, and the feed is live", async () => {
  await using chat = await createRoomWithMembers(app);
  const [{ person }, { socket: other }] = chat.members;
  await say(other, chat.room.id);
  await using socket = await connect(app, person);
  const ack = await socket.expect("room:join", {
    roomId: chat.room.id,
    lastSeq: 5_000,
  });
  assert.equal(ack.reset, true);
  assert.equal(ack.lastSeq, 1);
  await say(other, chat.room.id);
  assert.equal((await socket.waitFor("message:new")).seq, 2);
});

Deno.test("a sync announces no join, a join does", async () => {
  await using chat = await createRoomWithMembers(app, 1);
  const [{ socket }] = chat.members;
  const person = await newPerson(app);
  await joinRoom(person, chat.room.id);
  await forgetPast(app, [socket]);
  await using first = await connect(app, person);
  await first.expect("rooms:sync", { rooms: [{ roomId: chat.room.id }] });
  await waitUntilIdle(app, [socket]);
  assert.deepEqual(socket.all("room:system"), []);
  await first.expect("room:leave", { roomId: chat.room.id });
  await first.expect("room:join", { roomId: chat.room.id });
  await socket.waitFor("room:system", ({ type }) => type === "join");
});

Deno.test("a client that keeps coming back while others write misses nothing and gets nothing twice", async () => {
  await using chat = await createRoomWithMembers(app, 3);
  const [{ person }, ...writers] = chat.members;
  const roomId = chat.room.id;
  let writing = true;
  let visits = 0;
  let written = 0;
  // As much as is visited: on a slow machine, too, they write while the client comes and goes.
  const write = async ({ socket }: typeof writers[0]) => {
    for (let n = 1; n <= 150 || visits <= 8; n++) {
      await say(socket, roomId, `${n}`);
      written++;
    }
  };
  const writes = Promise.all(writers.map(write)).then(() => writing = false);

  const seen: number[] = [];
  for (let last = false; !last; visits++) {
    last = !writing;
    await using socket = await connect(app, person);
    let position = seen.at(-1) ?? 0;
    for (let hasMore = true; hasMore;) {
      const ack = await socket.expect("room:join", {
        roomId,
        lastSeq: position,
      });
      hasMore = ack.hasMore;
      position = ack.lastSeq;
    }
    // Some visits are short, some see a few live messages.
    const live = visits % 3 * 2;
    if (live > 0 && !last) {
      await socket.waitFor("message:new", ({ seq }) => seq >= position + live)
        .catch((error) => assert.ok(!writing, error));
    }
    seen.push(...socket.all("message:new").map(({ seq }) => seq));
  }
  await writes;
  assert.ok(visits > 3, `${visits} visits`);
  const repeated = seen.filter((seq, index) => seen.indexOf(seq) !== index);
  assert.deepEqual([...new Set(seen)], numbers(1, written));
  assert.deepEqual(repeated, []);
});

Deno.test("200 rooms are synced in one call, each with its messages and its roster", async () => {
  const person = await newPerson(app);
  const rooms = [];
  for (let made = 0; made < 100; made += 10) {
    rooms.push(
      ...await Promise.all(numbers(1, 10).map(() => createRoom(person))),
    );
  }
  await using writer = await connect(app, person);
  await Promise.all(rooms.map(({ id }) => say(writer, id)));
  await using socket = await connect(app, person);
  const unknown = numbers(1, 100).map(() => crypto.randomUUID());
  const { results } = await socket.expect("rooms:sync", {
    rooms: [...rooms.map(({ id }) => id), ...unknown]
      .map((roomId) => ({ roomId, lastSeq: 0 })),
  });
  assert.equal(results.filter(({ synced }) => synced).length, 100);
  assert.equal(socket.all("message:new").length, 100);
  // Those that are not at hand may come after the ack.
  await until(
    "a roster of each room",
    () => socket.all("room:roster").length === 100,
  );
});
