import assert from "node:assert/strict";
import {
  createHub,
  createMessage,
  createUser,
} from "../tests/realtime/fakes.ts";

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
