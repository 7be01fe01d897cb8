/** Where a page of rooms ended, as an opaque string for the `cursor` parameter. */

import { z } from "zod";
import type { RoomCursor, RoomRow } from "../../db/rooms.ts";
import { MAX_TIME_MS } from "../../db/schema.ts";

const Parts = z.tuple([z.int().min(0).max(MAX_TIME_MS), z.uuid()]);

export function encodeRoomCursor(
  last: Pick<RoomRow, "last_activity_at" | "id">,
): string {
  const parts = JSON.stringify([last.last_activity_at.getTime(), last.id]);
  return new TextEncoder().encode(parts).toBase64({
    alphabet: "base64url",
    omitPadding: true,
  });
}

/** Undefined for an invalid cursor. */
export function decodeRoomCursor(cursor: string): RoomCursor | undefined {
  try {
    const text = new TextDecoder().decode(
      Uint8Array.fromBase64(cursor, { alphabet: "base64url" }),
    );
    const [time, id] = Parts.parse(JSON.parse(text));
    return { lastActivityAt: new Date(time), id };
  } catch {
    return undefined;
  }
}
