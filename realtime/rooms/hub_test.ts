import assert from "node:assert/strict";
import { createFakeClock } from "../../tests/helpers/clock.ts";
import { createBrokers } from "../../tests/realtime/fake_broker.ts";
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

Deno.test("registry and hub remember nobody after everyone has gone", () => {
  const { hub, connections: registry, ...world } = createHub();
  const user = createUser();
  const connections = [user, user, createUser()].map((each) =>
    world.connect(each).connection
  );
  for (const connection of connections) {
    for (const room of ["one", "two"]) hub.hold(connection, room);
  }
  assert.equal(registry.size, 3);
  assert.equal(registry.of(user.id).size, 2);
  const [first] = connections;
  assert.equal(registry.get(first!.id), first);
  for (const connection of connections) connection.lost();
  assert.equal(registry.size, 0);
  assert.deepEqual([...registry.all()], []);
  assert.equal(registry.get(first!.id), undefined);
  assert.equal(registry.of(user.id).size, 0);
  assert.equal(hub.feed("one"), undefined);
  assert.equal(hub.feed("two"), undefined);
  for (const connection of connections) {
    assert.equal(hub.subscriptionsOf(connection).size, 0);
  }
});

Deno.test("remove() again has no effect on others", () => {
  const { connections, ...world } = createHub();
  const user = createUser();
  const gone = world.connect(user).connection;
  const stays = world.connect(user).connection;
  gone.lost();
  connections.remove(gone);
  assert.deepEqual([...connections.of(user.id)], [stays]);
});

Deno.test("unsubscribe() forgets a room without subscribers, and a new subscriber starts afresh", () => {
  const world = createHub();
  const { connection, feed } = world.subscribe(ROOM);
  assert.equal(world.hub.unsubscribe(connection, ROOM), true);
  assert.equal(world.hub.feed(ROOM), undefined);
  assert.equal(world.hub.subscriptionsOf(connection).has(ROOM), false);
  assert.equal(world.hub.unsubscribe(connection, ROOM), undefined);
  assert.notEqual(world.hub.hold(connection, ROOM).feed, feed);
});

Deno.test("isCurrent() tells a subscription from the one before it", () => {
  const { hub, ...world } = createHub();
  const { connection } = world.connect();
  const first = hub.hold(connection, ROOM).subscription;
  assert.equal(hub.isCurrent(ROOM, first), true);
  hub.unsubscribe(connection, ROOM);
  assert.equal(hub.isCurrent(ROOM, first), false);
  const second = hub.hold(connection, ROOM).subscription;
  assert.equal(hub.isCurrent(ROOM, first), false);
  assert.equal(hub.isCurrent(ROOM, second), true);
});

Deno.test("cut() takes all of a user's sockets out of one room and no one else", () => {
  const world = createHub();
  const user = createUser();
  const own = [world.subscribe(ROOM, 0, user), world.subscribe(ROOM, 0, user)];
  world.hub.hold(own[0]!.connection, "other");
  const stranger = world.subscribe(ROOM);
  assert.deepEqual(
    world.hub.cut(user.id, ROOM),
    own.map(({ connection }) => connection),
  );
  world.hub.publish(ROOM, [createMessage(1)]);
  assert.deepEqual(stranger.wire.seqs(), [1]);
  for (const { wire } of own) assert.deepEqual(wire.frames, []);
  assert.equal(
    world.hub.subscriptionsOf(own[0]!.connection).has("other"),
    true,
  );
  assert.deepEqual(world.hub.cut(user.id, ROOM), []);
  assert.deepEqual(world.hub.cut(user.id, "unknown"), []);
});

Deno.test("publish() reaches the subscribers of its room only, and a room without any is no error", () => {
  const world = createHub();
  const one = world.subscribe("one");
  const two = world.subscribe("two");
  world.hub.publish("one", [createMessage(1, "one")]);
  world.hub.publish("nobody", [createMessage(1, "nobody")]);
  assert.deepEqual(one.wire.seqs(), [1]);
  assert.deepEqual(two.wire.frames, []);
});

Deno.test("announce() tells the others, not the user's own sockets", () => {
  const world = createHub();
  const user = createUser();
  const own = world.subscribe(ROOM, 0, user);
  const other = world.subscribe(ROOM);
  const line = joinLine(ROOM, user);
  world.hub.announce(line);
  world.hub.announce(joinLine("nobody"));
  assert.deepEqual(other.wire.events("room:system"), [line.data]);
  assert.deepEqual(own.wire.frames, []);
});

Deno.test("announce() is silent in a room with more than 200 subscribers", () => {
  const world = createHub();
  const { wire } = world.subscribe(ROOM);
  for (let n = 1; n < 200; n++) world.subscribe(ROOM);
  world.hub.announce(joinLine(ROOM));
  assert.equal(wire.frames.length, 1);
  world.subscribe(ROOM);
  world.hub.announce(joinLine(ROOM));
  assert.equal(wire.frames.length, 1);
});

