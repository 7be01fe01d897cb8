/** The way to a PostgreSQL server: a socket, encrypted where that is asked for. */

import { connect as connectSocket, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { UnavailableError } from "./errors.ts";
import {
  type PostgresServer,
  socketOf,
  type TlsContents,
} from "./postgres_server.ts";

/** `SSLRequest` of the protocol: its length, and the number that stands for it. */
const SSL_REQUEST = new Uint8Array([0, 0, 0, 8, 4, 210, 22, 47]);

const YES = "S".charCodeAt(0);

/** Begins to connect. The socket emits `connect`, or `error`, and then `close`. */
export function openSocket(server: PostgresServer): Socket {
  const path = socketOf(server);
  const socket = path === undefined
    ? connectSocket(server.port, server.host)
    : connectSocket(path);
  return socket.setNoDelay(true).setKeepAlive(true);
}

/**
 * Asks the server to encrypt what follows.
 *
 * @param socket a connected socket, on which nothing was sent
 * @returns the encrypted socket; closing either closes both
 * @throws {Error} when the server refuses, its certificate is not accepted, or the connection ends
 */
export async function encrypt(
  socket: Socket,
  { host }: PostgresServer,
  contents: TlsContents,
): Promise<Socket> {
  const answer = await ask(socket);
  // More than a byte would be somebody on the way who adds what is then taken for encrypted.
  if (answer.length !== 1 || answer[0] !== YES) {
    throw new Error("The server does not support SSL connections");
  }
  const encrypted = connectTls({
    ...contents,
    ...{ socket, host },
    ...!isIP(host) && { servername: host },
  });
  await event(encrypted, "secureConnect");
  return encrypted;
}

async function ask(socket: Socket): Promise<Uint8Array> {
  socket.write(SSL_REQUEST);
  return await event(socket, "data") as Uint8Array;
}

/**
 * Resolves with an event's value.
 *
 * @throws the error that comes in its place
 */
export function event(socket: Socket, name: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const settle = (call: (value: never) => void) => (value: unknown) => {
      socket.off(name, done).off("error", failed).off("close", closed);
      call(value as never);
    };
    const done = settle(resolve);
    const failed = settle(reject);
    const closed = settle(() =>
      reject(new UnavailableError("Connection terminated"))
    );
    socket.on(name, done).on("error", failed).on("close", closed);
  });
}
