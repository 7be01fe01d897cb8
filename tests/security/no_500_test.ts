/**
 * Every path, query, body, header, cookie and frame value of every documented call, each replaced by
 * every value that programs stumble over: none is answered by a 500. What is added to the document is
 * in it by itself.
 */

import assert from "node:assert/strict";
import { useTestApp } from "../helpers/app.ts";
import { connect } from "../helpers/client.ts";
import {
  createRoom,
  expectJson,
  type Person,
  type Room,
  signIn,
} from "../helpers/people.ts";
import { rawRequest } from "../http/raw_request.ts";

const app = useTestApp({
  RATE_LIMIT_MESSAGES: "1000000",
  FRAME_LIMIT_PER_SECOND: "1000000",
  FRAME_LIMIT_BURST: "1000000",
  REST_LIMIT_PER_MINUTE: "1000000",
  ROOMS_PER_HOUR: "1000000",
});

/** A room cursor with a time of one's choice. */
const cursorAt = (time: number) =>
  btoa(JSON.stringify([time, crypto.randomUUID()])).replace(/=+$/, "");

const TEXTS = [
  ...["", " ", "\0", "a\0b", "\ud800", "\udfff\ud800", "%00", "\\", "'", "$1"],
  ...["0", "-1", "9".repeat(400), "-".repeat(3) + "1", "1e308", "NaN", "1.5"],
  ...["9007199254740993", "9223372036854775808", "-9223372036854775809"],
  ...["+275760-09-13T00:00:00.000Z", "-000001-01-01T00:00:00.000Z"],
  ...["9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999-14:00"],
  ...["0000-01-01T00:00:00.000Z", "0000-01-01T00:00:00.000+14:00"],
  ...["00000000-0000-0000-0000-000000000000", "{}", "[]", "__proto__"],
  ...["﷽".repeat(200), "e\u0301".repeat(300), "\u2028", "x".repeat(5_000)],
  ...[0, 8.64e15, 253_402_300_800_000, -8.64e15].map(cursorAt),
];

const VALUES: readonly unknown[] = [
  ...TEXTS,
  ...[null, true, 0, -1, 0.5, 2 ** 31, 2 ** 53, 2 ** 63, 1e308, -1e308],
  ...[[], {}, [[]], { toString: 1 }],
];

interface Operation {
  readonly parameters?: readonly { name: string; in: string }[];
  readonly requestBody?: {
    readonly content: Record<
      string,
      { readonly examples?: Record<string, { value: unknown }> }
    >;
  };
}

/** A header may hold no line breaks or NUL, and nothing beyond one byte a character. */
const HEADERS = TEXTS.filter((text) => /^[\x20-\x7e]*$/.test(text));

async function assertNo500(
  what: string,
  path: string,
  init: RequestInit,
): Promise<void> {
  const answer = await fetch(app.origin + path, {
    redirect: "manual",
    ...init,
  });
  if (answer.status < 500) return void await answer.body?.cancel();
  const text = await answer.text();
  // An answer that is still a clear word: the server cannot do it now.
  assert.fail(`${what}: ${answer.status} ${text.slice(0, 300)}`);
}

/** What stands for a path's parameter when another one is looked at. */
function fill(path: string, room: Room, replaced?: [string, string]): string {
  return path.replace(
    /\{(\w+)\}/g,
    (_, name) =>
      replaced?.[0] === name
        ? encodeURIComponent(replaced![1].toWellFormed())
        : room.id,
  );
}

async function* operations() {
  const document = await expectJson<
    { paths: Record<string, Record<string, Operation>> }
  >(await fetch(`${app.origin}/docs/openapi.json`), 200);
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      // A stream stays open; its parameters are those of its POST.
      if (path === "/api/events" && method === "get") continue;
      yield { path, method: method.toUpperCase(), operation };
    }
  }
}

let people = 0;
const someone = () => signIn(app, `sweep_${(people++).toString(36)}`);

const authorized = ({ token }: Person) => ({
  authorization: `Bearer ${token}`,
});

Deno.test("no path or query value of a documented call is answered by a 500", async () => {
  let calls = 0;
  for await (const { path, method, operation } of operations()) {
    const person = await someone();
    const room = await createRoom(person);
    for (const { name, in: place } of operation.parameters ?? []) {
      if (place !== "path" && place !== "query") continue;
      for (const text of TEXTS) {
        const query = place === "query"
          ? `?${name}=${encodeURIComponent(text.toWellFormed())}${
            name === "q" || name === "cursor" ? "&all=true" : ""
          }`
          : "";
        const target = fill(
          path,
          room,
          place === "path" ? [name, text] : undefined,
        );
        const what = `${method} ${path} ${name}=${JSON.stringify(text)}`;
        await assertNo500(what, target + query, {
          method,
          headers: authorized(person),
        });
        calls++;
      }
    }
  }
  assert.ok(calls > 300, `${calls} calls`);
});

Deno.test("no field of a documented body is answered by a 500", async () => {
  let calls = 0;
  for await (const { path, method, operation } of operations()) {
    const example = Object.values(
      operation.requestBody?.content["application/json"]?.examples ?? {},
    )[0]?.value as Record<string, unknown> | undefined;
    if (example === undefined) continue;
    const person = await someone();
    const room = await createRoom(person);
    for (const field of Object.keys(example)) {
      for (const value of VALUES) {
        const what = `${method} ${path} ${field}=${JSON.stringify(value)}`;
        await assertNo500(what, fill(path, room), {
          method,
          headers: {
            ...authorized(person),
            "content-type": "application/json",
          },
          body: JSON.stringify({ ...example, [field]: value }),
        });
        calls++;
      }
    }
  }
  assert.ok(calls > 200, `${calls} calls`);
});