Deno.test("sendToUser() reaches all sockets of the user but the excepted one, in whatever room", () => {
  const world = createHub();
  const user = createUser();
  const [one, two] = [world.connect(user), world.connect(user)];
  const other = world.connect();
  const event = {
    event: "room:read",
    data: { roomId: ROOM, lastSeq: 3 },
  } as const;
  world.connections.sendToUser(user.id, event, one.connection);
  world.connections.sendToUser(user.id, event);
  assert.equal(one.wire.frames.length, 1);
  assert.equal(two.wire.frames.length, 2);
  assert.deepEqual(other.wire.frames, []);
});

/** A hub of one process among others. */
function createSharedHub() {
  const clock = createFakeClock();
  const broker = createBrokers(clock).join();
  const world = createHub({ broker, clock: clock.now, timers: clock });
  return { ...world, world, clock, broker };
}

Deno.test("a room's channel is subscribed to with its first socket and left with its last, a user's with theirs", () => {
  const { world, hub, connections, broker } = createSharedHub();
  const user = createUser();
  const [one, two] = [world.connect(user), world.connect(user)].map((
    { connection },
  ) => connection);
  for (const connection of [one!, two!, one!]) hub.hold(connection, ROOM);
  assert.deepEqual(broker.subscribes, [`+user:${user.id}`, `+room:${ROOM}`]);
  hub.unsubscribe(one!, ROOM);
  hub.unsubscribe(one!, ROOM);
  one!.lost();
  connections.remove(one!);
  assert.equal(broker.subscribes.length, 2);
  two!.lost();
  connections.remove(two!);
  hub.unsubscribe(two!, ROOM);
  assert.deepEqual(broker.subscribes.slice(2), [
    `-room:${ROOM}`,
    `-user:${user.id}`,
  ]);
  assert.equal(broker.channels.size, 0);
});

Deno.test("cut() of a room's last sockets leaves its channel once", () => {
  const { world, hub, broker } = createSharedHub();
  const user = createUser();
  world.subscribe(ROOM, 0, user);
  world.subscribe(ROOM, 0, user);
  hub.cut(user.id, ROOM);
  hub.cut(user.id, ROOM);
  assert.deepEqual(
    broker.subscribes.filter((each) => each.endsWith(ROOM)),
    [`+room:${ROOM}`, `-room:${ROOM}`],
  );
});

Deno.test("hold() says until when others' messages are not subscribed, to everybody who comes before that", async () => {
  const { world, hub, clock } = createSharedHub();
  const [one, two] = [world.connect(), world.connect()];
  const { subscribed } = hub.hold(one.connection, ROOM);
  assert.notEqual(subscribed, undefined);
  assert.equal(hub.hold(two.connection, ROOM).subscribed, subscribed);
  await clock.advance(1);
  await subscribed;
  assert.equal(
    hub.hold(world.connect().connection, ROOM).subscribed,
    undefined,
  );
});

Deno.test("hold() of a room that was left and is subscribed to again waits for the second time to be heard", async () => {
  const clock = createFakeClock();
  const broker = createBrokers(clock).join();
  const subscribes = createGate<[string], void>();
  const world = createHub({
    broker: Object.create(broker, { subscribe: { value: subscribes.call } }),
  });
  const { connection } = world.connect();
  subscribes.next();
  world.hub.hold(connection, ROOM);
  world.hub.unsubscribe(connection, ROOM);
  const { subscribed } = world.hub.hold(connection, ROOM);
  subscribes.next().resolve();
  await clock.advance(0);
  const other = world.connect().connection;
  assert.equal(world.hub.hold(other, ROOM).subscribed, subscribed);
  assert.notEqual(subscribed, undefined);
});

Deno.test("hold() waits for nobody while the broker is away", () => {
  const { world, hub, broker } = createSharedHub();
  broker.goDown();
  const { connection } = world.connect();
  assert.equal(hub.hold(connection, ROOM).subscribed, undefined);
  assert.deepEqual([...broker.channels], [
    `user:${connection.user.id}`,
    `room:${ROOM}`,
  ]);
});

Deno.test("publish(), announce() and sendToUser() tell the other processes once, also of rooms and users that nobody here is subscribed to", () => {
  const { hub, connections, broker } = createSharedHub();
  const user = createUser();
  const event = {
    event: "room:read",
    data: { roomId: ROOM, lastSeq: 3 },
  } as const;
  const line = joinLine(ROOM, user);
  hub.publish(ROOM, [createMessage(1)]);
  hub.announce(line);
  connections.sendToUser(user.id, event);
  assert.deepEqual(broker.told, [
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

Deno.test("announceHere() and sendToUserHere() tell nobody elsewhere: what was subscribed is not told on", () => {
  const { world, hub, connections, broker } = createSharedHub();
  const { wire, connection } = world.subscribe(ROOM);
  hub.announceHere(joinLine(ROOM));
  connections.sendToUserHere(connection.user.id, {
    event: "room:read",
    data: { roomId: ROOM, lastSeq: 3 },
  });
  assert.equal(wire.envelopes().length, 2);
  assert.deepEqual(broker.told, []);
});

Deno.test("announceHere() says a line once, however many processes tell it", () => {
  const { world, hub } = createSharedHub();
  const { wire } = world.subscribe(ROOM);
  const line = joinLine(ROOM);
  hub.announceHere(line);
  hub.announceHere(structuredClone(line));
  hub.announceHere(joinLine(ROOM));
  assert.equal(wire.events("room:system").length, 2);
});
