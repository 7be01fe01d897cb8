import assert from "node:assert/strict";
import {
  connectionLost,
  createUser,
  numbers,
} from "../../tests/realtime/fakes.ts";
import {
  check,
  endOf,
  lines,
  ROOM,
  ROSTER_MS,
} from "../../tests/realtime/membership_fakes.ts";
import { ANSWER_LIMIT_MS, RETRY_MS } from "./membership_checks.ts";

Deno.test("a leave that is heard of late leaves a member as they are, with every message in order", async () => {
  const world = await check();
  const { clock, membership, gate, user, own, key, say } = world;
  say(1);
  membership.changedElsewhere(endOf(user));
  const { args, resolve } = gate.next();
  assert.deepEqual(args, [[key]]);
  say(2, 3);
  await clock.advance(100);
  assert.deepEqual(own.wire.seqs(), [1], "held back while it is asked");
  resolve([]);
  await clock.advance(10);
  say(4);
  await clock.advance(10);
  assert.deepEqual(own.wire.seqs(), [1, 2, 3, 4]);
  assert.deepEqual(lines(own), []);
  assert.deepEqual(await world.roster(), ["alice"]);
});

Deno.test("who has left elsewhere gets nothing that came while it was asked", async () => {
  const world = await check();
  const { clock, membership, gate, user, own, other, key, say } = world;
  membership.changedElsewhere(endOf(user));
  say(1);
  await clock.advance(100);
  gate.next().resolve([key]);
  say(2);
  await clock.advance(10);
  assert.deepEqual(own.wire.seqs(), []);
  assert.deepEqual(lines(own), ["leave alice"]);
  assert.deepEqual(other.wire.seqs(), [1, 2]);
  assert.deepEqual(await world.roster(), []);
});

for (const how of ["fails", "is silent"]) {
  Deno.test(`when the database ${how} the user is cut off, and the roster is put right when it answers`, async () => {
    const world = await check();
    const { clock, membership, gate, user, own, say, failures } = world;
    membership.changedElsewhere(endOf(user));
    if (how === "fails") gate.next().reject(connectionLost());
    else {
      gate.next();
      await clock.advance(ANSWER_LIMIT_MS - 1);
      assert.deepEqual(lines(own), []);
      await clock.advance(1);
    }
    await clock.advance(0);
    say(1);
    assert.deepEqual(lines(own), ["leave alice"]);
    assert.deepEqual(own.wire.seqs(), []);
    assert.equal(failures.length, 1);
    assert.deepEqual(await world.roster(), []);
    await clock.advance(RETRY_MS - ROSTER_MS);
    gate.next().resolve([]);
    assert.deepEqual(await world.roster(), ["alice"]);
    await clock.advance(2 * RETRY_MS);
    assert.equal(gate.calls.length, 0, "asked once more, not for ever");
  });
}

Deno.test("who joins while it is asked is asked for anew: the answer may be older", async () => {
  const world = await check();
  const { clock, membership, gate, user, own, key, say } = world;
  membership.changedElsewhere(endOf(user));
  const { resolve } = gate.next();
  membership.changedElsewhere({ ...endOf(user), isMember: true });
  say(1);
  resolve([key]);
  await clock.advance(10);
  assert.deepEqual(own.wire.seqs(), [], "held back still");
  gate.next().resolve([]);
  await clock.advance(10);
  assert.deepEqual(own.wire.seqs(), [1]);
  assert.deepEqual(await world.roster(), ["alice"]);
});

Deno.test("who leaves here while it is asked is no member again by an older answer", async () => {
  const world = await check();
  const { clock, membership, gate, user, own, key } = world;
  membership.changedElsewhere(endOf(user));
  const { resolve } = gate.next();
  membership.userRemoved(user, [ROOM]);
  resolve([]);
  await clock.advance(10);
  gate.next().resolve([key]);
  assert.deepEqual(await world.roster(), []);
  assert.deepEqual(lines(own), ["leave alice"], "once");
});

Deno.test("a socket that catches up while it is asked is left to its catch-up, which reads for itself", async () => {
  const world = await check();
  const { clock, hub, membership, gate, user, own, key, say } = world;
  membership.changedElsewhere(endOf(user));
  say(1, 2);
  const { feed, subscription } = hub.hold(own.connection, ROOM);
  gate.next().resolve([key]);
  await clock.advance(10);
  gate.next().resolve([]);
  await clock.advance(10);
  assert.deepEqual(own.wire.seqs(), [], "the replay comes first");
  feed.release(subscription, 1, 2);
  say(3);
  await clock.advance(10);
  assert.deepEqual(own.wire.seqs(), [2, 3]);
});

Deno.test("a member for whom more came than can be held back is told to come again", async () => {
  const world = await check();
  const { clock, membership, gate, user, own, say } = world;
  membership.changedElsewhere(endOf(user));
  say(...numbers(1, 1_200));
  await clock.advance(10);
  gate.next().resolve([]);
  await clock.advance(10);
  assert.deepEqual(lines(own), ["leave alice"]);
  assert.deepEqual(own.wire.seqs(), []);
  assert.deepEqual(await world.roster(), ["alice"]);
});

Deno.test("ends that come while one is asked for are asked for together, after it", async () => {
  const world = await check();
  const { clock, membership, gate, process, user, key } = world;
  const others = ["bob", "carol"].map((name) => createUser(name));
  for (const other of others) process.subscribe(ROOM, 0, other);
  for (const each of [user, ...others]) {
    membership.changedElsewhere(endOf(each));
  }
  assert.equal(gate.calls.length, 1);
  gate.next().resolve([key]);
  await clock.advance(0);
  assert.deepEqual(gate.next().args, [
    others.map(({ id: userId }) => ({ userId, roomId: ROOM })),
  ]);
});

Deno.test("an end in a room that nobody follows here is not asked for", async () => {
  const { clock, membership, gate, user } = await check();
  membership.changedElsewhere({ ...endOf(user), roomId: "elsewhere" });
  await clock.advance(0);
  assert.equal(gate.calls.length, 0);
});
