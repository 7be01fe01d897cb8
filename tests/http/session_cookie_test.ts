/** The names and attributes of the cookies over https and http, and those of the release before. */

import assert from "node:assert/strict";
import { startTestApp, type TestApp, useTestApp } from "../helpers/app.ts";
import { statusOfMe } from "../helpers/browser_session.ts";
import { expectJson, postJson } from "../helpers/people.ts";
import { expectProblem } from "./expect_problem.ts";

const secure = useTestApp({ PUBLIC_ORIGIN: "https://chat.example.org" });

/** Signs in. @returns the answer's `Set-Cookie` headers and the access token */
async function signIn(app: TestApp, username: string) {
  const asked = await postJson(app, "/api/auth/request-code", { username });
  const { code } = await expectJson<{ code: string }>(asked, 200);
  const answer = await postJson(app, "/api/auth/verify-code", {
    username,
    code,
  });
  const { accessToken } = await expectJson<{ accessToken: string }>(
    answer,
    200,
  );
  return { set: answer.headers.getSetCookie(), token: accessToken };
}

/** The value of a cookie among `Set-Cookie` headers. */
const valueOf = (set: string[], name: string) =>
  set.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1)
    .split(";")[0] ?? "";

function post(app: TestApp, path: string, cookie: string): Promise<Response> {
  return fetch(app.origin + path, {
    method: "POST",
    headers: { cookie },
    redirect: "manual",
  });
}

const namesOf = (set: string[]) => set.map((each) => each.split("=")[0]);

Deno.test("over https the cookies are Secure and bound to the host by their names", async () => {
  const { set } = await signIn(secure, "amy");
  assert.deepEqual(namesOf(set), [
    "__Host-chatket_session",
    "__Host-chatket_refresh",
    "__Host-chatket_returning",
  ]);
  for (const each of set) {
    assert.match(each, /; Path=\/(;|$)/);
    assert.match(each, /; Secure(;|$)/);
    assert.doesNotMatch(each, /Domain/);
  }
});

Deno.test("the cookies of the release before are deleted where a request carries them, or could not", async () => {
  await using app = await startTestApp();
  const carried = "chatket_session=x; chatket_refresh=x; chatket_returning=1";
  const deleted = async (served: TestApp, path: string, cookie: string) => {
    const answer = await post(served, path, cookie);
    await answer.body?.cancel();
    const set = answer.headers.getSetCookie().slice(3);
    assert.ok(set.every((each) => /=; Max-Age=0; /.test(each)), set.join());
    return set.map((each) =>
      `${each.split("=")[0]} ${/Path=([^;]*)/.exec(each)?.[1]}`
    );
  };
  const old = "chatket_refresh /api/auth";
  assert.deepEqual(await deleted(app, "/api/auth/logout", carried), [old]);
  assert.deepEqual(await deleted(app, "/api/auth/logout", ""), []);
  assert.deepEqual(await deleted(app, "/logout", ""), [old]);
  assert.deepEqual(await deleted(secure, "/logout", ""), [old]);
  assert.deepEqual(await deleted(secure, "/api/auth/logout", carried), [
    old,
    "chatket_session /",
    "chatket_refresh /",
    "chatket_returning /",
  ]);
});

Deno.test("over https the names of the release before are read, refreshed and signed out", async () => {
  const { set, token } = await signIn(secure, "bea");
  const refreshToken = valueOf(set, "__Host-chatket_refresh");
  const me = await fetch(`${secure.origin}/api/auth/me`, {
    headers: { cookie: `chatket_session=${token}` },
  });
  await expectJson(me, 200);
  const both = `chatket_session=nonsense; __Host-chatket_session=${token}`;
  const wins = await fetch(`${secure.origin}/api/auth/me`, {
    headers: { cookie: both },
  });
  await expectJson(wins, 200);

  const old = `chatket_refresh=${refreshToken}`;
  const refreshed = await post(secure, "/api/auth/refresh", old);
  await expectJson(refreshed, 200);
  const renewed = refreshed.headers.getSetCookie();
  const next = valueOf(renewed, "__Host-chatket_refresh");
  assert.notEqual(next, "");
  const out = await post(secure, "/api/auth/logout", `chatket_refresh=${next}`);
  assert.equal(out.status, 204);
  assert.ok(namesOf(out.headers.getSetCookie()).includes("chatket_refresh"));
  assert.equal(await statusOfMe(secure, token), 401);
});

Deno.test("a foreign page cannot use a cookie under either name", async () => {
  for (const name of ["chatket_session", "__Host-chatket_refresh"]) {
    const answer = await fetch(`${secure.origin}/api/auth/logout`, {
      method: "POST",
      headers: { cookie: `${name}=x`, origin: "https://evil.example" },
    });
    await expectProblem(answer, "cross_origin");
  }
});

Deno.test("the page's log-out ends the session when the access cookie is over: the refresh cookie reaches it", async () => {
  await using app = await startTestApp();
  for (const served of [app, secure]) {
    const { set, token } = await signIn(served, "cleo");
    const name = served === secure
      ? "__Host-chatket_refresh"
      : "chatket_refresh";
    const refresh = set.find((each) =>
      each.startsWith(`${name}=`) && !each.includes("Max-Age=0")
    );
    assert.match(refresh ?? "", /; Path=\/; HttpOnly; .*SameSite=Strict$/);
    const cookie = `${name}=${valueOf(set, name)}`;
    const other = await post(
      served,
      `/logout?user=${crypto.randomUUID()}`,
      cookie,
    );
    assert.equal(other.status, 303);
    assert.equal(await statusOfMe(served, token), 200, "another user's page");
    const out = await post(served, "/logout", cookie);
    assert.equal(out.headers.get("location"), "/login");
    assert.equal(await statusOfMe(served, token), 401);
    await expectProblem(
      await post(served, "/api/auth/refresh", cookie),
      "unauthorized",
    );
  }
});
