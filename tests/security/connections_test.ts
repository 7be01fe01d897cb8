/** Checklist: who may open a connection, and what it may do to the server. */

import assert from "node:assert/strict";
import { startTestApp, useTestApp } from "../helpers/app.ts";
import { connect } from "../helpers/client.ts";
import { expectTook, stopwatch } from "../helpers/timing.ts";
import { type Person, signIn } from "../helpers/people.ts";
import { expectProblem } from "../http/expect_problem.ts";
import { rawRequest } from "../http/raw_request.ts";
import { Opcode, openRaw } from "../realtime/raw_socket.ts";
import { newPerson } from "../helpers/rooms.ts";
import { securityCase } from "./case.ts";

const app = useTestApp();

/** The status of an upgrade with these headers; a socket that opens is dropped again. */
async function upgrade(
  headers: Record<string, string>,
  path = "/ws",
  port = app.port,
): Promise<number> {
  const { status } = await rawRequest({ port }, [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ]);
  return status;
}

/** The code with which the server ends a socket that sends this. */
async function codeAfter(
  person: Person,
  send: (socket: Awaited<ReturnType<typeof openRaw>>) => Promise<void>,
): Promise<number | undefined> {
  using socket = await openRaw(app, person);
  await send(socket);
  return await socket.readCloseCode();
}

securityCase(
  1,
  "an upgrade with the cookie from another site's page",
  "403 before the upgrade",
  async () => {
    const { cookie } = await newPerson(app);
    assert.equal(
      await upgrade({ cookie, origin: "https://evil.example" }),
      403,
    );
    assert.equal(await upgrade({ cookie, origin: app.origin }), 101, "premise");
  },
);

securityCase(
  2,
  "Origin null, missing, a look-alike, another scheme or port",
  "403: the exact origin alone",
  async () => {
    const { cookie } = await newPerson(app);
    assert.equal(await upgrade({ cookie }), 403);
    for (
      const origin of [
        "null",
        `${app.origin}.evil.io`,
        app.origin.replace("http:", "https:"),
        `http://127.0.0.1:${app.port + 1}`,
        `${app.origin}/`,
        app.origin.replace("127.0.0.1", "localhost"),
        `http://user@127.0.0.1:${app.port}`,
      ]
    ) assert.equal(await upgrade({ cookie, origin }), 403, origin);
  },
);

securityCase(
  3,
  "an upgrade without a session",
  "401 before the upgrade",
  async () => {
    assert.equal(await upgrade({}), 401);
    assert.equal(await upgrade({ origin: app.origin }), 401);
    const bad = "chatket.v1, bearer.nonsense";
    assert.equal(await upgrade({ "sec-websocket-protocol": bad }), 401);
  },
);

securityCase(
  4,
  "a token in the URL",
  "401, and no log line holds it",
  async () => {
    const lines: string[] = [];
    await using logged = await startTestApp({ LOG_LEVEL: "debug" }, {
      start: { writeLog: (line) => void lines.push(line) },
    });
    const { token } = await signIn(logged, "alice");
    assert.equal(await upgrade({}, `/ws?token=${token}`, logged.port), 401);
    const path =
      `${logged.origin}/api/auth/me?token=${token}&access_token=${token}`;
    await expectProblem(await fetch(path), "unauthorized");
    assert.ok(lines.length > 0 && !lines.join().includes(token.split(".")[2]!));
  },
);

securityCase(6, "a frame one byte too big", "1009", async () => {
  const person = await newPerson(app);
  const big = "x".repeat(16 * 1024 + 1);
  const code = await codeAfter(person, (s) => s.sendFrame(Opcode.text, big));
  assert.equal(code, 1009);
});

securityCase(7, "pieces that add up to too much", "1009", async () => {
  const person = await newPerson(app);
  const piece = "x".repeat(6_000);
  const code = await codeAfter(person, async (socket) => {
    await socket.sendFrame(Opcode.text, piece, false);
    await socket.sendFrame(Opcode.continuation, piece, false);
    await socket.sendFrame(Opcode.continuation, piece, true);
  });
  assert.equal(code, 1009);
});

