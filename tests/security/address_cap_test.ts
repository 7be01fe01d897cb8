/** A thousand sockets from one address, with the limits as they are shipped. */

import assert from "node:assert/strict";
import {
  BEARER_PREFIX,
  SUBPROTOCOL,
} from "../../realtime/protocol/handshake.ts";
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

Deno.test("with more hops trusted than there are, a client chooses the address it is counted under", async () => {
  for (const [hops, second] of [["1", 429], ["2", 101]] as const) {
    await using app = await startTestApp({
      TRUSTED_PROXY_HOPS: hops,
      MAX_SOCKETS_PER_ADDRESS: "1",
    });
    const alice = await signIn(app, "alice");
    const held: Deno.TcpConn[] = [];
    const statuses: number[] = [];
    for (const chosen of ["192.0.2.1", "192.0.2.2"]) {
      const { status, connection } = await upgrade(
        app,
        alice,
        CROWDED,
        chosen,
      );
      held.push(connection);
      statuses.push(status);
    }
    for (const connection of held) connection.close();
    assert.deepEqual(statuses, [101, second], `${hops} hops`);
  }
});

/**
 * Asks for a socket and keeps the connection, whatever the answer.
 *
 * @param address what the proxy has seen
 * @param chosen what the client says itself: it stands left of that
 */
async function upgrade(
  { port }: TestApp,
  { token }: Person,
  address: string,
  chosen: string = crypto.randomUUID(),
) {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const head = [
    "GET /ws HTTP/1.1",
    `Host: 127.0.0.1:${port}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    `Sec-WebSocket-Protocol: ${SUBPROTOCOL}, ${BEARER_PREFIX}${token}`,
    `X-Forwarded-For: ${chosen}, ${address}`,
  ];
  await connection.write(
    new TextEncoder().encode(`${head.join("\r\n")}\r\n\r\n`),
  );
  const buffer = new Uint8Array(2_048);
  const length = await connection.read(buffer) ?? 0;
  const answer = new TextDecoder().decode(buffer.subarray(0, length));
  return { connection, status: Number(answer.split(" ")[1]) };
}
