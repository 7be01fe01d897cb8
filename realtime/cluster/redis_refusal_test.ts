/** A Redis that wants nothing of the broker, or not all that it asks. */

import assert from "node:assert/strict";
import { startRedis } from "../../tests/helpers/redis.ts";
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
import { RedisRefusedError } from "./redis_refusal.ts";

redisTest(
  "a Redis that refuses a process ends its start, with the reason and without the password",
  async () => {
    await using redis = await startRedis();
    const address = redis.url.replace("redis://", "");
    const assertRefused = (url: string, reason: RegExp) =>
      assert.rejects(openProcess({ url }), (error) => {
        assert.ok(error instanceof RedisRefusedError, String(error));
        assert.match(error.message, reason);
        assert.ok(!/sesame|wrong-one/.test(error.message));
        return true;
      });
    await assertRefused(`redis://${address}/99`, /DB index is out of range/);
    await redis.command("ACL SETUSER weak on >sesame +@all -spublish ~* &*");
    await assertRefused(`redis://weak:sesame@${address}`, /NOPERM/);
    await assertRefused(`redis://weak:wrong-one@${address}`, /WRONGPASS/);
    await redis.command("CONFIG SET requirepass sesame");
    await assertRefused(redis.url, /NOAUTH/);
    await using process = await openProcess({
      url: `redis://:sesame@${address}`,
    });
    assert.equal(process.broker.isUp, true);
    await clientsForget();
  },
);

redisTest(
  "a certificate that nobody vouches for ends the start, too",
  async () => {
    await using redis = await startRedis({ tls: true });
    await assert.rejects(
      openProcess({ url: redis.tlsUrl }),
      /^RedisRefusedError: .*certificate/,
    );
    await clientsForget();
  },
);

redisTest(
  "a channel that Redis refuses is named in the log, and heard when it is refused no longer",
  async () => {
    await using chat = await openChat(2);
    const [a, b] = chat.processes;
    await chat.redis.command("ACL SETUSER default -ssubscribe");
    await b.broker.subscribe(ROOM);
    await until(
      "it is named",
      () => b.log.lines.some((line) => /"warn".*refuses.*NOPERM/.test(line)),
    );
    assert.equal(await a.broker.publish(ROOM, HELLO), 0);
    await chat.redis.command("ACL SETUSER default +ssubscribe");
    while (await a.broker.publish(ROOM, signal(1)) === 0) await pause(50);
    await until("it is heard", () => b.numbers().length > 0);
    assert.deepEqual([a.states, b.states], [["up"], ["up"]]);
  },
);

// The sanitizers of the test command look for what is left open.
