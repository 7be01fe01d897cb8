/** The live feed of a room's changes: merging, gaps, and what is held back. */

import assert from "node:assert/strict";
import {
  connectionLost,
  createGate,
  createHub,
  createMessage,
} from "../../tests/realtime/fakes.ts";
import type { Message } from "../protocol/protocol.ts";
import type { ChangedMessages } from "./change_feed.ts";

const ROOM = "room";

/** A message in the state that a change has left. */
const changed = (seq: number, rev: number): Message => ({
  ...createMessage(seq),
  text: `changed by ${rev}`,
  rev,
});

function createFeed() {
  const reads = createGate<[string, number, number], ChangedMessages>();
  const world = createHub({ readChanged: reads.call });
  return {
    ...{ world, clock: world.clock, reads },
    /** Publishes changes of this process, the first of them after `prevRev`. */
    publish: (prevRev: number, ...messages: Message[]) =>
      world.hub.publishChanges({
        ...{ roomId: ROOM, prevRev, rev: messages.at(-1)!.rev!, messages },
      }),
  };
}

type Wire = ReturnType<ReturnType<typeof createHub>["subscribe"]>["wire"];

/** Each frame as `prevRev-rev: seq@rev …`. */
const frames = (wire: Wire) =>
  wire.events("room:changes").map(({ prevRev, rev, messages }) =>
    `${prevRev}-${rev}: ${
      messages.map((message) => `${message.seq}@${message.rev}`).join(" ")
    }`
  );

Deno.test("a change is sent at once, and those that follow quickly are merged", async () => {
  const { world, clock, publish } = createFeed();
  const { wire } = world.subscribe(ROOM, 9);
  publish(0, changed(4, 1));
  assert.deepEqual(frames(wire), ["0-1: 4@1"]);
  publish(1, changed(4, 2));
  publish(2, changed(5, 3));
  publish(3, changed(4, 4));
  await clock.advance(249);
  assert.equal(frames(wire).length, 1);
  await clock.advance(1);
  assert.deepEqual(frames(wire).slice(1), ["1-4: 5@3 4@4"]);
  await clock.advance(1_000);
  publish(4, changed(6, 5));
  assert.deepEqual(frames(wire).slice(2), ["4-5: 6@5"]);
});

Deno.test("what was changed elsewhere in between is read, once, and nothing is believed that is not there", async () => {
  const { world, clock, reads, publish } = createFeed();
  const { wire, feed } = world.subscribe(ROOM, 9);
  publish(2, changed(4, 3));
  feed.changes.expect(3);
  assert.deepEqual(reads.calls.map(({ args }) => args), [[ROOM, 0, 100]]);
  reads.next().resolve({
    lastRev: 3,
    messages: [changed(7, 2), changed(4, 3)],
  });
  await clock.advance(0);
  assert.deepEqual(frames(wire), ["0-3: 7@2 4@3"]);
  reads.next().resolve({ lastRev: 3, messages: [] });
  await clock.advance(1_000);
  feed.changes.expect(1_000);
  reads.next().resolve({ lastRev: 3, messages: [] });
  await clock.advance(1_000);
  publish(3, changed(4, 4));
  assert.deepEqual(frames(wire).slice(1), ["3-4: 4@4"]);
  assert.equal(reads.calls.length, 0);
});

Deno.test("a feed whose database is away reads again until it is back", async () => {
  const { world, clock, reads } = createFeed();
  const { wire, feed } = world.subscribe(ROOM, 9);
  feed.changes.expect(1);
  reads.next().reject(connectionLost());
  await clock.advance(499);
  assert.equal(reads.calls.length, 0);
  await clock.advance(1);
  reads.next().resolve({ lastRev: 1, messages: [changed(4, 1)] });
  await clock.advance(0);
  assert.deepEqual(frames(wire), ["0-1: 4@1"]);
});

Deno.test("a subscriber that catches up is sent what was changed meanwhile, after it", async () => {
  const { world, clock, publish } = createFeed();
  const live = world.subscribe(ROOM, 9);
  const { connection, wire } = world.connect();
  const { feed, subscription } = world.hub.hold(connection, ROOM);
  publish(0, changed(4, 1));
  publish(1, changed(5, 2));
  await clock.advance(250);
  publish(2, changed(4, 3));
  await clock.advance(250);
  assert.deepEqual(frames(wire), []);
  feed.release(subscription, 9, 9, { rev: 2, newestRead: 2 });
  assert.deepEqual(frames(wire), ["2-3: 4@3"]);
  await clock.advance(1_000);
  publish(3, changed(6, 4));
  assert.deepEqual(frames(wire).slice(1), ["3-4: 6@4"]);
  assert.equal(frames(live.wire).at(-1), "3-4: 6@4");
});

