/** The doors of the realtime side: who is let in, and how the others are told. */

import assert from "node:assert/strict";
import { startTestApp, type TestApp, useTestApp } from "../helpers/app.ts";
import { connect } from "../helpers/client.ts";
import { createRoom, type Person, signIn } from "../helpers/people.ts";
import { expectProblem } from "./expect_problem.ts";
import { rawRequest } from "./raw_request.ts";

const app = useTestApp();

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";

/** An upgrade request's outcome; a socket that was opened is dropped again. */
async function upgrade(
  to: TestApp,
  headers: Record<string, string | undefined>,
  request = "GET /ws HTTP/1.1",
): Promise<{ status: number; headers: Headers; code?: string }> {
  const all: Record<string, string | undefined> = {
    Host: `127.0.0.1:${to.port}`,
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": KEY,
    Connection: "Upgrade",
    ...headers,
  };
  const lines = [request];
  for (const [name, value] of Object.entries(all)) {
    if (value !== undefined) lines.push(`${name}: ${value}`);
  }
  const answer = await rawRequest(to, lines);
  if (answer.status === 101) return answer;
  assert.equal(answer.headers.get("content-type"), "application/problem+json");
  return { ...answer, code: JSON.parse(answer.body).code };
}

function bearer(person: Person): string {
  return `chatket.v1, bearer.${person.token}`;
}

Deno.test("a bearer entry opens a socket, in any order and spacing, and is never echoed", async () => {
  const alice = await signIn(app, "alice");
  const entry = `bearer.${alice.token}`;
  for (
    const offered of [
      `chatket.v1, ${entry}`,
      `${entry}, chatket.v1`,
      `chatket.v1,${entry}`,
      `${entry} ,\tchatket.v1`,
    ]
  ) {
    const { status, headers } = await upgrade(app, {
      "Sec-WebSocket-Protocol": offered,
      Origin: "https://anywhere.test",
    });
    assert.equal(status, 101, offered);
    assert.equal(headers.get("sec-websocket-protocol"), "chatket.v1");
  }
});

Deno.test("a socket opened by bearer token talks", async () => {
  const alice = await signIn(app, "alice");
  await using client = await connect(app, alice);
  assert.deepEqual(await client.request("presence:ping", {}), {
    success: true,
  });
});

Deno.test("the cookie opens a socket for a page of the server's own origin", async () => {
  const { cookie } = await signIn(app, "bob");
  const withProtocol = await upgrade(app, {
    Cookie: cookie,
    Origin: app.origin,
    "Sec-WebSocket-Protocol": "chatket.v1",
  });
  assert.equal(withProtocol.status, 101);
  assert.equal(
    withProtocol.headers.get("sec-websocket-protocol"),
    "chatket.v1",
  );
  const without = await upgrade(app, { Cookie: cookie, Origin: app.origin });
  assert.equal(without.status, 101);
  assert.equal(without.headers.get("sec-websocket-protocol"), null);
});

Deno.test("the cookie with any other Origin is 403, before the upgrade", async (t) => {
  const { cookie } = await signIn(app, "bob");
  for (
    const Origin of [
      undefined,
      "null",
      "",
      "https://evil.test",
      app.origin.replace("http:", "https:"),
      `http://127.0.0.1:${app.port + 1}`,
      "http://127.0.0.1",
      `${app.origin}.evil.test`,
      `http://localhost:${app.port}`,
    ]
  ) {
    await t.step(String(Origin), async () => {
      const { status, code } = await upgrade(app, { Cookie: cookie, Origin });
      assert.deepEqual([status, code], [403, "cross_origin"]);
    });
  }
});

Deno.test("PUBLIC_ORIGIN is the one origin that counts when set", async () => {
  await using proxied = await startTestApp({
    PUBLIC_ORIGIN: "https://chat.example.org",
  });
  const { cookie } = await signIn(proxied, "carol");
  const from = async (Origin: string) =>
    (await upgrade(proxied, { Cookie: cookie, Origin })).status;
  assert.equal(await from("https://chat.example.org"), 101);
  assert.equal(await from(proxied.origin), 403);
});

Deno.test("no token, a bad one, or one in the URL is 401", async (t) => {
  const { token, cookie } = await signIn(app, "dave");
  const cases: Record<string, [Record<string, string>, string?]> = {
    "no token": [{ "Sec-WebSocket-Protocol": "chatket.v1" }],
    "nothing offered": [{}],
    "a bad bearer": [{ "Sec-WebSocket-Protocol": "chatket.v1, bearer.x.y.z" }],
    "an empty bearer": [{ "Sec-WebSocket-Protocol": "chatket.v1, bearer." }],
    "a bad bearer beside a good cookie": [{
      "Sec-WebSocket-Protocol": "chatket.v1, bearer.x.y.z",
      Cookie: cookie,
      Origin: app.origin,
    }],
    "a bad cookie": [{ Cookie: "chatket_session=x", Origin: app.origin }],
    "in the URL": [
      { "Sec-WebSocket-Protocol": "chatket.v1" },
      `GET /ws?token=${token} HTTP/1.1`,
    ],
  };
  for (const [name, [headers, request]] of Object.entries(cases)) {
    await t.step(name, async () => {
      const { status, code } = await upgrade(app, headers, request);
      assert.deepEqual([status, code], [401, "unauthorized"]);
    });
  }
});

