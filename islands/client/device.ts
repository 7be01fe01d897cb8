/** Whose what is stored in a browser is. */

import { LAST_SEEN_KEY, POSITIONS_KEY } from "./positions.ts";
import { type KeyValueStorage, readJson, writeJson } from "./storage.ts";

/** Id of the user for whom this browser drew a page last. */
export const DEVICE_USER_KEY = "chatket_user";

/** What is stored under a user's id: the id comes next, then a colon. */
export const DRAFT_PREFIX = "chatket_draft:";
export const OUTBOX_PREFIX = "chatket_outbox:";

/**
 * Makes the browser a user's. What is not stored under a user's id was the last one's, and goes.
 *
 * @param storage the browser's, which all tabs share
 */
export function claimDevice(storage: KeyValueStorage, userId: string): void {
  const last = readJson(storage, DEVICE_USER_KEY);
  if (last === userId) return;
  // Unknown since before this was kept: most browsers have one user.
  if (last !== undefined) forgetPositions(storage);
  writeJson(storage, DEVICE_USER_KEY, userId);
}

/** Removes what is stored under no user's id. */
export function forgetPositions(storage: KeyValueStorage): void {
  storage.removeItem(LAST_SEEN_KEY);
  storage.removeItem(POSITIONS_KEY);
}
