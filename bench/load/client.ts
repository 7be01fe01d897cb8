/** A user's connection as the load sees it. */

import { type Ack, readAcks, request, upgradeOf } from "./protocol.ts";
import { Wire } from "./wire.ts";

export class Client {
  readonly wire: Wire;
  readonly #acks = new Map<number, PromiseWithResolvers<Ack>>();
  #nextId = 1;

  private constructor(wire: Wire) {
    this.wire = wire;
    wire.onText = (text) =>
      readAcks(text, (id, ack) => {
        this.#acks.get(id)?.resolve(ack);
        this.#acks.delete(id);
      });
    wire.onClosed = () => {
      for (const waiting of this.#acks.values()) {
        waiting.reject(new Error(`closed with ${wire.closeCode}`));
      }
    };
  }

  static async open(port: number, token: string): Promise<Client> {
    const wire = await Wire.open({ port, ...upgradeOf(token) });
    const client = new Client(wire);
    wire.listen();
    return client;
  }

  /** Sends an event; rejects when it is refused or the connection ends first. */
  async request(event: string, data: unknown): Promise<Ack> {
    if (this.wire.closeCode !== undefined) {
      throw new Error(`closed with ${this.wire.closeCode}`);
    }
    const id = this.#nextId++;
    const waiting = Promise.withResolvers<Ack>();
    this.#acks.set(id, waiting);
    this.wire.send(request(id, event, data));
    const ack = await waiting.promise;
    if (!ack.success) {
      throw new Error(`${event} was refused: ${JSON.stringify(ack)}`);
    }
    return ack;
  }

  join(roomId: string): Promise<Ack> {
    return this.request("room:join", { roomId });
  }

  /** From now on what comes in is only counted. No acks are seen any more. */
  onlyCount(onMark?: (bytes: Uint8Array, at: number) => void): void {
    this.wire.onText = undefined;
    this.wire.onMark = onMark;
  }
}

/** Runs a task for each item, so many at once. */
export async function forEachAtOnce<T>(
  items: readonly T[],
  atOnce: number,
  task: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const work = async () => {
    while (next < items.length) {
      const index = next++;
      await task(items[index]!, index);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}