Deno.test("offering only other subprotocols is 400", async () => {
  const alice = await signIn(app, "alice");
  for (const offered of ["chatket.v2", "graphql-ws, "]) {
    const { status, code } = await upgrade(app, {
      "Sec-WebSocket-Protocol": `${offered}, bearer.${alice.token}`,
    });
    assert.deepEqual([status, code], [400, "unsupported_subprotocol"]);
  }
});

Deno.test("/ws without an upgrade is 426, and tells how", async (t) => {
  const alice = await signIn(app, "alice");
  const cases: Record<string, Record<string, string | undefined>> = {
    "no Upgrade": { Upgrade: undefined, Connection: "keep-alive" },
    "another protocol": { Upgrade: "h2c" },
    "no Connection": { Connection: "keep-alive" },
    "no key": { "Sec-WebSocket-Key": undefined },
    "an old version": { "Sec-WebSocket-Version": "8" },
  };
  for (const [name, headers] of Object.entries(cases)) {
    await t.step(name, async () => {
      const answer = await upgrade(app, {
        ...headers,
        "Sec-WebSocket-Protocol": bearer(alice),
      });
      assert.deepEqual([answer.status, answer.code], [426, "upgrade_required"]);
      assert.equal(answer.headers.get("upgrade"), "websocket");
    });
  }
});

Deno.test("one socket more than a user may have is 429, also as a stream, until one closes", async () => {
  await using small = await startTestApp({ MAX_SOCKETS_PER_USER: "2" });
  const alice = await signIn(small, "alice");
  const bob = await signIn(small, "bob");
  const first = await connect(small, alice);
  await using _second = await connect(small, alice);
  const refused = await upgrade(small, {
    "Sec-WebSocket-Protocol": bearer(alice),
  });
  assert.deepEqual([refused.status, refused.code], [429, "too_many_requests"]);
  assert.ok(Number(refused.headers.get("retry-after")) > 0);
  await expectProblem(await alice.fetch("/api/events"), "too_many_requests");
  await using _other = await connect(small, bob);
  await first.close();
  await using _again = await connectSoon(small, alice);
});

