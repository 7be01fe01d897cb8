import assert from "node:assert/strict";
import type { NewMessage, StoredMessage } from "../../db/messages.ts";
import { createFakeClock } from "../../tests/helpers/clock.ts";
import { silentLog } from "../../tests/helpers/log.ts";
import {
  connectionLost,
  createGate,
  createUser,
  numbers,
  sqlError,
} from "../../tests/realtime/fakes.ts";
import type { Refused, Stored } from "./post_result.ts";
import { Writer } from "./writer.ts";

const SENDER = createUser("sender");

/** A table of messages with the promises of `storeMessages`: numbers in order, a client id once. */
function createTable() {
  const rows = new Map<string, NewMessage & { seq: number; at: Date }>();
  const lastSeq = new Map<string, number>();
  return {
    rows,
    /** Rooms whose messages are left out: nobody is a member of them. */
    foreign: new Set<string>(),
    store(messages: readonly NewMessage[], now: Date): StoredMessage[] {
      return messages.flatMap((message, index) => {
        if (this.foreign.has(message.roomId)) return [];
        const key = [message.userId, message.roomId, message.clientMsgId]
          .join();
        let row = rows.get(key);
        if (row === undefined) {
          const seq = (lastSeq.get(message.roomId) ?? 0) + 1;
          lastSeq.set(message.roomId, seq);
          rows.set(key, row = { ...message, seq, at: now });
        }
        return [{ index, id: row.id, seq: row.seq, created_at: row.at }];
      });
    },
  };
}

function createWriter(lanes = 2) {
  const clock = createFakeClock();
  const table = createTable();
  const gate = createGate<[readonly NewMessage[], Date], StoredMessage[]>();
  /** Everything that was told, in order: `room:seq` when published, `ack …` when settled. */
  const told: string[] = [];
  const uncertain: string[] = [];
  const writer = new Writer({
    store: gate.call,
    onStored: (roomId, committed) =>
      told.push(...committed.map(({ seq }) => `${roomId}:${seq}`)),
    onUncertain: (roomId) => uncertain.push(roomId),
    lanes,
    clock: clock.now,
    steadyClock: clock.now,
    timers: clock,
    log: silentLog,
  });
  return {
    clock,
    table,
    gate,
    told,
    uncertain,
    writer,
    write(roomId: string, message: Partial<NewMessage> = {}) {
      const full = {
        id: crypto.randomUUID(),
        roomId,
        userId: SENDER.id,
        clientMsgId: crypto.randomUUID(),
        text: "hello",
        ...message,
      };
      const result: { message: NewMessage; now?: Stored | Refused } = {
        message: full,
      };
      writer.write(full, SENDER).then((settled) => {
        result.now = settled;
        told.push(
          settled.kind === "stored"
            ? `ack ${roomId}:${settled.seq}`
            : `refused ${roomId} ${settled.code}`,
        );
      });
      return result;
    },
    /** Lets the oldest statement that waits be stored; gives how many messages it had. */
    async commit() {
      const { args: [messages, now], resolve } = gate.next();
      resolve(table.store(messages, now));
      await clock.advance(0);
      return messages.length;
    },
    /** The oldest statement that waits fails, after it was stored or not. */
    async fail(error: Error, stored: "stored" | "not stored" = "not stored") {
      const { args: [messages, now], reject } = gate.next();
      if (stored === "stored") table.store(messages, now);
      reject(error);
      await clock.advance(0);
    },
    /** Rooms of the statements that wait, as text. */
    waiting: () =>
      gate.calls.map(({ args: [messages] }) =>
        messages.map(({ roomId }) => roomId).join("")
      ),
  };
}

Deno.test("write() stores the messages of one turn in one statement, of all rooms", async () => {
  const world = createWriter();
  for (const room of ["a", "b", "a"]) world.write(room);
  await world.clock.advance(0);
  assert.deepEqual(world.waiting(), ["aab"]);
  await world.commit();
  assert.deepEqual(world.told, [
    ...["a:1", "a:2", "b:1"],
    ...["ack a:1", "ack a:2", "ack b:1"],
  ]);
  assert.equal(world.gate.calls.length, 0);
});

Deno.test("write() gathers the answers to a batch of several; a lone sender never waits", async () => {
  const world = createWriter();
  world.write("a");
  await world.clock.advance(0);
  await world.commit();
  world.write("a");
  await world.clock.advance(0);
  assert.deepEqual(world.waiting(), ["a"], "at once after a batch of one");

  for (let n = 0; n < 3; n++) world.write("a");
  await world.commit();
  assert.deepEqual(world.waiting(), ["aaa"]);
  await world.commit();
  for (let n = 0; n < 2; n++) {
    world.write("a");
    await world.clock.advance(0.5);
  }
  assert.deepEqual(world.waiting(), [], "their next messages are still coming");
  world.write("a");
  await world.clock.advance(0);
  assert.deepEqual(world.waiting(), ["aaa"], "at once when all are there");

  await world.commit();
  world.write("a");
  await world.clock.advance(1.9);
  assert.deepEqual(world.waiting(), []);
  await world.clock.advance(0.1);
  assert.deepEqual(world.waiting(), ["a"], "nor longer than two milliseconds");
});

