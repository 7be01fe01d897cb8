import type { changeMessages, MessageChange } from "../../db/changes.ts";
import type { MessageRow } from "../../db/message_rows.ts";
import {
  type CommitFailure,
  GroupCommit,
  type GroupCommitOptions,
} from "../group_commit.ts";
import type { MessageLimit } from "../messages/rate_limit.ts";
import { messageOfRow } from "../messages/message_view.ts";
import {
  CHANGE_WINDOW_MS,
  MAX_CHANGES_PER_WINDOW,
} from "../protocol/limits.ts";
import type { Message, RoomChanges } from "../protocol/protocol.ts";
import {
  type ChangeDecision,
  type ChangeDenial,
  type ChangeOutcome,
  decideChanges,
} from "./decide_changes.ts";

/** What a user may change in a room. No one is muted for it. */
export const CHANGE_LIMIT = {
  messages: MAX_CHANGES_PER_WINDOW,
  windowMs: CHANGE_WINDOW_MS,
  muteMs: 0,
};

/** How a change ended, the same from here up to the ack and the REST answer. */
export type ChangeResult =
  | {
    kind: "done";
    /** The message's last change: this one, or an earlier one where nothing had to be changed. */
    rev: number;
    isChanged: boolean;
    /** The present state. */
    message: Message;
  }
  | {
    kind: "refused";
    code: ChangeDenial | CommitFailure;
    /** The present state, of an edit that was based on an older text. */
    message?: Message;
  };

interface Committed {
  decision: ChangeDecision;
  rows: ReadonlyMap<string, MessageRow>;
}

export interface ChangeMessagesOptions extends
  Omit<
    GroupCommitOptions<MessageChange, Committed, ChangeResult>,
    "store" | "publish" | "failed"
  > {
  /** Changes messages as one commit: `changeMessages` of `db/changes.ts`. */
  store: (
    changes: readonly MessageChange[],
    decide: (
      targets: Parameters<Parameters<typeof changeMessages>[2]>[0],
    ) => ChangeDecision,
    now: Date,
  ) => Promise<Committed>;
  /** Counts what a user changes in a room. */
  limit: MessageLimit;
  /** Called with what was committed in a room, in order of `rev`, before any of it is acked. */
  onChanged: (changes: RoomChanges) => void;
  /** Called with a change that was committed before: by a try whose answer was lost, or long ago. */
  onKnown: (roomId: string, rev: number) => void;
}

/** The only way a stored message is changed: the limit, then a group commit. */
export class ChangeMessages {
  readonly #limit: MessageLimit;
  readonly #commits: GroupCommit<MessageChange, Committed, ChangeResult>;
  readonly #inFlight = new Set<Promise<ChangeResult>>();

  constructor(
    { store, limit, onChanged, onKnown, ...options }: ChangeMessagesOptions,
  ) {
    this.#limit = limit;
    this.#commits = new GroupCommit({
      ...options,
      store: (changes, now) =>
        store(changes, (targets) => decideChanges(changes, targets, now), now),
      publish(changes, { decision, rows }) {
        publish(changes, decision, rows, onChanged);
        return changes.map((change, index) => {
          const outcome = decision.outcomes[index]!;
          const result = resultOf(outcome, rows.get(change.messageId));
          if (result.kind === "done" && !result.isChanged) {
            onKnown(change.roomId, result.rev);
          }
          return result;
        });
      },
      failed: (code) => ({ kind: "refused", code }),
    });
  }

  /**
   * Changes a message as a user. Only what changes something counts against the limit.
   *
   * @param change ids are UUIDs in lower case; texts are checked. Never rejects
   */
  async change(change: MessageChange): Promise<ChangeResult> {
    const attempt = this.#attempt(change);
    this.#inFlight.add(attempt);
    try {
      return await attempt;
    } finally {
      this.#inFlight.delete(attempt);
    }
  }

  /** Resolves when no change is on its way. */
  async idle(): Promise<void> {
    while (this.#inFlight.size > 0) await Promise.allSettled(this.#inFlight);
  }

  async #attempt(change: MessageChange): Promise<ChangeResult> {
    const taking = this.#limit.take(`change:${change.userId}:${change.roomId}`);
    // Awaited only where it must be: the changes of one turn share a batch.
    const taken = taking instanceof Promise ? await taking : taking;
    if (taken.kind !== "free") {
      return await this.#commits.write({ ...change, isOverLimit: true });
    }
    const result = await this.#commits.write(change);
    if (result.kind === "refused" || !result.isChanged) taken.takeBack();
    return result;
  }
}

/** Publishes each room's changed messages. */
function publish(
  changes: readonly MessageChange[],
  { outcomes, before }: ChangeDecision,
  rows: ReadonlyMap<string, MessageRow>,
  onChanged: (changes: RoomChanges) => void,
): void {
  const byRoom = new Map<string, { ids: Set<string>; rev: number }>();
  outcomes.forEach((outcome, index) => {
    if (outcome.kind !== "done" || !outcome.isChanged) return;
    const { roomId, messageId } = changes[index]!;
    const room = byRoom.get(roomId) ?? { ids: new Set(), rev: 0 };
    byRoom.set(roomId, room);
    room.ids.add(messageId);
    room.rev = outcome.rev;
  });
  for (const [roomId, { ids, rev }] of byRoom) {
    const messages = [...ids].map((id) => messageOfRow(rows.get(id)!));
    onChanged({ roomId, prevRev: before.get(roomId)!, rev, messages });
  }
}

function resultOf(
  outcome: ChangeOutcome,
  row: MessageRow | undefined,
): ChangeResult {
  if (outcome.kind === "done") {
    return { ...outcome, message: messageOfRow(row!) };
  }
  return outcome.code === "edit_conflict"
    ? { ...outcome, message: messageOfRow(row!) }
    : outcome;
}
