import assert from "node:assert/strict";
import type { MemberRoom } from "../../db/memberships.ts";
import type { ReplayPosition } from "../../db/message_history.ts";
import { createFakeClock } from "../../tests/helpers/clock.ts";
import { createBrokers } from "../../tests/realtime/fake_broker.ts";
import {
  connectionLost,
  createGate,
  createHub,
  createMessage,
  createMessages,
  createUser,
  numbers,
} from "../../tests/realtime/fakes.ts";
import type { Connection } from "../connection/connection.ts";
import { eventFrame } from "../connection/frames.ts";
import type { Message } from "../protocol/protocol.ts";
import { CatchUp, ROSTER_GRACE_MS, type Subscribed } from "./catch_up.ts";
import { ReplayTurns } from "./replay_turns.ts";

const ROOM = "room";

/** Catch-up over a database that answers when the test says so, with what it has at that moment. */
function createCatchUp() {
  const stored: Message[] = [];
  const lost = new Set<string>();
  const read = (roomId: string, after: (message: Message) => boolean) =>
    stored.filter((message) => message.roomId === roomId && after(message));
  const afterGate = createGate<[string, number, number], Message[]>();
  const world = createHub({ readAfter: afterGate.call });
  const members = createGate<[string, string[]], MemberRoom[]>();
  const missed = createGate<[ReplayPosition[], number], Message[]>();
  const rosters: string[] = [];
  const catchUp = new CatchUp({
    hub: world.hub,
    memberRooms: members.call,
    readMissed: missed.call,
    sendRoster: (connection, roomId) => {
      connection.sendEvent({
        event: "room:roster",
        data: { roomId, users: [], onlineCount: 0, memberCount: 0 },
      });
      rosters.push(roomId);
      return undefined;
    },
    turns: new ReplayTurns({ clock: world.clock.now, timers: world.clock }),
    timers: world.clock,
  });
  return {
    ...world,
    world,
    stored,
    /** Rooms the user is no member of. */
    lost,
    members,
    missed,
    afterGate,
    rosters,
    catchUp,
    /** Commits and publishes. */
    post(roomId: string, count = 1) {
      for (let n = 0; n < count; n++) {
        const seq = (read(roomId, () => true).at(-1)?.seq ?? 0) + 1;
        const message = createMessage(seq, roomId);
        stored.push(message);
        world.hub.publish(roomId, [message]);
      }
    },
    async answerMembers() {
      const { args: [, roomIds], resolve } = members.next();
      resolve(
        roomIds.filter((id) => !lost.has(id)).map((room_id) => ({
          room_id,
          last_seq: read(room_id, () => true).at(-1)?.seq ?? 0,
        })),
      );
      await world.clock.advance(0);
    },
    async answerMissed() {
      const { args: [positions, limit], resolve } = missed.next();
      resolve(positions.flatMap((position) =>
        read(
          position.roomId,
          ({ seq, createdAt }) =>
            "afterSeq" in position
              ? seq > position.afterSeq
              : new Date(createdAt) >= position.since,
        ).slice(0, limit)
      ));
      await world.clock.advance(0);
    },
    /** Answers everything until nothing is asked. */
    async answerAll() {
      await world.clock.advance(0);
      while (members.calls.length + missed.calls.length > 0) {
        if (members.calls.length > 0) await this.answerMembers();
        else await this.answerMissed();
      }
      await world.clock.advance(4);
    },
  };
}

type Position = Parameters<CatchUp["subscribe"]>[1][0];

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
      Promise.resolve(roomIds.map((room_id) => ({ room_id, last_seq: 0 }))),
    readMissed: () => Promise.resolve([]),
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

