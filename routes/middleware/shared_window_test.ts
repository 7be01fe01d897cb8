import assert from "node:assert/strict";
import type { SharedState } from "../../realtime/cluster/broker.ts";
import { createFakeClock } from "../../tests/helpers/clock.ts";
import { createBrokers } from "../../tests/realtime/fake_broker.ts";
import { createGate } from "../../tests/realtime/fakes.ts";
import { sharedWindow } from "./shared_window.ts";
import { WindowCounter } from "./window_counter.ts";

const LIMIT = { limit: 2, windowMs: 60_000 };

function createWindow() {
  const clock = createFakeClock();
  const counts = createGate<
    Parameters<SharedState["countEvent"]>,
    number | undefined
  >();
  const refunds = createGate<[string], void>();
  const shared: SharedState = {
    // What is not asked for here rejects.
    ...createBrokers(clock).join(false).shared,
    countEvent: counts.call,
    refundEvent: refunds.call,
  };
  const local = new WindowCounter(LIMIT, clock.now);
  const counter = sharedWindow(shared, "codes", LIMIT, local);
  return {
    ...{ clock, counts, refunds, local, counter },
    /** Counts one while the others are away. */
    async consumeAlone(key: string) {
      const consumed = counter.consume(key);
      counts.next().reject(new Error("away"));
      return await consumed;
    },
  };
}

Deno.test("consume() counts over all processes, under the name of the limit", async () => {
  const { counts, local, counter } = createWindow();
  for (const answer of [undefined, 1_234]) {
    const consumed = counter.consume("1.2.3.4");
    const { args, resolve } = counts.next();
    assert.deepEqual(args, ["codes:1.2.3.4", LIMIT]);
    resolve(answer);
    assert.equal(await consumed, answer);
  }
  assert.equal(local.size, 0);
});

Deno.test("consume() counts here alone while the others are away, with the same limit", async () => {
  const { clock, consumeAlone } = createWindow();
  assert.equal(await consumeAlone("key"), undefined);
  assert.equal(await consumeAlone("key"), undefined);
  assert.equal(await consumeAlone("key"), 60_000);
  assert.equal(await consumeAlone("other"), undefined);
  await clock.advance(60_000);
  assert.equal(await consumeAlone("key"), undefined);
});

Deno.test("refund() takes back where it is counted now", async () => {
  const { clock, refunds, local, counter, consumeAlone } = createWindow();
  await consumeAlone("key");
  await consumeAlone("key");
  counter.refund("key");
  const there = refunds.next();
  assert.deepEqual(there.args, ["codes:key"]);
  there.resolve();
  await clock.advance(0);
  assert.equal(local.consume("key"), 60_000, "counted there, taken back there");
  counter.refund("key");
  refunds.next().reject(new Error("away"));
  await clock.advance(0);
  assert.equal(local.consume("key"), undefined);
});