Deno.test("no value of a page's address or form is answered by a 500", async () => {
  const person = await someone();
  const room = await createRoom(person);
  const headers = { cookie: person.cookie };
  const pages = [
    ...["/login?next=", "/?q=", "/?problem=", "/discover?q=", "/rooms/"],
    ...[`/rooms/${room.id}?before=`, `/rooms/${room.id}?problem=`, "/static/"],
    ...["/discover?cursor=", "/?cursor=", "/docs/", "/"],
  ];
  for (const page of pages) {
    for (const text of TEXTS) {
      const path = page + encodeURIComponent(text.toWellFormed());
      await assertNo500(`GET ${path}`, path, { headers });
    }
  }
  const forms: [string, Record<string, string>][] = [
    ["/login", { username: "sweep_form" }],
    ["/login", { username: "sweep_form", code: "123456" }],
    ["/login", { username: "sweep_form", email: "a@example.org", next: "/" }],
    ["/rooms", { name: "A room of the sweep" }],
    [`/rooms/${room.id}/messages`, { text: "hello", clientMsgId: "x" }],
    ["/preferences", { theme: "dark", lang: "tr", typing: "hidden" }],
  ];
  for (const [path, fields] of forms) {
    for (const field of Object.keys(fields)) {
      for (const text of TEXTS) {
        await assertNo500(
          `POST ${path} ${field}=${JSON.stringify(text)}`,
          path,
          {
            method: "POST",
            headers,
            body: new URLSearchParams({
              ...fields,
              [field]: text.toWellFormed(),
            }),
          },
        );
      }
    }
  }
});

Deno.test("no header or cookie value is answered by a 500", async () => {
  const person = await someone();
  const room = await createRoom(person);
  const names = [
    ...["authorization", "origin", "host", "referer", "user-agent", "range"],
    ...["accept-language", "accept-encoding", "if-none-match", "if-match"],
    ...["content-type", "sec-fetch-site", "x-forwarded-for", "x-request-id"],
    ...["x-forwarded-proto", "sec-websocket-protocol", "traceparent", "accept"],
  ];
  const cookies = [
    ...["chatket_session", "__Host-chatket_session", "chatket_refresh"],
    ...["chatket_tz", "chatket_lang", "chatket_theme", "chatket_typing"],
  ];
  for (const path of [`/api/rooms/${room.id}`, "/login"]) {
    for (const value of HEADERS) {
      for (const name of names) {
        if (name === "host" && value === "") continue;
        const headers: Record<string, string> = name === "authorization"
          ? {}
          : { cookie: person.cookie };
        headers[name] = value;
        await assertNo500(`GET ${path} ${name}: ${value}`, path, { headers });
      }
      for (const name of cookies) {
        const headers = {
          cookie: name === "chatket_session"
            ? `${name}=${value}`
            : `${person.cookie}; ${name}=${value}`,
        };
        await assertNo500(`GET ${path} ${name}=${value}`, path, { headers });
      }
    }
  }
});

Deno.test("no bytes in a path are answered by a 500", async () => {
  const paths = [
    ...[
      "/%",
      "/%zz",
      "/%00",
      "/%ED%A0%80",
      "/%C0%80",
      "/%FF",
      "/\\",
      "//",
      "/.",
    ],
    ...["/../..", "/rooms/%00", "/rooms/%ff?before=%ff", "/discover?q=%ff%00"],
    ...["/api/rooms/%00", "/api/rooms?all=true&q=%00", "/api/rooms?cursor=%ff"],
    ...["/static/%00", "/static/build/%ff", "/docs/%00", "/login?next=%00"],
    ...[`/${"a".repeat(8_000)}`, `/?${"a=&".repeat(2_000)}`, "/?%00=%00"],
  ];
  const person = await someone();
  for (const path of paths) {
    const { status } = await rawRequest(app, [
      `GET ${path} HTTP/1.1`,
      `Host: 127.0.0.1:${app.port}`,
      `Cookie: ${person.cookie}`,
    ]);
    assert.ok(status < 500, `GET ${path}: ${status}`);
  }
});

Deno.test("every value in every field of every client event gets an ack or an error that names no fault of ours", async () => {
  const person = await someone();
  const room = await createRoom(person);
  const socket = await connect(app, person);
  const roomId = room.id;
  const lastSeenAt = "2026-01-01T00:00:00.000Z";
  const events: Record<string, Record<string, unknown>> = {
    "room:join": { roomId, lastSeenAt },
    "rooms:sync": { rooms: [] },
    "message:send": { roomId, text: "hello", clientMsgId: crypto.randomUUID() },
    "room:read": { roomId, lastSeq: 0 },
    "typing:update": { roomId, isTyping: true },
    "presence:ping": { roomId },
    "room:leave": { roomId },
  };
  const cases = Object.entries(events).flatMap(([event, data]) => [
    ...Object.keys(data).flatMap((field) =>
      VALUES.map((value) => ({ event, data: { ...data, [field]: value } }))
    ),
    ...event === "rooms:sync"
      ? ["roomId", "lastSeq", "lastSeenAt"].flatMap((field) =>
        VALUES.map((value) => ({
          event,
          data: { rooms: [{ roomId, [field]: value }] },
        }))
      )
      : [],
  ]);
  for (const { event, data } of cases) {
    const ack = await socket.request(event as never, data as never) as {
      success: boolean;
      code?: string;
    };
    const isFault = ack.code === "internal" || ack.code === "unavailable" ||
      ack.code === "internal_error";
    assert.ok(!isFault, `${event} ${JSON.stringify(data)}: ${ack.code}`);
  }
  assert.ok(cases.length > 300, `${cases.length} frames`);
  await socket.close();
});