Deno.test("a message that was held back as it was new is followed by its change, also by one that was read", () => {
  const { world, publish } = createFeed();
  world.subscribe(ROOM, 9);
  const { connection, wire } = world.connect();
  const { feed, subscription } = world.hub.hold(connection, ROOM);
  world.hub.publish(ROOM, [createMessage(10)]);
  publish(0, changed(10, 1));
  feed.release(subscription, 9, 10, { rev: 1, newestRead: 1 });
  assert.deepEqual(wire.seqs(), [10]);
  assert.deepEqual(frames(wire), ["1-1: 10@1"]);
});

Deno.test("a change that one subscriber has read before it is published reaches another who has not", () => {
  const { world, publish } = createFeed();
  const [one, two] = [world.connect(), world.connect()];
  const { feed, subscription } = world.hub.hold(one.connection, ROOM);
  const other = world.hub.hold(two.connection, ROOM);
  // Both have asked the database, one before the commit and the other after it.
  feed.release(subscription, 9, 9, { rev: 1, newestRead: 1 });
  feed.release(other.subscription, 9, 9, { rev: 0, newestRead: 0 });
  publish(0, changed(4, 1));
  assert.deepEqual(frames(two.wire), ["0-1: 4@1"]);
});

Deno.test("a change of another process that one subscriber has read, and another just before it was committed, is read for that one", async () => {
  const { world, clock, reads } = createFeed();
  const [one, two] = [world.connect(), world.connect()];
  const { feed, subscription } = world.hub.hold(one.connection, ROOM);
  const other = world.hub.hold(two.connection, ROOM);
  feed.release(subscription, 9, 9, { rev: 1, newestRead: 1 });
  feed.changes.expect(1);
  assert.equal(reads.calls.length, 0);
  feed.release(other.subscription, 9, 9, { rev: 0, newestRead: 0 });
  const { args, resolve } = reads.next();
  assert.deepEqual(args, [ROOM, 0, 100]);
  resolve({ lastRev: 1, messages: [changed(4, 1)] });
  await clock.advance(0);
  assert.deepEqual(frames(two.wire), ["0-1: 4@1"]);
});

Deno.test("what is to be read once more is read also when another reading is under way", async () => {
  const { world, clock, reads } = createFeed();
  const [one, two] = [world.connect(), world.connect()];
  const { feed, subscription } = world.hub.hold(one.connection, ROOM);
  const other = world.hub.hold(two.connection, ROOM);
  feed.release(subscription, 9, 9, { rev: 1, newestRead: 1 });
  feed.changes.expect(2);
  const first = reads.next();
  assert.deepEqual(first.args, [ROOM, 1, 100]);
  feed.release(other.subscription, 9, 9, { rev: 0, newestRead: 0 });
  first.resolve({ lastRev: 2, messages: [changed(5, 2)] });
  await clock.advance(0);
  const second = reads.next();
  assert.deepEqual(second.args, [ROOM, 0, 100]);
  second.resolve({ lastRev: 2, messages: [changed(4, 1), changed(5, 2)] });
  await clock.advance(1_000);
  assert.deepEqual(frames(two.wire).at(-1), "0-2: 4@1 5@2");
});

Deno.test("a subscriber that has to ask for more costs the others nothing", () => {
  const { world, reads, publish } = createFeed();
  const { wire } = world.subscribe(ROOM, 9);
  publish(0, changed(4, 1));
  const { connection } = world.connect();
  const { feed, subscription } = world.hub.hold(connection, ROOM);
  feed.release(subscription, 9, 9, { rev: 0, isPart: true, newestRead: 1 });
  assert.equal(reads.calls.length, 0);
  assert.equal(frames(wire).length, 1);
});

Deno.test("a change does not overtake its message, and a message that comes after its change comes changed", async () => {
  const { world, clock, publish } = createFeed();
  const { wire, feed } = world.subscribe(ROOM, 9);
  world.hub.publish(ROOM, [createMessage(10)]);
  world.hub.publish(ROOM, [createMessage(11)]);
  publish(0, changed(11, 1));
  const events = wire.envelopes().map((envelope) =>
    "event" in envelope ? envelope.event : ""
  );
  assert.deepEqual(events, ["message:new", "message:new", "room:changes"]);

  await clock.advance(1_000);
  publish(1, changed(12, 2));
  feed.publish([createMessage(12), {
    ...createMessage(13),
    replyTo: {
      messageId: "id-12",
      seq: 12,
      sender: { id: "author", username: "author" },
      text: "message 12",
    },
  }]);
  await clock.advance(4);
  const [late, reply] = wire.events("message:new").slice(-2);
  assert.deepEqual([late?.text, late?.rev], ["changed by 2", 2]);
  assert.equal(reply?.replyTo?.text, "changed by 2");
});

Deno.test("a subscriber for whom too much was held back has to sync again", async () => {
  const { world, clock, publish } = createFeed();
  world.subscribe(ROOM, 9);
  const { connection } = world.connect();
  const { feed, subscription } = world.hub.hold(connection, ROOM);
  for (let rev = 1; rev <= 51; rev++) {
    publish(rev - 1, changed(4, rev));
    await clock.advance(250);
  }
  assert.equal(feed.changes.hasGap(subscription), true);
});
