import assert from "node:assert/strict";
import { createFakeClock } from "../../tests/helpers/clock.ts";
import { createBackbones } from "../../tests/realtime/fake_backbone.ts";
import {
  createGate,
  createHub,
  createMessage,
  createUser,
} from "../../tests/realtime/fakes.ts";

const ROOM = "room";

const joinLine = (roomId: string, user = createUser()) => ({
  event: "room:system",
  data: { type: "join", roomId, user, createdAt: "2026-03-01T12:00:00.000Z" },
} as const);

Deno.test("the hub remembers nobody after everyone has gone", () => {
  const { hub, ...world } = createHub();
  const user = createUser();
  const connections = [user, user, createUser()].map((each) =>
    world.connect(each).connection
  );
  for (const connection of connections) {
    for (const room of ["one", "two"]) hub.hold(connection, room);
  }
  assert.equal(hub.connectionCount, 3);
  assert.equal(hub.connectionsOf(user.id).size, 2);
  const [first] = connections;
  assert.equal(hub.connection(first!.id), first);
  for (const connection of connections) connection.lost();
  assert.equal(hub.connectionCount, 0);
  assert.deepEqual([...hub.connections()], []);
  assert.equal(hub.connection(first!.id), undefined);
  assert.equal(hub.connectionsOf(user.id).size, 0);
  assert.equal(hub.feed("one"), undefined);
  assert.equal(hub.feed("two"), undefined);
  for (const connection of connections) assert.equal(connection.rooms.size, 0);
});

Deno.test("remove() again has no effect on others", () => {
  const { hub, ...world } = createHub();
  const user = createUser();
  const gone = world.connect(user).connection;
  const stays = world.connect(user).connection;
  gone.lost();
  hub.remove(gone);
  assert.deepEqual([...hub.connectionsOf(user.id)], [stays]);
});

Deno.test("unfollow() forgets a room that nobody follows, and a new follower starts afresh", () => {
  const world = createHub();
  const { connection, feed } = world.follow(ROOM);
  assert.equal(world.hub.unfollow(connection, ROOM), true);
  assert.equal(world.hub.feed(ROOM), undefined);
  assert.equal(connection.rooms.has(ROOM), false);
  assert.equal(world.hub.unfollow(connection, ROOM), undefined);
  assert.notEqual(world.hub.hold(connection, ROOM).feed, feed);
});

Deno.test("stands() tells a subscription from the one before it", () => {
  const { hub, ...world } = createHub();
  const { connection } = world.connect();
  const first = hub.hold(connection, ROOM).follower;
  assert.equal(hub.stands(ROOM, first), true);
  hub.unfollow(connection, ROOM);
  assert.equal(hub.stands(ROOM, first), false);
  const second = hub.hold(connection, ROOM).follower;
  assert.equal(hub.stands(ROOM, first), false);
  assert.equal(hub.stands(ROOM, second), true);
});

Deno.test("cut() takes all of a user's sockets out of one room and no one else", () => {
  const world = createHub();
  const user = createUser();
  const own = [world.follow(ROOM, 0, user), world.follow(ROOM, 0, user)];
  world.hub.hold(own[0]!.connection, "other");
  const stranger = world.follow(ROOM);
  assert.deepEqual(
    world.hub.cut(user.id, ROOM),
    own.map(({ connection }) => connection),
  );
  world.hub.publish(ROOM, [createMessage(1)]);
  assert.deepEqual(stranger.wire.seqs(), [1]);
  for (const { wire } of own) assert.deepEqual(wire.frames, []);
  assert.equal(own[0]!.connection.rooms.has("other"), true);
  assert.deepEqual(world.hub.cut(user.id, ROOM), []);
  assert.deepEqual(world.hub.cut(user.id, "unknown"), []);
});

Deno.test("publish() reaches the followers of its room only, and a room without any is no error", () => {
  const world = createHub();
  const one = world.follow("one");
  const two = world.follow("two");
  world.hub.publish("one", [createMessage(1, "one")]);
  world.hub.publish("nobody", [createMessage(1, "nobody")]);
  assert.deepEqual(one.wire.seqs(), [1]);
  assert.deepEqual(two.wire.frames, []);
});

Deno.test("announce() tells the others, not the user's own sockets", () => {
  const world = createHub();
  const user = createUser();
  const own = world.follow(ROOM, 0, user);
  const other = world.follow(ROOM);
  const line = joinLine(ROOM, user);
  world.hub.announce(line);
  world.hub.announce(joinLine("nobody"));
  assert.deepEqual(other.wire.events("room:system"), [line.data]);
  assert.deepEqual(own.wire.frames, []);
});

Deno.test("announce() is silent in a room that more than 200 sockets follow", () => {
  const world = createHub();
  const { wire } = world.follow(ROOM);
  for (let n = 1; n < 200; n++) world.follow(ROOM);
  world.hub.announce(joinLine(ROOM));
  assert.equal(wire.frames.length, 1);
  world.follow(ROOM);
  world.hub.announce(joinLine(ROOM));
  assert.equal(wire.frames.length, 1);
});

Deno.test("tellUser() reaches all sockets of the user but the excepted one, in whatever room", () => {
  const world = createHub();
  const user = createUser();
  const [one, two] = [world.connect(user), world.connect(user)];
  const other = world.connect();
  const event = {
    event: "room:read",
    data: { roomId: ROOM, lastSeq: 3 },
  } as const;
  world.hub.tellUser(user.id, event, one.connection);
  world.hub.tellUser(user.id, event);
  assert.equal(one.wire.frames.length, 1);
  assert.equal(two.wire.frames.length, 2);
  assert.deepEqual(other.wire.frames, []);
});

