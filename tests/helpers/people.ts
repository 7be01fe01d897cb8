/** What people do over HTTP, as verbs for tests. */

import assert from "node:assert/strict";
import type { Room } from "../../realtime/protocol/protocol.ts";

export type { Room };

/** A user with a session. */
export interface Person {
  readonly user: { readonly id: string; readonly username: string };
  readonly token: string;
  /** The session cookie as a `Cookie` header's value. */
  readonly cookie: string;
  /** `fetch` of a path with this person's bearer token; `json` is sent as a JSON body. */
  fetch(
    path: string,
    init?: RequestInit & { json?: unknown },
  ): Promise<Response>;
  /** The JSON body of an answer that must have status 200 or 201. */
  getJson<T>(path: string): Promise<T>;
}

/** Where the app is. */
export interface Served {
  readonly origin: string;
  /** Resolves when it has nothing left to do, where the app runs in this process. */
  idle?(): Promise<void>;
}

/** Posts JSON without a session. */
export function postJson(
  { origin }: Served,
  path: string,
  json: unknown,
): Promise<Response> {
  return fetch(origin + path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(json),
  });
}

/** Signs in by a code in the answer, making the user when new. */
export async function signIn(app: Served, username: string): Promise<Person> {
  const asked = await postJson(app, "/api/auth/request-code", { username });
  const { code } = await expectJson<{ code: string }>(asked, 200);
  const verified = await postJson(app, "/api/auth/verify-code", {
    username,
    code,
  });
  const cookie = verified.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  const { accessToken: token, user } = await expectJson<
    { accessToken: string; user: Person["user"] }
  >(verified, 200);

  const person: Person = {
    user,
    token,
    cookie,
    fetch(path, { json, ...init } = {}) {
      const headers = new Headers(init.headers);
      headers.set("authorization", `Bearer ${token}`);
      if (json === undefined) {
        return fetch(app.origin + path, { ...init, headers });
      }
      headers.set("content-type", "application/json");
      const body = JSON.stringify(json);
      return fetch(app.origin + path, { ...init, headers, body });
    },
    getJson: async <T>(path: string) =>
      await expectJson<T>(await person.fetch(path), 200),
  };
  return person;
}

let rooms = 0;

/** Makes a room with a name of its own. */
export async function createRoom(
  person: Person,
  name = `Room ${rooms++} ${crypto.randomUUID().slice(0, 8)}`,
): Promise<Room> {
  const init = { method: "POST", json: { name } };
  return await expectJson<Room>(await person.fetch("/api/rooms", init), 201);
}

export async function joinRoom(person: Person, roomId: string): Promise<Room> {
  const path = `/api/rooms/${roomId}/join`;
  return await expectJson<Room>(
    await person.fetch(path, { method: "POST" }),
    200,
  );
}

export async function leaveRoom(person: Person, roomId: string): Promise<void> {
  const path = `/api/rooms/${roomId}/leave`;
  const answer = await person.fetch(path, { method: "POST" });
  assert.equal(answer.status, 204, await answer.text());
}

/** The body of an answer that must have this status; anything else fails with what it said. */
export async function expectJson<T>(
  answer: Response,
  status: number,
): Promise<T> {
  const text = await answer.text();
  assert.equal(answer.status, status, text);
  return JSON.parse(text);
}
