import assert from "node:assert/strict";
import { createFakeClock } from "../../tests/helpers/clock.ts";
import { createConnection, createUser } from "../../tests/realtime/fakes.ts";
import { memoryBroker } from "../cluster/memory_broker.ts";
import { ConnectionRegistry } from "../connection/registry.ts";
import { Presence } from "./presence.ts";

const ALICE = createUser("alice");

function createPresence() {
  const clock = createFakeClock();
  const changes: string[] = [];
  const connections = new ConnectionRegistry({
    ...{ maxSocketsPerUser: Infinity, maxSocketsPerAddress: Infinity },
    broker: memoryBroker(),
  });
  const presence = new Presence(
    connections,
    clock.now,
    (userId, online) =>
      changes.push(
        `${userId === ALICE.id ? "alice" : "other"} ${online ? "on" : "off"}`,
      ),
  );
  const connectBy = (user = ALICE) => {
    const { connection, wire } = createConnection(clock, {
      user,
      onFrame: (connection) => presence.touch(connection),
      onClosed(connection) {
        connections.remove(connection);
        presence.disconnected(connection);
      },
    });
    connections.add(connection);
    presence.touch(connection);
    return { connection, wire };
  };
  return {
    clock,
    presence,
    /** Who came and went, in order. */
    changes,
    connect: (user = ALICE) => connectBy(user).connection,
    /** As `connect`, with the wire. */
    connectBy,
  };
}

Deno.test("touch() takes a user online with the first socket only", () => {
  const { presence, changes, connect } = createPresence();
  assert.equal(presence.isOnline(ALICE.id), false);
  connect();
  connect();
  assert.equal(presence.isOnline(ALICE.id), true);
  assert.deepEqual(changes, ["alice on"]);
});

Deno.test("disconnected() takes a user offline at once with the last socket only", () => {
  const { presence, changes, connect } = createPresence();
  const [one, two] = [connect(), connect()];
  one.lost();
  assert.equal(presence.isOnline(ALICE.id), true);
  two.lost();
  assert.equal(presence.isOnline(ALICE.id), false);
  assert.deepEqual(changes, ["alice on", "alice off"]);
  presence.disconnected(two);
  assert.equal(changes.length, 2);
});

Deno.test("sweep() takes a user offline who has been silent for 30 s, and a frame brings them back", async () => {
  const { clock, presence, changes, connect } = createPresence();
  const connection = connect();
  await clock.advance(29_999);
  presence.sweep();
  assert.equal(presence.isOnline(ALICE.id), true);
  await clock.advance(1);
  presence.sweep();
  presence.sweep();
  assert.equal(presence.isOnline(ALICE.id), false);
  connection.receive("x");
  assert.equal(presence.isOnline(ALICE.id), true);
  assert.deepEqual(changes, ["alice on", "alice off", "alice on"]);
});

Deno.test("a frame on any socket keeps the user online", async () => {
  const { clock, presence, connect } = createPresence();
  connect();
  const busy = connect();
  for (let n = 0; n < 5; n++) {
    await clock.advance(15_000);
    busy.receive("x");
    presence.sweep();
    assert.equal(presence.isOnline(ALICE.id), true);
  }
});

Deno.test("disconnected() of the busy socket takes a user offline whose other socket is silent", async () => {
  const { clock, presence, connect } = createPresence();
  connect();
  await clock.advance(40_000);
  const busy = connect();
  presence.sweep();
  assert.equal(presence.isOnline(ALICE.id), true);
  busy.lost();
  assert.equal(presence.isOnline(ALICE.id), false);
});

Deno.test("a frame of a socket that has ended brings nobody online", () => {
  const { presence, changes, connect } = createPresence();
  const connection = connect();
  connection.lost();
  presence.touch(connection);
  assert.deepEqual(changes, ["alice on", "alice off"]);
});

Deno.test("one user's silence says nothing about another", async () => {
  const { clock, presence, changes, connect } = createPresence();
  connect();
  await clock.advance(20_000);
  connect(createUser());
  await clock.advance(15_000);
  presence.sweep();
  assert.deepEqual(changes, ["alice on", "other on", "alice off"]);
});

Deno.test("a peer that answers pings is online without a frame, and 30 s longer than it answers", async () => {
  const parts = createPresence();
  const { clock, presence, changes } = parts;
  const { wire } = parts.connectBy();
  wire.answering = true;
  for (let second = 0; second < 90; second++) {
    await clock.advance(1_000);
    presence.sweep();
  }
  assert.deepEqual(changes, ["alice on"]);
  wire.answering = false;
  await clock.advance(30_000);
  presence.sweep();
  assert.deepEqual(changes, ["alice on", "alice off"]);
  wire.answering = true;
  presence.sweep();
  assert.deepEqual(changes, ["alice on", "alice off", "alice on"]);
});
