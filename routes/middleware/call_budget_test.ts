import { Hono } from "hono";
import assert from "node:assert/strict";
import type { WindowLimit } from "../../realtime/cluster/broker.ts";
import { createFakeClock } from "../../tests/helpers/clock.ts";
import { createGate } from "../../tests/realtime/fakes.ts";
import { CallBudget } from "./call_budget.ts";

/** A server whose user `u` has three calls a minute, and what the other processes count. */
function createServer() {
  const clock = createFakeClock();
  const shared = createGate<[string, WindowLimit], number | undefined>();
  const budget = new CallBudget({
    perMinute: 3,
    clock: clock.now,
    shared: { countEvent: shared.call },
    peek: () => undefined,
  });
  const app = new Hono();
  app.get("/", (c, next) => budget.spend(c, "u", next), (c) => c.text("done"));
  return { clock, shared, call: async () => await app.request("/") };
}

Deno.test("a call does not wait for what the other processes count, and is counted while they are away", async () => {
  const { clock, shared, call } = createServer();
  for (let n = 0; n < 3; n++) assert.equal((await call()).status, 200);
  for (const question of shared.calls.splice(0)) {
    question.reject(new Error("away"));
  }
  const refused = await call();
  assert.equal(refused.status, 429);
  assert.equal(refused.headers.get("retry-after"), "60");
  await clock.advance(60_000);
  assert.equal((await call()).status, 200);
});

Deno.test("what the other processes have counted refuses the next call, for as long as they say", async () => {
  const { clock, shared, call } = createServer();
  assert.equal((await call()).status, 200);
  const { args, resolve } = shared.next();
  assert.deepEqual(args, ["calls:u", { limit: 3, windowMs: 60_000 }]);
  resolve(20_000);
  await clock.advance(0);
  assert.equal((await call()).status, 429);
  await clock.advance(20_000);
  assert.equal((await call()).status, 200);
});

Deno.test("whose token a call carries is only asked while a user is over the budget", async () => {
  const clock = createFakeClock();
  const peeked: string[] = [];
  const budget = new CallBudget({
    perMinute: 1,
    clock: clock.now,
    shared: undefined,
    peek(token) {
      peeked.push(token);
      const claims = { username: token, issuedAt: 0, expiresAt: 0 };
      return { ...claims, userId: token, sessionId: undefined };
    },
  });
  const app = new Hono();
  app.get(
    "/:user",
    async (c, next) =>
      budget.refuse(c) ?? await budget.spend(c, c.req.param("user"), next),
    (c) => c.text("done"),
  );
  const call = async (user: string) => {
    const headers = { authorization: `Bearer ${user}` };
    return (await app.request(`/${user}`, { headers })).status;
  };

  assert.equal(await call("busy"), 200);
  assert.equal(await call("busy"), 429);
  assert.deepEqual(peeked, []);
  assert.equal(await call("busy"), 429);
  assert.equal(await call("other"), 200);
  assert.deepEqual(peeked, ["busy", "other"]);
  await clock.advance(60_000);
  assert.equal(await call("busy"), 200);
  assert.deepEqual(peeked, ["busy", "other"]);
});
