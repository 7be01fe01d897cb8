import assert from "node:assert/strict";
import {
  createCatchUp,
  EPOCH,
  type Position,
  ROOM,
} from "../../tests/realtime/catch_up_fakes.ts";
import {
  createHub,
  createMessage,
  createMessages,
  numbers,
} from "../../tests/realtime/fakes.ts";
import { CatchUp, ROSTER_GRACE_MS, type Subscribed } from "./catch_up.ts";
import { ReplayTurns } from "./replay_turns.ts";

Deno.test("subscribe() replays what lies after lastSeq, then the roster, then it is live", async () => {
  const test = createCatchUp();
  test.post(ROOM, 5);
  const { connection, wire } = test.world.connect();
  const subscribed = test.catchUp.subscribe(connection, [
    { roomId: ROOM, lastSeq: 2 },
  ]);
  await test.answerAll();
  assert.deepEqual(await subscribed, [{
    result: {
      roomId: ROOM,
      synced: true,
      messageCount: 3,
      hasMore: false,
      lastSeq: 5,
      changeCount: 0,
      hasMoreChanges: false,
      lastRev: 0,
      epoch: EPOCH,
    },
    firstOfUser: true,
  }]);
  assert.deepEqual(
    wire.envelopes().map((each) => "event" in each && each.event),
    ["message:new", "message:new", "message:new", "room:roster"],
  );
  test.post(ROOM);
  assert.deepEqual(wire.seqs(), [3, 4, 5, 6]);
});

Deno.test("subscribe() without a position replays nothing and says where the room stands", async () => {
  const test = createCatchUp();
  test.post(ROOM, 5);
  const { connection, wire } = test.world.connect();
  const subscribed = test.catchUp.subscribe(connection, [{ roomId: ROOM }]);
  await test.answerAll();
  assert.equal((await subscribed)[0]!.result.lastSeq, 5);
  assert.equal((await subscribed)[0]!.result.messageCount, 0);
  test.post(ROOM);
  assert.deepEqual(wire.seqs(), [6]);
});

Deno.test("subscribe() pages by 100 and says hasMore until the end, 100 and 101 told apart", async () => {
  for (const total of [0, 1, 100, 101, 250]) {
    const test = createCatchUp();
    test.post(ROOM, total);
    const { connection, wire } = test.world.connect();
    const pages: number[] = [];
    for (let lastSeq = 0, hasMore = true; hasMore;) {
      const subscribed = test.catchUp.subscribe(connection, [
        { roomId: ROOM, lastSeq },
      ]);
      await test.answerAll();
      const [{ result }] = await subscribed as [Subscribed];
      pages.push(result.messageCount!);
      hasMore = result.hasMore!;
      lastSeq = result.lastSeq!;
    }
    assert.deepEqual(wire.seqs(), numbers(1, total));
    assert.equal(pages.length, Math.max(1, Math.ceil(total / 100)), `${pages}`);
    assert.ok(pages.every((page) => page <= 100));
  }
});

Deno.test("subscribe() with lastSeenAt begins at that millisecond; lastSeq wins over it", async () => {
  const test = createCatchUp();
  test.post(ROOM, 6);
  for (const message of test.stored.slice(2, 5)) {
    message.createdAt = test.stored[2]!.createdAt;
  }
  const lastSeenAt = test.stored[2]!.createdAt;
  const replay = async (position: Position) => {
    const { connection, wire } = test.world.connect();
    const subscribed = test.catchUp.subscribe(connection, [position]);
    await test.answerAll();
    await subscribed;
    return wire.seqs();
  };
  assert.deepEqual(await replay({ roomId: ROOM, lastSeenAt }), [3, 4, 5, 6]);
  assert.deepEqual(
    await replay({ roomId: ROOM, lastSeenAt, lastSeq: 5 }),
    [6],
  );
});