securityCase(
  8,
  "binary, unknown opcode, unmasked, reserved bits",
  "1003; the socket ends at most, the server serves on",
  async () => {
    const person = await newPerson(app);
    const binary = new Uint8Array([1, 2, 3]);
    assert.equal(
      await codeAfter(person, (s) => s.sendFrame(Opcode.binary, binary)),
      1003,
    );
    for (
      const bytes of [
        new Uint8Array([0x83, 0x80, 0, 0, 0, 0]),
        new Uint8Array([0x81, 0x02, 0x7b, 0x7d]),
        new Uint8Array([0xc1, 0x80, 0, 0, 0, 0]),
      ]
    ) {
      using raw = await openRaw(app, person);
      await raw.write(bytes);
    }
    await using socket = await connect(app, person);
    await socket.expect("presence:ping", {});
  },
);

securityCase(
  9,
  "text that is no UTF-8",
  "the socket ends, nothing is stored",
  async () => {
    const person = await newPerson(app);
    const bytes = new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]);
    const code = await codeAfter(
      person,
      (s) => s.sendFrame(Opcode.text, bytes),
    );
    assert.ok(
      code === undefined || code === 1007 || code === 1002,
      String(code),
    );
  },
);

securityCase(
  10,
  "a flood of frames from one socket",
  "4429, and others are answered meanwhile",
  async () => {
    const [flooder, other] = [await newPerson(app), await newPerson(app)];
    await using calm = await connect(app, other);
    await using loud = await connect(app, flooder);
    for (let i = 0; i < 2_000; i++) {
      loud.sendRaw(
        '{"event":"presence:ping","data":{}}',
      );
    }
    await calm.expect("presence:ping", {});
    assert.equal((await loud.closed).code, 4429);
  },
);

securityCase(
  11,
  "more sockets of one user, or one address, than allowed",
  "429, and others still connect",
  async () => {
    await using small = await startTestApp({
      MAX_SOCKETS_PER_USER: "2",
      MAX_SOCKETS_PER_ADDRESS: "4",
    });
    const [alice, bob] = [
      await signIn(small, "alice"),
      await signIn(small, "bob"),
    ];
    const carol = await signIn(small, "carol");
    await using _one = await connect(small, alice);
    await using _two = await connect(small, alice);
    const protocol = (person: Person) => ({
      "sec-websocket-protocol": `chatket.v1, bearer.${person.token}`,
    });
    assert.equal(await upgrade(protocol(alice), "/ws", small.port), 429);
    await using _three = await connect(small, bob);
    await using _four = await connect(small, bob);
    assert.equal(await upgrade(protocol(carol), "/ws", small.port), 429);
  },
);

securityCase(
  15,
  "JSON nested seven thousand deep, a thousand keys, a key twice, lengths without a value",
  "answered fast, the socket stays",
  async () => {
    await using socket = await connect(app, await newPerson(app));
    const keys = Object.fromEntries(
      Array.from({ length: 1_000 }, (_, n) => [`k${n}`, n]),
    );
    const frames = [
      "[".repeat(7_000),
      `${'{"a":'.repeat(2_500)}1${"}".repeat(2_500)}`,
      JSON.stringify({ event: "presence:ping", data: keys }),
      '{"event":"nonsense","event":"presence:ping","data":{}}',
      '{"event":"room:join","data":{"roomId":{"length":[{"toString":1}]}}}',
      '{"event":"rooms:sync","data":{"rooms":{"length":[{"toString":1}]}}}',
    ];
    const answering = stopwatch();
    for (const frame of frames) socket.sendRaw(frame);
    await socket.expect("presence:ping", {});
    expectTook("an answer", answering(), 2_000);
    const answer = await fetch(`${app.origin}/api/auth/request-code`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"username":'.repeat(5_000),
    });
    await expectProblem(answer, "validation_failed");
    const odd = await fetch(`${app.origin}/api/auth/request-code`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"username":"odd","email":{"length":[{"toString":1}]}}',
    });
    await expectProblem(odd, "validation_failed");
  },
);
