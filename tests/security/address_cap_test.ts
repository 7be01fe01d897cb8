/** A thousand sockets from one address, with the limits as they are shipped. */

import assert from "node:assert/strict";
import { BEARER_PREFIX, SUBPROTOCOL } from "../../realtime/protocol.ts";
import { startTestApp, type TestApp } from "../helpers/app.ts";
import { connect } from "../helpers/client.ts";
import { type Person, signIn } from "../helpers/people.ts";

const ATTEMPTS = 1_000;

/** MAX_SOCKETS_PER_USER and MAX_SOCKETS_PER_ADDRESS, unless set. */
const PER_USER = 25;
const PER_ADDRESS = 500;

const CROWDED = "203.0.113.7";

Deno.test("of a thousand sockets from one address behind the proxy five hundred open, the others are 429, and another address connects", async () => {
  await using app = await startTestApp({ TRUSTED_PROXY_HOPS: "1" });
  const people: Person[] = [];
  for (let n = 0; n < ATTEMPTS / PER_USER; n++) {
    people.push(await signIn(app, `user_${n}`));
  }
  const held: Deno.TcpConn[] = [];
  try {
    const statuses = new Map<number, number>();
    for (let n = 0; n < ATTEMPTS; n++) {
      const person = people[n % people.length]!;
      const { status, connection } = await upgrade(app, person, CROWDED);
      held.push(connection);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    assert.deepEqual(
      statuses,
      new Map([[101, PER_ADDRESS], [429, ATTEMPTS - PER_ADDRESS]]),
    );

    const [alice] = people;
    for (const address of ["203.0.113.8", "2001:db8::1"]) {
      const { status, connection } = await upgrade(app, alice!, address);
      held.push(connection);
      assert.equal(status, 101, address);
    }
    // Without the header the address is the proxy's own.
    await using socket = await connect(app, alice!);
    await socket.expect("presence:ping", {});
  } finally {
    for (const connection of held) connection.close();
  }
});

/** Asks for a socket and keeps the connection, whatever the answer. */
async function upgrade({ port }: TestApp, { token }: Person, address: string) {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const head = [
    "GET /ws HTTP/1.1",
    `Host: 127.0.0.1:${port}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    `Sec-WebSocket-Protocol: ${SUBPROTOCOL}, ${BEARER_PREFIX}${token}`,
    // What the client says itself stands left of what the proxy has seen.
    `X-Forwarded-For: ${crypto.randomUUID()}, ${address}`,
  ];
  await connection.write(
    new TextEncoder().encode(`${head.join("\r\n")}\r\n\r\n`),
  );
  const buffer = new Uint8Array(2_048);
  const length = await connection.read(buffer) ?? 0;
  const answer = new TextDecoder().decode(buffer.subarray(0, length));
  return { connection, status: Number(answer.split(" ")[1]) };
}