/** Tries for a moment: the server learns of a close a little later than the client. */
async function connectSoon(to: TestApp, person: Person) {
  for (let tries = 0; tries < 50; tries++) {
    try {
      return await connect(to, person);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  throw new Error("the place was not given back");
}

Deno.test("one socket more than an address may have is 429, whoever asks", async () => {
  await using small = await startTestApp({ MAX_SOCKETS_PER_ADDRESS: "1" });
  await using _only = await connect(small, await signIn(small, "alice"));
  const bob = await signIn(small, "bob");
  const refused = await upgrade(small, {
    "Sec-WebSocket-Protocol": bearer(bob),
    "X-Forwarded-For": "198.51.100.7",
  });
  assert.deepEqual([refused.status, refused.code], [429, "too_many_requests"]);
});

/** Reads an event stream: each call gives the next event's data. */
function eventReader(answer: Response) {
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("content-type"), "text/event-stream");
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  return {
    async next(): Promise<{ event: string; data: Record<string, unknown> }> {
      for (;;) {
        const found = /^data: (.*)\n\n/m.exec(text);
        if (found !== null) {
          text = text.slice(found.index + found[0].length);
          return JSON.parse(found[1]!);
        }
        const { done, value } = await reader.read();
        if (done) throw new Error("the stream ended");
        text += value;
      }
    },
    async [Symbol.asyncDispose]() {
      await reader.cancel();
    },
  };
}

async function openStream(person: Person) {
  const stream = eventReader(await person.fetch("/api/events"));
  const { event, data } = await stream.next();
  assert.equal(event, "hello");
  return { stream, path: `/api/events?connection=${data.connectionId}` };
}

Deno.test("an event stream says hello, and posted frames are acked and heard", async () => {
  const alice = await signIn(app, "alice");
  const room = await createRoom(alice);
  const { stream, path } = await openStream(alice);
  await using _ = stream;
  const post = (json: unknown) => alice.fetch(path, { method: "POST", json });

  const synced = await post({
    id: 1,
    event: "rooms:sync",
    data: { rooms: [{ roomId: room.id }] },
  });
  assert.equal(synced.status, 200);
  const ack = await synced.json();
  assert.deepEqual([ack.ack, ack.data.success], [1, true]);

  const sent = await post({
    id: 2,
    event: "message:send",
    data: {
      roomId: room.id,
      text: "by post",
      clientMsgId: crypto.randomUUID(),
    },
  });
  assert.equal((await sent.json()).data.seq, 1);
  for (;;) {
    const envelope = await stream.next();
    if (envelope.event !== "message:new") continue;
    assert.equal(envelope.data.text, "by post");
    break;
  }

  const unasked = await post({ event: "presence:ping", data: {} });
  assert.equal(unasked.status, 204);
  const unknown = await post({ id: 3, event: "no:such", data: {} });
  assert.equal((await unknown.json()).data.code, "unknown_event");
});

Deno.test("an event stream is 401 without a session and 403 for another site's page", async () => {
  const { cookie } = await signIn(app, "erin");
  const open = (headers: Record<string, string>) =>
    fetch(`${app.origin}/api/events`, { headers });
  await expectProblem(await open({}), "unauthorized");
  await expectProblem(
    await open({ cookie, origin: "https://evil.test" }),
    "cross_origin",
  );
  await expectProblem(
    await open({ cookie, "sec-fetch-site": "cross-site" }),
    "cross_origin",
  );
  const own = eventReader(await open({ cookie, origin: app.origin }));
  assert.equal((await own.next()).event, "hello");
  await own[Symbol.asyncDispose]();
});

Deno.test("HEAD /api/events opens no stream", async () => {
  await using small = await startTestApp({ MAX_SOCKETS_PER_USER: "1" });
  const alice = await signIn(small, "alice");
  for (let i = 0; i < 3; i++) {
    const answer = await alice.fetch("/api/events", { method: "HEAD" });
    assert.equal(answer.status, 200);
  }
  await using _ = eventReader(await alice.fetch("/api/events"));
});

Deno.test("a frame posted to an unknown, another user's or no connection is refused", async () => {
  const [alice, eve] = [await signIn(app, "alice"), await signIn(app, "eve")];
  const { stream, path } = await openStream(alice);
  await using _ = stream;
  const json = { id: 1, event: "presence:ping", data: {} };
  const init = { method: "POST", json };
  // The premise: the frame is good.
  assert.equal((await (await alice.fetch(path, init)).json()).ack, 1);
  await expectProblem(await eve.fetch(path, init), "connection_not_found");
  await expectProblem(
    await alice.fetch(`/api/events?connection=${crypto.randomUUID()}`, init),
    "connection_not_found",
  );
  await expectProblem(
    await alice.fetch("/api/events", init),
    "validation_failed",
  );
  const anonymous = await fetch(app.origin + path, {
    method: "POST",
    body: "{}",
  });
  await expectProblem(anonymous, "unauthorized");
});

Deno.test("a posted frame must be JSON by type and fit a frame", async () => {
  const alice = await signIn(app, "alice");
  const { stream, path } = await openStream(alice);
  await using _ = stream;
  const body = '{"id":1,"event":"presence:ping","data":{}}';
  for (const type of ["text/plain", "application/x-www-form-urlencoded"]) {
    await expectProblem(
      await alice.fetch(path, {
        method: "POST",
        headers: { "content-type": type },
        body,
      }),
      "unsupported_media_type",
    );
  }
});

Deno.test("a posted frame above 16 KiB is refused and ends its stream with 1009, as a socket", async () => {
  const alice = await signIn(app, "alice");
  const { stream, path } = await openStream(alice);
  await using _ = stream;
  const frame = (bytes: number) => {
    const empty = { id: 1, event: "presence:ping", data: { x: "" } };
    const x = "x".repeat(bytes - JSON.stringify(empty).length);
    return { method: "POST", json: { ...empty, data: { x } } };
  };
  const largest = await alice.fetch(path, frame(16_384));
  assert.equal((await largest.json()).ack, 1);
  await expectProblem(await alice.fetch(path, frame(16_385)), "body_too_large");
  const last = await stream.next();
  assert.deepEqual([last.event, last.data.code], ["close", 1009]);
});

Deno.test("a posted frame that is no JSON is an error event, and the stream lives", async () => {
  const alice = await signIn(app, "alice");
  const { stream, path } = await openStream(alice);
  await using _ = stream;
  const bad = await alice.fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{not json",
  });
  assert.equal(bad.status, 200);
  const body = await bad.json();
  assert.deepEqual([body.event, body.data.code], ["error", "bad_request"]);
  const ping = { id: 1, event: "presence:ping", data: {} };
  const good = await alice.fetch(path, { method: "POST", json: ping });
  assert.equal((await good.json()).data.success, true);
});

Deno.test("HEAD and POST of /ws are answered, not upgraded", async () => {
  const host = `Host: 127.0.0.1:${app.port}`;
  const head = await rawRequest(app, ["HEAD /ws HTTP/1.1", host]);
  assert.equal(head.status, 426);
  const post = await rawRequest(app, [
    "POST /ws HTTP/1.1",
    host,
    "Content-Length: 0",
  ]);
  assert.equal(post.status, 405);
  assert.equal(post.headers.get("allow"), "GET, HEAD, OPTIONS");
});
