/** A WebSocket client over plain TCP, for what a proper one would never do. */

import {
  BEARER_PREFIX,
  SUBPROTOCOL,
} from "../../realtime/protocol/handshake.ts";
import type { TestApp } from "../helpers/app.ts";
import type { Person } from "../helpers/people.ts";

/** Frame types of RFC 6455. */
export const Opcode = {
  continuation: 0,
  text: 1,
  binary: 2,
  close: 8,
  ping: 9,
} as const;

/** The runtime takes no frame of this size, in bytes; it collects a smaller one before it passes it on. */
export const RUNTIME_FRAME_LIMIT = 64 * 1024 * 1024;

export interface RawFrame {
  readonly opcode: number;
  readonly payload: Uint8Array;
}

export interface RawSocket extends Disposable {
  /** Writes bytes as they are. */
  write(bytes: Uint8Array): Promise<void>;
  /** Writes one frame, masked as a client's must be. */
  sendFrame(
    opcode: number,
    payload: string | Uint8Array,
    final?: boolean,
  ): Promise<void>;
  /** The next frame; undefined when the server has hung up. */
  read(): Promise<RawFrame | undefined>;
  /** Reads to the end; gives the close code, undefined when none came. */
  readCloseCode(): Promise<number | undefined>;
}

/** The request that asks for a socket. */
export function handshake(
  port: number,
  { token }: Pick<Person, "token">,
): Uint8Array {
  return new TextEncoder().encode([
    "GET /ws HTTP/1.1",
    `Host: 127.0.0.1:${port}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    `Sec-WebSocket-Protocol: ${SUBPROTOCOL}, ${BEARER_PREFIX}${token}`,
    "",
    "",
  ].join("\r\n"));
}

/**
 * Opens a socket and reads nothing further by itself.
 *
 * @param firstBytes sent along with the handshake, before its answer
 */
export async function openRaw(
  app: Pick<TestApp, "port">,
  person: Pick<Person, "token">,
  firstBytes: Uint8Array = new Uint8Array(),
): Promise<RawSocket> {
  const connection = await Deno.connect({ port: app.port });
  await writeAll(
    connection,
    new Uint8Array([...handshake(app.port, person), ...firstBytes]),
  );
  const reader = new BufferedReader(connection);
  const head = await reader.readHead();
  if (!head.startsWith("HTTP/1.1 101 ")) {
    connection.close();
    throw new Error(`refused: ${head}`);
  }
  const socket: RawSocket = {
    write: (bytes) => writeAll(connection, bytes),
    sendFrame: (opcode, payload, final = true) =>
      socket.write(maskedFrame(opcode, payload, final)),
    read: () => reader.readFrame(),
    async readCloseCode() {
      for (;;) {
        const frame = await reader.readFrame();
        if (frame === undefined) return undefined;
        if (frame.opcode === Opcode.close) {
          const [high = 0, low = 0] = frame.payload;
          return high << 8 | low;
        }
      }
    },
    [Symbol.dispose]() {
      connection.close();
    },
  };
  return socket;
}

/** Writes one text frame of this many bytes, in parts. */
export async function writeHuge(
  socket: RawSocket,
  bytes: number,
): Promise<void> {
  const head = new Uint8Array(14);
  head[0] = 0x80 | Opcode.text;
  head[1] = 0x80 | 127;
  new DataView(head.buffer).setBigUint64(2, BigInt(bytes));
  await socket.write(head);
  const part = new Uint8Array(1024 * 1024).fill(0x20);
  for (let left = bytes; left > 0; left -= part.length) {
    await socket.write(part.subarray(0, Math.min(left, part.length)));
  }
}

/** A client's frame as bytes. */
export function maskedFrame(
  opcode: number,
  payload: string | Uint8Array,
  final = true,
): Uint8Array {
  const data = typeof payload === "string"
    ? new TextEncoder().encode(payload)
    : payload;
  const extended = data.length > 65_535 ? 8 : data.length > 125 ? 2 : 0;
  const frame = new Uint8Array(2 + extended + 4 + data.length);
  const view = new DataView(frame.buffer);
  frame[0] = (final ? 0x80 : 0) | opcode;
  frame[1] = 0x80 | (extended === 8 ? 127 : extended === 2 ? 126 : data.length);
  if (extended === 2) view.setUint16(2, data.length);
  if (extended === 8) view.setBigUint64(2, BigInt(data.length));
  // A mask of zeros leaves the data as it is.
  frame.set(data, 6 + extended);
  return frame;
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array) {
  for (let written = 0; written < bytes.length;) {
    written += await connection.write(bytes.subarray(written));
  }
}

class BufferedReader {
  readonly #connection: Deno.Conn;
  readonly #chunk = new Uint8Array(65_536);
  #data = new Uint8Array();

  constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  /** The answer's head, without the empty line. */
  async readHead(): Promise<string> {
    for (;;) {
      const text = new TextDecoder("latin1").decode(this.#data);
      const end = text.indexOf("\r\n\r\n");
      if (end >= 0) {
        this.#take(end + 4);
        return text.slice(0, end);
      }
      if (!await this.#readMore()) return text;
    }
  }

  async readFrame(): Promise<RawFrame | undefined> {
    const head = await this.#bytes(2);
    if (head === undefined) return undefined;
    const short = head[1]! & 0x7f;
    const size = short === 126 ? 2 : short === 127 ? 8 : 0;
    const long = await this.#bytes(size);
    if (long === undefined) return undefined;
    const length = size === 0 ? short : long.reduce((n, b) => n * 256 + b, 0);
    const payload = await this.#bytes(length);
    return payload && { opcode: head[0]! & 0x0f, payload };
  }

  async #bytes(count: number): Promise<Uint8Array | undefined> {
    while (this.#data.length < count) {
      if (!await this.#readMore()) return undefined;
    }
    return this.#take(count);
  }

  #take(count: number): Uint8Array {
    const taken = this.#data.slice(0, count);
    this.#data = this.#data.slice(count);
    return taken;
  }

  async #readMore(): Promise<boolean> {
    const length = await this.#connection.read(this.#chunk).catch(() => null);
    if (length === null) return false;
    const joined = new Uint8Array(this.#data.length + length);
    joined.set(this.#data);
    joined.set(this.#chunk.subarray(0, length), this.#data.length);
    this.#data = joined;
    return true;
  }
}
