/** Sign-in and refresh as a browser does them: with cookies. */

import { expectJson, type Person, postJson, type Served } from "./people.ts";

export interface BrowserSession {
  readonly user: Person["user"];
  readonly token: string;
  /** `name=value` of the refresh cookie. */
  readonly refreshCookie: string;
}

/** Signs in by a code in the answer and keeps the refresh cookie. */
export async function signInBrowser(
  app: Served,
  username: string,
  userAgent = "Test/1",
): Promise<BrowserSession> {
  const asked = await postJson(app, "/api/auth/request-code", { username });
  const { code } = await expectJson<{ code: string }>(asked, 200);
  const answer = await fetch(`${app.origin}/api/auth/verify-code`, {
    method: "POST",
    headers: { "content-type": "application/json", "user-agent": userAgent },
    body: JSON.stringify({ username, code }),
  });
  const { accessToken, user } = await expectJson<
    { accessToken: string; user: Person["user"] }
  >(answer, 200);
  return { user, token: accessToken, refreshCookie: refreshCookieOf(answer) };
}

/** `name=value` of the refresh cookie that an answer sets; empty without one. */
export function refreshCookieOf(answer: Response): string {
  const cookie = answer.headers.getSetCookie()
    .find((each) => each.startsWith("chatket_refresh="));
  return cookie?.split(";")[0] ?? "";
}

/** Trades a refresh cookie. */
export function refresh(
  app: Served,
  cookie: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${app.origin}/api/auth/refresh`, {
    method: "POST",
    headers: { cookie, ...headers },
  });
}

/** The status of `GET /api/auth/me` with a bearer token. */
export async function statusOfMe(app: Served, token: string): Promise<number> {
  const answer = await fetch(`${app.origin}/api/auth/me`, {
    headers: { authorization: `Bearer ${token}` },
  });
  await answer.body?.cancel();
  return answer.status;
}
