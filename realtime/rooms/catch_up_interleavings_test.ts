import assert from "node:assert/strict";
import { createFakeClock } from "../../tests/helpers/clock.ts";
import { ROOM } from "../../tests/realtime/catch_up_fakes.ts";
import { createBrokers } from "../../tests/realtime/fake_broker.ts";
import {
  createHub,
  createMessage,
  numbers,
} from "../../tests/realtime/fakes.ts";
import type { Connection } from "../connection/connection.ts";
import type { Message } from "../protocol/protocol.ts";
import { CatchUp, type Subscribed } from "./catch_up.ts";
import { ReplayTurns } from "./replay_turns.ts";

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
      readLater(
        () => [{ room_id: ROOM, last_seq: stored.length, last_rev: 0 }],
      ),
    readMissed: ([position], limit) =>
      readLater(() =>
        after("afterSeq" in position! ? position.afterSeq : 0, limit)
      ),
    readChanged: () => Promise.resolve([]),
    history: { epoch: "" },
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
