/** The broker over a Redis of its own: what processes tell each other, and what becomes of it when Redis fails. */

import assert from "node:assert/strict";
import { startRedis } from "../../tests/helpers/redis.ts";
import { expectTook, stopwatch } from "../../tests/helpers/timing.ts";
import {
  clientsForget,
  HELLO,
  openChat,
  openProcess,
  pause,
  redisTest,
  ROOM,
  signal,
  until,
} from "../../tests/realtime/redis_chat.ts";
import type { Channel } from "./broker.ts";

redisTest(
  "who follows a channel hears the others in order, not itself; who has left it hears nothing",
  async () => {
    await using chat = await openChat(2);
    const [a, b] = chat.processes;
    assert.deepEqual([a.states, b.states], [["up"], ["up"]]);
    assert.equal(await a.broker.publish(ROOM, HELLO), 0);
    await b.broker.subscribe(ROOM);
    await a.broker.subscribe(ROOM);
    assert.equal(await a.broker.publish("room:other", HELLO), 0);
    const counts = await Promise.all(
      [1, 2, 3].map((number) => a.broker.publish(ROOM, signal(number))),
    );
    assert.deepEqual(counts, [2, 2, 2], "this process counts, too");
    await until("all are heard", () => b.signals.length === 3);
    assert.deepEqual(b.numbers(), [1, 2, 3]);
    b.broker.unsubscribe(ROOM);
    await until(
      "it is left",
      async () => await a.broker.publish(ROOM, signal(4)) === 1,
    );
    await a.broker.publish(ROOM, signal(5));
    // What comes by another channel now comes after all that was told before.
    await b.broker.subscribe("room:other");
    await a.broker.publish("room:other", signal(6));
    await until("the last is heard", () => b.numbers().includes(6));
    assert.ok(!b.numbers().includes(5));
    assert.deepEqual(a.signals, []);
  },
);

redisTest(
  "a channel that is followed and left in quick turn ends as it was wanted last",
  async () => {
    await using chat = await openChat(2);
    const [a, b] = chat.processes;
    const rooms = Array.from({ length: 60 }, (_, n): Channel => `room:${n}`);
    await Promise.all(rooms.map(async (room, index) => {
      for (let n = 0; n < 15; n++) {
        void b.broker.subscribe(room);
        if ((index + n) % 3 > 0) await pause((index * n) % 3);
        b.broker.unsubscribe(room);
        if ((index + n) % 2 > 0) await pause((index + n) % 2);
      }
      if (index % 2 === 0) await b.broker.subscribe(room);
    }));
    const publish = async () =>
      (await Promise.all(rooms.map((room) => a.broker.publish(room, HELLO))))
        .join();
    const wanted = rooms.map((_, index) => index % 2 === 0 ? 1 : 0).join();
    await until("all is as wanted", async () => await publish() === wanted);
    // And it stays so when what was asked of Redis before is done.
    await b.broker.subscribe("room:last");
    assert.equal(await publish(), wanted);
  },
);

redisTest(
  "two chats on one Redis hear and count nothing of each other",
  async () => {
    await using chat = await openChat(2);
    const [a, b] = chat.processes;
    await using other = await openProcess(chat.redis, "another");
    other.listen();
    for (const { broker } of [b, other]) await broker.subscribe(ROOM);
    assert.equal(await a.broker.publish(ROOM, signal(1)), 1);
    await until("its own chat hears it", () => b.numbers().length === 1);
    assert.equal(await other.broker.publish(ROOM, signal(2)), 1);
    assert.deepEqual([other.numbers(), b.numbers()], [[], [1]]);
    const once = { limit: 1, windowMs: 60_000 };
    assert.equal(await a.shared.countEvent("key", once), undefined);
    assert.equal(await other.shared.countEvent("key", once), undefined);
    assert.notEqual(await b.shared.countEvent("key", once), undefined);
  },
);

redisTest(
  "texts that are no signals are passed over, and what comes after them is heard",
  async () => {
    await using chat = await openChat(2);
    const [a, b] = chat.processes;
    await b.broker.subscribe(ROOM);
    for (
      const text of ["x", "0123456789ab{", "0123456789ab", "{}", "\\u0000"]
    ) {
      await chat.redis.command(`SPUBLISH chatket:test:${ROOM} ${text}`);
    }
    await a.broker.publish(ROOM, signal(1));
    await until("the signal is heard", () => b.numbers().length === 1);
    assert.ok(b.log.lines.length > 0);
  },
);

redisTest(
  "a Redis that was killed and is empty again is joined again, with what was followed and left meanwhile",
  async () => {
    await using chat = await openChat(2);
    const [a, b] = chat.processes;
    await b.broker.subscribe(ROOM);
    await b.broker.subscribe("room:left");
    await a.shared.countEvent("key", { limit: 1, windowMs: 60_000 });
    await chat.redis.kill();
    await until("it is away", () => !a.broker.isUp && !b.broker.isUp);
    assert.equal(b.broker.subscribe("room:new"), undefined);
    b.broker.unsubscribe("room:left");
    assert.equal(await a.broker.publish(ROOM, HELLO), 0);
    await assert.rejects(a.shared.listOnline("x"), { name: "RedisAwayError" });
    await chat.redis.start();
    await until("it is back", () => !!a.broker.isUp && !!b.broker.isUp);
    assert.deepEqual(b.states, ["up", "down", "up"]);
    assert.equal(await a.broker.publish(ROOM, signal(1)), 1);
    assert.equal(await a.broker.publish("room:new", signal(2)), 1);
    assert.equal(await a.broker.publish("room:left", signal(3)), 0);
    await until("both are heard", () => b.signals.length === 2);
    // Redis has forgotten the script that it is now asked for by name.
    const limit = { limit: 1, windowMs: 60_000 };
    assert.equal(await a.shared.countEvent("key", limit), undefined);
    assert.ok(await a.shared.countEvent("key", limit) ?? 0 > 59_000);
  },
);

