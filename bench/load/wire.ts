/**
 * A WebSocket client over raw TCP, so that the load costs little: what only counts never becomes a
 * JavaScript string.
 */

/** Marks each message: it stands once in every text the load sends and nowhere else. */
export const MARK = "~";

const MARK_BYTE = MARK.charCodeAt(0);

/** Bytes read at once. */
const READ_BYTES = 64 * 1024;

const OPCODE = { continuation: 0, text: 1, close: 8, ping: 9, pong: 10 };

export interface WireOptions {
  port: number;
  path: string;
  /** Values of `Sec-WebSocket-Protocol`; none are offered when empty. */
  protocols: readonly string[];
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** One client connection. Frames go to {@link onText} as text, or are only counted where it is unset. */
export class Wire {
  onText: ((text: string) => void) | undefined;
  /** Told where in the bytes a mark stands, for counted frames alone. */
  onMark: ((bytes: Uint8Array, at: number) => void) | undefined;
  onClosed: (() => void) | undefined;
  /** Bytes, frames and marks received. */
  bytes = 0;
  frames = 0;
  marks = 0;
  /** Set when the server has ended the connection: its close code, or 1006. */
  closeCode: number | undefined;

  readonly #connection: Deno.TcpConn;
  #unread = new Uint8Array();
  readonly #header = new Uint8Array(10);
  #headerLength = 0;
  #opcode = 0;
  /** Bytes of the current frame's payload still to come; undefined between frames. */
  #left: number | undefined;
  #parts: Uint8Array[] = [];
  #unsent: Uint8Array[] = [];
  #writing = false;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  /** Connects and upgrades. Rejects with the server's status line when it refuses. */
  static async open(options: WireOptions): Promise<Wire> {
    const connection = await Deno.connect({
      hostname: "127.0.0.1",
      port: options.port,
    });
    connection.setNoDelay(true);
    const wire = new Wire(connection);
    const offered = options.protocols.join(", ");
    await connection.write(encoder.encode([
      `GET ${options.path} HTTP/1.1`,
      `Host: 127.0.0.1:${options.port}`,
      "Upgrade: websocket",
      "Connection: Upgrade",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      ...offered === "" ? [] : [`Sec-WebSocket-Protocol: ${offered}`],
      "\r\n",
    ].join("\r\n")));
    wire.#unread = await readUpgrade(connection);
    return wire;
  }

  /** Begins to read. Set the handlers first. */
  listen(): void {
    this.#read(this.#unread);
  }

  /** Sends a text frame. Frames of one turn of the event loop leave in one write. */
  send(text: string): void {
    this.#write(OPCODE.text, encoder.encode(text));
  }