Deno.test("write() counts who waited during a batch among those to be gathered", async () => {
  const world = createWriter(1);
  for (let n = 0; n < 3; n++) world.write("a");
  await world.clock.advance(0);
  world.write("a");
  await world.commit();
  for (let n = 0; n < 2; n++) world.write("a");
  await world.clock.advance(0);
  assert.deepEqual(world.waiting(), [], "one of four is missing");
  world.write("b");
  await world.clock.advance(0);
  assert.deepEqual(world.waiting(), ["aaab"]);
});

Deno.test("write() publishes before it acks, and only after the commit", async () => {
  const world = createWriter();
  const result = world.write("a");
  await world.clock.advance(1_000);
  assert.deepEqual(world.told, []);
  await world.commit();
  assert.deepEqual(world.told, ["a:1", "ack a:1"]);
  assert.deepEqual(result.now, {
    kind: "stored",
    messageId: result.message.id,
    seq: 1,
    createdAt: [...world.table.rows.values()][0]!.at.toISOString(),
    isDuplicate: false,
  });
});

Deno.test("write() has a room in one statement at a time, while other rooms go on", async () => {
  const world = createWriter(2);
  world.write("a");
  await world.clock.advance(0);
  world.write("a");
  await world.clock.advance(0);
  world.write("b");
  await world.clock.advance(0);
  world.write("c");
  await world.clock.advance(0);
  assert.deepEqual(world.waiting(), ["a", "b"], "two lanes, and a is busy");
  await world.commit();
  assert.deepEqual(world.waiting(), ["b", "ac"]);
});

Deno.test("write() has one statement on its way with one lane", async () => {
  const world = createWriter(1);
  world.write("a");
  await world.clock.advance(0);
  world.write("b");
  world.write("c");
  await world.clock.advance(0);
  assert.deepEqual(world.waiting(), ["a"]);
  await world.commit();
  assert.deepEqual(world.waiting(), ["bc"]);
});

Deno.test("write() publishes each room in order of seq, however the rows come back", async () => {
  const world = createWriter();
  for (const _ of numbers(1, 5)) world.write("a");
  await world.clock.advance(0);
  const { args: [messages, now], resolve } = world.gate.next();
  resolve(world.table.store(messages, now).reverse());
  await world.clock.advance(0);
  assert.deepEqual(
    world.told.slice(0, 5),
    numbers(1, 5).map((seq) => `a:${seq}`),
  );
});

Deno.test("write() puts at most 500 messages into a statement", async () => {
  const world = createWriter();
  for (const _ of numbers(1, 1_100)) world.write("a");
  await world.clock.advance(0);
  assert.deepEqual(
    [await world.commit(), await world.commit(), await world.commit()],
    [500, 500, 100],
  );
  assert.deepEqual(
    world.told.filter((line) => line.startsWith("a:")),
    numbers(1, 1_100).map((seq) => `a:${seq}`),
  );
});

Deno.test("a room that fills every statement does not keep the others waiting", async () => {
  const world = createWriter(1);
  for (const _ of numbers(1, 600)) world.write("a");
  await world.clock.advance(0);
  const quiet = world.write("b");
  for (const _ of numbers(1, 2_000)) world.write("a");
  await world.commit();
  await world.commit();
  await world.commit();
  assert.equal(quiet.now?.kind, "stored");
});

Deno.test("a duplicate is acked with the first message's place and not published", async () => {
  const world = createWriter();
  const first = world.write("a", { clientMsgId: "same" });
  await world.clock.advance(0);
  await world.commit();
  world.told.length = 0;
  const again = world.write("a", { clientMsgId: "same" });
  await world.clock.advance(0);
  await world.commit();
  assert.deepEqual(world.told, ["ack a:1"]);
  assert.deepEqual(again.now, { ...first.now, isDuplicate: true });
});

Deno.test("a message whose author is no member is refused, and the others of its batch are stored", async () => {
  const world = createWriter();
  world.table.foreign.add("b");
  const [one, two, three] = ["a", "b", "a"].map((room) => world.write(room));
  await world.clock.advance(0);
  await world.commit();
  assert.deepEqual(two!.now, { kind: "refused", code: "not_a_member" });
  assert.equal(one!.now?.kind, "stored");
  assert.equal(three!.now?.kind, "stored");
});

Deno.test("a write whose answer was lost is found as its own duplicate: published and acked as stored", async () => {
  const world = createWriter();
  const result = world.write("a");
  await world.clock.advance(0);
  await world.fail(connectionLost(), "stored");
  assert.deepEqual(world.told, []);
  await world.clock.advance(100);
  await world.commit();
  assert.deepEqual(world.told, ["a:1", "ack a:1"]);
  assert.equal((result.now as { isDuplicate?: boolean }).isDuplicate, false);
});

