/**
 * A room's messages as this client holds them: one run of consecutive numbers, without a gap or a
 * repeat, however the network delivered them.
 */

import type { MessageNew } from "../../realtime/protocol.ts";
import type { MessagePage } from "./api.ts";

export class RoomStore {
  /** Oldest first; `seq` goes up by one from each to the next. */
  readonly messages: MessageNew[] = [];
  /** Whether the server holds messages before the first. */
  hasOlder: boolean;
  #position: number;
  #ids = new Set<string>();
  /** Messages that came before their predecessors. */
  #held = new Map<number, MessageNew>();

  /** @param position everything up to this `seq` counts as delivered */
  constructor(position: number) {
    this.#position = position;
    this.hasOlder = position > 0;
  }

  /** `seq` of the last message delivered in order. */
  get position(): number {
    return this.#position;
  }

  /** Something is missing: messages wait for their predecessors. */
  get hasGap(): boolean {
    return this.#held.size > 0;
  }

  /**
   * Takes a message from the live feed, a replay or an ack. The next number is appended, with those
   * that waited for it; a later one is held; a known one is dropped.
   *
   * @returns what was appended, in order
   */
  receive(message: MessageNew): MessageNew[] {
    if (message.seq <= this.#position || this.#ids.has(message.messageId)) {
      return [];
    }
    this.#held.set(message.seq, message);
    return this.#appendHeld();
  }

  /** Takes the newest page, when the room is opened: it goes before what the live feed brought. */
  load(page: MessagePage): MessageNew[] {
    const newest = page.messages.at(-1);
    const first = this.messages[0];
    if (
      first === undefined || newest === undefined || newest.seq + 1 >= first.seq
    ) {
      this.prepend(page);
      return page.messages.flatMap((message) => this.receive(message));
    }
    return [];
  }

  /** Takes a page of history that ends where the held run begins. */
  prepend({ messages, hasMore }: MessagePage): void {
    const end = this.messages[0]?.seq ?? this.#position + 1;
    const older = messages.filter(({ seq, messageId }) =>
      seq < end && !this.#ids.has(messageId)
    );
    this.messages.unshift(...older);
    for (const { messageId } of older) this.#ids.add(messageId);
    this.hasOlder = hasMore;
  }

  /** Forgets everything: the server's history is not the one we knew. */
  reset(page: MessagePage): void {
    this.messages.length = 0;
    this.#ids.clear();
    this.#held.clear();
    this.#position = page.messages.at(-1)?.seq ?? 0;
    this.prepend(page);
  }

  #appendHeld(): MessageNew[] {
    const appended: MessageNew[] = [];
    for (
      let next = this.#held.get(this.#position + 1);
      next !== undefined;
      next = this.#held.get(this.#position + 1)
    ) {
      this.#held.delete(next.seq);
      this.messages.push(next);
      this.#ids.add(next.messageId);
      // The position moves after the message is in place: never past one we do not have.
      this.#position = next.seq;
      appended.push(next);
    }
    return appended;
  }
}
