import assert from "node:assert/strict";
import { createCatchUp, ROOM } from "../../tests/realtime/catch_up_fakes.ts";
import {
  connectionLost,
  createUser,
  numbers,
} from "../../tests/realtime/fakes.ts";
import { eventFrame } from "../connection/frames.ts";

Deno.test("subscribe() lets nothing of a room through before the membership is known", async () => {
  const test = createCatchUp();
  test.world.subscribe(ROOM);
  test.lost.add(ROOM);
  const { connection, wire } = test.world.connect();
  const subscribed = test.catchUp.subscribe(connection, [{ roomId: ROOM }]);
  await test.clock.advance(0);
  test.post(ROOM);
  const frame = eventFrame({
    event: "typing:update",
    data: { roomId: ROOM, user: createUser(), isTyping: true },
  });
  test.hub.feed(ROOM)!.broadcast(frame);
  await test.answerAll();
  await subscribed;
  test.hub.feed(ROOM)!.broadcast(frame);
  assert.deepEqual(wire.frames, []);
});

Deno.test("subscribe() of a user who loses the membership meanwhile leaves nothing behind", async () => {
  for (const moment of ["before the members", "before the messages"]) {
    const test = createCatchUp();
    test.post(ROOM, 3);
    const user = createUser();
    const { connection, wire } = test.world.connect(user);
    const subscribed = test.catchUp.subscribe(connection, [
      { roomId: ROOM, lastSeq: 0 },
    ]);
    await test.clock.advance(0);
    if (moment === "before the messages") await test.answerMembers();
    test.hub.cut(user.id, ROOM);
    await test.answerAll();
    assert.deepEqual(await subscribed, [{
      result: { roomId: ROOM, synced: false },
      firstOfUser: false,
    }], moment);
    test.post(ROOM);
    assert.deepEqual(wire.frames, [], moment);
    assert.equal(test.hub.feed(ROOM), undefined, moment);
  }
});

Deno.test("subscribe() of a connection that ends meanwhile leaves nothing behind", async () => {
  const test = createCatchUp();
  test.post(ROOM, 3);
  const { connection, wire } = test.world.connect();
  const subscribed = test.catchUp.subscribe(connection, [
    { roomId: ROOM, lastSeq: 0 },
  ]);
  await test.clock.advance(0);
  await test.answerMembers();
  connection.lost();
  await test.answerAll();
  await subscribed;
  assert.deepEqual(wire.frames, []);
  assert.equal(test.hub.feed(ROOM), undefined);
  assert.equal(test.clock.waiting, 0);
});

Deno.test("subscribe() reads nothing more for a connection that has ended, and keeps nobody waiting", async () => {
  const test = createCatchUp();
  const rooms = numbers(1, 10).map((n) => `room ${n}`);
  for (const room of rooms) test.post(room, 100);
  const positions = rooms.map((roomId) => ({ roomId, lastSeq: 0 }));
  const user = createUser();
  const sockets = numbers(1, 3).map(() => test.world.connect(user));
  const subscribed = sockets.map(({ connection }) =>
    test.catchUp.subscribe(connection, positions)
  );
  await test.clock.advance(0);
  while (test.members.calls.length > 0) await test.answerMembers();
  for (const { connection } of sockets.slice(0, 2)) connection.lost();
  await test.answerMissed();
  await Promise.all(subscribed.slice(0, 2));
  assert.equal(test.missed.calls.length, 1, "the third socket is read for");
  await test.answerAll();
  await subscribed[2];
  assert.equal(sockets[2]!.wire.seqs().length, 1_000);
});

Deno.test("subscribe() that fails keeps the rooms that were live and leaves the new ones", async () => {
  for (const fails of ["members", "missed"] as const) {
    const test = createCatchUp();
    test.post("old", 2);
    test.post("new", 2);
    const { connection, wire } = test.world.subscribe("old", 2);
    const subscribed = test.catchUp.subscribe(connection, [
      { roomId: "old", lastSeq: 1 },
      { roomId: "new", lastSeq: 0 },
    ]);
    subscribed.catch(() => {});
    await test.clock.advance(0);
    test.post("old");
    if (fails === "missed") await test.answerMembers();
    test[fails].next().reject(connectionLost());
    await assert.rejects(subscribed, /terminated/);
    test.post("old");
    test.post("new");
    await test.clock.advance(4);
    assert.deepEqual(
      wire.events("message:new").map(({ roomId, seq }) => roomId + seq),
      ["old3", "old4"],
      fails,
    );
    assert.equal(test.hub.feed("new"), undefined);
    assert.deepEqual([...test.hub.subscriptionsOf(connection).keys()], ["old"]);
  }
});