/** Random numbers that are the same in every run. */
function createRandom(seed: number): (below: number) => number {
  let state = seed * 2_654_435_761 >>> 0;
  return (below) => {
    state = (Math.imul(state ^ state >>> 15, 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    return ((state ^ state >>> 13) >>> 0) % below;
  };
}

/**
 * One connection syncs a room while messages are committed, published later in order, or never
 * published at all (`lossy`). A read sees the database at a random moment between question and
 * answer. Gives what was received and what the acks said.
 */
async function simulate(
  seed: number,
  publishes: "in order" | "lossy" | "overtaking",
) {
  const random = createRandom(seed);
  const stored: Message[] = [];
  const unpublished: Message[] = [];
  /** Reads that wait: first for their snapshot, then for their answer. */
  const reads: (() => boolean)[] = [];
  const readLater = <R>(look: () => R): Promise<R> =>
    new Promise((resolve) => {
      let seen: { rows: R } | undefined;
      reads.push(() => {
        if (seen !== undefined) resolve(seen.rows);
        else seen = { rows: look() };
        return seen === undefined;
      });
      let steps = 0;
      const step = reads.at(-1)!;
      reads[reads.length - 1] = () => {
        step();
        return ++steps === 2;
      };
    });
  const after = (seq: number, limit: number) =>
    stored.filter((message) => message.seq > seq).slice(0, limit);
  const clock = createFakeClock();
  const world = createHub({
    readAfter: (_, seq, limit) => readLater(() => after(seq, limit)),
    ...{ clock: clock.now, timers: clock },
    // Only what other processes write may be overtaken.
    ...publishes === "overtaking" &&
      { broker: createBrokers(clock).join() },
  });
  const catchUp = new CatchUp({
    hub: world.hub,
    memberRooms: () =>
      readLater(() => [{ room_id: ROOM, last_seq: stored.length }]),
    readMissed: ([position], limit) =>
      readLater(() =>
        after("afterSeq" in position! ? position.afterSeq : 0, limit)
      ),
    sendRoster: () => undefined,
    turns: new ReplayTurns({ clock: world.clock.now, timers: world.clock }),
    timers: world.clock,
  });
  const commit = () => {
    const message = createMessage(stored.length + 1);
    stored.push(message);
    if (publishes !== "lossy" || random(5) > 0) unpublished.push(message);
  };
  const publish = () => {
    if (unpublished.length === 0) return;
    const count = 1 + random(unpublished.length);
    if (publishes === "overtaking") {
      const ahead = Math.min(unpublished.length - 1, random(3));
      world.hub.feed(ROOM)?.publish(unpublished.splice(ahead, 1));
    } else world.hub.publish(ROOM, unpublished.splice(0, count));
  };
  const readOn = () => {
    if (reads.length === 0) return;
    const index = random(reads.length);
    if (reads[index]!()) reads.splice(index, 1);
  };
  const turn = async () => {
    [commit, publish, readOn, readOn][random(4)]!();
    await clock.advance(random(3));
  };

  if (random(2) === 0) world.subscribe(ROOM);
  const start = random(3) === 0 ? 150 : random(20);
  for (let n = 0; n < start; n++) commit();
  const { connection, wire } = world.connect();
  const from = random(Math.max(1, start - 100));
  let position = from;
  const acks: { hasMore: boolean; resynced: boolean }[] = [];

  const sync = async (connection: Connection) => {
    const subscribed = catchUp.subscribe(connection, [
      { roomId: ROOM, lastSeq: position },
    ]);
    let result: Subscribed["result"] | undefined;
    subscribed.then(([subscribed]) => result = subscribed!.result);
    while (result === undefined) await turn();
    position = result.lastSeq!;
    acks.push({ hasMore: result.hasMore!, resynced: acks.length > 0 });
    return result.hasMore!;
  };
  while (await sync(connection));
  for (let n = random(30); n > 0; n--) await turn();
  // A last message that is published for sure: gaps before it have to be mended by it.
  const last = createMessage(stored.length + 1);
  stored.push(last);
  unpublished.push(last);
  while (unpublished.length > 0) publish();
  for (let n = 0; n < 50; n++) {
    readOn();
    await clock.advance(4);
  }
  return { from, wire, total: stored.length, acks };
}

Deno.test("no interleaving of commits, publishes and reads makes a hole or a repeat", async () => {
  let singles = 0;
  for (let seed = 1; seed <= 1_500; seed++) {
    const { from, wire, total, acks } = await simulate(seed, "in order");
    const seqs = wire.seqs();
    const wanted = numbers(from + 1, total);
    if (acks.length === 1) {
      singles++;
      assert.deepEqual(seqs, wanted, `seed ${seed}`);
    } else {
      const sorted = [...new Set(seqs)].sort((a, b) => a - b);
      assert.deepEqual(sorted, wanted, `seed ${seed}`);
    }
  }
  assert.ok(singles > 500, `only ${singles} runs were one page`);
});

Deno.test("no interleaving makes a hole even when publishes are lost", async () => {
  for (let seed = 1; seed <= 1_500; seed++) {
    const { from, wire, total } = await simulate(seed, "lossy");
    const sorted = [...new Set(wire.seqs())].sort((a, b) => a - b);
    assert.deepEqual(sorted, numbers(from + 1, total), `seed ${seed}`);
  }
});

Deno.test("no interleaving makes a hole or disorder when messages of several processes overtake each other", async () => {
  let singles = 0;
  for (let seed = 1; seed <= 1_500; seed++) {
    const { from, wire, total, acks } = await simulate(seed, "overtaking");
    const wanted = numbers(from + 1, total);
    if (acks.length === 1) {
      singles++;
      assert.deepEqual(wire.seqs(), wanted, `seed ${seed}`);
    } else {
      const sorted = [...new Set(wire.seqs())].sort((a, b) => a - b);
      assert.deepEqual(sorted, wanted, `seed ${seed}`);
    }
  }
  assert.ok(singles > 500, `only ${singles} runs were one page`);
});
