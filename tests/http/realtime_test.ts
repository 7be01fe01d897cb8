/** `/ws` before the upgrade: who is let in, and how the others are told. */

import assert from "node:assert/strict";
import { startTestApp, type TestApp, useTestApp } from "../helpers/app.ts";
import { connect } from "../helpers/client.ts";
import { type Person, signIn } from "../helpers/people.ts";
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
