/**
 * A TCP proxy that misbehaves on command. It stands between a client and the server, or between the
 * server and its database, and knows nothing of what it carries.
 */

import { Buffer } from "node:buffer";
import net from "node:net";

/** Bytes kept for one direction while it is held; past them the sender feels it. */
const MAX_HELD_BYTES = 4 * 1024 * 1024;

/**
 * What a direction does with bytes: `pass` them on, `hold` them for later, `stall` (read nothing, so
 * that the sender's buffers fill up), or `discard` them: the sender believes that they arrived.
 */
export type PipeMode = "pass" | "hold" | "stall" | "discard";

/** One direction of a line. Bytes keep their order whatever happens to them. */
class Pipe {
  /** Added to every chunk's way, in milliseconds. */
  delayMs = 0;
  /** What it has read from the sender, whatever became of it. */
  readonly taken = { bytes: 0, isEnded: false };
  readonly #from: net.Socket;
  readonly #to: net.Socket;
  #mode: PipeMode = "pass";
  #queue: { chunk: Buffer | undefined; dueAt: number }[] = [];
  #heldBytes = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(from: net.Socket, to: net.Socket) {
    this.#from = from;
    this.#to = to;
    from.on("data", (chunk: Buffer) => this.#take(chunk));
    from.on("end", () => this.#take(undefined));
    to.on("drain", () => this.#flush());
  }

  setMode(mode: PipeMode): void {
    this.#mode = mode;
    if (mode === "stall") this.#from.pause();
    else this.#from.resume();
    this.#flush();
  }

  /** Ends the way of all bytes. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#queue = [];
  }

  /** `undefined` stands for the end of the stream: it waits its turn too. */
  #take(chunk: Buffer | undefined): void {
    this.taken.bytes += chunk?.length ?? 0;
    this.taken.isEnded ||= chunk === undefined;
    if (this.#mode === "discard") return;
    this.#queue.push({ chunk, dueAt: Date.now() + this.delayMs });
    this.#heldBytes += chunk?.length ?? 0;
    if (this.#heldBytes > MAX_HELD_BYTES) this.#from.pause();
    this.#flush();
  }

  #flush(): void {
    if (this.#mode !== "pass") return;
    while (this.#queue[0] !== undefined) {
      const { chunk, dueAt } = this.#queue[0];
      const wait = dueAt - Date.now();
      if (wait > 0) {
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.#flush(), wait);
        return;
      }
      if (this.#to.destroyed) return this.stop();
      this.#queue.shift();
      if (chunk === undefined) {
        this.#to.end();
        continue;
      }
      this.#heldBytes -= chunk.length;
      if (!this.#to.write(chunk)) {
        this.#from.pause();
        return;
      }
    }
    this.#from.resume();
  }
}

/** One connection through the proxy. */
export class ProxiedLine {
  /** Client → server. */
  readonly up: Pipe;
  /** Server → client. */
  readonly down: Pipe;
  readonly #client: net.Socket;
  readonly #server: net.Socket;
  #abandoned = false;

  constructor(client: net.Socket, server: net.Socket, onClosed: () => void) {
    this.#client = client;
    this.#server = server;
    this.up = new Pipe(client, server);
    this.down = new Pipe(server, client);
    const closed = () => {
      if (client.destroyed && server.destroyed) onClosed();
    };
    client.on("error", () => {});
    server.on("error", () => {});
    client.on("close", () => {
      if (!this.#abandoned) server.destroy();
      closed();
    });
    server.on("close", () => {
      client.destroy();
      closed();
    });
  }

  setMode(mode: PipeMode): void {
    this.up.setMode(mode);
    this.down.setMode(mode);
  }

  /** Ends both sides: with a reset, or as a process that exits does. */
  cut(how: "reset" | "close"): void {
    this.up.stop();
    this.down.stop();
    for (const socket of [this.#client, this.#server]) {
      if (how === "reset") socket.resetAndDestroy();
      else socket.destroy();
    }
  }

  /**
   * The client loses its line at once; what it had sent reaches the server `ms` later, when the client
   * may long have come back on another line. Then the server's side ends too.
   */
  abandon(ms: number): void {
    this.#abandoned = true;
    this.up.setMode("hold");
    this.down.setMode("discard");
    // What the client has just written may still be on its way to us.
    setTimeout(() => this.#client.resetAndDestroy(), 5);
    setTimeout(() => this.up.setMode("pass"), ms);
    setTimeout(() => this.#server.destroy(), ms + 50);
  }
}

/** A port, or what chooses one. */
export type Target = number | (() => number);

export class FaultProxy {
  readonly #server: net.Server;
  readonly #lines = new Set<ProxiedLine>();
  /** How lines that are made later behave. */
  #modeForNew: PipeMode = "pass";
  #delayForNew = 0;
  #refuses = false;

  private constructor(server: net.Server) {
    this.#server = server;
  }

  /**
   * Listens on a free loopback port and connects whoever comes to the target port; a function is asked
   * for it anew with each connection.
   */
  static async listen(target: Target): Promise<FaultProxy> {
    const server = net.createServer({ allowHalfOpen: true });
    const proxy = new FaultProxy(server);
    server.on("connection", (client) => proxy.#accept(client, target));
    await new Promise<void>((resolve) =>
      server.listen(0, "127.0.0.1", () => resolve())
    );
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  /** The lines that are open now. */
  get lines(): readonly ProxiedLine[] {
    return [...this.#lines];
  }

  /** Whether who connects is turned away at once. */
  refuse(refuses: boolean): void {
    this.#refuses = refuses;
  }

  /** For the lines that are open, and for those to come. */
  setMode(mode: PipeMode): void {
    this.#modeForNew = mode;
    for (const line of this.#lines) line.setMode(mode);
  }

  /** For the lines that are open, and for those to come, in milliseconds each way. */
  setDelay(ms: number): void {
    this.#delayForNew = ms;
    for (const line of this.#lines) line.up.delayMs = line.down.delayMs = ms;
  }

  cutAll(how: "reset" | "close"): void {
    for (const line of this.lines) line.cut(how);
  }

  /** Loses all lines, and turns away who comes until {@link heal}. */
  partition(): void {
    this.refuse(true);
    this.cutAll("reset");
  }

  /** New lines are good again, and so are those that can be: what was discarded cannot be mended. */
  heal(): void {
    this.#refuses = false;
    this.setMode("pass");
    this.setDelay(0);
  }

  async close(): Promise<void> {
    this.#refuses = true;
    this.cutAll("close");
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(client: net.Socket, target: Target): void {
    client.on("error", () => {});
    if (this.#refuses) return void client.resetAndDestroy();
    const server = net.connect({
      port: typeof target === "number" ? target : target(),
      host: "127.0.0.1",
      allowHalfOpen: true,
    });
    const line: ProxiedLine = new ProxiedLine(
      client,
      server,
      () => this.#lines.delete(line),
    );
    line.up.delayMs = line.down.delayMs = this.#delayForNew;
    if (this.#modeForNew !== "pass") line.setMode(this.#modeForNew);
    this.#lines.add(line);
  }
}
