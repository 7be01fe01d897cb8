import assert from "node:assert/strict";
import { createFakeClock } from "../../tests/helpers/clock.ts";
import { createBrokers } from "../../tests/realtime/fake_broker.ts";
import { createGate } from "../../tests/realtime/fakes.ts";
import type { SharedLimitState, SharedState } from "../cluster/broker.ts";
import { localRateLimit, MessageRateLimit } from "./rate_limit.ts";
import { sharedRateLimit } from "./shared_rate_limit.ts";

const NOW = 1_700_000_000_000;
const SETTINGS = { messages: 5, windowMs: 10_000, muteMs: 30_000 };

function createLimit() {
  const takes = createGate<
    Parameters<SharedState["takeMessage"]>,
    SharedLimitState
  >();
  const refunds = createGate<[string, string], void>();
  const mutes = createGate<
    [string, number],
    { until: number; isNew: boolean }
  >();
  const shared: SharedState = {
    // What is not asked for here rejects.
    ...createBrokers(createFakeClock()).join(false).shared,
    takeMessage: takes.call,
    refundMessage: refunds.call,
    mute: mutes.call,
  };
  const counts = new MessageRateLimit(SETTINGS);
  const now = () => NOW;
  const local = localRateLimit(counts, { clock: now, steadyClock: now });
  const clock = createFakeClock();
  return {
    ...{ takes, refunds, mutes, local: counts, clock },
    limit: sharedRateLimit(shared, SETTINGS, local, clock.now),
  };
}

const away = new Error("away");

Deno.test("a mute that is known is answered without asking the others, as long as it lasts", async () => {
  const { takes, clock, limit } = createLimit();
  const taking = limit.take("key");
  // Their clock is far from the one here.
  const until = NOW + 86_400_000;
  takes.next().resolve({ kind: "muted", until, leftMs: 500 });
  await taking;
  await clock.advance(499);
  assert.deepEqual(await limit.take("key"), { kind: "muted", until });
  assert.equal(takes.calls.length, 0);
  await clock.advance(1);
  void limit.take("key");
  void limit.take("other");
  assert.equal(takes.calls.length, 2);
});

Deno.test("take() asks what all processes share, each message under an id of its own", async () => {
  const { takes, local, limit } = createLimit();
  const taken = [limit.take("key"), limit.take("key")];
  const [one, two] = [takes.next(), takes.next()];
  assert.deepEqual([one.args[0], one.args[2]], ["key", SETTINGS]);
  assert.notEqual(one.args[1], two.args[1]);
  one.resolve({ kind: "full" });
  two.resolve({ kind: "muted", until: NOW + 7, leftMs: 7 });
  assert.deepEqual(await Promise.all(taken), [
    { kind: "full" },
    { kind: "muted", until: NOW + 7 },
  ]);
  assert.equal(local.size, 0);
});

Deno.test("what was taken is taken back by its id, and a failure of that is no error", async () => {
  const { takes, refunds, limit } = createLimit();
  const taking = limit.take("key");
  const { args: [, messageId], resolve } = takes.next();
  resolve({ kind: "free" });
  const taken = await taking;
  assert.equal(taken.kind, "free");
  if (taken.kind !== "free") return;
  taken.takeBack();
  const refund = refunds.next();
  assert.deepEqual(refund.args, ["key", messageId]);
  refund.reject(away);
  await Promise.resolve();
});

Deno.test("take() counts here alone while the others are away, with the same limit", async () => {
  const { takes, mutes, limit } = createLimit();
  const take = async () => {
    const taking = limit.take("key");
    takes.next().reject(away);
    return await taking;
  };
  const first = await take();
  for (let n = 1; n < 5; n++) assert.equal((await take()).kind, "free");
  assert.equal((await take()).kind, "full");
  assert.equal(first.kind, "free");
  if (first.kind === "free") first.takeBack();
  assert.equal((await take()).kind, "free", "taken back here");

  for (const isNew of [true, false]) {
    const muting = limit.mute("key");
    mutes.next().reject(away);
    assert.deepEqual(await muting, { until: NOW + 30_000, isNew });
  }
  assert.equal((await take()).kind, "muted");
});

Deno.test("mute() is over all processes", async () => {
  const { mutes, local, limit } = createLimit();
  const muting = limit.mute("key");
  const { args, resolve } = mutes.next();
  assert.deepEqual(args, ["key", 30_000]);
  resolve({ until: NOW + 20_000, isNew: false });
  assert.deepEqual(await muting, { until: NOW + 20_000, isNew: false });
  assert.equal(local.size, 0);
});

Deno.test("takes that meet the others' going away end in the order in which they began", async () => {
  const { takes, limit } = createLimit();
  const order: number[] = [];
  const all = [0, 1, 2, 3].map(async (number) => {
    await limit.take("key");
    order.push(number);
  });
  const calls = all.map(() => takes.next());
  calls[0]!.resolve({ kind: "free" });
  for (const { reject } of calls.slice(1)) reject(away);
  await Promise.all(all);
  assert.deepEqual(order, [0, 1, 2, 3]);
});
