/** Limits on asking for codes and on guessing them: what one network does leaves others alone. */

import assert from "node:assert/strict";
import { useTestApp } from "../helpers/app.ts";
import { expectJson } from "../helpers/people.ts";
import { expectProblem } from "./expect_problem.ts";

const HOUR_MS = 3_600_000;
const START = Date.now();

let skew = 0;
const app = useTestApp({ AUTH_RATE_LIMIT: "on", TRUSTED_PROXY_HOPS: "1" }, {
  start: { clock: () => START + skew },
});

/** Each test begins when all windows of the one before are over. */
Deno.test.beforeEach(() => void (skew += 2 * HOUR_MS));

function post(path: string, address: string, json: unknown): Promise<Response> {
  return fetch(`${app.origin}/api/auth/${path}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-forwarded-for": address,
    },
    body: JSON.stringify(json),
  });
}

async function ask(username: string, address: string): Promise<string> {
  const answer = await post("request-code", address, { username });
  return (await expectJson<{ code: string }>(answer, 200)).code;
}

const attempt = (username: string, code: string, address: string) =>
  post("verify-code", address, { username, code });

/** A code that is not the given one. */
const wrong = (code: string) => code === "000000" ? "000001" : "000000";

/** Tries wrong codes at `names` in turn. @returns how many were answered with each status */
async function guess(
  names: readonly string[],
  count: number,
  addressOf: (n: number) => string,
): Promise<Record<number, number>> {
  const statuses: Record<number, number> = {};
  for (let n = 0; n < count; n++) {
    const name = names[n % names.length]!;
    const { status, body } = await attempt(name, "000000", addressOf(n));
    await body?.cancel();
    statuses[status] = (statuses[status] ?? 0) + 1;
  }
  return statuses;
}

const OWNER = "198.51.100.1";
const STRANGER = "203.0.113.9";

Deno.test("twenty wrong codes of a stranger do not keep the user from signing in with a fresh code", async () => {
  await ask("alice", OWNER);
  const statuses = await guess(["alice"], 20, () => STRANGER);
  assert.deepEqual(statuses, { 401: 20 });
  const code = await ask("alice", OWNER);
  await expectJson(await attempt("alice", code, OWNER), 200);
});

Deno.test("guesses over fifty names, known or not, are thirty an hour from one address", async () => {
  const names = Array.from({ length: 50 }, (_, n) => `guessed_${n}`);
  for (const name of names.slice(0, 25)) await ask(name, OWNER);
  const statuses = await guess(names, 250, () => STRANGER);
  assert.deepEqual(statuses, { 401: 30, 429: 220 });
  const code = await ask("guessed_7", OWNER);
  const late = await attempt("guessed_7", code, STRANGER);
  assert.ok(Number(late.headers.get("retry-after")) > 3_500);
  await expectProblem(late, "too_many_requests");
  await expectJson(await attempt("guessed_7", code, OWNER), 200);
  skew += HOUR_MS;
  const again = await ask("guessed_7", OWNER);
  await expectJson(await attempt("guessed_7", again, STRANGER), 200);
});

Deno.test("all addresses of an IPv6 /48 have thirty wrong codes an hour together", async () => {
  const names = Array.from({ length: 80 }, (_, n) => `six_${n}`);
  const statuses = await guess(
    names,
    400,
    (n) => `2001:db8:7:${n.toString(16)}::${n.toString(16)}`,
  );
  assert.deepEqual(statuses, { 401: 30, 429: 370 });
  const neighbours = await guess(names, 1, () => "2001:db8:8:1::1");
  assert.deepEqual(neighbours, { 401: 1 });
});

Deno.test("all addresses of an IPv6 /48 may try to sign in 1,500 times in five minutes together", async () => {
  const statuses: Record<number, number> = {};
  for (let n = 0; n < 1_510; n++) {
    const subnet = Math.floor(n / 250).toString(16);
    const answer = await post("verify-code", `2001:db8:9:${subnet}::1`, {});
    await answer.body?.cancel();
    statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
  }
  assert.deepEqual(statuses, { 400: 1_500, 429: 10 });
});

Deno.test("right codes do not count", async () => {
  for (let n = 0; n < 31; n++) {
    const code = await ask(`right_${n}`, OWNER);
    await expectJson(await attempt(`right_${n}`, code, OWNER), 200);
  }
});

Deno.test("a stranger's requests for codes of a name leave the user's own alone", async () => {
  for (let n = 0; n < 30; n++) await ask("carol", STRANGER);
  const refused = await post("request-code", STRANGER, { username: "CAROL" });
  assert.ok(Number(refused.headers.get("retry-after")) > 800);
  await expectProblem(refused, "too_many_requests");
  const code = await ask("carol", OWNER);
  await expectJson(await attempt("carol", code, OWNER), 200);
});

Deno.test("a code dies after five wrong tries, wherever they come from", async () => {
  const code = await ask("dora", OWNER);
  for (let n = 1; n <= 5; n++) {
    const tried = await attempt("dora", wrong(code), `203.0.113.${n}`);
    await expectProblem(tried, "invalid_code");
  }
  await expectProblem(await attempt("dora", code, OWNER), "invalid_code");
});