/** A hub of one process among others. */
function createSharedHub() {
  const clock = createFakeClock();
  const backbone = createBackbones(clock).join();
  const world = createHub({ backbone, clock: clock.now, timers: clock });
  return { ...world, world, clock, backbone };
}

Deno.test("a room's channel is followed with its first socket and left with its last, a user's with theirs", () => {
  const { world, hub, backbone } = createSharedHub();
  const user = createUser();
  const [one, two] = [world.connect(user), world.connect(user)].map((
    { connection },
  ) => connection);
  for (const connection of [one!, two!, one!]) hub.hold(connection, ROOM);
  assert.deepEqual(backbone.follows, [`+user:${user.id}`, `+room:${ROOM}`]);
  hub.unfollow(one!, ROOM);
  hub.unfollow(one!, ROOM);
  one!.lost();
  hub.remove(one!);
  assert.equal(backbone.follows.length, 2);
  two!.lost();
  hub.remove(two!);
  hub.unfollow(two!, ROOM);
  assert.deepEqual(backbone.follows.slice(2), [
    `-room:${ROOM}`,
    `-user:${user.id}`,
  ]);
  assert.equal(backbone.channels.size, 0);
});

Deno.test("cut() of a room's last sockets leaves its channel once", () => {
  const { world, hub, backbone } = createSharedHub();
  const user = createUser();
  world.follow(ROOM, 0, user);
  world.follow(ROOM, 0, user);
  hub.cut(user.id, ROOM);
  hub.cut(user.id, ROOM);
  assert.deepEqual(
    backbone.follows.filter((each) => each.endsWith(ROOM)),
    [`+room:${ROOM}`, `-room:${ROOM}`],
  );
});

Deno.test("hold() says until when others' messages are not heard, to everybody who comes before that", async () => {
  const { world, hub, clock } = createSharedHub();
  const [one, two] = [world.connect(), world.connect()];
  const { heard } = hub.hold(one.connection, ROOM);
  assert.notEqual(heard, undefined);
  assert.equal(hub.hold(two.connection, ROOM).heard, heard);
  await clock.advance(1);
  await heard;
  assert.equal(hub.hold(world.connect().connection, ROOM).heard, undefined);
});

Deno.test("hold() of a room that was left and is followed again waits for the second time to be heard", async () => {
  const clock = createFakeClock();
  const backbone = createBackbones(clock).join();
  const follows = createGate<[string], void>();
  const world = createHub({
    backbone: Object.create(backbone, { follow: { value: follows.call } }),
  });
  const { connection } = world.connect();
  follows.next();
  world.hub.hold(connection, ROOM);
  world.hub.unfollow(connection, ROOM);
  const { heard } = world.hub.hold(connection, ROOM);
  follows.next().resolve();
  await clock.advance(0);
  const other = world.connect().connection;
  assert.equal(world.hub.hold(other, ROOM).heard, heard);
  assert.notEqual(heard, undefined);
});

Deno.test("hold() waits for nobody while the backbone is away", () => {
  const { world, hub, backbone } = createSharedHub();
  backbone.goDown();
  const { connection } = world.connect();
  assert.equal(hub.hold(connection, ROOM).heard, undefined);
  assert.deepEqual([...backbone.channels], [
    `user:${connection.user.id}`,
    `room:${ROOM}`,
  ]);
});

Deno.test("publish(), announce() and tellUser() tell the other processes once, also of rooms and users nobody here follows", () => {
  const { hub, backbone } = createSharedHub();
  const user = createUser();
  const event = {
    event: "room:read",
    data: { roomId: ROOM, lastSeq: 3 },
  } as const;
  const line = joinLine(ROOM, user);
  hub.publish(ROOM, [createMessage(1)]);
  hub.announce(line);
  hub.tellUser(user.id, event);
  assert.deepEqual(backbone.told, [
    {
      channel: `room:${ROOM}`,
      signal: { kind: "messages", roomId: ROOM, messages: [createMessage(1)] },
    },
    {
      channel: `room:${ROOM}`,
      signal: { kind: "announcement", event: line },
    },
    {
      channel: `user:${user.id}`,
      signal: { kind: "event", userId: user.id, event },
    },
  ]);
});

Deno.test("announceHere() and tellUserHere() tell nobody elsewhere: what was heard is not told on", () => {
  const { world, hub, backbone } = createSharedHub();
  const { wire, connection } = world.follow(ROOM);
  hub.announceHere(joinLine(ROOM));
  hub.tellUserHere(connection.user.id, {
    event: "room:read",
    data: { roomId: ROOM, lastSeq: 3 },
  });
  assert.equal(wire.envelopes().length, 2);
  assert.deepEqual(backbone.told, []);
});

Deno.test("announceHere() says a line once, however many processes tell it", () => {
  const { world, hub } = createSharedHub();
  const { wire } = world.follow(ROOM);
  const line = joinLine(ROOM);
  hub.announceHere(line);
  hub.announceHere(structuredClone(line));
  hub.announceHere(joinLine(ROOM));
  assert.equal(wire.events("room:system").length, 2);
});
