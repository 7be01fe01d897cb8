import type { NewMessage, StoredMessage } from "../../db/messages.ts";
import { GroupCommit, type GroupCommitOptions } from "../group_commit.ts";
import type { Message, Quote, UserRef } from "../protocol/protocol.ts";
import type { Refused, Stored } from "./post_result.ts";

/** A message that is not stored yet, with what its readers are sent of the one it answers. */
export interface Draft extends NewMessage {
  replyTo?: Quote | undefined;
}

interface Item extends Draft {
  readonly sender: UserRef;
}

export interface WriterOptions extends
  Omit<
    GroupCommitOptions<Item, StoredMessage[], Stored | Refused>,
    "store" | "publish" | "failed"
  > {
  /** Stores a batch in one statement: `storeMessages` of `db/messages.ts`. */
  store: (
    messages: readonly NewMessage[],
    now: Date,
  ) => Promise<StoredMessage[]>;
  /** Called with a room's newly committed messages, in order of `seq`, before any of them is acked. */
  onStored: (roomId: string, stored: readonly Message[]) => void;
}

/**
 * Stores messages by {@link GroupCommit}. They are tried again with the same ids, so a message whose
 * answer was lost is found as its own duplicate and counts as stored.
 */
export class Writer {
  readonly #commits: GroupCommit<Item, StoredMessage[], Stored | Refused>;

  constructor({ onStored, ...options }: WriterOptions) {
    this.#commits = new GroupCommit<Item, StoredMessage[], Stored | Refused>({
      ...options,
      publish: (items, rows) => publish(items, rows, onStored),
      failed: (code) => ({ kind: "refused", code }),
    });
  }

  /** Stores a message. At most one of each (user, room, client id) may be on its way. Never rejects. */
  write(message: Draft, sender: UserRef): Promise<Stored | Refused> {
    return this.#commits.write({ ...message, sender });
  }

  /** Resolves when nothing waits and nothing is on its way. */
  idle(): Promise<void> {
    return this.#commits.idle();
  }
}

function publish(
  items: readonly Item[],
  rows: readonly StoredMessage[],
  onStored: WriterOptions["onStored"],
): (Stored | Refused)[] {
  // Left out of the rows are authors who are no members.
  const results: (Stored | Refused)[] = items.map(() => ({
    kind: "refused",
    code: "not_a_member",
  }));
  const byRoom = new Map<string, Message[]>();
  for (const { index, id: messageId, seq, created_at } of rows) {
    const { id, roomId, text, clientMsgId, sender, replyTo } = items[index]!;
    const createdAt = created_at.toISOString();
    const isDuplicate = messageId !== id;
    results[index] = { kind: "stored", messageId, seq, createdAt, isDuplicate };
    if (isDuplicate) continue;
    const committed: Message = {
      messageId,
      roomId,
      seq,
      text,
      createdAt,
      clientMsgId,
      sender,
      ...(replyTo && { replyTo }),
    };
    const room = byRoom.get(roomId);
    if (room === undefined) byRoom.set(roomId, [committed]);
    else room.push(committed);
  }
  for (const [roomId, committed] of byRoom) {
    onStored(roomId, committed.sort((a, b) => a.seq - b.seq));
  }
  return results;
}
