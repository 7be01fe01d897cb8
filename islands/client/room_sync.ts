/**
 * Brings rooms up to date over a fresh line: asks for what came after each room's position, again and
 * again while the server says there is more.
 */

import type {
  ClientEvents,
  RoomPosition,
  SyncResult,
} from "../../realtime/protocol.ts";
import type { CallResult } from "./connection.ts";

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

/** What the sync needs to know of a room, and tells it. */
export interface SyncedRoom {
  position: () => RoomPosition & { lastSeq: number };
  /** The server's history is another one: load anew. False when that failed. */
  reload: () => Promise<boolean>;
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
      const next = await settle(room, asked.lastSeq, result);
      if (next === "failed") return false;
      if (next === "again") again.push(result.roomId);
    }
    waiting = [...waiting.slice(batch.length), ...again];
  } while (waiting.length > 0);
  return true;
}

async function settle(
  room: SyncedRoom,
  askedFrom: number,
  result: SyncResult,
): Promise<"done" | "again" | "failed"> {
  if (!result.synced) {
    room.gone();
    return "done";
  }
  if (result.reset) return await room.reload() ? "again" : "failed";
  const reached = room.position().lastSeq;
  if (reached < (result.lastSeq ?? 0)) return "failed";
  if (!result.hasMore) return "done";
  return reached > askedFrom ? "again" : "failed";
}