  /** Drops the connection without a goodbye. */
  drop(): void {
    this.onText = this.onMark = this.onClosed = undefined;
    this.closeCode ??= 1000;
    try {
      this.#connection.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  async #read(first: Uint8Array): Promise<void> {
    const buffer = new Uint8Array(READ_BYTES);
    try {
      this.#take(first);
      for (;;) {
        const length = await this.#connection.read(buffer);
        if (length === null) break;
        this.#take(buffer.subarray(0, length));
      }
    } catch (error) {
      if (!isConnectionLoss(error)) throw error;
    }
    this.closeCode ??= 1006;
    this.onClosed?.();
  }

  #take(chunk: Uint8Array): void {
    this.bytes += chunk.length;
    let at = 0;
    while (at < chunk.length) {
      if (this.#left === undefined) {
        this.#header[this.#headerLength++] = chunk[at++]!;
        this.#readHeader();
        continue;
      }
      const end = Math.min(at + this.#left, chunk.length);
      this.#left -= end - at;
      this.#takePayload(chunk.subarray(at, end), this.#left === 0);
      at = end;
      if (this.#left === 0) this.#left = undefined;
    }
  }

  #readHeader(): void {
    const header = this.#header;
    if (this.#headerLength < 2) return;
    const short = header[1]! & 0x7f;
    const wanted = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (this.#headerLength < wanted) return;
    const view = new DataView(header.buffer);
    this.#left = short < 126
      ? short
      : short === 126
      ? view.getUint16(2)
      : Number(view.getBigUint64(2));
    this.#opcode = header[0]! & 0x0f;
    this.#headerLength = 0;
    if (this.#left > 0) return;
    this.#takePayload(new Uint8Array(), true);
    this.#left = undefined;
  }

  #takePayload(part: Uint8Array, isLast: boolean): void {
    const counted = this.#opcode <= OPCODE.text && this.onText === undefined;
    if (counted && this.#parts.length === 0) {
      this.#count(part);
      if (isLast) this.frames++;
      return;
    }
    if (!isLast) {
      this.#parts.push(part.slice());
      return;
    }
    const payload = this.#parts.length === 0
      ? part
      : joined([...this.#parts, part]);
    this.#parts = [];
    this.#takeFrame(payload);
  }

  #takeFrame(payload: Uint8Array): void {
    if (this.#opcode === OPCODE.ping) this.#write(OPCODE.pong, payload.slice());
    else if (this.#opcode === OPCODE.close) {
      this.closeCode = payload.length < 2
        ? 1005
        : payload[0]! << 8 | payload[1]!;
    } else if (this.#opcode === OPCODE.text) {
      this.frames++;
      const text = decoder.decode(payload);
      for (
        let at = text.indexOf(MARK);
        at >= 0;
        at = text.indexOf(MARK, at + 1)
      ) this.marks++;
      this.onText?.(text);
    }
  }

  #count(part: Uint8Array): void {
    for (
      let at = part.indexOf(MARK_BYTE);
      at >= 0;
      at = part.indexOf(MARK_BYTE, at + 1)
    ) {
      this.marks++;
      this.onMark?.(part, at);
    }
  }

  #write(opcode: number, payload: Uint8Array): void {
    this.#unsent.push(maskedHeader(opcode, payload.length), payload);
    if (this.#writing) return;
    this.#writing = true;
    queueMicrotask(() => this.#flush());
  }

  async #flush(): Promise<void> {
    try {
      while (this.#unsent.length > 0) {
        let bytes = joined(this.#unsent);
        this.#unsent = [];
        while (bytes.length > 0) {
          bytes = bytes.subarray(await this.#connection.write(bytes));
        }
      }
    } catch (error) {
      // The reading side notices a lost connection too, and says so.
      if (!isConnectionLoss(error)) throw error;
    }
    this.#writing = false;
  }
}

/** Reads the answer to the upgrade; gives what came after it. */
async function readUpgrade(
  connection: Deno.TcpConn,
): Promise<Uint8Array<ArrayBuffer>> {
  const buffer = new Uint8Array(READ_BYTES);
  let length = 0;
  for (;;) {
    const read = await connection.read(buffer.subarray(length));
    if (read === null) throw new Error("the server closed before the upgrade");
    length += read;
    const text = decoder.decode(buffer.subarray(0, length));
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) continue;
    if (!text.startsWith("HTTP/1.1 101 ")) {
      connection.close();
      throw new Error(`refused: ${text.slice(0, text.indexOf("\r\n"))}`);
    }
    // The head is ASCII, so characters are bytes.
    return buffer.slice(end + 4, length);
  }
}

/** A client frame's header. The mask is zero, which the RFC allows a reader to see: payloads stay as they are. */
function maskedHeader(opcode: number, length: number): Uint8Array {
  const extra = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const header = new Uint8Array(2 + extra + 4);
  const view = new DataView(header.buffer);
  header[0] = 0x80 | opcode;
  header[1] = 0x80 | (extra === 0 ? length : extra === 2 ? 126 : 127);
  if (extra === 2) view.setUint16(2, length);
  if (extra === 8) view.setBigUint64(2, BigInt(length));
  return header;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(
    parts.reduce((length, part) => length + part.length, 0),
  );
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function isConnectionLoss(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.BadResource ||
    error instanceof Deno.errors.Interrupted;
}