redisTest(
  "what is followed at the very moment when Redis comes is heard",
  async () => {
    await using chat = await openChat(2);
    const [a, b] = chat.processes;
    for (let round = 0; round < 3; round++) {
      await chat.redis.kill();
      await until("it is away", () => !a.broker.isUp && !b.broker.isUp);
      await chat.redis.start();
      let rooms = 0;
      while (!b.broker.isUp) {
        void b.broker.subscribe(`room:${round}:${rooms++}`);
        await (rooms % 20 === 0 ? pause(1) : Promise.resolve());
        assert.ok(rooms < 1_000_000);
      }
      await until("the other is back", () => !!a.broker.isUp);
      const heard: number[] = await Promise.all(
        Array.from(
          { length: Math.min(rooms, 500) },
          (_, n) => a.broker.publish(`room:${round}:${rooms - 1 - n}`, HELLO),
        ),
      );
      assert.deepEqual(heard, heard.map(() => 1));
      for (let n = 0; n < rooms; n++) {
        b.broker.unsubscribe(`room:${round}:${n}`);
      }
    }
  },
);

redisTest(
  "a Redis that stands still is noticed within 3 s, holds nothing up for longer than a second, and is back when it goes on",
  async () => {
    await using chat = await openChat(2);
    const [a] = chat.processes;
    const window = { messages: 100, windowMs: 60_000 };
    await a.shared.takeMessage("user:room", "first", window);
    chat.redis.pause();
    const order: number[] = [];
    const frozen = stopwatch();
    const takes = [1, 2, 3, 4, 5].map(async (number) => {
      await pause(number * 20);
      const taking = stopwatch();
      await assert.rejects(
        a.shared.takeMessage("user:room", `${number}`, window),
        { name: "RedisAwayError" },
      );
      order.push(number);
      return taking();
    });
    await a.broker.subscribe(ROOM);
    expectTook("subscribe()", frozen(), 1_200);
    const waited = await Promise.all(takes);
    assert.deepEqual(order, [1, 2, 3, 4, 5]);
    expectTook("takeMessage()", Math.max(...waited), 1_500);
    await until("it is noticed", () => a.broker.isUp === false);
    expectTook("noticing", frozen(), 3_500);
    const away = stopwatch();
    await assert.rejects(a.shared.takeMessage("user:room", "late", window));
    expectTook("a refusal", away(), 50);
    chat.redis.resume();
    await until("it is back", () => a.broker.isUp === true);
    assert.deepEqual(await a.shared.takeMessage("user:room", "new", window), {
      kind: "free",
    });
    const [, b] = chat.processes;
    await until("the other is back", () => b.broker.isUp === true);
    assert.equal(await b.broker.publish(ROOM, HELLO), 1);
  },
);

redisTest(
  "a process that starts without Redis serves within 3 s and joins the others when Redis comes",
  async () => {
    await using redis = await startRedis();
    await redis.kill();
    const starting = stopwatch();
    await using late = await openProcess(redis);
    expectTook("a start", starting(), 3_000);
    late.listen();
    assert.equal(late.broker.isUp, false);
    assert.equal(late.broker.subscribe(ROOM), undefined);
    await redis.start();
    await until("it has joined", () => late.broker.isUp === true);
    assert.deepEqual(late.states, ["up"]);
    await using other = await openProcess(redis);
    assert.equal(await other.broker.publish(ROOM, signal(1)), 1);
    await until("it is heard", () => late.signals.length === 1);
  },
);

redisTest(
  "the log says why Redis is away",
  async () => {
    await using redis = await startRedis();
    await redis.kill();
    {
      await using process = await openProcess(redis);
      const warnings = process.log.lines.filter((line) =>
        line.includes('"warn"')
      );
      assert.match(warnings.join(), /is away.*ECONNREFUSED/);
    }
    await clientsForget();
  },
);

redisTest(
  "close() leaves nothing open, whatever state Redis is in",
  async () => {
    await using redis = await startRedis();
    const there = await openProcess(redis);
    await there.broker.subscribe(ROOM);
    void there.broker.subscribe("room:two");
    void there.broker.publish(ROOM, HELLO);
    const asked = there.shared.listOnline("x").catch(() => {});
    await there.broker.close();
    await asked;
    const frozen = await openProcess(redis);
    redis.pause();
    const waiting = frozen.shared.listOnline("x").catch(() => {});
    await frozen.broker.close();
    await waiting;
    redis.resume();
    await redis.kill();
    const never = await openProcess(redis);
    await never.broker.close();
    assert.equal(never.broker.isUp, false);
    // A pause of the client before it tries again ends by itself.
    await pause(1_200);
  },
);
