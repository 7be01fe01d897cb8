/** Where a page of rooms ended, as an opaque word for the `cursor` parameter. */

import { z } from "zod";
import type { RoomCursor, RoomRow } from "../../db/rooms.ts";

/** The end of the year 9999, in milliseconds since 1970: PostgreSQL reads no ISO time after it. */
const MAX_TIME = 253_402_300_799_999;

const Parts = z.tuple([z.int().min(0).max(MAX_TIME), z.uuid()]);

export function encodeRoomCursor(
  last: Pick<RoomRow, "last_activity_at" | "id">,
): string {
  const parts = JSON.stringify([last.last_activity_at.getTime(), last.id]);
  return new TextEncoder().encode(parts).toBase64({
    alphabet: "base64url",
    omitPadding: true,
  });
}

/** Undefined for a word that {@link encodeRoomCursor} did not make. */
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