Deno.test("a write goes on for as long as the database is away, if that is not too long", async () => {
  const world = createWriter();
  const result = world.write("a");
  await world.clock.advance(0);
  for (let tries = 0; tries < 45; tries++) {
    await world.fail(connectionLost());
    await world.clock.advance(100);
  }
  assert.equal(result.now, undefined);
  await world.commit();
  assert.deepEqual(world.told, ["a:1", "ack a:1"]);
});

Deno.test("a message is refused as unavailable after 5 s, and its room is to be mended", async () => {
  const world = createWriter();
  const result = world.write("a");
  await world.clock.advance(0);
  while (world.gate.calls.length > 0) {
    await world.fail(connectionLost());
    await world.clock.advance(100);
  }
  assert.deepEqual(result.now, { kind: "refused", code: "unavailable" });
  assert.deepEqual(world.uncertain, ["a"]);
  await world.writer.idle();
  await world.clock.advance(1_000);
  assert.equal(world.clock.waiting, 0);
});

Deno.test("a statement that hangs refuses its messages after 5 s; stored late they are published all the same", async () => {
  const world = createWriter();
  const hanging = world.write("a");
  await world.clock.advance(0);
  const behind = world.write("a");
  await world.clock.advance(5_500);
  assert.deepEqual(hanging.now, { kind: "refused", code: "unavailable" });
  assert.deepEqual(behind.now, { kind: "refused", code: "unavailable" });
  await world.commit();
  assert.deepEqual(
    world.told.filter((line) => line.startsWith("a:")),
    ["a:1"],
    "the one that only waited was not stored",
  );
  const retry = world.write("a", {
    clientMsgId: hanging.message.clientMsgId,
  });
  await world.clock.advance(0);
  await world.commit();
  assert.ok(retry.now?.kind === "stored" && retry.now.isDuplicate);
});

Deno.test("a message that waits behind a hanging statement keeps its own deadline", async () => {
  const world = createWriter();
  world.write("a");
  await world.clock.advance(4_000);
  const behind = world.write("a");
  await world.clock.advance(1_500);
  assert.equal(behind.now, undefined);
  await world.clock.advance(3_500);
  assert.deepEqual(behind.now, { kind: "refused", code: "unavailable" });
});

Deno.test("a conflict with another writer is tried again at once", async () => {
  for (const code of ["23505", "40001", "40P01"]) {
    const world = createWriter();
    const result = world.write("a");
    await world.clock.advance(0);
    await world.fail(sqlError(code));
    await world.commit();
    assert.equal(result.now?.kind, "stored", code);
  }
});

Deno.test("a message the database will not have is refused alone; the others of its batch are stored", async () => {
  const world = createWriter();
  const results = numbers(1, 5).map((n) =>
    world.write(n % 2 === 0 ? "b" : "a", { text: n === 3 ? "bad" : "good" })
  );
  await world.clock.advance(0);
  while (world.gate.calls.length > 0) {
    const [messages] = world.gate.calls[0]!.args;
    if (messages.some(({ text }) => text === "bad")) {
      await world.fail(sqlError("22P05"));
    } else await world.commit();
  }
  assert.deepEqual(results.map(({ now }) => now?.kind), [
    ...["stored", "stored", "refused", "stored", "stored"],
  ]);
  assert.deepEqual(results[2]!.now, { kind: "refused", code: "internal" });
  assert.deepEqual(
    world.told.filter((line) => line.startsWith("a:")),
    ["a:1", "a:2"],
    "no number is spent on it",
  );
});

Deno.test("idle() resolves when nothing waits and nothing is on its way", async () => {
  const world = createWriter(1);
  await world.writer.idle();
  world.write("a");
  await world.clock.advance(0);
  world.write("b");
  let idle = false;
  world.writer.idle().then(() => idle = true);
  await world.clock.advance(0);
  await world.commit();
  assert.equal(idle, false);
  await world.commit();
  assert.equal(idle, true);
  await world.clock.advance(1_000);
  assert.equal(world.clock.waiting, 0, "no timer is left");
});

Deno.test("a publisher that throws loses no ack", async () => {
  const clock = createFakeClock();
  const table = createTable();
  let throws = true;
  const writer = new Writer({
    store: (messages, now) => Promise.resolve(table.store(messages, now)),
    onStored: () => {
      if (!throws) return;
      throws = false;
      throw new TypeError("a mistake");
    },
    onUncertain: () => {},
    lanes: 1,
    clock: clock.now,
    steadyClock: clock.now,
    timers: clock,
    log: silentLog,
  });
  const settled: string[] = [];
  for (const id of ["1", "2"]) {
    const message = { id, roomId: "a", userId: "u", clientMsgId: id, text: "" };
    writer.write(message, SENDER).then(({ kind }) => settled.push(kind));
  }
  await clock.advance(10_000);
  assert.deepEqual(settled, ["stored", "stored"]);
});
