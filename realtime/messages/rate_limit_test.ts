import assert from "node:assert/strict";
import { numbers } from "../../tests/realtime/fakes.ts";
import { MessageRateLimit } from "./rate_limit.ts";

const SETTINGS = { messages: 5, windowMs: 10_000, muteMs: 30_000 };
const NOW = Date.UTC(2026, 2, 1, 12);

/** Takes so many messages, which must be free. */
function takeFree(
  limit: MessageRateLimit,
  count: number,
  now: number,
  key = "key",
): void {
  for (const n of numbers(1, count)) {
    assert.equal(limit.take(key, now).kind, "free", `no. ${n}`);
  }
}

function takeOne(limit: MessageRateLimit, key: string, now: number) {
  const taken = limit.take(key, now);
  assert.ok(taken.kind === "free");
  return taken;
}

Deno.test("take() counts five messages in the window and no sixth", () => {
  const limit = new MessageRateLimit(SETTINGS);
  takeFree(limit, 5, NOW);
  assert.deepEqual(limit.take("key", NOW + 9_999), { kind: "full" });
  takeFree(limit, 5, NOW + 10_000);
});

Deno.test("the window slides: each message counts for exactly 10 s", () => {
  const limit = new MessageRateLimit(SETTINGS);
  for (const n of numbers(0, 4)) takeFree(limit, 1, NOW + n * 1_000);
  assert.equal(limit.take("key", NOW + 9_999).kind, "full");
  takeFree(limit, 1, NOW + 10_000);
  assert.equal(limit.take("key", NOW + 10_999).kind, "full");
  takeFree(limit, 1, NOW + 11_000);
});

Deno.test("mute() holds for exactly 30 s and leaves an empty window", () => {
  const limit = new MessageRateLimit(SETTINGS);
  takeFree(limit, 5, NOW);
  const { until, isNew } = limit.mute("key", NOW + 1);
  assert.deepEqual([until, isNew], [NOW + 30_001, true]);
  assert.deepEqual(limit.take("key", until - 1), { kind: "muted", until });
  takeFree(limit, 5, until);
  assert.deepEqual(limit.take("key", until), { kind: "full" });
});

Deno.test("mute() again while muted makes it no longer", () => {
  const limit = new MessageRateLimit(SETTINGS);
  const { until } = limit.mute("key", NOW);
  assert.deepEqual(limit.mute("key", NOW + 5), { until, isNew: false });
});

Deno.test("one key says nothing about another", () => {
  const limit = new MessageRateLimit(SETTINGS);
  takeFree(limit, 5, NOW);
  limit.mute("key", NOW);
  takeFree(limit, 5, NOW, "other");
});

Deno.test("what was taken can be taken back for a message that was not stored", () => {
  const limit = new MessageRateLimit(SETTINGS);
  takeFree(limit, 1, NOW);
  const taken = takeOne(limit, "key", NOW + 1);
  takeFree(limit, 3, NOW + 2);
  assert.equal(limit.take("key", NOW + 5).kind, "full");
  taken.takeBack();
  takeFree(limit, 1, NOW + 5);
  assert.equal(limit.take("key", NOW + 5).kind, "full");
});

Deno.test("taking back after a mute, or after the window, takes nothing", () => {
  const limit = new MessageRateLimit(SETTINGS);
  const { takeBack } = takeOne(limit, "key", NOW);
  const { until } = limit.mute("key", NOW);
  takeBack();
  assert.deepEqual(limit.take("key", NOW + 1), { kind: "muted", until });
  takeFree(limit, 5, until);
  takeBack();
  assert.equal(limit.take("key", until).kind, "full");
});

Deno.test("sweep() forgets what no longer matters, and only that", () => {
  const limit = new MessageRateLimit(SETTINGS);
  for (const n of numbers(1, 10_000)) limit.take(`user ${n}`, NOW);
  limit.mute("muted", NOW);
  takeOne(limit, "taken back", NOW).takeBack();
  limit.take("late", NOW + 9_000);
  assert.equal(limit.size, 10_003);
  limit.sweep(NOW + 10_000);
  assert.equal(limit.size, 2);
  limit.sweep(NOW + 30_000);
  assert.equal(limit.size, 0);
});