Deno.test("subscribe() reads from a lastSeenAt that PostgreSQL can hold, whatever year the client says", async () => {
  for (
    const lastSeenAt of [
      ...["0000-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59"],
      ...["9999-12-31T23:59:59-23:59", "1969-12-31T23:59:59Z"],
    ]
  ) {
    const test = createCatchUp();
    test.post(ROOM, 1);
    const { connection } = test.world.connect();
    test.catchUp.subscribe(connection, [{ roomId: ROOM, lastSeenAt }]);
    await test.clock.advance(0);
    await test.answerMembers();
    const { args: [[position]] } = test.missed.next();
    const text = JSON.stringify(
      position && "since" in position && position.since,
    );
    assert.match(text, /^"(19[7-9]\d|[2-9]\d{3})-/, `${lastSeenAt}: ${text}`);
  }
});

Deno.test("subscribe() of a room the user is no member of leaves it and does not hurt the others", async () => {
  const test = createCatchUp();
  test.post("mine", 2);
  test.post("foreign", 2);
  test.lost.add("foreign");
  const { connection, wire } = test.world.connect();
  const subscribed = test.catchUp.subscribe(connection, [
    { roomId: "foreign", lastSeq: 0 },
    { roomId: "mine", lastSeq: 0 },
  ]);
  test.post("foreign");
  await test.answerAll();
  const results = await subscribed;
  assert.deepEqual(results[0], {
    result: { roomId: "foreign", synced: false },
    firstOfUser: false,
  });
  assert.equal(results[1]!.result.messageCount, 2);
  test.post("foreign");
  assert.ok(
    wire.events("message:new").every(({ roomId }) => roomId === "mine"),
  );
  assert.deepEqual(test.rosters, ["mine"]);
  assert.equal(test.hub.feed("foreign"), undefined);
  assert.equal(test.hub.subscriptionsOf(connection).has("foreign"), false);
});

Deno.test("subscribe() tells a client that knows more than the database to forget it", async () => {
  const test = createCatchUp();
  test.post(ROOM, 3);
  const { connection, wire } = test.world.connect();
  const subscribed = test.catchUp.subscribe(connection, [
    { roomId: ROOM, lastSeq: 50 },
  ]);
  await test.answerAll();
  const [{ result }] = await subscribed as [Subscribed];
  assert.equal(result.reset, true);
  assert.equal(result.lastSeq, 3);
  test.post(ROOM);
  assert.deepEqual(wire.seqs(), [4], "the live feed is what the room says");
});

Deno.test("subscribe() says hasMore when more came live than could be kept back", async () => {
  const test = createCatchUp();
  test.post(ROOM, 1);
  test.world.subscribe(ROOM, 1);
  const { connection, wire } = test.world.connect();
  const subscribe = (lastSeq: number) =>
    test.catchUp.subscribe(connection, [{ roomId: ROOM, lastSeq }]);
  const subscribed = subscribe(0);
  await test.clock.advance(0);
  await test.answerMembers();
  const { resolve } = test.missed.next();
  test.stored.push(...createMessages(2, 1_500));
  test.hub.publish(ROOM, test.stored.slice(1));
  await test.clock.advance(4);
  resolve(test.stored.slice(0, 1));
  let [{ result }] = await subscribed as [Subscribed];
  assert.equal(result.lastSeq, 1);
  assert.equal(result.hasMore, true);
  while (result.hasMore) {
    const again = subscribe(result.lastSeq!);
    await test.answerAll();
    [{ result }] = await again as [Subscribed];
  }
  assert.deepEqual(
    [...new Set(wire.seqs())].sort((a, b) => a - b),
    numbers(1, 1_500),
  );
});

Deno.test("subscribe() of many rooms reads few messages at a time, and waits for a slow reader in between", async () => {
  const test = createCatchUp();
  const rooms = numbers(1, 50).map((n) => `room ${n}`);
  for (const room of rooms) {
    test.stored.push(
      ...numbers(1, 100).map((seq) =>
        createMessage(seq, room, "x".repeat(500))
      ),
    );
  }
  const { connection, wire } = test.world.connect();
  wire.reading = false;
  const subscribed = test.catchUp.subscribe(
    connection,
    rooms.map((roomId) => ({ roomId, lastSeq: 0 })),
  );
  let done = false;
  subscribed.then(() => done = true);
  let queries = 0;
  for (let turn = 0; turn < 2_000 && !done; turn++) {
    if (test.members.calls.length > 0) await test.answerMembers();
    if (test.missed.calls.length > 0) {
      queries++;
      await test.answerMissed();
    }
    assert.ok(connection.waitingBytes < 1024 * 1024);
    wire.take(50_000);
    await test.clock.advance(20);
  }
  assert.equal(connection.closed, false, "a reader that goes on is kept");
  assert.ok(
    (await subscribed).every(({ result }) => result.messageCount === 100),
  );
  assert.equal(wire.seqs().length, 5_000);
  assert.ok(queries <= 50, `${queries} queries`);
});

Deno.test("subscribe() waits a moment for a roster that is being loaded, and no longer", async () => {
  const world = createHub();
  const { clock } = world;
  const loading = Promise.withResolvers<void>();
  const catchUp = new CatchUp({
    hub: world.hub,
    memberRooms: (_, roomIds) =>
      Promise.resolve(roomIds.map((room_id) => ({
        room_id,
        last_seq: 0,
        last_rev: 0,
      }))),
    readMissed: () => Promise.resolve([]),
    readChanged: () => Promise.resolve([]),
    history: { epoch: "" },
    sendRoster: () => loading.promise,
    turns: new ReplayTurns({ clock: clock.now, timers: clock }),
    timers: clock,
  });
  const { connection } = world.connect();
  let subscribed: Subscribed[] = [];
  catchUp.subscribe(connection, [{ roomId: "one" }, { roomId: "two" }])
    .then((results) => subscribed = results);
  await clock.advance(ROSTER_GRACE_MS - 1);
  assert.equal(subscribed.length, 0);
  await clock.advance(1);
  assert.equal(subscribed.length, 2);
});

Deno.test("subscribe() without a rev on a live connection holds back changes and loses none", async () => {
  const test = createCatchUp();
  test.post(ROOM, 5);
  const { connection, wire } = test.world.connect();
  const first = test.catchUp.subscribe(connection, [
    { roomId: ROOM, lastSeq: 5, lastRev: 0 },
  ]);
  await test.answerAll();
  await first;
  const again = test.catchUp.subscribe(connection, [
    { roomId: ROOM, lastSeq: 3 },
  ]);
  await test.world.clock.advance(0);
  test.world.hub.publishChanges({
    ...{ roomId: ROOM, prevRev: 0, rev: 1 },
    messages: [{ ...createMessage(4), text: "edited", rev: 1 }],
  });
  test.revs.set(ROOM, 1);
  await test.answerAll();
  assert.equal((await again)[0]?.result.lastRev, 1);
  assert.deepEqual(
    wire.events("room:changes").map(({ prevRev, rev }) => [prevRev, rev]),
    [[0, 1]],
  );
});
