/**
 * Brings rooms up to date over a fresh line: asks for what came after each room's position, again and
 * again while the server says there is more.
 */

import type {
  ClientEvents,
  RoomPosition,
  SyncResult,
} from "../../../realtime/protocol/protocol.ts";
import type { CallResult } from "../connection/connection.ts";

/**
 * Rooms asked about in one frame. The protocol allows more, but a position takes up to 120 bytes, and a
 * frame of more than `MAX_FRAME_BYTES` would cost the line, at every reconnect again.
 */
const ROOMS_PER_SYNC = 100;

/** How many rooms are asked about at once: fewer after a try that failed, on a slow line, then more again. */
export interface SyncSize {
  rooms: number;
}

/** The size of the first try. */
export const firstSyncSize = (): SyncSize => ({ rooms: ROOMS_PER_SYNC });

/**
 * A room of which so many messages were replayed, with more still waiting, is not replayed further: it
 * goes on from its newest page, and what lies between is read when it is scrolled to.
 */
const MAX_CATCH_UP = 500;

/** What the sync needs to know of a room, and tells it. */
export interface SyncedRoom {
  position: () => RoomPosition & { lastSeq: number };
  /** Everything up to the result's `lastRev` was sent. @param since the `lastRev` that was asked for */
  caughtUp: (result: SyncResult, since: number | undefined) => void;
  /** The server's history is another one: load anew. False when that failed. */
  reload: () => Promise<boolean>;
  /** Too much was missed: go on from the newest page. False when that failed. */
  skip: () => Promise<boolean>;
  /** The server no longer counts us as a member. */
  gone: () => void;
}

export type SyncCall = (
  data: ClientEvents["rooms:sync"],
) => Promise<CallResult<"rooms:sync">>;

/**
 * Syncs rooms to the end.
 *
 * @param rooms the rooms by id; their positions move as messages arrive, before each answer
 * @param size kept by the caller from one try to the next
 * @returns false when the server did not answer or did not keep its word (`hasMore` or a `lastSeq`
 *   ahead of us without messages): the line is not to be trusted then
 */
export async function syncRooms(
  rooms: ReadonlyMap<string, SyncedRoom>,
  call: SyncCall,
  size: SyncSize = firstSyncSize(),
): Promise<boolean> {
  let waiting = [...rooms.keys()];
  /** Messages replayed so far, by room. */
  const replayed = new Map<string, number>();
  do {
    const batch = waiting.slice(0, size.rooms);
    const before = batch.flatMap((id) => rooms.get(id)?.position() ?? []);
    const ack = await call({ rooms: before });
    if (!ack.success) {
      size.rooms = Math.ceil(size.rooms / 4);
      return false;
    }
    size.rooms = Math.min(ROOMS_PER_SYNC, size.rooms * 2);
    const again: string[] = [];
    for (const result of ack.results) {
      const asked = before.find(({ roomId }) => roomId === result.roomId);
      const room = rooms.get(result.roomId);
      if (asked === undefined || room === undefined) continue;
      const next = await settle(room, asked, result);
      if (next === "failed") return false;
      if (next !== "again") continue;
      again.push(result.roomId);
      const count = (replayed.get(result.roomId) ?? 0) +
        room.position().lastSeq - asked.lastSeq;
      replayed.set(result.roomId, count);
      if (count < MAX_CATCH_UP) continue;
      replayed.delete(result.roomId);
      if (!await room.skip()) return false;
    }
    waiting = [...waiting.slice(batch.length), ...again];
  } while (waiting.length > 0);
  return true;
}

async function settle(
  room: SyncedRoom,
  asked: RoomPosition & { lastSeq: number },
  result: SyncResult,
): Promise<"done" | "again" | "failed"> {
  if (!result.synced) {
    room.gone();
    return "done";
  }
  if (result.reset) return await room.reload() ? "again" : "failed";
  const reached = room.position().lastSeq;
  if (reached < (result.lastSeq ?? 0)) return "failed";
  room.caughtUp(result, asked.lastRev);
  if (!result.hasMore && !result.hasMoreChanges) return "done";
  const hasProgress = reached > asked.lastSeq ||
    (result.lastRev ?? 0) > (asked.lastRev ?? Infinity);
  return hasProgress ? "again" : "failed";
}
