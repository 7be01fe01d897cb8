/** A page belongs to the user it was drawn for: nothing it asks for is done in another's name. */

import assert from "node:assert/strict";
import { SUBPROTOCOL } from "../../realtime/protocol/handshake.ts";
import { useTestApp } from "../helpers/app.ts";
import {
  createRoom,
  joinRoom,
  type Person,
  postJson,
  signIn,
} from "../helpers/people.ts";

const app = useTestApp();

const HEADER = "x-chatket-user";

let pairs = 0;

/** Two users who share a room. The page is Ada's, the browser's cookie is Bob's. */
async function setUp() {
  const n = pairs++;
  const ada = await signIn(app, `page_ada_${n}`);
  const bob = await signIn(app, `page_bob_${n}`);
  const room = await createRoom(ada);
  await joinRoom(bob, room.id);
  return { ada, bob, room };
}

/** A request of a page that was drawn for `page`, with the cookie of `session`. */
function ask(
  session: Person,
  page: Person | undefined,
  method: string,
  path: string,
  json?: unknown,
): Promise<Response> {
  return fetch(app.origin + path, {
    method,
    headers: {
      cookie: session.cookie,
      "content-type": "application/json",
      ...page && { [HEADER]: page.user.id },
    },
    ...json !== undefined && { body: JSON.stringify(json) },
  });
}

Deno.test("a call of another user's page is 412 and does nothing; one without a page is answered as ever", async () => {
  const { ada, bob, room } = await setUp();
  const calls = [
    ["GET", "/api/rooms"],
    ["GET", "/api/auth/me"],
    ["GET", `/api/rooms/${room.id}/messages`],
    ["GET", "/api/events"],
    ["POST", `/api/events?connection=${crypto.randomUUID()}`, {
      event: "presence:ping",
      data: {},
    }],
    ["POST", "/api/rooms", { name: "Bob never asked for this" }],
    ["POST", `/api/rooms/${room.id}/leave`],
    ["DELETE", "/api/account"],
  ] as const;
  for (const [method, path, json] of calls) {
    const answer = await ask(bob, ada, method, path, json);
    const { code } = await answer.json();
    assert.deepEqual([answer.status, code], [412, "other_user"], path);
  }
  const rooms = await bob.getJson<{ id: string }[]>("/api/rooms");
  assert.deepEqual(rooms.map(({ id }) => id), [room.id], "nothing was done");
  for (const page of [bob, undefined]) {
    const answer = await ask(bob, page, "GET", "/api/rooms");
    assert.equal(answer.status, 200);
    await answer.body?.cancel();
  }
});

Deno.test("a renewal for another user's page is 412 and leaves the refresh cookie good", async () => {
  const { ada, bob } = await setUp();
  const { username } = bob.user;
  const asked = await postJson(app, "/api/auth/request-code", { username });
  const { code } = await asked.json();
  const signedIn = await postJson(app, "/api/auth/verify-code", {
    username,
    code,
  });
  await signedIn.body?.cancel();
  const cookie = signedIn.headers.getSetCookie()
    .map((line) => line.split(";")[0]).join("; ");
  const refresh = async (page: Person) => {
    const answer = await fetch(`${app.origin}/api/auth/refresh`, {
      method: "POST",
      headers: { cookie, [HEADER]: page.user.id },
    });
    await answer.body?.cancel();
    return answer;
  };
  const refused = await refresh(ada);
  assert.equal(refused.status, 412);
  assert.deepEqual(refused.headers.getSetCookie(), []);
  assert.equal((await refresh(bob)).status, 200);
});

/** Opens a socket as a browser does and sends a message at once. Resolves with the close or the ack. */
function sendFrom(
  page: Person,
  session: Person,
  roomId: string,
  text: string,
): Promise<number | string> {
  const protocols = [
    SUBPROTOCOL,
    `bearer.${session.token}`,
    `user.${page.user.id}`,
  ];
  const socket = new WebSocket(
    `${app.origin.replace("http", "ws")}/ws`,
    protocols,
  );
  return new Promise((resolve) => {
    const data = { roomId, text, clientMsgId: crypto.randomUUID() };
    socket.onopen = () =>
      socket.send(JSON.stringify({ id: 1, event: "message:send", data }));
    socket.onmessage = ({ data }) => {
      resolve(String(data));
      socket.close();
    };
    socket.onclose = ({ code }) => resolve(code);
  });
}

Deno.test("a socket of another user's page is closed with 4412 before anything it sends is acted on", async () => {
  const { ada, bob, room } = await setUp();
  assert.equal(await sendFrom(ada, bob, room.id, "as somebody else"), 4412);
  assert.match(
    String(await sendFrom(bob, bob, room.id, "as oneself")),
    /"success":true/,
  );
  const { messages } = await bob.getJson<{ messages: { text: string }[] }>(
    `/api/rooms/${room.id}/messages`,
  );
  assert.deepEqual(messages.map(({ text }) => text), ["as oneself"]);
});

Deno.test("a form of another user's page does nothing and says so; a form that names nobody works", async () => {
  const { ada, bob, room } = await setUp();
  const submit = async (path: string, fields: Record<string, string> = {}) => {
    const answer = await fetch(app.origin + path, {
      method: "POST",
      redirect: "manual",
      headers: { cookie: bob.cookie },
      body: new URLSearchParams(fields),
    });
    await answer.body?.cancel();
    return `${answer.status} ${answer.headers.get("location")}`;
  };
  const forms = [
    ["/rooms", { name: "Bob never sent this" }],
    [`/rooms/${room.id}/messages`, { text: "nor this" }],
    [`/rooms/${room.id}/leave`, {}],
    ["/logout", {}],
  ] as const;
  for (const [path, fields] of forms) {
    assert.equal(
      await submit(`${path}?user=${ada.user.id}`, fields),
      "303 /?problem=otherUsersForm",
      path,
    );
  }
  const rooms = await bob.getJson<{ id: string; lastSeq: number }[]>(
    "/api/rooms",
  );
  assert.deepEqual(
    rooms.map(({ id, lastSeq }) => ({ id, lastSeq })),
    [{ id: room.id, lastSeq: 0 }],
  );
  const page = await fetch(`${app.origin}/rooms/${room.id}`, {
    headers: { cookie: bob.cookie },
  });
  const forBob = `user=${bob.user.id}`;
  const actions = [...(await page.text()).matchAll(/ action="([^"]+)"/g)]
    .map(([, action]) => action!).filter((action) => action !== "/preferences");
  assert.ok(actions.length >= 4, String(actions));
  assert.ok(actions.every((action) => action.endsWith(forBob)), `${actions}`);

  const path = `/rooms/${room.id}/messages`;
  await submit(path, { text: "without a name" });
  assert.equal(
    await submit(`${path}?${forBob}`, { text: "with one's own" }),
    `303 /rooms/${room.id}`,
  );
  assert.equal(await submit(`/logout?${forBob}`), "303 /login");
});
